// Commits to a log without end, from many callers at once, and says what was acknowledged and what it does to the disk,
// until it is killed.

import process from "node:process";
import { type Durability, Wal, WalFailedError, type WalOptions, type WalRecovery } from "../../mod.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { type Caller, type CallerKind, callerOf } from "./crash_callers.ts";
import type { Statement } from "./crash_ledger.ts";
import { type DiskNote, type HeldSync, NotingRuntime } from "./disk_notes.ts";
import { say } from "./say.ts";

/** What the program is to do: its second argument, as JSON. */
export interface CrashPlan {
  /** The number of this life, higher than that of all before. */
  readonly life: number;
  /** How many callers there are of each kind. */
  readonly callers: Partial<Readonly<Record<CallerKind, number>>>;
  readonly options: WalOptions;
  /** What chance the callers take. */
  readonly seed?: number;
  /** Whether it says what it does to the disk. */
  readonly takesNotes?: boolean;
  /** Which sync never returns. */
  readonly held?: HeldSync;
}

/** A line that it writes, as JSON. */
export type CrashLine =
  | Statement
  | DiskNote
  /** The log is about to be opened. */
  | { readonly opening: true }
  /** It is open, and this is what was found. */
  | { readonly opened: WalRecovery }
  /** It has failed, and nothing more will be done. */
  | { readonly failed: string };

// Who started it ends it; and should he be gone, it ends by itself.
process.stdin.on("end", () => process.exit(1)).resume();

const [directory = "", argument = "{}"] = process.argv.slice(2);
const plan = JSON.parse(argument) as CrashPlan;
const { life, callers, options, seed = life, takesNotes = false, held = null } = plan;
const runtime = await detectRuntime();

const tell = (line: CrashLine): void => say(JSON.stringify(line));

tell({ opening: true });
const wal = await Wal.open(directory, {
  ...options,
  runtime: takesNotes || held !== null ? new NotingRuntime(runtime, directory, tell, held) : runtime,
});
tell({ opened: wal.recovery });
const level: Durability = options.durability ?? "fsync";
const shared = { wal, life, level, say: tell, submitted: wal.lastLsn };
const kinds = (Object.keys(callers) as CallerKind[]).flatMap((kind) =>
  Array<CallerKind>(callers[kind] ?? 0).fill(kind)
);
const all: Caller[] = kinds.map((kind, nth) => callerOf(kind, shared, nth, seed));
try {
  await Promise.all(all.map((caller) => caller.run()));
} catch (error) {
  if (!(error instanceof WalFailedError) || error !== wal.error) throw error;
  tell({ failed: error.message });
  await new Promise(() => {}); // whoever started it kills it
}
