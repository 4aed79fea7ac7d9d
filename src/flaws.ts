/**
 * What is wrong with the files of a log, where, and how much of it that costs: plain data, made of what a survey has read.
 *
 * @module
 */

import type { Rivals } from "./chain.ts";
import { hasNoGoodFrame, isMissing } from "./fault_words.ts";
import { MAX_NUMBER, type SegmentHeader, type SegmentName } from "./format.ts";
import { evidenceOf } from "./good_segment.ts";
import type { Contents, Run } from "./runs.ts";
import type { OpenSegmentFile } from "./segment.ts";
import type { Fault, Finding, Voucher, Where } from "./verdict.ts";

/** Something that is not as it was written, or not there. */
export interface Flaw {
  readonly where: Where;
  readonly finding: Finding;
  readonly voucher: Voucher;
  /** The file, or which one is missing. */
  readonly segment: string;
  readonly offset: number;
  /** How much cannot be read, as far as that is known. */
  readonly bytes: number;
  /** The first LSN that cannot be read. */
  readonly firstLsn: number;
  /** The last one; one less than the first where none is lost, 0 where nothing tells. */
  readonly lastLsn: number;
  /** In words for a person. */
  readonly what: string;
}

/** A file of the log, and what it holds. */
export interface SurveyedSegment {
  readonly name: SegmentName;
  /** Null where it cannot be used: then no frame of it can be checked. */
  readonly header: SegmentHeader | null;
  readonly sizeBytes: number;
  /** The first LSN that belongs in it. */
  readonly firstLsn: number;
  /** Whole frames: the first run is where it must be, and may be empty; the others lie behind flaws. */
  readonly runs: readonly Run[];
  /** A segment below it that is missing. */
  readonly flawBelow: Flaw | null;
  /** In the order of their places. */
  readonly flaws: readonly Flaw[];
}

/** What is known of a segment from those above it. */
export interface Stated {
  /** No later LSN is in it. */
  readonly lastLsn: number;
  /** Where its successor's header says that it ends. */
  readonly endOffset: number | null;
  /** Whether it ends just there: not where its successor is missing or cannot be used, then it may end anywhere before. */
  readonly isExact: boolean;
  /** Its successor, where that one's header says so. */
  readonly successor: SegmentHeader | null;
  /** The next one above it whose header can be used. */
  readonly above: SegmentHeader | null;
}

/** No file has so many: a name that says so is wrong. */
export const MOST_LSNS: number = 2 ** 40;

/** Nobody can say which of the two is the log's: no mode touches that. */
export function rivalry({ name, what }: Rivals, lastLsn: number): Flaw {
  const place = { segment: name, offset: 0, bytes: 0, firstLsn: lastLsn + 1, lastLsn: 0 };
  return { where: "last", finding: "foreign", voucher: "name", ...place, what };
}

/** A crash explains it: nothing proves that it was ever synced. */
export function isTorn({ voucher }: Flaw): boolean {
  return voucher === "nothing";
}

/** A segment is missing below this one. */
export function missingBelow({ name, predecessorId, baseLsn }: SegmentName): Flaw {
  return {
    where: "earlier",
    finding: "missing",
    voucher: "successor",
    segment: `number ${predecessorId}`,
    offset: 0,
    bytes: 0,
    firstLsn: 0, // known when what is below it is
    lastLsn: baseLsn - 1,
    what: isMissing(predecessorId, name),
  };
}

/** Between its runs, and where the last one ends before the end that is stated. */
export function flawsOfEarlier(
  { name }: SegmentName,
  { sizeBytes }: OpenSegmentFile,
  { runs }: Contents,
  { endOffset, lastLsn: statedLsn, isExact }: Stated,
): Flaw[] {
  const end = endOffset ?? sizeBytes;
  return runs.flatMap(({ endOffset: offset, lastLsn }, nth) => {
    const next = runs[nth + 1];
    const isReached = !isExact || lastLsn >= statedLsn && (endOffset === null || offset >= endOffset);
    if (next === undefined && isReached) return [];
    const isShrunk = next === undefined && sizeBytes < end;
    return {
      where: "earlier",
      finding: isShrunk ? "shrunk" : "bad-frame",
      voucher: "successor",
      segment: name,
      offset,
      bytes: Math.max(0, (next?.offset ?? end) - offset),
      firstLsn: lastLsn + 1,
      lastLsn: next === undefined ? lastLost(statedLsn, lastLsn + 1) : next.firstLsn - 1,
      what: isShrunk
        ? `it ends at offset ${sizeBytes}, before offset ${end}, where its successor says it ends`
        : hasNoGoodFrame(offset, lastLsn + 1),
    };
  });
}

/**
 * What a file that cannot be used is taken for. What its header says, if that has the id of its name. But its id alone, if no
 * successor's header names it, and it is of another log, or of another segment and does not name `lower`, the next one: then its name
 * lies. Else what its name says, without a base LSN that begins behind what lies above.
 */
export function claimOf(
  name: SegmentName,
  { finding, header }: Fault,
  stated: Stated | null,
  lower: SegmentName | undefined,
): SegmentName {
  if (header?.id === name.id) return { ...name, predecessorId: header.predecessor.id, baseLsn: header.baseLsn };
  const isNamed = stated !== null && stated.successor !== null;
  const isLie = finding === "foreign" || header !== undefined && lower?.id !== name.predecessorId;
  if (isLie && !isNamed) return { ...name, predecessorId: 0, baseLsn: 0 };
  return name.baseLsn - 1 > (stated?.lastLsn ?? MOST_LSNS) ? { ...name, baseLsn: 0 } : name;
}

/** Without its header no frame of it can be checked. */
export function unusable(name: SegmentName, where: Where, { finding, what }: Fault, lastLsn: number): SurveyedSegment {
  const flaw = {
    where,
    finding,
    voucher: evidenceOf(where),
    segment: name.name,
    offset: 0,
    bytes: 0,
    firstLsn: 0, // where it begins is known when what is below it is
    lastLsn: lastLsn < MAX_NUMBER - 1 ? lastLsn : 0,
    what,
  };
  return { name, header: null, sizeBytes: 0, firstLsn: 0, runs: [], flawBelow: null, flaws: [flaw] };
}

/**
 * What is lost below a segment, or in one that cannot be used, begins behind what is there below that; else with the head, which is
 * null where no file tells.
 */
export function withFirstLost(
  segment: SurveyedSegment,
  below: SurveyedSegment | undefined,
  headLsn: number | null,
): SurveyedSegment {
  const { header, flawBelow } = segment;
  if (header === null) return withFirstOfUnusable(segment, below, headLsn);
  if (flawBelow === null) return segment;
  const lastBelow = below?.runs.at(-1)?.lastLsn;
  const firstLsn = lastBelow === undefined ? headLsn ?? 1 : lastBelow + 1;
  return { ...segment, flawBelow: { ...flawBelow, firstLsn, lastLsn: lastLost(flawBelow.lastLsn, firstLsn) } };
}

/** Where nothing tells, its name does; but a name may be wrong, and is when no log can be so long. */
function withFirstOfUnusable(
  segment: SurveyedSegment,
  below: SurveyedSegment | undefined,
  headLsn: number | null,
): SurveyedSegment {
  const { name, flaws } = segment;
  const leastLsn = headLsn ?? 1;
  const named = name.baseLsn > leastLsn && name.baseLsn < MOST_LSNS ? name.baseLsn : leastLsn;
  const lastBelow = below?.runs.at(-1)?.lastLsn;
  const isNext = lastBelow !== undefined && below?.name.id === name.predecessorId && named > lastBelow &&
    named - lastBelow < MOST_LSNS;
  const lowestLsn = below === undefined ? headLsn ?? named : named; // with nothing below it, the log may begin in it
  const firstLsn = isNext ? named : lastBelow === undefined ? lowestLsn : lastBelow + 1;
  const lastNamed = named > firstLsn ? named - 1 : 0; // what its name says was below it, and is not there, is lost as well
  return {
    ...segment,
    firstLsn,
    flaws: flaws.map((flaw) => {
      const lastLsn = Math.max(flaw.lastLsn, lastNamed);
      // How far the last file went only a voucher knows, and that may lie before it.
      const isKnown = flaw.where === "earlier" || lastLsn >= firstLsn;
      return { ...flaw, firstLsn, lastLsn: isKnown ? lastLost(lastLsn, firstLsn) : 0 };
    }),
  };
}

/** Of what is lost from `firstLsn` on, the last one as far as `lastLsn` tells: one less than the first where none is, 0: it does not. */
function lastLost(lastLsn: number, firstLsn: number): number {
  return lastLsn === 0 ? 0 : Math.max(lastLsn, firstLsn - 1);
}
