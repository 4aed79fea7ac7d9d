/**
 * Makes a damaged log one that can be used. What is good up to the first damage stays where it is, and a new line of history
 * begins there: an empty segment, where the log is to end at the damage; else copies of all frames behind it that check, with
 * skips for the LSNs in between. The copies are one set: they are there all at once, or not at all. What they replace keeps
 * its bytes under another name.
 *
 * @module
 */

import { Births } from "./births.ts";
import { WalIoError } from "./errors.ts";
import type { SurveyedSegment } from "./flaws.ts";
import { copyOf, CopyWriter, skipOf } from "./copies.ts";
import { asideName, type FrameChecksum, HEADER_BYTES, type Predecessor } from "./format.ts";
import { openGoodSegment } from "./good_segment.ts";
import { rewriteFrames } from "./rewriting.ts";
import type { Run } from "./runs.ts";
import type { RuntimeFile } from "./runtime/port.ts";
import { chunksOf, FrameScanner } from "./scan.ts";
import { type Place, release } from "./segment.ts";
import type { Spares } from "./spares.ts";
import { flawsOf, type Survey } from "./survey.ts";

/** Runs of one file that are to be copied. */
interface Source {
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
  /** Files that are not part of the log any more. */
  readonly replaced: readonly string[];
}

/** How many segments it makes. */
export function countNew({ sources }: MendingPlan): number {
  return Math.max(1, sources.length);
}

/** Ends the log at the first damage. */
export function planCut(survey: Survey): MendingPlan {
  return planOf(survey, [], 0);
}

/** Keeps every frame that checks. */
export function planSalvage(survey: Survey): MendingPlan {
  const { segments, headLsn } = survey;
  const { nth, kept } = lastGood(survey);
  const sources = segments.slice(nth).map((segment) => ({
    segment,
    runs: segment.runs.slice(segment === kept ? 1 : 0).filter((run) => isWorthCopying(run, headLsn)),
  }));
  const lostLsn = flawsOf(survey).reduce((highest, { lastLsn }) => Math.max(highest, lastLsn), 0);
  return planOf(survey, sources.filter(({ runs }) => runs.length > 0), lostLsn);
}

function isWorthCopying({ firstLsn, lastLsn }: Run, headLsn: number): boolean {
  return lastLsn >= firstLsn && lastLsn >= headLsn;
}

function planOf(survey: Survey, sources: readonly Source[], lostLsn: number): MendingPlan {
  const { segments, names, headLsn } = survey;
  const { nth, kept } = lastGood(survey);
  const run = kept?.runs[0];
  const stays = new Set([...segments.slice(0, nth), kept].map((segment) => segment?.name.name));
  const replaced = names.map(({ name }) => name).filter((name) => !stays.has(name)).sort();
  const lastLsn = Math.max(lostLsn, sources.at(-1)?.runs.at(-1)?.lastLsn ?? 0);
  if (kept !== null && run !== undefined && run.lastLsn >= headLsn - 1) {
    const predecessor = { id: kept.name.id, endOffset: run.endOffset, lastLsn: run.lastLsn };
    return { predecessor, kept, headLsn, sources, lastLsn, replaced };
  }
  // Of what is kept nothing is part of the log any more: it was cut away before.
  const firstLsn = Math.min(headLsn, sources[0]?.runs[0]?.firstLsn ?? Infinity);
  const baseLsn = Math.max(firstLsn, segments[0]?.firstLsn ?? 1);
  return {
    predecessor: { id: 0, endOffset: 0, lastLsn: baseLsn - 1 },
    kept: null,
    headLsn: Math.max(headLsn, baseLsn),
    sources,
    lastLsn,
    replaced: names.map(({ name }) => name).sort(),
  };
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

/** What carries out a plan. */
export interface MendingOptions {
  readonly place: Place;
  readonly spares: Spares;
  /** Every name in the directory. */
  readonly names: readonly string[];
}

/** Carries out a plan. Resolves to the new names of the files that were replaced, when all of it will be so after a power loss. */
export async function mend(survey: Survey, plan: MendingPlan, options: MendingOptions): Promise<string[]> {
  const { place, spares, names } = options;
  const { highestId } = survey;
  const lineage = plan.kept?.header ?? survey.segments.findLast(({ header }) => header !== null)?.header ?? null;
  await writeAgain(place, survey, plan);
  const births = new Births(place, spares, highestId, lineage);
  births.beginEpoch(plan.predecessor.lastLsn);
  const setId = plan.sources.length === 0 ? 0 : highestId + plan.sources.length;
  let { predecessor } = plan;
  let precedingBytes = (plan.kept?.header?.precedingBytes ?? 0) + Math.max(0, predecessor.endOffset - HEADER_BYTES);
  const time = Math.max(place.runtime.now(), plan.kept?.runs[0]?.lastTime ?? 0);
  for (const source of plan.sources.length === 0 ? [null] : plan.sources) {
    const isLast = source === (plan.sources.at(-1) ?? null);
    const { lastLsn: writtenLsn } = predecessor;
    const lastLsn = Math.max(isLast ? plan.lastLsn : 0, source?.runs.at(-1)?.lastLsn ?? writtenLsn);
    const segment = await births.next({
      predecessor,
      headLsn: plan.headLsn,
      time: source?.runs[0]?.time ?? time,
      precedingBytes,
      isCutting: true,
      setId,
      endow: (file, checksum) => copyRuns(place, source, { file, checksum, writtenLsn, lastLsn, time }),
    });
    await segment.close();
    precedingBytes += segment.endOffset - HEADER_BYTES;
    predecessor = { id: segment.header.id, endOffset: segment.endOffset, lastLsn };
  }
  return await setAside(place, plan.replaced, names);
}

/**
 * Where no header states the end of what is kept, nobody may ever have synced it: before a successor states it, it is written
 * again.
 */
async function writeAgain(place: Place, { segments }: Survey, { kept, predecessor }: MendingPlan): Promise<void> {
  if (kept === null) return;
  const above = segments[segments.indexOf(kept) + 1];
  if (above?.header?.predecessor.id === kept.name.id) return;
  const opened = await openGoodSegment(place, { name: kept.name.name, logId: null, where: "earlier" }, "write");
  try {
    const stretch = { offset: HEADER_BYTES, lsn: kept.name.baseLsn, endOffset: predecessor.endOffset };
    if (!await rewriteFrames(opened, stretch)) throw changed(kept, "since it was looked at");
  } finally {
    await release(opened.file);
  }
}

function changed({ name }: SurveyedSegment, what: string): WalIoError {
  return new WalIoError(`mend ${name.name}`, new Error(`it has changed ${what}; try again`));
}

interface Destination {
  readonly file: RuntimeFile;
  readonly checksum: FrameChecksum;
  /** The last LSN before it. */
  readonly writtenLsn: number;
  /** The last LSN in it. */
  readonly lastLsn: number;
  readonly time: number;
}

async function copyRuns(place: Place, source: Source | null, to: Destination): Promise<number> {
  const writer = new CopyWriter(to.file, to.checksum);
  let { writtenLsn } = to;
  const skipTo = async (lastLsn: number, time: number): Promise<void> => {
    if (lastLsn > writtenLsn) await writer.put(skipOf(writtenLsn + 1, lastLsn, { syncedLsn: to.writtenLsn, time }));
    writtenLsn = Math.max(writtenLsn, lastLsn);
  };
  let lastTime = 0;
  const { segment, runs } = source ?? { segment: null, runs: [] };
  for (const run of runs) {
    if (segment === null || run.firstLsn <= writtenLsn) continue; // of two that claim the same LSNs the older one has the word
    await skipTo(run.firstLsn - 1, run.time);
    await copyRun(place, segment, run, writer);
    writtenLsn = run.lastLsn;
    lastTime = run.lastTime;
  }
  await skipTo(to.lastLsn, lastTime || to.time);
  return await writer.end();
}

async function copyRun(
  place: Place,
  segment: SurveyedSegment,
  { offset, endOffset, firstLsn, lastLsn }: Run,
  writer: CopyWriter,
): Promise<void> {
  const opened = await openGoodSegment(place, { name: segment.name.name, logId: null, where: "earlier" }, "read");
  try {
    const scanner = new FrameScanner(chunksOf(opened.file), opened.checksum, offset, firstLsn, endOffset);
    for (let frame = scanner.take(); frame !== null || await scanner.more(); frame = scanner.take()) {
      if (frame !== null && frame.lastLsn >= frame.header.firstLsn) await writer.put(copyOf(frame));
    }
    if (scanner.nextLsn <= lastLsn) throw changed(segment, `at offset ${scanner.offset} since it was looked at`);
  } finally {
    await release(opened.file);
  }
}

/** The names under which they are kept, each of which nothing bears yet. */
export function asideNames(replaced: readonly string[], names: readonly string[]): string[] {
  const taken = new Set(names);
  return replaced.map((name) => {
    let to = asideName(name);
    for (let nth = 2; taken.has(to); nth++) to = `${asideName(name)}.${nth}`;
    return to;
  });
}

/** Puts files out of the log. Resolves to their new names. */
export async function setAside(
  { runtime, directory }: Place,
  replaced: readonly string[],
  names: readonly string[],
): Promise<string[]> {
  const aside = asideNames(replaced, names);
  for (const [nth, name] of replaced.entries()) {
    await runtime.rename(runtime.join(directory, name), runtime.join(directory, aside[nth] ?? asideName(name)));
  }
  if (aside.length > 0) await runtime.syncDirectory(directory);
  return aside;
}
