/**
 * Copies that a mending was making when it was stopped. Nobody needs them, unless what they were copied from has been damaged since.
 *
 * @module
 */

import type { SurveyedSegment } from "./flaws.ts";
import { HEADER_BYTES, type SegmentName } from "./format.ts";
import { lookInto } from "./good_segment.ts";
import { chunksOf, FrameScanner } from "./scan.ts";
import type { OpenSegmentFile, Place } from "./segment.ts";

/** Those of `unfinished` of which every entry is good in the log as well. */
export async function needlessAmong(
  place: Place,
  unfinished: readonly SegmentName[],
  segments: readonly SurveyedSegment[],
): Promise<SegmentName[]> {
  const needless: SegmentName[] = [];
  for (const each of unfinished) {
    const holdsMore = await lookInto(place, each.name, (opened) => hasMoreThan(segments, opened));
    if (holdsMore !== true) needless.push(each);
  }
  return needless;
}

async function hasMoreThan(segments: readonly SurveyedSegment[], opened: OpenSegmentFile): Promise<boolean> {
  const { file, checksum, header, sizeBytes } = opened;
  const runs = segments.flatMap(({ runs }) => runs);
  const scanner = new FrameScanner(chunksOf(file), checksum, HEADER_BYTES, header.baseLsn, sizeBytes);
  for (let frame = scanner.take(); frame !== null || await scanner.more(); frame = scanner.take()) {
    if (frame === null || frame.header.count === 0) continue;
    const { header: { firstLsn }, lastLsn } = frame;
    if (!runs.some((run) => run.firstLsn <= firstLsn && lastLsn <= run.lastLsn)) return true;
  }
  return false;
}
