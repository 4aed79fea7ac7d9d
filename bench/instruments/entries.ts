/**
 * Entries that are there before anything is timed, and how many bytes the log makes of them.
 *
 * @module
 */

import { randomFillSync } from "node:crypto";
import { aligned, ENTRY_HEADER_BYTES, FRAME_HEADER_BYTES, FRAME_TARGET_BYTES } from "../../src/format.ts";

/** How large an entry is unless said. */
export const ENTRY_BYTES = 100;

/** How many different small entries there are; a power of two, so that a mask picks one. */
export const ENTRY_COUNT = 1024;

/** Picks an entry by any whole number. */
export const ENTRY_MASK: number = ENTRY_COUNT - 1;

/** `count` entries of random bytes, which nothing can compress, each in memory of its own. */
export function randomEntries(count: number = ENTRY_COUNT, entryBytes: number = ENTRY_BYTES): Uint8Array[] {
  return Array.from({ length: count }, () => randomFillSync(new Uint8Array(entryBytes)));
}

/** The entry at any whole number from 0: they come round and round. */
export function pick<T>(entries: readonly T[], nth: number): T {
  return entries[nth % entries.length] as T;
}

/** The entries in arrays of `size`, as a stream carries them. */
export function arraysOf<T>(entries: readonly T[], size: number): T[][] {
  return Array.from(
    { length: Math.ceil(entries.length / size) },
    (_, nth) => entries.slice(nth * size, (nth + 1) * size),
  );
}

/** How many bytes the log writes for `count` entries that one flush carries. */
export function flushBytes(count: number, entryBytes: number = ENTRY_BYTES): number {
  const each = ENTRY_HEADER_BYTES + entryBytes;
  const inFrame = Math.max(1, Math.floor((FRAME_TARGET_BYTES - FRAME_HEADER_BYTES) / each));
  const rest = count % inFrame;
  const frameBytes = (entries: number): number => entries === 0 ? 0 : aligned(FRAME_HEADER_BYTES + entries * each);
  return Math.floor(count / inFrame) * frameBytes(inFrame) + frameBytes(rest);
}
