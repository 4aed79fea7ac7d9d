/**
 * What lies below a file of a log that cannot be used: all that tells so is its name, and that may lie.
 *
 * @module
 */

import { lookBehind } from "./behind.ts";
import { WalIoError } from "./errors.ts";
import { FRAME_ALIGNMENT, HEADER_BYTES, type SegmentName } from "./format.ts";
import { inspectSegment, lookInto, readHeader } from "./good_segment.ts";
import { type Place, release } from "./segment.ts";

/**
 * Which of `names`, the highest id first, lies below `segment`, which cannot be used.
 *
 * Below a good one: what its name says, if that is there, and its header is not another segment's; else the next lower. With nothing
 * good above, its name may lie: what it says counts only if no good file lies between the two; else the next lower. A good file in
 * between that goes on from the same place, and was never synced, does not count where `segment` was a segment once: a disk may have
 * failed under it, and it was left behind.
 */
export async function likelyBelow(
  place: Place,
  names: readonly SegmentName[],
  segment: SegmentName,
  isBelowGood: boolean,
): Promise<SegmentName | null> {
  const { id, predecessorId, baseLsn } = segment;
  const lower = names.filter((each) => each.id < id);
  const named = lower.find((each) => each.id === predecessorId);
  if (isBelowGood && named !== undefined) return await isAnothers(place, segment) ? lower[0] ?? null : named;
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
  const opened = await inspectSegment(place, { name, logId: null }, "read");
  if (!("finding" in opened)) await release(opened.file);
  else if (opened.finding === "no-segment") return false;
  return await isFilled(place, name).catch((error: unknown) => {
    throw new WalIoError(`read ${name}`, error);
  });
}

/** Whether a file is long enough for a header, and does not begin with zeros. */
async function isFilled({ runtime, directory }: Place, name: string): Promise<boolean> {
  const file = await runtime.open(runtime.join(directory, name), "read");
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
  const was = await lookInto(place, name, async (opened) => {
    const { syncedLsn, markOffset } = await lookBehind(opened, HEADER_BYTES);
    return markOffset > HEADER_BYTES || syncedLsn >= opened.header.baseLsn;
  });
  return was === true;
}
