/**
 * The segments that a mending makes are one set: all of them are part of the log, or none is. Which it is, where the segment that
 * completes a set is not there: it was never made, or it has vanished.
 *
 * @module
 */

import type { SegmentHeader, SegmentName } from "./format.ts";

/** A segment that may not be the last one, and lies above the highest good one that may. */
export interface PassedOver {
  readonly name: SegmentName;
  readonly header: SegmentHeader;
}

/** What is in the directory besides. */
export interface Beside {
  /** The highest good segment below them that may be the last one, of the same log; null where there is none. */
  readonly top: SegmentName | null;
  /** Every file that is named like a segment. */
  readonly names: readonly SegmentName[];
  /** The ids of those that were set aside. */
  readonly asideIds: ReadonlySet<number>;
}

/** What becomes of segments that were passed over. */
export interface Judged {
  /** The highest of a set that was complete once: it is the last one of the log, and what completed its set has vanished. */
  readonly last: PassedOver | null;
  /** Those of sets that never were. */
  readonly unfinished: readonly SegmentName[];
}

/** @param passedOver The lowest id first. */
export function judgeSets(passedOver: readonly PassedOver[], { top: highest, names, asideIds }: Beside): Judged {
  const byId = new Map(names.map((name) => [name.id, name]));
  const unfinished: SegmentName[] = [];
  let last: PassedOver | null = null;
  let top = highest;
  for (const each of passedOver) {
    const { setId, epoch } = each.header;
    const isOfSameSet = setId === last?.header.setId && epoch.id === last.header.epoch.id;
    const isComplete = isOfSameSet || isCompleted(each, byId) || wasComplete(each.header, top, byId, asideIds);
    if (isComplete) [last, top] = [each, each.name];
    else unfinished.push(each.name);
  }
  return { last, unfinished };
}

/** Whether the file is there that completes a set, be it that it cannot be used: a file bears such a name when it is whole. */
function isCompleted({ name, header }: PassedOver, byId: ReadonlyMap<number, SegmentName>): boolean {
  let at = byId.get(header.setId);
  while (at !== undefined && at.id > name.id) at = byId.get(at.predecessorId);
  return at?.id === name.id;
}

/**
 * What a set is to replace lies behind the place where its line of history begins, and is set aside, the oldest first, once it is
 * complete: none of it is left below `top`, or a part of it is missing and lies aside.
 */
function wasComplete(
  { epoch }: SegmentHeader,
  top: SegmentName | null,
  byId: ReadonlyMap<number, SegmentName>,
  asideIds: ReadonlySet<number>,
): boolean {
  if (top === null) return true;
  for (let name = top; name.baseLsn > epoch.lsn;) {
    const below = byId.get(name.predecessorId);
    if (below === undefined) return asideIds.has(name.predecessorId);
    if (below.id >= name.id) return false; // its name lies
    name = below;
    if (name.baseLsn <= epoch.lsn) return false;
  }
  return true;
}
