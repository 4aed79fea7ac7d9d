// Does to a log what it is told to, a line of JSON each, and says what came of it: for a test that does something to this process
// meanwhile.

import process from "node:process";
import { type EntryInput, Wal, WalError, type WalOptions } from "../../mod.ts";
import { systemCode } from "../../src/errors.ts";
import { answerCommands } from "./commands.ts";

/** What it is told. */
export type LogCommand =
  | { readonly do: "open"; readonly directory: string; readonly options?: WalOptions }
  /** Commits an entry of so many bytes. */
  | { readonly do: "commit"; readonly bytes: number }
  /** In every way there is to wait for something, all at once: each way is an outcome. */
  | { readonly do: "everything" }
  | { readonly do: "truncateBefore"; readonly lsn: number }
  | { readonly do: "reopen" }
  | { readonly do: "close" };

/** What a call came to. */
export type CallOutcome =
  | { readonly state: "resolved"; readonly lsn: number }
  | { readonly state: "rejected"; readonly code: string; readonly message: string; readonly cause: string };

/** What it says. */
export interface LogAnswer {
  readonly outcomes: readonly CallOutcome[];
  readonly state: string;
  readonly events: readonly string[];
}

let wal: Wal | null = null;
let events: string[] = [];

function entryOf(bytes: number): string {
  return `${bytes} `.padEnd(bytes, ".");
}

/** Its promise may be that of an error that others hear of too: one outcome is enough. */
async function outcomeOf(call: () => Promise<unknown>): Promise<CallOutcome> {
  try {
    return { state: "resolved", lsn: Number(await call()) };
  } catch (error) {
    if (!(error instanceof WalError)) throw error;
    return { state: "rejected", code: error.code, message: error.message, cause: systemCode(error.cause) ?? "" };
  }
}

function opened(): Wal {
  if (wal === null) throw new Error("no log is open");
  return wal;
}

const ways: readonly ((wal: Wal) => Promise<unknown>)[] = [
  (wal) => wal.commit(entryOf(100)),
  (wal) => wal.commitBatch([entryOf(100), entryOf(200)]),
  async (wal) => await wal.waitFor(wal.append(entryOf(100))),
  (wal) => new ReadableStream<EntryInput>(oneEntry()).pipeTo(wal.writable()),
  async (wal) => {
    const reader = new ReadableStream<EntryInput>(oneEntry()).pipeThrough(wal.acknowledge()).getReader();
    return (await reader.read()).value?.lsn;
  },
  (wal) => wal.flush(),
];

function oneEntry(): UnderlyingDefaultSource<EntryInput> {
  return {
    start: (controller) => {
      controller.enqueue(entryOf(100));
      controller.close();
    },
  };
}

async function obey(command: LogCommand): Promise<readonly CallOutcome[]> {
  switch (command.do) {
    case "open":
      return [
        await outcomeOf(async () => {
          const onEvent: WalOptions["onEvent"] = ({ type }) => events.push(type);
          wal = await Wal.open(command.directory, { ...command.options, onEvent });
          return wal.lastLsn;
        }),
      ];
    case "commit":
      return [await outcomeOf(() => opened().commit(entryOf(command.bytes)))];
    case "everything":
      return await Promise.all(ways.map((way) => outcomeOf(() => way(opened()))));
    case "truncateBefore":
      return [await outcomeOf(async () => (await opened().truncateBefore(command.lsn)).firstLsn)];
    case "reopen":
      return [
        await outcomeOf(async () => {
          await opened().reopen();
          return opened().lastLsn;
        }),
      ];
    case "close":
      return [await outcomeOf(() => opened().close())];
  }
}

process.on("unhandledRejection", (error) => {
  console.error("nobody caught", error);
  process.exit(3);
});
await answerCommands(async (line): Promise<LogAnswer> => {
  events = [];
  const outcomes = await obey(JSON.parse(line) as LogCommand);
  return { outcomes, state: wal?.state ?? "none", events };
});
