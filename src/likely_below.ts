/**
 * What lies below a file of a log that cannot be used: all that tells so is its name, and that may lie.
 *
 * @module
 */

import { lookBehind } from "./behind.ts";
import { FRAME_ALIGNMENT, HEADER_BYTES, type SegmentName } from "./format.ts";
import { inspectSegment, readHeader } from "./good_segment.ts";
import { openSegmentFile, type Place, release } from "./segment.ts";

/**
 * Which of `names`, the highest id first, lies below a file that cannot be used: the one which its name tells, unless that lies. Where
 * none above it can be used, and so nothing else names it, it does if something good lies between the two. But where it is still like
 * a header, and the other goes on from the same place and was never synced, that may have failed and have been left behind.
 */
export async function likelyBelow(
  place: Place,
  names: readonly SegmentName[],
  segment: SegmentName,
  isNamed: boolean,
): Promise<SegmentName | null> {
  const { id, predecessorId, baseLsn } = segment;
  const lower = names.filter((each) => each.id < id);
  const named = lower.find((each) => each.id === predecessorId);
  if (isNamed && named !== undefined) return await isAnothers(place, segment) ? lower[0] ?? null : named;
  const isLikeHeader = await wasHeader(place, segment);
  for (const each of lower) {
    if (each === named) return each;
    const isRival = isLikeHeader && each.predecessorId === predecessorId && each.baseLsn === baseLsn;
    if (isRival ? await wasSynced(place, each) : await readHeader(place, each.name) !== null) break;
  }
  return lower[0] ?? null;
}

/** Whether the header of a file that bears the right id is another segment's: then nobody knows whose the rest of its name is. */
async function isAnothers(place: Place, { name, id }: SegmentName): Promise<boolean> {
  const opened = await inspectSegment(place, { name, logId: null }, "read");
  if ("finding" in opened) return opened.header !== undefined && opened.header.id !== id;
  await release(opened.file);
  return false;
}

/** Whether what a file begins with was a segment's header once, as far as that can be told. */
async function wasHeader(place: Place, { name }: SegmentName): Promise<boolean> {
  const opened = await openSegmentFile(place, name, "read");
  if (!("fault" in opened)) await release(opened.file);
  else if (opened.fault === "no-segment") return false;
  const file = await place.runtime.open(place.runtime.join(place.directory, name), "read");
  try {
    const bytes = new Uint8Array(HEADER_BYTES);
    const count = await file.read(bytes, 0);
    return count === HEADER_BYTES && bytes.subarray(0, FRAME_ALIGNMENT).some((byte) => byte !== 0);
  } finally {
    await release(file);
  }
}

/** Whether something in a file says that it had been synced with a frame in it. */
async function wasSynced(place: Place, { name }: SegmentName): Promise<boolean> {
  const opened = await inspectSegment(place, { name, logId: null }, "read");
  if ("finding" in opened) return false;
  try {
    const { syncedLsn, markOffset } = await lookBehind(opened, HEADER_BYTES);
    return markOffset > HEADER_BYTES || syncedLsn >= opened.header.baseLsn;
  } finally {
    await release(opened.file);
  }
}
