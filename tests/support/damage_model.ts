/**
 * What must be made of a damaged log: what is wrong with it, what can be shown of it, and what of that is explained by a crash.
 */

import type { Original, OriginalFrame } from "./damage_log.ts";
import {
  allFrames,
  type Damaged,
  endOf,
  entriesIn,
  holdsLsns,
  type Named,
  Remains,
  type Stranger,
} from "./damage_remains.ts";

/** Something that must be told. */
export interface ExpectedFlaw {
  readonly finding: "bad frame" | "shrunk" | "missing" | "vanished" | Stranger;
  readonly isInLast: boolean;
  /** Torn: a crash explains it. */
  readonly kind: "torn" | "corrupt";
  readonly segment: string;
  readonly offset: number;
  readonly firstLsn: number;
  /** What proves that there was more. */
  readonly evidence: string;
  /** Whether who reads all entries comes by. */
  readonly isOnTheWay: boolean;
}

/** What must come of a damaged log. */
export interface Expectation {
  /** Oldest first. */
  readonly flaws: readonly ExpectedFlaw[];
  readonly headLsn: number;
  /** The same when all below what is missing has been given up. */
  readonly mendedHeadLsn: number;
  /** The LSNs of the entries before the first flaw; where that lies below the head, of those from the head on without a gap. */
  readonly before: readonly number[];
  /** Of those that are read before the first flaw that a reader comes by. */
  readonly onTheWay: readonly number[];
  /** Of those in all frames that are there. */
  readonly intact: readonly number[];
  /** What an opening that looks at the end alone stumbles over. */
  readonly atOpening: ExpectedFlaw | null;
  /** How it ends where it is not damaged. */
  readonly end: "new" | "clean" | "unclean";
  /** The last LSN before the first flaw. */
  readonly lastLsnBefore: number;
  /** The last LSN before what is wrong with the last segment. */
  readonly endLsn: number;
  /** The highest LSN that anything that is left tells of, and the highest that there ever was. */
  readonly highestLsns: readonly [number, number];
}

/** What must be made of `damaged`. */
export function expectationOf(original: Original, damaged: Damaged): Expectation {
  const remains = new Remains(original, damaged);
  const { chain } = remains;
  const headLsn = headOf(remains);
  const flaws = flawsOf(remains, headLsn);
  const shownOf = (frames: readonly OriginalFrame[]): number[] => entriesIn(frames).filter((lsn) => lsn >= headLsn);
  const before = framesFromHead(remains, framesBefore(remains, flaws[0]), headLsn);
  const mendedHeadLsn = Math.max(headLsn, chain[0]?.baseLsn ?? 1);
  const last = chain.at(-1);
  const lastFrames = last === undefined
    ? []
    : framesBefore(remains, flaws.find(({ segment }) => segment === last.name));
  return {
    flaws,
    headLsn,
    mendedHeadLsn,
    before: shownOf(before),
    onTheWay: shownOf(framesBefore(remains, flaws.find(({ isOnTheWay }) => isOnTheWay))),
    intact: shownOf(chain.flatMap((segment) => remains.framesOf(segment))),
    atOpening: stumblingBlock(remains, flaws),
    end: last === undefined ? "new" : lastFrames.at(-1)?.kind === "MARK" ? "clean" : "unclean",
    lastLsnBefore: Math.max(mendedHeadLsn - 1, lastLsnOf(before)),
    endLsn: Math.max((last?.baseLsn ?? 1) - 1, lastLsnOf(lastFrames)),
    highestLsns: [highestLsnTold(remains), Math.max(highestLsnTold(remains), ...original.texts.keys())],
  };
}

/** The state in which verifying must find it. */
export function stateOf({ flaws, end }: Expectation): string {
  if (flaws.some(({ kind }) => kind === "corrupt")) return "corrupt";
  if (flaws.length > 0) return "torn";
  return end === "new" ? "empty" : end;
}

// -- what can be shown

function headOf(remains: Remains): number {
  const heads = remains.chain.flatMap((segment) => [
    segment.original?.headLsn ?? 1,
    ...remains.framesOf(segment).map(({ headLsn }) => headLsn),
  ]);
  return Math.max(1, ...heads);
}

function framesBefore(remains: Remains, flaw: ExpectedFlaw | undefined): OriginalFrame[] {
  const { chain } = remains;
  if (flaw === undefined) return chain.flatMap((segment) => remains.framesOf(segment));
  const nth = chain.findIndex(({ name }) => name === flaw.segment);
  const flawed = chain[nth];
  const below = flawed === undefined ? chain.filter(({ baseLsn }) => baseLsn < flaw.firstLsn) : chain.slice(0, nth);
  const inFlawed = flawed === undefined ? [] : remains.framesOf(flawed).filter(({ offset }) => offset < flaw.offset);
  return [...below.flatMap((segment) => remains.framesOf(segment)), ...inFlawed];
}

function framesFromHead(remains: Remains, before: OriginalFrame[], headLsn: number): OriginalFrame[] {
  if (lastLsnOf(before) >= headLsn) return before;
  let nextLsn = headLsn;
  return remains.chain.flatMap((segment) => remains.framesOf(segment)).filter(({ firstLsn, lastLsn }) => {
    const isNext = firstLsn <= nextLsn && lastLsn >= nextLsn;
    if (isNext) nextLsn = lastLsn + 1;
    return isNext;
  });
}

function lastLsnOf(frames: readonly OriginalFrame[]): number {
  return Math.max(0, ...frames.map(({ lastLsn }) => lastLsn));
}

function highestLsnTold(remains: Remains): number {
  const { chain, lockMark } = remains;
  const told = chain.flatMap((segment) => [
    segment.baseLsn - 1,
    ...remains.headersOf(segment).map(({ firstLsn, lastLsn, kind }) => kind === "SKIP" ? firstLsn : lastLsn),
  ]);
  const isMarkOfTheEnd = lockMark !== null && lockMark.segmentId >= (chain.at(-1)?.id ?? 0);
  return Math.max(0, ...told, isMarkOfTheEnd ? lockMark.lsn : 0);
}

// -- what is wrong

function flawsOf(remains: Remains, headLsn: number): ExpectedFlaw[] {
  const { chain, lockMark } = remains;
  const last = chain.at(-1);
  const flaws = chain.flatMap((segment, nth) => {
    const below = chain[nth - 1];
    const above = chain[nth + 1];
    const inside = segment.stranger === null
      ? flawsInside(remains, segment, above)
      : [strange(segment, above === undefined, below === undefined ? headLsn : 0)];
    return [...missingBelow(remains, segment, below, headLsn), ...inside];
  });
  if (lockMark === null || lockMark.segmentId <= (last?.id ?? 0)) return flaws;
  const lastLsn = last === undefined ? 0 : lastLsnIn(remains, last);
  const { segmentId, offset } = lockMark;
  const place = { segment: `number ${segmentId}`, offset, firstLsn: lastLsn + 1, evidence: "lock-mark" };
  return [...flaws, { ...place, finding: "vanished", kind: "corrupt", isInLast: true, isOnTheWay: true }];
}

function lastLsnIn(remains: Remains, segment: Named): number {
  return Math.max(segment.baseLsn - 1, lastLsnOf(remains.allFramesOf(segment)));
}

function missingBelow(
  remains: Remains,
  { predecessorId, baseLsn, stranger }: Named,
  below: Named | undefined,
  headLsn: number,
): ExpectedFlaw[] {
  if (stranger !== null) return []; // its name alone proves nothing
  if (predecessorId === 0 || baseLsn <= headLsn || below?.id === predecessorId) return [];
  const firstLsn = below === undefined ? headLsn : lastLsnIn(remains, below) + 1;
  const place = { segment: `number ${predecessorId}`, offset: 0, firstLsn, evidence: "successor" };
  return [{ ...place, finding: "missing", kind: "corrupt", isInLast: false, isOnTheWay: true }];
}

/** One of which nothing can be used, since its header is not there, or none of this log's. */
function strange({ name, baseLsn, stranger }: Named, isInLast: boolean, headLsn: number): ExpectedFlaw {
  return {
    finding: stranger ?? "damaged",
    kind: "corrupt",
    isInLast,
    segment: name,
    offset: 0,
    firstLsn: Math.max(baseLsn, headLsn),
    evidence: isInLast ? "name" : "successor",
    isOnTheWay: true,
  };
}

function flawsInside(remains: Remains, segment: Named, above: Named | undefined): ExpectedFlaw[] {
  return above === undefined ? flawsOfLast(remains, segment) : flawsOfEarlier(remains, segment, above);
}

/** Its successor was born after all of it had been synced. */
function flawsOfEarlier(remains: Remains, segment: Named, successor: Named): ExpectedFlaw[] {
  const { name, id, original } = segment;
  const isNext = successor.predecessorId === id;
  const all = isNext ? original?.frames ?? [] : allFrames(original);
  // Where only a name says how far a segment goes, what follows its last LSN is not missed.
  const wanted = successor.stranger === null || !isNext ? all : all.slice(0, all.findLastIndex(holdsLsns) + 1);
  const isShrunk = remains.sizeOf(name) < endOf(wanted);
  const gaps = remains.gapsIn(segment, wanted).filter(({ rest }) => isNext || rest.length > 0);
  return gaps.map(({ lost, rest }) => ({
    finding: isShrunk && rest.length === 0 ? "shrunk" : "bad frame",
    kind: "corrupt",
    isInLast: false,
    segment: name,
    offset: lost[0]?.offset ?? 0,
    firstLsn: lost[0]?.firstLsn ?? 0,
    evidence: "successor",
    isOnTheWay: [...lost, ...rest].some(holdsLsns),
  }));
}

/** Its end may have been torn by a crash, unless something proves that it had been synced. */
function flawsOfLast(remains: Remains, segment: Named): ExpectedFlaw[] {
  const { name, original } = segment;
  const frames = allFrames(original);
  const gaps = remains.gapsIn(segment, frames);
  const places = gaps.map(({ lost: [first], rest }) => ({
    offset: first?.offset ?? 0,
    firstLsn: first?.firstLsn ?? 0,
    isFollowed: rest.length > 0,
  }));
  const isEndThere = gaps.at(-1)?.rest.length !== 0;
  const end = { offset: endOf(frames), firstLsn: lastLsnIn(remains, segment) + 1, isFollowed: false };
  const start = places[0]?.offset ?? end.offset;
  const behind = remains.headersOf(segment).filter(({ offset }) => offset >= start);
  return [...places, ...(isEndThere ? [end] : [])].flatMap(({ offset, firstLsn, isFollowed }) => {
    const evidence = evidenceFor(remains, segment, behind, { offset, lsn: firstLsn });
    const isSeen = isFollowed || behind.some((frame) => frame.offset >= offset) ||
      offset === start && remains.hasTurnedHeaderAt(offset, segment);
    if (evidence === "nothing" && !isSeen) return [];
    const kind = evidence === "nothing" ? "torn" : "corrupt";
    return [{
      finding: "bad frame",
      kind,
      isInLast: true,
      segment: name,
      offset,
      firstLsn,
      evidence,
      isOnTheWay: true,
    }];
  });
}

/** What proves that a frame with this LSN at this place, or before, had been synced. */
function evidenceFor(
  { lockMark }: Remains,
  { id }: Named,
  behind: readonly OriginalFrame[],
  { offset, lsn }: { readonly offset: number; readonly lsn: number },
): string {
  if (behind.some(({ syncedLsn }) => syncedLsn >= lsn)) return "frame";
  if (behind.some((frame) => frame.kind === "MARK" && frame.offset > offset)) return "mark";
  return lockMark !== null && lockMark.segmentId === id && lockMark.offset > offset ? "lock-mark" : "nothing";
}

/** What is seen by an opening that looks at names, at the last segment, and at the header and the size of the one before. */
function stumblingBlock(remains: Remains, flaws: readonly ExpectedFlaw[]): ExpectedFlaw | null {
  const [last, second] = remains.chain.toReversed();
  const corrupt = flaws.filter(({ kind }) => kind === "corrupt");
  // By its name nothing is before it, and yet the log begins before it.
  const cutOff = remains.chain.findLast(({ predecessorId, baseLsn }) =>
    predecessorId === 0 && baseLsn > headOf(remains)
  );
  const isShort = second !== undefined && remains.sizeOf(second.name) < endOf(second.original?.frames ?? []);
  const inTheirOrder: ((flaw: ExpectedFlaw) => boolean)[] = [
    ({ segment, offset }) => segment === last?.name && offset === 0,
    ({ finding }) => finding === "vanished",
    ({ segment }) => segment === last?.name,
    ({ finding, segment }) => finding === "missing" || segment === cutOff?.name,
    ({ segment, offset }) => segment === second?.name && offset === 0,
    ({ segment, finding }) => isShort && segment === second?.name && finding === "shrunk",
  ];
  for (const isSeen of inTheirOrder) {
    const flaw = corrupt.find(isSeen);
    if (flaw !== undefined) return flaw;
  }
  return null;
}
