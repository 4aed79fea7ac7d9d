/**
 * Looks at every byte of a log and changes none: what is there, what is damaged, and what checks all the same. Open looks only
 * at what it needs; this is for who wants to know, or has to mend.
 *
 * @module
 */

import { lookBehind, type OutsideVoucher, voucherFor } from "./behind.ts";
import { isNextOf, mayBeLast, type Rivals, rivalsAmong } from "./chain.ts";
import { WalError, WalIoError } from "./errors.ts";
import { MAX_NUMBER, type SegmentHeader, type SegmentName, segmentsOf } from "./format.ts";
import { evidenceOf, inspectSegment } from "./good_segment.ts";
import { type Contents, type Limits, readContents, type Run } from "./runs.ts";
import { chunksOf, FrameScanner } from "./scan.ts";
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
  /** The first LSN that belongs into it. */
  readonly firstLsn: number;
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
  /** Every file that is named like a segment, also those that are not part of the log. */
  readonly names: readonly SegmentName[];
  /** The highest id that any of them bears, or a voucher names. */
  readonly highestId: number;
  readonly headLsn: number;
  readonly ending: Ending;
  /** A segment above the last one that has vanished, or two files that claim to be one. */
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

/** No file has so many: a name that says so is wrong. */
const MOST_LSNS: number = 2 ** 40;

/** What is known of a segment from those above it. */
interface Stated {
  /** No later LSN is in it. */
  readonly lastLsn: number;
  /** Where its successor's header says that it ends. */
  readonly endOffset: number | null;
  /** False where its successor is missing or cannot be used: then it may end anywhere before that LSN. */
  readonly isWhole: boolean;
  /** Its successor, where that one's header says so. */
  readonly successor: SegmentHeader | null;
}

class Surveyor {
  readonly #place: Place;
  readonly #vouchers: readonly OutsideVoucher[];
  readonly #surveyed: Surveyed;
  /** The highest id first. */
  readonly #names: readonly SegmentName[];
  #logId: string | null = null;
  #headLsn = 1;
  #ending: Ending = "unclean";

  constructor(place: Place, names: readonly string[], vouchers: readonly OutsideVoucher[], surveyed: Surveyed) {
    this.#place = place;
    this.#names = segmentsOf(names);
    this.#vouchers = vouchers.filter(({ lsn }) => lsn < MAX_NUMBER);
    this.#surveyed = surveyed;
  }

  async survey(): Promise<Survey> {
    const names = this.#names;
    const rivals = rivalsAmong(names);
    const segments: SurveyedSegment[] = [];
    let name = await this.#last();
    this.#logId = await this.#findLogId(name);
    const lastId = name?.id ?? 0;
    let stated: Stated | null = null;
    while (name !== null) {
      const segment: SurveyedSegment = await this.#surveySegment(name, stated);
      this.#surveyed(segments.length + 1, this.#names.length);
      const below = this.#below(segment, stated);
      segments.push({ ...segment, flawBelow: below === null ? null : below.flaw });
      name = below?.name ?? null;
      stated = below?.stated ?? null;
    }
    segments.reverse();
    const whole = segments.map((segment, nth) => withFirstLost(segment, segments[nth - 1], this.#headLsn));
    const last = whole.at(-1);
    const lastLsn = last?.runs.at(-1)?.lastLsn ?? (last?.firstLsn ?? this.#headLsn) - 1;
    return {
      segments: whole,
      names,
      highestId: Math.max(0, ...names.map(({ id }) => id), ...this.#vouchers.map(({ segmentId }) => segmentId)),
      headLsn: this.#headLsn,
      ending: this.#ending,
      flawAbove: rivals === null ? this.#vanished(lastId, lastLsn) : rivalry(rivals, lastLsn),
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

  /**
   * Which log this is: the last segment says so, unless the one below it says something else, and the one below that does not
   * bear the last one out.
   */
  async #findLogId(last: SegmentName | null): Promise<string | null> {
    const found: (string | null)[] = [];
    for (let name = last ?? undefined; name !== undefined && found.length < 3;) {
      const opened = await inspectSegment(this.#place, { name: name.name, logId: null }, "read");
      if ("finding" in opened) return found[0] ?? null;
      await release(opened.file);
      found.push(opened.header.logId);
      const { predecessorId } = name;
      name = this.#names.find(({ id }) => id === predecessorId);
    }
    const [first = null, second = first, third = second] = found;
    return first === third ? first : second;
  }

  /** What lies below a segment, as far as there is anything; null where the log begins in it. */
  #below({ name, header }: SurveyedSegment, stated: Stated | null): Below | null {
    const { id, predecessorId, baseLsn } = name;
    const named = this.#names.find((each) => each.id === predecessorId);
    const next = this.#names.find((each) => each.id < id) ?? null;
    if (header === null) { // what its name says may be wrong: it ends nothing
      const lower = named ?? next;
      if (lower === null) return null;
      const bound = stated?.lastLsn ?? MAX_NUMBER - 1;
      const isLikely = baseLsn > lower.baseLsn && baseLsn - 1 <= bound && baseLsn - lower.baseLsn < MOST_LSNS;
      const lastLsn = isLikely ? baseLsn - 1 : bound;
      return {
        name: lower,
        flaw: null,
        stated: { lastLsn, endOffset: null, isWhole: isLikely && lower === named, successor: null },
      };
    }
    if (predecessorId === 0 || baseLsn <= this.#headLsn) return null;
    const { lastLsn, endOffset } = header.predecessor;
    if (named !== undefined && named.baseLsn <= baseLsn) {
      return { name: named, flaw: null, stated: { lastLsn, endOffset, isWhole: true, successor: header } };
    }
    // Nothing says which one was below the one that is missing.
    const lower = this.#names.find((each) => each.id < predecessorId && each.baseLsn < baseLsn) ?? null;
    return {
      name: lower,
      flaw: this.#missingBelow(name),
      stated: { lastLsn, endOffset: null, isWhole: false, successor: null },
    };
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
    if ("finding" in opened) return unusable(name, where, opened, stated?.lastLsn ?? this.#lastLsnOf(name));
    this.#logId ??= opened.header.logId;
    if (stated !== null && stated.successor !== null && !isNextOf(stated.successor, opened.header)) {
      await release(opened.file);
      return unusable(name, where, { finding: "foreign", what: "it is of another line of history" }, stated.lastLsn);
    }
    try {
      this.#headLsn = Math.max(this.#headLsn, opened.header.headLsn);
      const contents = await readContents(opened, limitsOf(opened, stated));
      this.#headLsn = Math.max(this.#headLsn, contents.headLsn);
      if (stated === null) this.#ending = contents.isMarked ? "clean" : "unclean";
      const flaws = stated === null
        ? await this.#flawsOfLast(name, opened, contents)
        : flawsOfEarlier(name, opened, contents, stated);
      const { header, sizeBytes } = opened;
      const surveyed = { name, header, sizeBytes, firstLsn: name.baseLsn, flawBelow: null };
      if (flaws.length > 0 && stated === null && await hasMoved(opened, contents)) {
        return { ...surveyed, runs: contents.runs.slice(0, 1), flaws: [] }; // it was the end, and somebody is writing behind it
      }
      return { ...surveyed, runs: contents.runs, flaws };
    } catch (error) {
      throw error instanceof WalError ? error : new WalIoError(`read ${name.name}`, error);
    } finally {
      await release(opened.file);
    }
  }

  /** What is behind the last run may have been torn by a crash, unless something vouches for it. */
  async #flawsOfLast(name: SegmentName, opened: OpenSegmentFile, { runs }: Contents): Promise<Flaw[]> {
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
        segment: name.name,
        offset,
        bytes: end - offset,
        firstLsn: lastLsn + 1,
        lastLsn: next === undefined ? this.#lastLostBehind(name, lastLsn, behind.lastLsn) : next.firstLsn - 1,
        what: `no good frame begins at offset ${offset}, where LSN ${lastLsn + 1} must be`,
      });
    }
    return flaws;
  }

  #lastLostBehind(name: SegmentName, lastLsn: number, tornLsn: number): number {
    const lost = Math.max(tornLsn, this.#lastLsnOf(name));
    return lost > lastLsn ? lost : 0;
  }

  /** The last LSN that a voucher says is in this segment; 0 where none does. */
  #lastLsnOf({ id }: SegmentName): number {
    return this.#vouchers.find(({ segmentId }) => segmentId === id)?.lsn ?? 0;
  }
}

/** The next segment to look at, what is known of it, and what is missing above it. */
interface Below {
  readonly name: SegmentName | null;
  readonly stated: Stated;
  readonly flaw: Flaw | null;
}

/** Nobody can say which of the two is the log's: no mode touches that. */
function rivalry({ name, what }: Rivals, lastLsn: number): Flaw {
  const place = { segment: name, offset: 0, bytes: 0, firstLsn: lastLsn + 1, lastLsn: 0 };
  return { where: "last", finding: "foreign", voucher: "name", ...place, what };
}

/** Whether there is a good frame by now where there was none: only what was bad before and after its voucher was seen is bad. */
async function hasMoved({ file, checksum }: OpenSegmentFile, { runs: [first] }: Contents): Promise<boolean> {
  const scanner = new FrameScanner(chunksOf(file), checksum, first.endOffset, first.lastLsn + 1, await file.size());
  scanner.checksEntries = true;
  let frame = scanner.take();
  while (frame === null && await scanner.more()) frame = scanner.take();
  return frame !== null;
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
  { endOffset, lastLsn: statedLsn, isWhole }: Stated,
): Flaw[] {
  const end = endOffset ?? sizeBytes;
  return runs.flatMap(({ endOffset: offset, lastLsn }, nth) => {
    const next = runs[nth + 1];
    const isReached = !isWhole || lastLsn >= statedLsn && (endOffset === null || offset >= endOffset);
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
function unusable(name: SegmentName, where: Where, { finding, what }: Fault, lastLsn: number): SurveyedSegment {
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

/** What is lost below a segment, or in one that cannot be used, begins behind what is there below that. */
function withFirstLost(segment: SurveyedSegment, below: SurveyedSegment | undefined, headLsn: number): SurveyedSegment {
  const { name, header, flawBelow, flaws } = segment;
  if (header !== null && flawBelow === null) return segment;
  const lastBelow = below?.runs.at(-1)?.lastLsn;
  // Below it nothing tells; a name that says where it begins may be wrong, and is when no log can be so long.
  const named = header === null && name.baseLsn > headLsn && name.baseLsn < MOST_LSNS ? name.baseLsn : headLsn;
  const isLikely = header === null && lastBelow !== undefined && named > lastBelow && named - lastBelow < MOST_LSNS;
  const isNext = isLikely && below?.name.id === name.predecessorId;
  const firstLsn = lastBelow === undefined || isNext ? named : lastBelow + 1;
  if (header !== null) return { ...segment, flawBelow: flawBelow === null ? null : { ...flawBelow, firstLsn } };
  const leastLsn = named > firstLsn ? named - 1 : 0; // what it says of those before it is known to be lost
  return {
    ...segment,
    firstLsn,
    flaws: flaws.map((flaw) => ({ ...flaw, firstLsn, lastLsn: Math.max(flaw.lastLsn, leastLsn) })),
  };
}
