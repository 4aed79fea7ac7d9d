/**
 * Makes a damaged log one that can be used. What is good up to the first damage stays where it is, and a new line of history
 * begins there: an empty segment, where the log is to end at the damage; else copies of all whole frames behind it, with
 * skips for the LSNs in between. The copies are one set: they are there all at once, or not at all. What they replace keeps
 * its bytes under another name.
 *
 * @module
 */

import { Births } from "./births.ts";
import { WalDiskFullError, WalIoError } from "./errors.ts";
import { copyOf, CopyWriter, skipOf } from "./copies.ts";
import { type FrameChecksum, HEADER_BYTES } from "./format.ts";
import { openGoodSegment } from "./good_segment.ts";
import { countNew, type MendingPlan, type Source } from "./mending_plan.ts";
import { setAside } from "./replaced.ts";
import { rewriteFrames } from "./rewriting.ts";
import type { Run } from "./runs.ts";
import type { RuntimeFile } from "./runtime/port.ts";
import { chunksOf, FrameScanner } from "./scan.ts";
import { type OpenSegmentFile, type Place, release } from "./segment.ts";
import type { Spares } from "./spares.ts";
import type { Survey, WalProgress } from "./survey.ts";

/** What carries out a plan. */
export interface MendingOptions {
  readonly place: Place;
  readonly spares: Spares;
  /** Every name in the directory. */
  readonly names: readonly string[];
  readonly onProgress: WalProgress;
}

/** Carries out a plan. Resolves to the new names of the files that it replaces, when all of it will be so after a power loss. */
export async function mend(survey: Survey, plan: MendingPlan, options: MendingOptions): Promise<string[]> {
  const { place, names } = options;
  await discard(place, survey.unfinished.map(({ name }) => name)); // nobody needs them, and there may be need for their room
  await writeAgain(place, survey, plan);
  const made: Made = { names: [], mayBeComplete: false };
  try {
    await makeSegments(survey, plan, options, made);
  } catch (error) {
    // What is not complete is of no use to anybody; where nobody knows, it stays.
    if (!made.mayBeComplete || error instanceof WalDiskFullError) await discard(place, made.names).catch(() => {});
    throw error;
  }
  return await setAside(place, plan.replaced, names);
}

/** Files that never became part of the log go, and do not come back with a power loss. */
async function discard({ runtime, directory }: Place, names: readonly string[]): Promise<void> {
  for (const name of names) await runtime.unlink(runtime.join(directory, name));
  if (names.length > 0) await runtime.syncDirectory(directory);
}

/** Segments of one set. */
interface Made {
  readonly names: string[];
  /** The segment that completes the set has been begun: unless there was no room for that, it may be there. */
  mayBeComplete: boolean;
}

/** Makes the segments of a new line of history: an empty one, where nothing is copied. */
async function makeSegments(
  survey: Survey,
  plan: MendingPlan,
  { place, spares, onProgress }: MendingOptions,
  made: Made,
): Promise<void> {
  const { highestId } = survey;
  const lineage = plan.kept?.header ?? survey.segments.findLast(({ header }) => header !== null)?.header ?? null;
  const births = new Births(place, spares, highestId, lineage);
  births.beginEpoch(plan.predecessor.lastLsn);
  const count = countNew(plan);
  const setId = plan.sources.length === 0 ? 0 : highestId + count;
  let { predecessor } = plan;
  let precedingBytes = (plan.kept?.header?.precedingBytes ?? 0) + Math.max(0, predecessor.endOffset - HEADER_BYTES);
  const time = Math.max(place.runtime.now(), plan.kept?.runs[0]?.lastTime ?? 0);
  for (let nth = 0; nth < count; nth++) {
    const source = plan.sources[nth];
    if (source !== undefined) onProgress(nth, count, "copied");
    made.mayBeComplete = nth === count - 1;
    const { lastLsn: writtenLsn } = predecessor;
    const lastLsn = Math.max(made.mayBeComplete ? plan.lastLsn : 0, source?.runs.at(-1)?.lastLsn ?? writtenLsn);
    const segment = await births.next({
      predecessor,
      headLsn: plan.headLsn,
      time: source?.runs[0]?.time ?? time,
      precedingBytes,
      isCutting: true,
      setId,
      endow: (file, checksum) => copySource(place, source, { file, checksum, writtenLsn, lastLsn, time }),
    });
    await segment.close();
    made.names.push(segment.name);
    precedingBytes += segment.endOffset - HEADER_BYTES;
    predecessor = { id: segment.header.id, endOffset: segment.endOffset, lastLsn };
  }
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
    const frames = { offset: HEADER_BYTES, firstLsn: kept.name.baseLsn, endOffset: predecessor.endOffset };
    if (!await rewriteFrames(opened, frames)) throw changed(kept.name.name, "since it was looked at");
  } finally {
    await release(opened.file);
  }
}

function changed(name: string, what: string): WalIoError {
  return new WalIoError(`mend ${name}`, new Error(`it has changed ${what}; try again`));
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

/** Copies what is to be copied of one file, and skips the LSNs before, between and behind that. */
async function copySource(place: Place, source: Source | undefined, to: Destination): Promise<number> {
  const writer = new CopyWriter(to.file, to.checksum);
  let { writtenLsn, time } = to;
  const skipTo = async (lastLsn: number, time: number): Promise<void> => {
    if (lastLsn > writtenLsn) await writer.put(skipOf(writtenLsn + 1, lastLsn, { syncedLsn: to.writtenLsn, time }));
    writtenLsn = Math.max(writtenLsn, lastLsn);
  };
  if (source !== undefined) {
    const { name } = source.segment.name;
    const opened = await openGoodSegment(place, { name, logId: null, where: "earlier" }, "read");
    try {
      for (const run of source.runs) {
        await skipTo(run.firstLsn - 1, run.time);
        await copyRun(name, opened, run, writer);
        writtenLsn = run.lastLsn;
        time = run.lastTime;
      }
    } finally {
      await release(opened.file);
    }
  }
  await skipTo(to.lastLsn, time);
  return await writer.end();
}

async function copyRun(
  name: string,
  { file, checksum }: OpenSegmentFile,
  { offset, endOffset, firstLsn, lastLsn }: Run,
  writer: CopyWriter,
): Promise<void> {
  const scanner = new FrameScanner(chunksOf(file), checksum, offset, firstLsn, endOffset);
  for (let frame = scanner.take(); frame !== null || await scanner.more(); frame = scanner.take()) {
    if (frame !== null && frame.lastLsn >= frame.header.firstLsn) await writer.put(copyOf(frame));
  }
  if (scanner.nextLsn <= lastLsn) throw changed(name, `at offset ${scanner.offset} since it was looked at`);
}
