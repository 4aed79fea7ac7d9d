/**
 * The newest file of a log that may be damaged, from which a survey goes down: which it is, of which log, and which files are none of
 * it.
 *
 * @module
 */

import { completionOf, type OutsideVoucher } from "./behind.ts";
import { mayBeLast } from "./chain.ts";
import { asideIdsIn, MAX_NUMBER, type SegmentName, segmentsOf } from "./format.ts";
import { lookInto, readHeader } from "./good_segment.ts";
import { readContents } from "./runs.ts";
import type { Place } from "./segment.ts";
import { judgeSets, type PassedOver } from "./sets.ts";

/** The newest file of a log, and what it is to be told from. */
export interface Newest {
  /** Null where there is none. It may be one that cannot be used: then its name may lie, and nobody knows what is below it. */
  readonly name: SegmentName | null;
  /** Null where no file tells. */
  readonly logId: string | null;
  /** Whether two files name two logs, and no third one says which is right. */
  readonly isDisputed: boolean;
  /** Copies that a mending was making when it was stopped: their set was never complete. */
  readonly unfinished: readonly SegmentName[];
  /** What vouches for the segment that completed a set and has vanished; null where none has. */
  readonly completion: OutsideVoucher | null;
}

/** Finds the newest file among those with these names. */
export async function findNewest(place: Place, directoryNames: readonly string[]): Promise<Newest> {
  const names = segmentsOf(directoryNames);
  const { last, top, passedOver } = await lookFromAbove(place, names);
  const judged = judgeSets(passedOver, { top, names, asideIds: asideIdsIn(directoryNames) });
  const ofSet = judged.last !== null && judged.last.name.id > (last?.id ?? 0) ? judged.last : null;
  return {
    name: ofSet?.name ?? last,
    ...await findLogId(place, names, ofSet?.name ?? top),
    unfinished: judged.unfinished,
    completion: ofSet === null ? null : completionOf(ofSet.header),
  };
}

interface Seen {
  /** The newest that may be the last one, or cannot be used. */
  readonly last: SegmentName | null;
  /** The newest that may be the last one and can be used, of the log that has the sets: by what is below it they are judged. */
  readonly top: SegmentName | null;
  /** The lowest id first. */
  readonly passedOver: readonly PassedOver[];
}

async function lookFromAbove(place: Place, names: readonly SegmentName[]): Promise<Seen> {
  const passedOver: PassedOver[] = [];
  let last: SegmentName | null = null;
  for (const name of names) {
    const header = await readHeader(place, name.name);
    if (header !== null && !mayBeLast(header)) {
      passedOver.unshift({ name, header });
      continue;
    }
    last ??= name;
    if (header !== null && passedOver.every((each) => each.header.logId === header.logId)) {
      return { last, top: name, passedOver };
    }
  }
  return { last, top: null, passedOver };
}

/**
 * Which log this is, by the three newest good files. Where the first two differ, one is a stranger: the first is right if the third
 * bears it out, else the second. With no third one the second is taken, and that is disputed. Below a file whose predecessor is not
 * there comes the next lower one, unless the log begins in it.
 */
async function findLogId(
  place: Place,
  names: readonly SegmentName[],
  newestGood: SegmentName | null,
): Promise<Pick<Newest, "logId" | "isDisputed">> {
  const found: string[] = [];
  for (let name = newestGood; name !== null && found.length < 3;) {
    const { id, predecessorId } = name;
    const header = await readHeader(place, name.name);
    if (header !== null) found.push(header.logId);
    const named = names.find((each) => each.id === predecessorId);
    const lower = names.find((each) => each.id < id);
    name = named ?? (lower === undefined || await beginsIn(place, name) ? null : lower);
  }
  const [last = null, second = last, third = second] = found;
  return { logId: last === third ? last : second, isDisputed: last !== second && found.length === 2 };
}

/** Whether a log begins in this file: what lies below it is none of that log's then. */
async function beginsIn(place: Place, { name }: SegmentName): Promise<boolean> {
  const begins = await lookInto(place, name, async (opened) => {
    const { predecessor, baseLsn, headLsn } = opened.header;
    if (predecessor.id === 0 || baseLsn <= headLsn) return true;
    const { lastHeadLsn } = await readContents(opened, { endOffset: opened.sizeBytes, lastLsn: MAX_NUMBER });
    return baseLsn <= lastHeadLsn;
  });
  return begins === true;
}
