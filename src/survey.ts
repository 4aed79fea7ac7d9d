/**
 * Looks at every byte of a log and changes none: what is there, what is damaged, and what checks all the same. Open looks only
 * at what it needs; this is for who wants to know, or has to mend.
 *
 * @module
 */

import { lookBehind, type OutsideVoucher, voucherFor } from "./behind.ts";
import { isNextOf, linkTo, rivalsAmong } from "./chain.ts";
import { WalError, WalIoError } from "./errors.ts";
import { hasNoGoodFrame, hasVanished, isOfAnotherLine } from "./fault_words.ts";
import { asideIdsIn, MAX_NUMBER, type SegmentHeader, type SegmentName, segmentsOf } from "./format.ts";
import {
  claimOf,
  type Flaw,
  flawsOfEarlier,
  missingBelow,
  MOST_LSNS,
  rivalry,
  type Stated,
  type SurveyedSegment,
  unusable,
  withFirstLost,
} from "./flaws.ts";
import { inspectSegment } from "./good_segment.ts";
import { likelyBelow } from "./likely_below.ts";
import { findNewest } from "./newest.ts";
import { type Contents, type Limits, readContents } from "./runs.ts";
import { chunksOf, FrameScanner } from "./scan.ts";
import { type OpenSegmentFile, openSegmentFile, type Place, release } from "./segment.ts";
import { needlessAmong } from "./unfinished.ts";
import type { Ending } from "./verdict.ts";

/** All that is in the files of a log. */
export interface Survey {
  /** Oldest first. */
  readonly segments: readonly SurveyedSegment[];
  /** Every file that is named like a segment, also those that are not part of the log. */
  readonly segmentNames: readonly SegmentName[];
  /** Those of them that a mending was making when it was stopped, and that nobody needs: their set was never complete. */
  readonly unfinished: readonly SegmentName[];
  /** The highest id that any of them bears, or one that was set aside, or a voucher names. */
  readonly highestId: number;
  readonly headLsn: number;
  /** The same, as a head frame of the newest usable segment says that nothing bears out: who cut so far does not miss what is below. */
  readonly lastHeadLsn: number;
  /** The highest LSN that a voucher knows of, or a file under a wrong name, where the last segment cannot be used; 0 else. */
  readonly vouchedLsn: number;
  readonly ending: Ending;
  /** A segment above the last one that has vanished, or two files that claim to be one. */
  readonly flawAbove: Flaw | null;
}

/**
 * Told how many segments have been looked at, or copied, of how many.
 *
 * @example
 * ```ts
 * import { Wal, type WalProgress } from "@walstream/wal";
 *
 * const onProgress: WalProgress = (done, of, what) => console.log(`${what} ${done} of ${of} segments`);
 * const wal = await Wal.open("data/wal");
 * await wal.commit("hello");
 * await wal.close();
 * await Wal.verify("data/wal", { onProgress }); // looked at 1 of 1 segments
 * ```
 */
export type WalProgress = (done: number, of: number, what: "looked at" | "copied") => void;

/** Looks at the log in a directory with these names. */
export async function surveyLog(
  place: Place,
  names: readonly string[],
  vouchers: readonly OutsideVoucher[],
  onProgress: WalProgress = () => {},
): Promise<Survey> {
  return await new Surveyor(place, names, vouchers, onProgress).survey();
}

/** All flaws, oldest first. */
export function flawsOf({ segments, flawAbove }: Survey): Flaw[] {
  const flaws = segments.flatMap(({ flawBelow, flaws }) => flawBelow === null ? flaws : [flawBelow, ...flaws]);
  return flawAbove === null ? flaws : [...flaws, flawAbove];
}

class Surveyor {
  readonly #place: Place;
  readonly #vouchers: OutsideVoucher[];
  readonly #onProgress: WalProgress;
  readonly #directoryNames: readonly string[];
  /** Every file that is named like a segment and may be one of the log's, the highest id first. */
  #candidates: readonly SegmentName[];
  #logId: string | null = null;
  #isDisputed = false;
  /** As the newest segment has it whose header can be used: it never goes back. */
  #headLsn = 1;
  #knowsHead = false;
  /** The same, as a head frame says that may not have been synced. */
  #lastHeadLsn = 1;
  /** Where the log began, as the newest file tells whose header is good and whose name lies; null where none does. */
  #toldHeadLsn: number | null = null;
  /** The last LSN before the first damage in any such file: it was given out. */
  #toldLastLsn = 0;
  #ending: Ending = "unclean";

  constructor(place: Place, names: readonly string[], vouchers: readonly OutsideVoucher[], onProgress: WalProgress) {
    this.#place = place;
    this.#directoryNames = names;
    this.#candidates = segmentsOf(names);
    this.#vouchers = [...vouchers];
    this.#onProgress = onProgress;
  }

  async survey(): Promise<Survey> {
    const segmentNames = this.#candidates;
    const rivals = rivalsAmong(segmentNames);
    const segments: SurveyedSegment[] = [];
    const { name: newest, logId, isDisputed, unfinished, completion } = await findNewest(
      this.#place,
      this.#directoryNames,
    );
    this.#candidates = segmentNames.filter(({ name }) => !unfinished.some((each) => each.name === name));
    this.#logId = logId;
    this.#isDisputed = isDisputed;
    if (completion !== null) this.#vouchers.push(completion);
    let name = newest;
    let stated: Stated | null = null;
    while (name !== null) {
      const segment: SurveyedSegment = await this.#surveySegment(name, stated);
      this.#onProgress(segments.length + 1, segmentNames.length, "looked at");
      const below: Below | null = await this.#below(segment, stated);
      segments.push({ ...segment, flawBelow: below === null ? null : below.flaw });
      name = below?.name ?? null;
      stated = below?.stated ?? null;
    }
    segments.reverse();
    const headLsn = this.#knowsHead ? this.#headLsn : this.#toldHeadLsn;
    const whole = segments.map((segment, nth) => withFirstLost(segment, segments[nth - 1], headLsn));
    const last = whole.at(-1);
    const lastLsn = last?.runs.at(-1)?.lastLsn ?? (last?.firstLsn ?? this.#headLsn) - 1;
    return {
      segments: whole,
      segmentNames,
      unfinished: await needlessAmong(this.#place, unfinished, whole),
      highestId: Math.max(
        0,
        ...segmentNames.map(({ id }) => id),
        ...asideIdsIn(this.#directoryNames),
        ...this.#vouchers.map(({ segmentId }) => segmentId),
      ),
      headLsn: this.#headLsn,
      lastHeadLsn: Math.max(this.#headLsn, this.#lastHeadLsn),
      vouchedLsn: last?.header === null ? this.#lastVouchedLsn() : 0,
      ending: this.#ending,
      flawAbove: rivals === null ? this.#vanished(newest?.id ?? 0, lastLsn) : rivalry(rivals, lastLsn),
    };
  }

  /**
   * What lies below a segment, as far as there is anything; null where the log begins in it. Where files below are gone already, the
   * head is where its last head frame says.
   */
  async #below({ name, header }: SurveyedSegment, stated: Stated | null): Promise<Below | null> {
    return header === null ? await this.#guessBelow(name, stated) : this.#belowOf(name, header);
  }

  /** Below a file that cannot be used: what its name says may be wrong, and ends nothing. */
  async #guessBelow(segment: SegmentName, stated: Stated | null): Promise<Below | null> {
    const { predecessorId, baseLsn } = segment;
    const above = stated?.above ?? null;
    const name = await likelyBelow(this.#place, this.#candidates, segment, above !== null);
    if (name === null) return null;
    const bound = stated?.lastLsn ?? MAX_NUMBER - 1;
    // What it says of the one below counts only if it names that one.
    const isExact = name.id === predecessorId && baseLsn > name.baseLsn && baseLsn - 1 <= bound &&
      baseLsn - name.baseLsn < MOST_LSNS;
    const lastLsn = isExact ? baseLsn - 1 : bound;
    return { name, flaw: null, stated: { lastLsn, endOffset: null, isExact, successor: null, above } };
  }

  #belowOf(segment: SegmentName, header: SegmentHeader): Below | null {
    const { predecessorId, baseLsn } = segment;
    if (predecessorId === 0 || baseLsn <= this.#headLsn) return null;
    const { lastLsn, endOffset } = header.predecessor;
    const named = this.#candidates.find(({ id }) => id === predecessorId);
    if (named !== undefined && named.baseLsn <= baseLsn) {
      const stated = { lastLsn, endOffset, isExact: true, successor: header, above: header };
      return { name: named, flaw: null, stated };
    }
    if (named === undefined && baseLsn <= this.#lastHeadLsn) { // files go when the head is synced that they lie below
      this.#headLsn = this.#lastHeadLsn;
      return null;
    }
    // Nothing says which one was below the one that is missing.
    const name = this.#candidates.find((each) => each.id < predecessorId && each.baseLsn < baseLsn) ?? null;
    const stated = { lastLsn, endOffset: null, isExact: false, successor: null, above: header };
    return { name, flaw: missingBelow(segment), stated };
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
      what: hasVanished(highest),
    };
  }

  async #surveySegment(name: SegmentName, stated: Stated | null): Promise<SurveyedSegment> {
    const opened = await inspectSegment(this.#place, { name: name.name, logId: this.#logId }, "read");
    if ("finding" in opened) {
      // Where nobody knows whose log this is, it is judged like the last one: no mode puts one of the two out of the log.
      const where = stated === null || opened.finding === "foreign" && this.#isDisputed ? "last" : "earlier";
      const lower = this.#candidates.find(({ id }) => id < name.id);
      if (opened.header !== undefined) await this.#learnFrom(opened.header, name);
      const claimed = claimOf(name, opened, stated, lower);
      return unusable(claimed, where, opened, stated?.lastLsn ?? this.#lastVouchedLsn());
    }
    this.#logId ??= opened.header.logId;
    const successor = stated?.successor ?? null;
    if (stated !== null && successor !== null && !isNextOf(successor, opened.header)) {
      await release(opened.file);
      const fault = { finding: "foreign", what: isOfAnotherLine(linkTo(successor).name) } as const;
      return unusable(name, "earlier", fault, stated.lastLsn);
    }
    try {
      const contents = await readContents(opened, limitsOf(opened, stated));
      if (!this.#knowsHead) {
        this.#headLsn = Math.max(opened.header.headLsn, contents.headLsn);
        this.#lastHeadLsn = contents.lastHeadLsn;
      }
      this.#knowsHead = true;
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

  /** What a good header and the frames behind it tell, under whatever name. */
  async #learnFrom({ headLsn }: SegmentHeader, { name }: SegmentName): Promise<void> {
    const contents = await contentsUnder(this.#place, name).catch((error: unknown) => {
      throw new WalIoError(`read ${name}`, error);
    });
    this.#toldHeadLsn ??= Math.max(headLsn, contents?.lastHeadLsn ?? 0);
    this.#toldLastLsn = Math.max(this.#toldLastLsn, contents?.runs[0].lastLsn ?? 0);
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
        what: hasNoGoodFrame(offset, lastLsn + 1),
      });
    }
    return flaws;
  }

  #lastLostBehind(name: SegmentName, lastLsn: number, tornLsn: number): number {
    const lost = Math.max(tornLsn, this.#lastLsnOf(name));
    return lost > lastLsn ? lost : 0;
  }

  /** The highest LSN that a voucher knows of, or a file under a wrong name; what says that all numbers were given out is wrong. */
  #lastVouchedLsn(): number {
    const told = [this.#toldLastLsn, ...this.#vouchers.map(({ lsn }) => lsn)];
    return Math.max(0, ...told.filter((lsn) => lsn < MAX_NUMBER - 1));
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

/** What a file holds, whatever its name says; null where its header is damaged. */
async function contentsUnder(place: Place, name: string): Promise<Contents | null> {
  const opened = await openSegmentFile(place, name, "read");
  if ("fault" in opened) return null;
  try {
    return await readContents(opened, { endOffset: opened.sizeBytes, lastLsn: MAX_NUMBER });
  } finally {
    await release(opened.file);
  }
}

/** Whether a good frame stands by now where there was none: then a writer was seen at work, and nothing is damaged. */
async function hasMoved({ file, checksum }: OpenSegmentFile, { runs: [first] }: Contents): Promise<boolean> {
  const scanner = new FrameScanner(chunksOf(file), checksum, first.endOffset, first.lastLsn + 1, await file.size());
  scanner.checksEntries = true;
  return await scanner.first() !== null;
}

function limitsOf({ sizeBytes, header: { epoch } }: OpenSegmentFile, stated: Stated | null): Limits {
  if (stated === null) return { endOffset: sizeBytes, lastLsn: Infinity };
  const { endOffset, lastLsn, above } = stated;
  if (endOffset !== null) return { endOffset: Math.min(endOffset, sizeBytes), lastLsn };
  // What lies behind the place where a later line of history began was given up.
  const isGivenUp = above?.epoch.parentId === epoch.id;
  return { endOffset: sizeBytes, lastLsn: isGivenUp ? Math.min(lastLsn, above.epoch.lsn) : lastLsn };
}
