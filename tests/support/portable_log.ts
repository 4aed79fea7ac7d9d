/**
 * A log that must come out the same, byte for byte, wherever it is written.
 */

import { type EntryInput, Wal } from "../../mod.ts";
import type { Runtime } from "../../src/runtime/port.ts";
import { FixedRuntime } from "./fixed_runtime.ts";

/** Two hours apart, so that a clock of the machine would show. */
const TICK_MS = 7_200_000;
/** No flush of its own accord, and no idle frame. */
const NEVER_MS = 600_000;

/** What is written, one flush each: texts of several scripts, bytes, parts, nothing at all, and batches. */
const FLUSHES: readonly (readonly EntryInput[] | { readonly batch: readonly EntryInput[] })[] = [
  ["plain", "with \u00e4, \u4e16 and \u{1F30D}", "half a pair: \ud83c", ""],
  [new Uint8Array(0), new Uint8Array([0, 1, 2, 253, 254, 255]), { kind: 127, data: "the highest kind of a user" }],
  { batch: ["all", { kind: 7, data: "or" }, new Uint8Array([110, 111, 116, 104, 105, 110, 103])] },
  [{ kind: 191, data: [new Uint8Array([1]), new Uint8Array(0), new Uint8Array([2, 3])] }],
  { batch: [""] },
  ...Array.from({ length: 40 }, (_, nth) => [`${nth} `.repeat(50 * nth)]),
  {
    batch: Array.from({ length: 300 }, (_, nth) => `entry ${nth} of a batch that is larger than a segment `.repeat(2)),
  },
  [new Uint8Array(70_000).fill(170)],
];

/** Writes the log into `directory`, in two lives, both of which end well. */
export async function writePortableLog(runtime: Runtime, directory: string): Promise<void> {
  const fixed = new FixedRuntime(runtime);
  const options = { runtime: fixed, segmentBytes: 32 * 1024, windowMs: NEVER_MS, idleMs: NEVER_MS };
  const half = FLUSHES.length / 2;
  for (const flushes of [FLUSHES.slice(0, half), FLUSHES.slice(half)]) {
    const wal = await Wal.open(directory, options);
    for (const flush of flushes) {
      fixed.time += TICK_MS;
      if ("batch" in flush) wal.appendBatch(flush.batch);
      else for (const entry of flush) wal.append(entry);
      await wal.flush();
    }
    await wal.close();
  }
}
