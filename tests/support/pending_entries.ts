/**
 * What a buffer of entries holds, read as a reader of the log would read it.
 */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { decodeEntries, type EntryInput } from "../../src/entry.ts";
import { CONTROL_FRAME_BYTES, FRAME_HEADER_BYTES, FrameKind } from "../../src/format.ts";
import { Pending, type PendingSettings } from "../../src/pending.ts";

const MIB = 1024 * 1024;

/** A buffer, with limits that are wide if nothing else is said. */
export function newPending(settings: Partial<PendingSettings> = {}): Pending {
  return new Pending(
    Object.assign(settings, { maxEntryBytes: MIB, maxBatchBytes: MIB, maxEntries: Infinity, ...settings }),
  );
}

/** So many bytes of one value; of their length, if nothing else is said. */
export function bytesOf(length: number, value: number = length): Uint8Array {
  return new Uint8Array(length).fill(value);
}

/** What is no entry, handed over by a program without types. */
export function loose(input: unknown): EntryInput {
  return input as EntryInput;
}

/** A frame that waits to be written: its first LSN, and its entries as kind and bytes. */
export interface HeldFrame {
  readonly isBatch: boolean;
  readonly firstLsn: number;
  readonly lengthBytes: number;
  readonly entries: readonly (readonly [kind: number, data: Uint8Array])[];
}

/** Closes the last frame, asserts that all of them lie as a write needs them, and returns what they hold. */
export function framesIn(pending: Pending): HeldFrame[] {
  pending.closeFrame();
  const { bytes, view } = pending;
  const held: HeldFrame[] = [];
  let end = 0;
  let count = 0;
  for (let nth = 0; nth < pending.frameCount; nth++) {
    const frame = pending.frame(nth);
    const { at, kind, firstLsn, lengthBytes } = frame;
    if (nth === 0) assertGreaterOrEqual(at, CONTROL_FRAME_BYTES, "there is no room for a skip in front");
    else assertEquals(at, end, "the frames do not touch");
    assertEquals([at % 8, lengthBytes % 8, pending.frameBytes(nth)], [0, 0, lengthBytes]);
    end = at + lengthBytes;
    count += frame.count;
    const entries = decodeEntries(bytes, view, at, { ...frame, syncedLsn: 0, time: 0 }, 0, Infinity);
    assert(entries !== null, `the entries of the frame with LSN ${firstLsn} do not fill it`);
    const dataBytes = entries.reduce((sum, { data }) => sum + 5 + data.length, 0);
    const padding = bytes.subarray(at + FRAME_HEADER_BYTES + dataBytes, end);
    assert(padding.every((byte) => byte === 0), "the padding is not zeros");
    const pairs = entries.map(({ kind, data }) => [kind, data.slice()] as const);
    held.push({ isBatch: kind === FrameKind.BATCH, firstLsn, lengthBytes, entries: pairs });
  }
  assertEquals(pending.pendingBytes, held.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0));
  assertEquals([pending.count, pending.firstLsn], [count, held[0]?.firstLsn ?? null]);
  return held;
}

/** All entries in there, whatever their frames, by their LSNs. */
export function entriesIn(pending: Pending): [lsn: number, kind: number, text: string][] {
  return framesIn(pending).flatMap(({ firstLsn, entries }) =>
    entries.map(([kind, data], nth): [number, number, string] => [firstLsn + nth, kind, new TextDecoder().decode(data)])
  );
}
