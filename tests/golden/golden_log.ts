/**
 * Makes the log that is kept, in memory, and says what must be read from it. What it says comes from what was written,
 * never from reading.
 */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { type EntryInput, Wal, WalDiskFullError, type WalEvent } from "../../mod.ts";
import { MemoryDisk, MemoryRuntime } from "../../src/runtime/memory.ts";

/** Where logs are kept: with the sources of the tests, also when those are run compiled. */
export const goldenDirectory: string = dirname(fileURLToPath(import.meta.url)).replace(
  /([/\\])build[/\\]tests([/\\])/,
  "$1tests$2",
);

/** An entry that must be read. Its bytes are a text, or in hexadecimal. */
export interface GoldenEntry {
  readonly lsn: number;
  readonly kind: number;
  readonly time: number;
  readonly text?: string;
  readonly hex?: string;
}

/** What must be read from a log that is kept. */
export interface GoldenContents {
  readonly formatVersion: number;
  readonly firstLsn: number;
  readonly lastLsn: number;
  /** LSNs that were given out and rejected, first and last. */
  readonly skipped: readonly (readonly [number, number])[];
  /** The kinds of the frames of each segment, in their order. */
  readonly frames: readonly (readonly string[])[];
  readonly entries: readonly GoldenEntry[];
}

/** A log, and what it holds. */
export interface GoldenLog {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly contents: GoldenContents;
}

const DIRECTORY = "/wal";
/** As small as can be, and with every kind of frame that version 0.1 writes. */
const OPTIONS = { segmentBytes: 16 * 1024, idleMs: 50 };

/** Makes the log. It comes out the same each time, as long as the writer is the same. */
export async function makeGoldenLog(): Promise<GoldenLog> {
  const disk = new MemoryDisk();
  const runtime = new MemoryRuntime({ disk, seed: 1, manualTime: true, now: 1_700_000_000_000 });
  const entries: GoldenEntry[] = [];
  await firstLife(runtime, entries);
  const skipped = await secondLife(runtime, disk, entries);
  const files = new Map<string, Uint8Array>();
  for (const name of disk.names(DIRECTORY)) {
    if (!name.startsWith("spare-")) files.set(name, disk.read(`${DIRECTORY}/${name}`));
  }
  const frames = [
    ["ENTRIES", "ENTRIES", "IDLE", "BATCH", "IDLE", "ENTRIES", "FOOTER"],
    ["SKIP", "ENTRIES", "BATCH", "ENTRIES", "IDLE", "MARK"],
  ];
  const lastLsn = entries.at(-1)?.lsn ?? 0;
  return { files, contents: { formatVersion: 1, firstLsn: 1, lastLsn, skipped, frames, entries } };
}

/** Entries, an idle frame, a batch, and a clean end. */
async function firstLife(runtime: MemoryRuntime, entries: GoldenEntry[]): Promise<void> {
  const wal = await Wal.open(DIRECTORY, { ...OPTIONS, runtime });
  const together = ["the first entry", "", { kind: 127, data: "a user's highest kind" }];
  const lsns = await Promise.all(together.map((entry) => wal.commit(entry)));
  note(entries, together, lsns.at(-1) ?? 0, runtime.now());
  await runtime.clock.advance(10);
  const bytes = [new Uint8Array([0, 1, 2, 127, 128, 255])];
  note(entries, bytes, await wal.commit(bytes[0] ?? ""), runtime.now());
  await runtime.clock.advance(1000); // idle
  const batch = ["a batch:", { kind: 1, data: "all of it," }, { kind: 2, data: "or nothing \u{1F30D}" }];
  note(entries, batch, await wal.commitBatch(batch), runtime.now());
  await wal.close();
}

/** The mark is overwritten; a full disk rejects two entries in the next segment, which thus begins with a skip. */
async function secondLife(
  runtime: MemoryRuntime,
  disk: MemoryDisk,
  entries: GoldenEntry[],
): Promise<[number, number][]> {
  await runtime.clock.advance(86_400_000);
  const skipped: [number, number][] = [];
  const onEvent = (event: WalEvent): void => {
    if (event.type === "disk-full" && event.firstLsn > 0) skipped.push([event.firstLsn, event.lastLsn]);
  };
  const wal = await Wal.open(DIRECTORY, { ...OPTIONS, runtime, onEvent });
  const commit = async (entry: EntryInput): Promise<void> => {
    note(entries, [entry], await wal.commit(entry), runtime.now());
    await runtime.clock.advance(1);
  };
  await commit("behind a mark that was overwritten");
  disk.sizeBytes = disk.usedBytes;
  const tooLarge = [wal.commit("x".repeat(20_000)), wal.commit("rejected together with it")];
  for (const { status, reason } of (await Promise.allSettled(tooLarge)).map((each) => ({ reason: null, ...each }))) {
    if (status !== "rejected" || !(reason instanceof WalDiskFullError)) {
      throw new Error("the disk should have been full");
    }
  }
  disk.sizeBytes = Infinity;
  await commit({ kind: 191, data: [new Uint8Array([0xe4, 0xb8]), new Uint8Array([0x96])] });
  const batch = Array.from({ length: 20 }, (_, nth) => ({ kind: nth, data: `${nth} of twenty` }));
  note(entries, batch, await wal.commitBatch(batch), runtime.now());
  await commit("the last entry");
  await runtime.clock.advance(1000); // idle
  await wal.close();
  return skipped;
}

/** Writes down entries whose last LSN is `lastLsn`. */
function note(entries: GoldenEntry[], inputs: readonly EntryInput[], lastLsn: number, time: number): void {
  for (const [nth, input] of inputs.entries()) {
    const lsn = lastLsn - inputs.length + 1 + nth;
    const { kind = 0, data } = typeof input === "string" || input instanceof Uint8Array ? { data: input } : input;
    if (typeof data === "string") entries.push({ lsn, kind, time, text: data });
    else entries.push({ lsn, kind, time, hex: hexOf(data instanceof Uint8Array ? [data] : data) });
  }
}

function hexOf(parts: readonly Uint8Array[]): string {
  return parts.flatMap((part) => [...part]).map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
