/**
 * Looks at every byte of a log and changes none: what is there, what is damaged, and what checks all the same. Open looks only
 * at what it needs; this is for who wants to know, or has to mend.
 *
 * @module
 */

import { lookBehind, type OutsideVoucher, voucherFor } from "./behind.ts";
import { mayBeLast } from "./chain.ts";
import { WalError, WalIoError } from "./errors.ts";
import { parseSegmentName, type SegmentHeader, type SegmentName } from "./format.ts";
import { evidenceOf, inspectSegment } from "./good_segment.ts";
import { type Contents, type Limits, readContents, type Run } from "./runs.ts";
import { type OpenSegmentFile, type Place, release } from "./segment.ts";
import type { Ending, Fault, Finding, Voucher, Where } from "./verdict.ts";

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
  /** The last one; 0 where nothing tells. */
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
  /** Frames that check: the first run is where it must be, and may be empty; the others lie behind flaws. */
  readonly runs: readonly Run[];
  /** A segment below it that is missing. */
  readonly flawBelow: Flaw | null;
  /** In the order of their places. */
  readonly flaws: readonly Flaw[];
}

/** See the head of this file. */
export interface Survey {
  /** Oldest first. */
  readonly segments: readonly SurveyedSegment[];
  readonly headLsn: number;
  readonly ending: Ending;
  /** A segment above the last one that has vanished. */
  readonly flawAbove: Flaw | null;
}

/** Told of each segment that has been looked at, and how many there are. */
export type Surveyed = (done: number, of: number) => void;

/** Looks at the log in a directory with these names. */
export async function surveyLog(
  place: Place,
  names: readonly string[],
  vouchers: readonly OutsideVoucher[],
  surveyed: Surveyed = () => {},
): Promise<Survey> {
  return await new Surveyor(place, names, vouchers, surveyed).survey();
}

/** All flaws, oldest first. */
export function flawsOf({ segments, flawAbove }: Survey): Flaw[] {
  const flaws = segments.flatMap(({ flawBelow, flaws }) => flawBelow === null ? flaws : [flawBelow, ...flaws]);
  return flawAbove === null ? flaws : [...flaws, flawAbove];
}

/** What the segment above says of one below it, by its name and, where that can be read, by its header. */
interface Stated {
  readonly lastLsn: number;
  readonly endOffset: number | null;
  /** False where segments between the two are missing: then it may end anywhere before that LSN. */
  readonly isNext: boolean;
}

class Surveyor {
  readonly #place: Place;
  /** The highest id first. */
  readonly #names: readonly SegmentName[];
  readonly #vouchers: readonly OutsideVoucher[];
  readonly #surveyed: Surveyed;
  #logId: string | null = null;
  #headLsn = 1;
  #ending: Ending = "unclean";

  constructor(place: Place, names: readonly string[], vouchers: readonly OutsideVoucher[], surveyed: Surveyed) {
    this.#place = place;
    this.#names = names.map(parseSegmentName).filter((name) => name !== null).sort((a, b) => b.id - a.id);
    this.#vouchers = vouchers;
    this.#surveyed = surveyed;
  }

  async survey(): Promise<Survey> {
    const segments: SurveyedSegment[] = [];
    let name = await this.#last();
    const lastId = name?.id ?? 0;
    let stated: Stated | null = null;
    while (name !== null) {
      const surveyed: SurveyedSegment = await this.#surveySegment(name, stated);
      this.#surveyed(segments.length + 1, this.#names.length);
      const below = this.#below(name);
      const flawBelow = below === "missing" ? this.#missingBelow(name) : null;
      segments.push({ ...surveyed, flawBelow });
      stated = statedBy(surveyed, below !== "missing");
      name = below === "missing" ? this.#nextBelow(name) : below;
    }
    segments.reverse();
    const lastLsn = segments.at(-1)?.runs.at(-1)?.lastLsn ?? (segments.at(-1)?.name.baseLsn ?? this.#headLsn) - 1;
    return {
      segments: segments.map((segment, nth) => withFirstLost(segment, segments[nth - 1], this.#headLsn)),
      headLsn: this.#headLsn,
      ending: this.#ending,
      flawAbove: this.#vanished(lastId, lastLsn),
    };
  }

  /** The segment with the highest id that exists. */
  async #last(): Promise<SegmentName | null> {
    for (const name of this.#names) {
      const opened = await inspectSegment(this.#place, { name: name.name, logId: null }, "read");
      if ("finding" in opened) return name;
      await release(opened.file);
      if (mayBeLast(opened.header)) return name;
    }
    return null;
  }

  /** What its name says that is below it; null where the log begins in it. */
  #below({ id, predecessorId, baseLsn }: SegmentName): SegmentName | "missing" | null {
    if (predecessorId === 0 || baseLsn <= this.#headLsn) return null;
    return this.#names.find((each) => each.id === predecessorId && each.id < id && each.baseLsn <= baseLsn) ??
      "missing";
  }

  /** Where one is missing, nothing says which was below it. */
  #nextBelow({ predecessorId, baseLsn }: SegmentName): SegmentName | null {
    return this.#names.find(({ id, baseLsn: base }) => id < predecessorId && base < baseLsn) ?? null;
  }

  #missingBelow({ name, predecessorId, baseLsn }: SegmentName): Flaw {
    return {
      where: "earlier",
      finding: "missing",
      voucher: "successor",
      segment: `number ${predecessorId}`,
      offset: 0,
      bytes: 0,
      firstLsn: 0,
      lastLsn: baseLsn - 1,
      what: `segment number ${predecessorId}, which ${name} names, is missing`,
    };
  }

  /** A voucher may know of a segment that is not there. */
  #vanished(lastId: number, lastLsn: number): Flaw | null {
    const highest = this.#vouchers.reduce((id, { segmentId }) => Math.max(id, segmentId), 0);
    const voucher = this.#vouchers.find(({ segmentId }) => segmentId === highest);
    if (voucher === undefined || highest <= lastId) return null;
    return {
      where: "last",
      finding: "missing",
      voucher: voucher.evidence,
      segment: `number ${highest}`,
      offset: voucher.offset,
      bytes: 0,
      firstLsn: lastLsn + 1,
      lastLsn: voucher.lsn > lastLsn ? voucher.lsn : 0,
      what: `segment number ${highest} has vanished`,
    };
  }

  async #surveySegment(name: SegmentName, stated: Stated | null): Promise<SurveyedSegment> {
    const where = stated === null ? "last" : "earlier";
    const opened = await inspectSegment(this.#place, { name: name.name, logId: this.#logId }, "read");
    if ("finding" in opened) return unusable(name, where, opened, stated);
    this.#logId ??= opened.header.logId;
    try {
      this.#headLsn = Math.max(this.#headLsn, opened.header.headLsn);
      const contents = await readContents(opened, limitsOf(opened, stated));
      this.#headLsn = Math.max(this.#headLsn, contents.headLsn);
      if (stated === null) this.#ending = contents.isMarked ? "clean" : "unclean";
      const flaws = stated === null
        ? await this.#flawsOfLast(name, opened, contents)
        : flawsOfEarlier(name, opened, contents, stated);
      return { name, header: opened.header, sizeBytes: opened.sizeBytes, runs: contents.runs, flawBelow: null, flaws };
    } catch (error) {
      throw error instanceof WalError ? error : new WalIoError(`read ${name.name}`, error);
    } finally {
      await release(opened.file);
    }
  }

  /** What is behind the last run may have been torn by a crash, unless something vouches for it. */
  async #flawsOfLast({ name }: SegmentName, opened: OpenSegmentFile, { runs }: Contents): Promise<Flaw[]> {
    const [first] = runs;
    const behind = await lookBehind(opened, first.endOffset);
    const flaws: Flaw[] = [];
    for (const [nth, { endOffset: offset, lastLsn }] of runs.entries()) {
      const next = runs[nth + 1];
      const end = next?.offset ?? Math.max(offset, behind.tornEnd);
      const place = { id: opened.header.id, offset, nextLsn: lastLsn + 1 };
      const voucher = voucherFor(behind, place, this.#vouchers);
      if (end === offset && voucher === "nothing") continue;
      flaws.push({
        where: "last",
        finding: end === offset ? "whole" : "bad-frame",
        voucher,
        segment: name,
        offset,
        bytes: end - offset,
        firstLsn: lastLsn + 1,
        lastLsn: next === undefined ? this.#lastLostBehind(opened, lastLsn, behind.lastLsn) : next.firstLsn - 1,
        what: `no good frame begins at offset ${offset}, where LSN ${lastLsn + 1} must be`,
      });
    }
    return flaws;
  }

  #lastLostBehind({ header: { id } }: OpenSegmentFile, lastLsn: number, tornLsn: number): number {
    const marked = this.#vouchers.find(({ segmentId }) => segmentId === id)?.lsn ?? 0;
    const lost = Math.max(tornLsn, marked);
    return lost > lastLsn ? lost : 0;
  }
}

function limitsOf({ sizeBytes }: OpenSegmentFile, stated: Stated | null): Limits {
  if (stated === null) return { endOffset: sizeBytes, lastLsn: Infinity };
  const { endOffset, lastLsn } = stated;
  return endOffset === null
    ? { endOffset: sizeBytes, lastLsn }
    : { endOffset: Math.min(endOffset, sizeBytes), lastLsn: Infinity };
}

/** Between its runs, and where the last one ends before the end that is stated. */
function flawsOfEarlier(
  { name }: SegmentName,
  { sizeBytes }: OpenSegmentFile,
  { runs }: Contents,
  { endOffset, lastLsn: statedLsn, isNext }: Stated,
): Flaw[] {
  const end = endOffset ?? sizeBytes;
  return runs.flatMap(({ endOffset: offset, lastLsn }, nth) => {
    const next = runs[nth + 1];
    const isReached = !isNext || lastLsn >= statedLsn && (endOffset === null || offset >= endOffset);
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
      lastLsn: next === undefined ? statedLsn : next.firstLsn - 1,
      what: isShrunk
        ? `it ends at offset ${sizeBytes}, before offset ${end}, where its successor says it ends`
        : `no good frame begins at offset ${offset}, where LSN ${lastLsn + 1} must be`,
    };
  });
}

/** Without its header no frame of it can be checked. */
function unusable(name: SegmentName, where: Where, { finding, what }: Fault, stated: Stated | null): SurveyedSegment {
  const flaw = {
    where,
    finding,
    voucher: evidenceOf(where),
    segment: name.name,
    offset: 0,
    bytes: 0,
    firstLsn: name.baseLsn,
    lastLsn: stated?.lastLsn ?? 0,
    what,
  };
  return { name, header: null, sizeBytes: 0, runs: [], flawBelow: null, flaws: [flaw] };
}

function statedBy({ name, header }: SurveyedSegment, isNext: boolean): Stated {
  if (header === null || !isNext) return { lastLsn: name.baseLsn - 1, endOffset: null, isNext };
  const { lastLsn, endOffset } = header.predecessor;
  return { lastLsn, endOffset, isNext };
}

/** What is lost below it begins behind what is there below that. */
function withFirstLost(segment: SurveyedSegment, below: SurveyedSegment | undefined, headLsn: number): SurveyedSegment {
  const { flawBelow } = segment;
  if (flawBelow === null) return segment;
  const lastBelow = below === undefined ? headLsn - 1 : below.runs.at(-1)?.lastLsn ?? below.name.baseLsn - 1;
  return { ...segment, flawBelow: { ...flawBelow, firstLsn: lastBelow + 1 } };
}
