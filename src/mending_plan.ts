/**
 * What a mending will make of a damaged log: what stays, what is copied, what goes. Plain data, made of what a survey has read.
 *
 * @module
 */

import { type Flaw, isTorn, type SurveyedSegment } from "./flaws.ts";
import { HEADER_BYTES, type Predecessor } from "./format.ts";
import type { Run } from "./runs.ts";
import { flawsOf, type Survey } from "./survey.ts";

/** Runs of one file that are to be copied. */
export interface Source {
  readonly segment: SurveyedSegment;
  readonly runs: readonly Run[];
}

/** What becomes of a damaged log. */
export interface MendingPlan {
  /** Where the new line of history begins. */
  readonly predecessor: Predecessor;
  /** The segment in which that is; null where nothing before the damage is kept. */
  readonly kept: SurveyedSegment | null;
  readonly headLsn: number;
  /** What is copied behind that. */
  readonly sources: readonly Source[];
  /** LSNs up to this one are not given out again. */
  readonly lastLsn: number;
  /** How many there are in all then. */
  readonly entries: number;
  /** How many bytes of frames are copied. */
  readonly copiedBytes: number;
  /** Files that are not part of the log any more. */
  readonly replaced: readonly string[];
}

/** How many segments it makes. */
export function countNew({ sources }: MendingPlan): number {
  return Math.max(1, sources.length);
}

/**
 * Ends the log at the first damage. What is damaged below the head is none of the log's: then all is kept from the head on that
 * goes on without a gap.
 */
export function planCut(found: Survey): MendingPlan {
  const survey = withLikelyHead(found);
  const { lastHeadLsn: headLsn } = survey;
  if ((goodOf(survey).end?.run.lastLsn ?? 0) >= headLsn) return planOf(survey, [], 0);
  let nextLsn = headLsn;
  const sources = sourcesFrom(survey.segments, ({ firstLsn, lastLsn }) => {
    const isNext = firstLsn <= nextLsn && lastLsn >= nextLsn;
    if (isNext) nextLsn = lastLsn + 1;
    return isNext;
  });
  return planOf(survey, sources, 0);
}

/**
 * Where the oldest file that holds anything names one that is missing, and the last one is damaged or gone, that may have held the
 * head frame which let the missing one go: then the log begins with the oldest file that is there.
 */
function withLikelyHead(survey: Survey): Survey {
  const { segments, flawAbove } = survey;
  const nth = segments.findIndex(({ runs }) => runs.some(({ entries }) => entries > 0));
  const [first, ...above] = segments.slice(Math.max(0, nth));
  const isLastDamaged = flawAbove !== null || segments.at(-1)?.flaws.some(mayBeHead) === true;
  if (first === undefined || first.flawBelow === null || !isLastDamaged) return survey;
  const lastHeadLsn = Math.max(survey.lastHeadLsn, first.firstLsn);
  return { ...survey, lastHeadLsn, segments: [{ ...first, flawBelow: null }, ...above] };
}

/**
 * Whether a head frame may have stood there: in damage that no crash explains, or where no LSN is known to be lost. That it looks torn
 * says nothing: a head frame was synced before a file went because of it.
 */
function mayBeHead(flaw: Flaw): boolean {
  return !isTorn(flaw) || flaw.lastLsn < flaw.firstLsn;
}

/** Keeps every frame that is whole. */
export function planSalvage(survey: Survey): MendingPlan {
  const lostLsn = flawsOf(survey).reduce((highest, { lastLsn }) => Math.max(highest, lastLsn), survey.vouchedLsn);
  return planOf(survey, sourcesOf(survey), lostLsn);
}

/** What checks and is not kept where it is. */
function sourcesOf(survey: Survey): Source[] {
  const { segments, lastHeadLsn: headLsn } = survey;
  const { count, end } = goodOf(survey);
  const goodLsn = end?.run.lastLsn ?? 0;
  let copiedLsn = goodLsn >= headLsn - 1 ? goodLsn : 0;
  return sourcesFrom(segments.slice(count), (run) => {
    // Of two that claim the same LSNs the older one has the word.
    const { firstLsn, lastLsn } = run;
    const isWorthCopying = run !== end?.run && lastLsn >= firstLsn && lastLsn >= headLsn && firstLsn > copiedLsn;
    if (isWorthCopying) copiedLsn = lastLsn;
    return isWorthCopying;
  });
}

function sourcesFrom(
  segments: readonly SurveyedSegment[],
  isTaken: (run: Run) => boolean,
): Source[] {
  const sources = segments.map((segment) => ({ segment, runs: segment.runs.filter(isTaken) }));
  return sources.filter(({ runs }) => runs.length > 0);
}

function planOf(survey: Survey, sources: readonly Source[], lostLsn: number): MendingPlan {
  const { segments, segmentNames, unfinished, lastHeadLsn: headLsn } = survey;
  const { count, end } = goodOf(survey);
  const kept = end !== null && holdsEnd(end, headLsn) ? end : null;
  const stays = kept === null ? [] : [...new Set([...segments.slice(0, count), kept.segment])];
  const others = new Set([...unfinished, ...stays.map(({ name }) => name)].map(({ name }) => name));
  const copied = sources.flatMap(({ runs }) => runs);
  const plan = {
    sources,
    copiedBytes: sumOf(copied, ({ offset, endOffset }) => endOffset - offset),
    entries: sumOf(copied, ({ entries }) => entries) + sumOf(stays, ({ runs }) => runs[0]?.entries ?? 0),
    lastLsn: Math.max(lostLsn, copied.at(-1)?.lastLsn ?? 0),
    replaced: segmentNames.map(({ name }) => name).filter((name) => !others.has(name)).sort(),
  };
  if (kept !== null) {
    const { segment, run: { endOffset, lastLsn } } = kept;
    return { ...plan, headLsn, kept: segment, predecessor: { id: segment.name.id, endOffset, lastLsn } };
  }
  const firstLsn = Math.min(headLsn, copied[0]?.firstLsn ?? Infinity);
  const baseLsn = Math.max(firstLsn, segments[0]?.firstLsn ?? 1);
  const predecessor = { id: 0, endOffset: 0, lastLsn: baseLsn - 1 };
  return { ...plan, headLsn: Math.max(headLsn, baseLsn), kept: null, predecessor };
}

/**
 * Whether the log can go on behind this: not where that was cut away before. And a damaged file of which only what was cut away is
 * good would be freed with its damage, as one that was cut; so nothing of it is kept, and it is set aside as it is.
 */
function holdsEnd({ segment, run }: NonNullable<Good["end"]>, headLsn: number): boolean {
  return run.lastLsn >= (segment.flaws.length > 0 ? headLsn : headLsn - 1);
}

function sumOf<T>(all: readonly T[], count: (each: T) => number): number {
  return all.reduce((sum, each) => sum + count(each), 0);
}

/** What is good before the first damage. */
interface Good {
  /** So many segments lie wholly before it. */
  readonly count: number;
  /** The last frames, and their segment; null where there are none. */
  readonly end: { readonly segment: SurveyedSegment; readonly run: Run } | null;
}

function goodOf({ segments }: Survey): Good {
  let end: Good["end"] = null;
  for (const [count, segment] of segments.entries()) {
    if (segment.flawBelow !== null) return { count, end };
    const [run] = segment.runs;
    // One that never got a frame is nobody's predecessor.
    if (run !== undefined && run.endOffset > HEADER_BYTES) end = { segment, run };
    if (segment.flaws.length > 0) return { count, end };
  }
  return { count: segments.length, end };
}
