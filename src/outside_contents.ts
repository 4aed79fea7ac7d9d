/**
 * What the frames of one segment tell a reader without the lock, beyond those that it shows.
 *
 * @module
 */

import { decodeControlPayload, FrameKind, HEADER_BYTES } from "./format.ts";
import { chunksOf, FrameScanner, searchHeaders } from "./scan.ts";
import type { OpenSegmentFile } from "./segment.ts";

/** What a segment's header and whole frames tell. */
export interface Whole {
  /** The first LSN there is, as far as that is sure: a head frame is synced before anything follows it. */
  readonly headLsn: number;
  /** The same, as the last head frame says. */
  readonly lastHeadLsn: number;
  /** The last LSN there is, or was left out. */
  readonly lastLsn: number;
  /** Where the last whole frame ends. */
  readonly endOffset: number;
}

/** Reads all of it. */
export async function wholeOf(opened: OpenSegmentFile): Promise<Whole> {
  const { file, checksum, header } = opened;
  const scanner = new FrameScanner(chunksOf(file), checksum, HEADER_BYTES, header.baseLsn, await file.size());
  let { headLsn } = header;
  let lastHeadLsn = headLsn;
  for (let frame = scanner.take(); frame !== null || await scanner.more(); frame = scanner.take()) {
    if (frame === null) continue;
    headLsn = lastHeadLsn;
    if (frame.header.kind === FrameKind.HEAD) {
      lastHeadLsn = Math.max(headLsn, decodeControlPayload(frame.view, frame.at));
    }
  }
  const { offset: endOffset, nextLsn } = scanner;
  // What follows the last one may be damaged: it was synced all the same.
  if (lastHeadLsn > headLsn && await vouchedBehind(opened, endOffset) > 0) headLsn = lastHeadLsn;
  return { headLsn, lastHeadLsn, lastLsn: nextLsn - 1, endOffset };
}

/** Whether damage explains that what the reader has passed is not there: good frames end before it, and more were written. */
export async function isDamagedBefore(opened: OpenSegmentFile, nextLsn: number, isLast: boolean): Promise<boolean> {
  const { endOffset, lastLsn } = await wholeOf(opened);
  if (lastLsn >= nextLsn - 1) return false;
  return !isLast || await vouchedBehind(opened, endOffset) > lastLsn;
}

/** The highest LSN that was synced, as frames behind a bad one say; 0 where there are none. */
export async function vouchedBehind({ file, checksum }: OpenSegmentFile, offset: number): Promise<number> {
  let vouchedLsn = 0;
  for await (const { header } of searchHeaders(file, checksum, offset, await file.size())) {
    vouchedLsn = Math.max(vouchedLsn, header.syncedLsn);
  }
  return vouchedLsn;
}
