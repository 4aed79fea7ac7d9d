/**
 * What lies behind the good frames of a segment: whatever vouches for more of them, and what a crash tore.
 *
 * @module
 */

import type { WalEvidence } from "./errors.ts";
import { type FrameHeader, FrameKind, HEADER_BYTES, MAX_NUMBER, type SegmentHeader } from "./format.ts";
import { searchHeaders } from "./scan.ts";
import type { OpenSegmentFile } from "./segment.ts";
import { readTurnedHeader } from "./turned_bit.ts";
import type { Voucher } from "./verdict.ts";

/** A place outside the segments that remembers how far the log once reached: the lock file's mark, for one. */
export interface OutsideVoucher {
  readonly evidence: WalEvidence;
  readonly segmentId: number;
  /** What is strictly before it had been synced. */
  readonly offset: number;
  readonly lsn: number;
}

/** A segment of a set that was complete once tells that the one was there which completed it. */
export function completionOf({ setId }: SegmentHeader): OutsideVoucher {
  return { evidence: "name", segmentId: setId, offset: HEADER_BYTES, lsn: 0 };
}

/** What the headers of frames behind a place tell. */
export interface Behind {
  /** Where the last of those frames ends; the place itself, if there is none. */
  readonly tornEnd: number;
  /** The first LSN that they bear; 0 where they bear none. */
  readonly firstLsn: number;
  readonly lastLsn: number;
  /** The highest LSN that they, or the header's head, say was synced. */
  readonly syncedLsn: number;
  /** Where the last mark stands; -1 where there is none. */
  readonly markOffset: number;
}

/**
 * Looks at every header of this life of the file from `offset` on; at `offset` itself also at one in which a bit has turned, which
 * tells what was lost and vouches for nothing.
 */
export async function lookBehind(
  { file, checksum, header, sizeBytes }: Pick<OpenSegmentFile, "file" | "checksum" | "header" | "sizeBytes">,
  offset: number,
): Promise<Behind> {
  let tornEnd = offset;
  let firstLsn = 0;
  let lastLsn = 0;
  let syncedLsn = header.headLsn - 1; // what was cut away had been synced; only a first segment may hold some of it
  let markOffset = -1;
  const noteFrame = (frame: FrameHeader, at: number): void => {
    tornEnd = Math.max(tornEnd, Math.min(at + frame.lengthBytes, sizeBytes));
    if (frame.count === 0 || frame.firstLsn + frame.count > MAX_NUMBER) return; // or nobody can have written it
    firstLsn = firstLsn === 0 ? frame.firstLsn : Math.min(firstLsn, frame.firstLsn);
    lastLsn = Math.max(lastLsn, frame.firstLsn + frame.count - 1);
  };
  const turned = await readTurnedHeader(file, checksum, offset);
  if (turned !== null) noteFrame(turned, offset);
  for await (const { header: frame, offset: at } of searchHeaders(file, checksum, offset, sizeBytes)) {
    if (frame.kind === FrameKind.MARK) markOffset = at;
    syncedLsn = Math.max(syncedLsn, frame.syncedLsn);
    noteFrame(frame, at);
  }
  return { tornEnd, firstLsn, lastLsn, syncedLsn, markOffset };
}

/** What proves that a frame with LSN `nextLsn` had been synced at `offset` of the last segment, which has this id. */
export function voucherFor(
  { syncedLsn, markOffset }: Behind,
  { id, offset, nextLsn }: { readonly id: number; readonly offset: number; readonly nextLsn: number },
  outside: readonly OutsideVoucher[],
): Voucher {
  if (syncedLsn >= nextLsn) return "frame";
  // A mark that is itself torn stands just where the good frames end, and vouches only for what is before it.
  if (markOffset > offset) return "mark";
  return outside.find((each) => each.segmentId === id && each.offset > offset)?.evidence ?? "nothing";
}
