/**
 * A log whose entries are all equally long and each in a frame of its own, so that a test knows where each of them lies.
 */

import type { WalOptions } from "../../mod.ts";
import { HEADER_BYTES } from "../../src/format.ts";
import { LogFixture, pathOf, quiet, SMALL_SEGMENT_BYTES } from "./log_fixture.ts";

/** What an even log is opened with: four entries fill a segment. */
export const EVEN: WalOptions = { segmentBytes: SMALL_SEGMENT_BYTES };

/** 48 for the frame's header, 5 for the entry's, 900 for the text, and padding. */
export const EVEN_FRAME_BYTES = 960;

/** The text of an entry. */
export function evenText(lsn: number): string {
  return `${lsn}`.padEnd(900, ".");
}

/** A log of so many entries, each synced by itself; nothing goes on in it. */
export async function openEvenLog(entries: number, options: WalOptions = EVEN): Promise<LogFixture> {
  const log = new LogFixture(options);
  await log.open();
  for (let lsn = 1; lsn <= entries; lsn++) await log.commit(evenText(lsn));
  await quiet();
  return log;
}

/** Where the `nth` frame of a segment begins. */
export function frameAt(nth: number): number {
  return HEADER_BYTES + (nth - 1) * EVEN_FRAME_BYTES;
}

/** The name of the `nth` segment, counted from 1. */
export function nthSegment(log: LogFixture, nth: number): string {
  return log.segments()[nth - 1] ?? "";
}

/** Turns the lowest bit of a byte of a file. */
export function flip(log: LogFixture, segment: string, offset: number): void {
  log.disk.flipBit(pathOf(segment), offset, 0);
}

/** All LSNs from the first to the last. */
export function lsnsFrom(firstLsn: number, lastLsn: number): number[] {
  return Array.from({ length: lastLsn - firstLsn + 1 }, (_, nth) => firstLsn + nth);
}
