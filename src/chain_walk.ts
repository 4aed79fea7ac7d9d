/**
 * The walk that open takes from the last segment down to the head: by names, so that it costs the same with a thousand of them. Of
 * the predecessor of the last one the header and the size are looked at too. Damage in the others is found when they are read.
 *
 * @module
 */

import { isNextOf, type Link, type Walk, walkDown } from "./chain.ts";
import { WalFormatError } from "./errors.ts";
import { hasNothingBefore, isMissing, isOfAnotherLine } from "./fault_words.ts";
import { parseSegmentName, type SegmentHeader, type SegmentName } from "./format.ts";
import { inspectSegment, openGoodSegment } from "./good_segment.ts";
import { readContents } from "./runs.ts";
import { openSegmentFile, type Place, release } from "./segment.ts";
import { refuse } from "./verdict.ts";

/** A log whose last segment has been read. */
export interface Ended {
  readonly place: Place;
  /** Every file that is named like a segment, the newest first. */
  readonly segments: readonly SegmentName[];
  readonly last: { readonly name: string; readonly header: SegmentHeader };
  readonly headLsn: number;
}

/** The segments of the log, oldest first. Rejects with what the decision table says of one that is not as it must be. */
export async function walkToHead(log: Ended): Promise<Link[]> {
  const { place, segments, last, headLsn } = log;
  const { links, missing } = walkDown(segments, last.header, headLsn);
  if (missing !== null) return await refuseMissing(log, missing);
  const [lowest] = links;
  if (lowest !== undefined && lowest.baseLsn > headLsn) {
    const damage = { segment: lowest.name, offset: 0, lsn: headLsn, evidence: "successor" } as const;
    const fault = { finding: "damaged-header", what: hasNothingBefore(headLsn) } as const;
    refuse("earlier", fault, damage, pathOf(place, lowest.name));
  }
  const second = links.at(-2);
  if (second === undefined) return links;
  await checkEnd(log, second);
  await weighFirst(place, lowest);
  return links;
}

async function refuseMissing(
  { place, segments }: Ended,
  { id, successor }: NonNullable<Walk["missing"]>,
): Promise<never> {
  const lsn = await firstLostIn(place, segments, id, parseSegmentName(successor)?.baseLsn ?? 1);
  const damage = { segment: `number ${id}`, offset: 0, lsn, evidence: "successor" } as const;
  return refuse("earlier", { finding: "missing", what: isMissing(id, successor) }, damage, place.directory);
}

/** The first LSN that is lost with a missing segment: the one behind what is there below it. */
async function firstLostIn(
  place: Place,
  segments: readonly SegmentName[],
  missingId: number,
  successorLsn: number,
): Promise<number> {
  const below = segments.find(({ id, baseLsn }) => id < missingId && baseLsn < successorLsn);
  if (below === undefined) return 1;
  const opened = await inspectSegment(place, { name: below.name, logId: null }, "read");
  if ("finding" in opened) return below.baseLsn;
  try {
    const { runs } = await readContents(opened, { endOffset: opened.sizeBytes, lastLsn: successorLsn - 1 });
    return (runs.at(-1)?.lastLsn ?? 0) + 1;
  } finally {
    await release(opened.file);
  }
}

/** The predecessor of the last one must reach as far as that one says. */
async function checkEnd({ place, last }: Ended, link: Link): Promise<void> {
  const { name } = link;
  const { logId, predecessor } = last.header;
  const opened = await openGoodSegment(place, { name, logId, where: "earlier" }, "read");
  try {
    link.precedingBytes = opened.header.precedingBytes;
    if (!isNextOf(last.header, opened.header)) {
      throw new WalFormatError(pathOf(place, name), isOfAnotherLine(last.name));
    }
    if (opened.sizeBytes >= predecessor.endOffset) return;
    const { runs: [{ endOffset: offset, lastLsn }] } = await readContents(opened, predecessor);
    const what = `it ends before offset ${predecessor.endOffset}, where ${last.name} says it ends`;
    const damage = { segment: name, offset, lsn: lastLsn + 1, evidence: "successor" } as const;
    refuse("earlier", { finding: "shrunk", what }, damage, pathOf(place, name));
  } finally {
    await release(opened.file);
  }
}

/** Only to know how much the log holds: what is wrong with it is found when it is read. */
async function weighFirst(place: Place, first: Link | undefined): Promise<void> {
  if (first === undefined || first.precedingBytes !== null) return;
  const opened = await openSegmentFile(place, first.name, "read").catch(() => null);
  if (opened === null || "fault" in opened) return;
  first.precedingBytes = opened.header.precedingBytes;
  await release(opened.file);
}

function pathOf({ runtime, directory }: Place, name: string): string {
  return runtime.join(directory, name);
}
