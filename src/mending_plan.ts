/**
 * What a mending will make of a damaged log: what stays, what is copied, what goes. Plain data, made of what a survey has read.
 *
 * @module
 */

import type { SurveyedSegment } from "./flaws.ts";
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
export function planCut(survey: Survey): MendingPlan {
  const { lastHeadLsn: headLsn } = survey;
  const keptLsn = lastGood(survey).kept?.runs[0]?.lastLsn ?? 0;
  if (keptLsn >= headLsn) return planOf(survey, [], 0);
  let nextLsn = headLsn;
  const sources = sourcesFrom(survey.segments, ({ firstLsn, lastLsn }) => {
    const isNext = firstLsn <= nextLsn && lastLsn >= nextLsn;
    if (isNext) nextLsn = lastLsn + 1;
    return isNext;
  });
  return planOf(survey, sources, 0);
}

/** Keeps every frame that checks. */
export function planSalvage(survey: Survey): MendingPlan {
  const lostLsn = flawsOf(survey).reduce((highest, { lastLsn }) => Math.max(highest, lastLsn), 0);
  return planOf(survey, sourcesOf(survey), lostLsn);
}

/** What checks and is not kept where it is. */
function sourcesOf(survey: Survey): Source[] {
  const { segments, lastHeadLsn: headLsn } = survey;
  const { nth, kept } = lastGood(survey);
  const keptLsn = kept?.runs[0]?.lastLsn ?? 0;
  let copiedLsn = keptLsn >= headLsn - 1 ? keptLsn : 0;
  return sourcesFrom(segments.slice(nth), (run, segment) => {
    // Of two that claim the same LSNs the older one has the word.
    const { firstLsn, lastLsn } = run;
    const isKept = segment === kept && run === kept.runs[0];
    const isWorthCopying = !isKept && lastLsn >= firstLsn && lastLsn >= headLsn && firstLsn > copiedLsn;
    if (isWorthCopying) copiedLsn = lastLsn;
    return isWorthCopying;
  });
}

function sourcesFrom(
  segments: readonly SurveyedSegment[],
  isTaken: (run: Run, segment: SurveyedSegment) => boolean,
): Source[] {
  const sources = segments.map((segment) => ({ segment, runs: segment.runs.filter((run) => isTaken(run, segment)) }));
  return sources.filter(({ runs }) => runs.length > 0);
}

function planOf(survey: Survey, sources: readonly Source[], lostLsn: number): MendingPlan {
  const { segments, names, unfinished, lastHeadLsn: headLsn } = survey;
  const { nth, kept } = lastGood(survey);
  const run = kept?.runs[0];
  const copied = sources.flatMap(({ runs }) => runs);
  const others = names.filter((name) => !unfinished.includes(name)).map(({ name }) => name).sort();
  const plan = {
    headLsn,
    sources,
    copiedBytes: sumOf(copied, ({ offset, endOffset }) => endOffset - offset),
    entries: sumOf(copied, ({ entries }) => entries),
    lastLsn: Math.max(lostLsn, copied.at(-1)?.lastLsn ?? 0),
    replaced: others,
  };
  if (kept !== null && run !== undefined && run.lastLsn >= headLsn - 1) {
    const stays = new Set([...segments.slice(0, nth), kept]);
    const names = new Set([...stays].map(({ name }) => name.name));
    return {
      ...plan,
      predecessor: { id: kept.name.id, endOffset: run.endOffset, lastLsn: run.lastLsn },
      kept,
      entries: plan.entries + sumOf([...stays], ({ runs }) => runs[0]?.entries ?? 0),
      replaced: others.filter((name) => !names.has(name)),
    };
  }
  // Of what is kept nothing is part of the log any more: it was cut away before.
  const firstLsn = Math.min(headLsn, copied[0]?.firstLsn ?? Infinity);
  const baseLsn = Math.max(firstLsn, segments[0]?.firstLsn ?? 1);
  const predecessor = { id: 0, endOffset: 0, lastLsn: baseLsn - 1 };
  return { ...plan, predecessor, kept: null, headLsn: Math.max(headLsn, baseLsn) };
}

function sumOf<T>(all: readonly T[], count: (each: T) => number): number {
  return all.reduce((sum, each) => sum + count(each), 0);
}

/** The last segment of which anything before the first damage is kept, and how many segments lie wholly before the damage. */
function lastGood({ segments }: Survey): { readonly nth: number; readonly kept: SurveyedSegment | null } {
  let kept: SurveyedSegment | null = null;
  for (const [nth, segment] of segments.entries()) {
    if (segment.flawBelow !== null) return { nth, kept };
    const [flaw] = segment.flaws;
    const [first] = segment.runs;
    const isEmpty = (first?.endOffset ?? HEADER_BYTES) === HEADER_BYTES;
    if (flaw !== undefined && isEmpty) return { nth, kept };
    if (!isEmpty) kept = segment; // one that never got a frame is nobody's predecessor
    if (flaw !== undefined) return { nth, kept };
  }
  return { nth: segments.length, kept };
}
