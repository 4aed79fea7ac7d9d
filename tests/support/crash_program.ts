// Commits to a log without end, from many callers at once, and says what was acknowledged and what it does to the disk,
// until it is killed.

import { writeSync } from "node:fs";
import process from "node:process";
import { Wal, type WalOptions } from "../../mod.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { type Acknowledgement, entryOf } from "./crash_entries.ts";
import { type DiskNote, type HeldSync, NotingRuntime } from "./disk_notes.ts";

/** What the program is to do: its second argument, as JSON. */
export interface CrashPlan {
  /** The number of this life, higher than that of all before. */
  readonly life: number;
  readonly callers: number;
  readonly options: WalOptions;
  /** Whether it says what it does to the disk. */
  readonly takesNotes?: boolean;
  /** Which sync never returns. */
  readonly held?: HeldSync;
}

/** A line that it writes, as JSON. */
export type CrashLine = Acknowledgement | DiskNote | { readonly opening: true };

// Who started it ends it; and should he be gone, it ends by itself.
process.stdin.on("end", () => process.exit(1)).resume();

const [directory = "", plan = "{}"] = process.argv.slice(2);
const { life, callers, options, takesNotes = false, held = null } = JSON.parse(plan) as CrashPlan;
const runtime = await detectRuntime();

/** Is in the pipe when it returns, whatever becomes of this process. */
function say(line: CrashLine): void {
  const bytes = new TextEncoder().encode(JSON.stringify(line) + "\n");
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      // A full pipe: whoever listens will empty it.
      if ((error as { code?: unknown }).code !== "EAGAIN") throw error;
    }
  }
}

say({ opening: true });
const wal = await Wal.open(directory, {
  ...options,
  runtime: takesNotes || held !== null ? new NotingRuntime(runtime, directory, say, held) : runtime,
});
let submitted = 0;

async function commitForEver(): Promise<never> {
  for (let round = 0;; round++) {
    const first = submitted + 1;
    const last = submitted += round % 4 === 3 ? 3 : 1;
    const numbers = Array.from({ length: last - first + 1 }, (_, nth) => first + nth);
    const entries = numbers.map((number) => entryOf({ life, number, batch: [first, last] }));
    const [only] = entries;
    const lsn = entries.length === 1 && only !== undefined ? await wal.commit(only) : await wal.commitBatch(entries);
    say({ acknowledged: lsn, number: last, accepted: wal.lastLsn, submitted });
  }
}

await Promise.all(Array.from({ length: callers }, commitForEver));
