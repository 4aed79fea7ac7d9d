// Looks at a log that others write to and are killed, from another process and another runtime than theirs, and holds it
// against all that they had said. Commands and answers are lines of JSON.

import process from "node:process";
import { Wal, WalAbortedError, WalDiskFullError, type WalRecovery, WalTruncatedError } from "../../mod.ts";
import { answerCommands } from "./commands.ts";
import { entryOf, type ReadEntry } from "./crash_entries.ts";
import { Ledger, type Statement } from "./crash_ledger.ts";
import { readAll } from "./log_contents.ts";

/** What it is told, or asked for. */
export type CheckerCommand =
  /** What a life had said. */
  | { readonly hear: { readonly life: number; readonly statements: readonly Statement[] } }
  /** To read along without the lock, until the next look. */
  | { readonly follow: true }
  /** To read the log as it lies there, without its lock and without changing a byte. */
  | { readonly read: true }
  /** To open it, read it, and close it; and to commit something before, as a life of its own, unless it is null. */
  | { readonly open: number | null };

/** What came of it: a report, or what is not as it must be. */
export type CheckerAnswer = CheckerReport | { readonly violation: string };

/** All is as it must be. */
export interface CheckerReport {
  /** How many entries it has seen. */
  readonly entries: number;
  /** How many acknowledgements were found to be true that had not been looked at before. */
  readonly checked: number;
  /** What opening found. */
  readonly recovery: WalRecovery | null;
  /** What the checker has committed. */
  readonly statements: readonly Statement[];
}

const [directory = ""] = process.argv.slice(2);
const ledger = new Ledger();
const POLL_MS = 5;

/** Reads along. Where the log is cut past its place, it begins again at the new first LSN. */
class RestartingFollower {
  readonly #end = new AbortController();
  readonly #runs: ReadEntry[][] = [];
  readonly #ended: Promise<void> = this.#read();

  constructor() {
    this.#ended.catch(() => {}); // whoever stops it hears of that
  }

  async #read(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const run: ReadEntry[] = [];
      this.#runs.push(run);
      try {
        for await (const entry of Wal.read(directory, { follow: true, pollMs: POLL_MS, signal })) run.push(entry);
      } catch (error) {
        if (!(error instanceof WalTruncatedError || error instanceof WalAbortedError)) throw error;
      }
    }
  }

  /** What it was shown, from each beginning on. */
  async stop(): Promise<readonly (readonly ReadEntry[])[]> {
    this.#end.abort();
    await this.#ended;
    return this.#runs;
  }
}

let follower: RestartingFollower | null = null;

await answerCommands(async (line): Promise<CheckerAnswer> => {
  try {
    return await obey(JSON.parse(line) as CheckerCommand);
  } catch (error) {
    return { violation: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
});

async function obey(command: CheckerCommand): Promise<CheckerAnswer> {
  const checkedBefore = ledger.checkedCount;
  let entries: readonly ReadEntry[] = [];
  let recovery: WalRecovery | null = null;
  let statements: readonly Statement[] = [];
  if ("hear" in command) ledger.hear(command.hear.life, command.hear.statements);
  else if ("follow" in command) follower = new RestartingFollower();
  else if ("read" in command) {
    const followed = await follower?.stop() ?? [];
    follower = null;
    for (const run of followed) ledger.check(run, "read");
    entries = await readWithoutLock();
    ledger.check(entries, "read");
    entries = [...followed.flat(), ...entries];
  } else {
    const wal = await Wal.open(directory);
    recovery = wal.recovery;
    entries = await readAll(wal);
    ledger.check(entries, wal);
    if (command.open !== null) statements = [await visit(wal, command.open)];
    await wal.close();
  }
  return { entries: entries.length, checked: ledger.checkedCount - checkedBefore, recovery, statements };
}

async function readWithoutLock(): Promise<ReadEntry[]> {
  const entries: ReadEntry[] = [];
  for await (const entry of Wal.read(directory)) entries.push(entry);
  return entries;
}

/** Commits something, so that the log goes on, and ends well, on this runtime too; if there is room. */
async function visit(wal: Wal, life: number): Promise<Statement> {
  const entry = entryOf({ life, caller: 0, number: 1, range: [1, 1], isBatch: false, fillerBytes: 1000 });
  try {
    const acknowledged = await wal.commit(entry);
    return { acknowledged, caller: 0, number: 1, level: "fsync", accepted: acknowledged, submitted: 1 };
  } catch (error) {
    if (!(error instanceof WalDiskFullError)) throw error;
    return { rejected: [1, 1], caller: 0, isWhole: true };
  }
}
