/**
 * The segments that a reader without the lock finds, and where on their chain it is.
 *
 * Files come and go while it looks. So every step may find that the listing before it is stale, and says so with null: then
 * everything is listed again. Only what stays stale is an error.
 *
 * @module
 */

import { type Anchor, holdsPassed } from "./anchor.ts";
import { isNextOf, type Link, linkTo, mayBeLast, refuseRivals, type Walk, walkDown } from "./chain.ts";
import {
  messageOf,
  systemCode,
  WalCorruptionError,
  WalDirectoryError,
  WalFormatError,
  WalIoError,
  WalRangeError,
  WalRewoundError,
  WalTruncatedError,
  WalVersionError,
} from "./errors.ts";
import {
  DAMAGED_HEADER,
  hasNoGoodFrame,
  hasNothingBefore,
  isMissing,
  isOfAnotherLine,
  NO_SEGMENT,
  OF_ANOTHER_LOG,
} from "./fault_words.ts";
import { HEADER_BYTES, parseSegmentName, type SegmentName, segmentsOf } from "./format.ts";
import { isDamagedBefore, vouchedBehind, type Whole, wholeOf } from "./outside_contents.ts";
import { type OpenSegmentFile, openSegmentFile, type Place, release } from "./segment.ts";

/** A segment that is being read, and where its successor says that it ends. */
export interface Section {
  readonly name: string;
  readonly opened: OpenSegmentFile;
  readonly endOffset: number;
  readonly lastLsn: number;
}

/** The chain as one reader without the lock knows it. */
export class OutsideChain {
  readonly #place: Place;
  readonly #fromLsn: number | null;
  #nextLsn = 0;
  #anchor: Anchor | null = null;
  #logId: string | null = null;
  #staleReason: Error | null = null;

  /** @param fromLsn The first LSN to show; null: the first there is. */
  constructor(place: Place, fromLsn: number | null) {
    this.#place = place;
    this.#fromLsn = fromLsn;
  }

  /** The next LSN to show; 0 before anything is known of the log. */
  get nextLsn(): number {
    return this.#nextLsn;
  }

  /** Where the reader is; null before it has passed a frame. */
  get anchor(): Anchor | null {
    return this.#anchor;
  }

  /** What a listing that stays stale means; null where it means nothing but haste. */
  get staleReason(): Error | null {
    return this.#staleReason;
  }

  /** The reader has passed a frame. */
  moveTo(anchor: Anchor): void {
    this.#anchor = anchor;
    this.#nextLsn = Math.max(this.#nextLsn, anchor.nextLsn);
  }

  /** Where to read on in a segment: at the reader's place, if it is in there, else at its start. */
  startIn({ opened }: Section): Pick<Anchor, "offset" | "lsn" | "nextLsn"> {
    const { id, baseLsn } = opened.header;
    return this.#anchor?.id === id ? this.#anchor : { offset: HEADER_BYTES, lsn: baseLsn, nextLsn: baseLsn };
  }

  /** The segments from the reader's place on, oldest first; empty where there is no log; null where the listing is stale. */
  async find(): Promise<readonly Link[] | null> {
    this.#staleReason = null;
    const names = await this.#list();
    const last = await this.#openLast(names);
    if (last === null) return null;
    if (last === "none") {
      if (this.#anchor === null && (this.#fromLsn ?? 1) <= 1) return [];
      const [newest] = await this.#list(); // names that come and go meanwhile may escape a listing
      if (newest?.name !== names[0]?.name) return null;
      throw this.#anchor === null ? this.#beyond(0) : new WalRewoundError(this.#place.directory, this.#nextLsn);
    }
    try {
      this.#checkLog(last);
      return this.#anchor === null ? await this.#begin(names, last) : await this.#goOn(names, last, this.#anchor);
    } finally {
      await release(last.file);
    }
  }

  /** The segments that are there, the highest id first. */
  async #list(): Promise<SegmentName[]> {
    const { runtime, directory } = this.#place;
    const files = await runtime.list(directory).catch((error: unknown) => {
      throw new WalDirectoryError(`cannot read the log in ${directory}: ${messageOf(error)}`, error);
    });
    const segments = segmentsOf(files);
    refuseRivals(this.#place, segments);
    return segments;
  }

  /** Opens one of them to be read; null where the listing is stale. */
  async open(link: Link): Promise<Section | null> {
    const { name, next } = link;
    const successor = next === null ? null : await this.#openNamed(next.name, next.id);
    if (successor !== null) await release(successor.file);
    else if (next !== null) return null;
    const opened = await this.#openNamed(name, link.id);
    if (opened === null) return null;
    const { endOffset, lastLsn } = successor?.header.predecessor ?? { endOffset: Infinity, lastLsn: Infinity };
    const section = { name, opened, endOffset, lastLsn };
    let isGood = false;
    try {
      isGood = await this.#isWhereItStands(name, opened, next === null) &&
        await this.#isOfThisLog(link, section, successor);
    } finally {
      if (!isGood) await release(opened.file);
    }
    return isGood ? section : null;
  }

  /** Whether a segment is of this log; false where it is not, or the listing is stale. */
  async #isOfThisLog(link: Link, { name, opened }: Section, successor: OpenSegmentFile | null): Promise<boolean> {
    const stranger = await this.#strangenessOf(link, opened, successor);
    if (stranger === null) return true;
    const path = this.#place.runtime.join(this.#place.directory, name);
    this.#staleReason = new WalFormatError(path, stranger); // unless the whole log is another's by now
    return false;
  }

  /**
   * Whether the reader, if it stands in this file, stands behind what it has passed; false where the file is another's by now. Throws
   * where another copy of the log was put in its place. Damage in what it has passed is no concern of it.
   */
  async #isWhereItStands(name: string, opened: OpenSegmentFile, isLast: boolean): Promise<boolean> {
    const anchor = this.#anchor;
    if (anchor === null || anchor.id !== opened.header.id || await holdsPassed(opened, anchor)) return true;
    if (await this.hasChanged({ name, opened })) return false;
    const isDamaged = await isDamagedBefore(opened, anchor.nextLsn, isLast);
    if (!isDamaged) throw new WalRewoundError(this.#place.directory, this.#nextLsn);
    this.#anchor = { ...anchor, passed: null };
    return true;
  }

  /** Why a segment is none of this log; null: it is. */
  async #strangenessOf(
    { next }: Link,
    { header }: OpenSegmentFile,
    successor: OpenSegmentFile | null,
  ): Promise<string | null> {
    if (header.logId !== this.#logId) return OF_ANOTHER_LOG;
    if (next === null || successor === null || isNextOf(successor.header, header)) return null;
    // The segment behind it may say that it is the successor that does not belong here.
    const after = next.next === null ? null : await this.#openNamed(next.next.name, next.next.id);
    if (after !== null) await release(after.file);
    const isBorneOut = after === null || isNextOf(after.header, successor.header);
    return isBorneOut ? isOfAnotherLine(next.name) : null;
  }

  /** Whether the file of a segment is another's by now. */
  async hasChanged({ name, opened }: Pick<Section, "name" | "opened">): Promise<boolean> {
    const { id, salt } = opened.header;
    const again = await this.#openNamed(name, id);
    if (again === null) return true;
    await release(again.file);
    return again.header.salt !== salt;
  }

  /**
   * Throws where the log ends before what is to be read; false where its last file has become another's meanwhile. What was
   * written since it was listed may be left out of account: it was not there when somebody asked.
   */
  async #reaches(last: OpenSegmentFile, whole: Whole): Promise<boolean> {
    const fromLsn = this.#fromLsn ?? 0;
    if (fromLsn <= whole.lastLsn + 1) return true;
    // Damage is not to pass for the end.
    const lastLsn = Math.max(whole.lastLsn, await vouchedBehind(last, whole.endOffset));
    if (fromLsn <= lastLsn + 1) return true;
    if (await this.hasChanged({ name: linkTo(last.header).name, opened: last })) return false;
    throw this.#beyond(lastLsn);
  }

  #beyond(lastLsn: number): WalRangeError {
    const tried = `read from LSN ${this.#fromLsn} in ${this.#place.directory}`;
    return new WalRangeError(`cannot ${tried}: the last one in its files is ${lastLsn}`);
  }

  /** The segment with the highest id that exists. */
  async #openLast(names: readonly SegmentName[]): Promise<OpenSegmentFile | null | "none"> {
    for (const { name, id } of names) {
      const opened = await this.#openNamed(name, id);
      if (opened === null) return null;
      if (mayBeLast(opened.header)) return opened;
      await release(opened.file);
    }
    return "none";
  }

  #checkLog({ header }: OpenSegmentFile): void {
    if (this.#anchor === null) this.#logId = header.logId; // one that has shown nothing begins anew
    if (header.logId !== this.#logId) throw new WalRewoundError(this.#place.directory, this.#nextLsn);
  }

  /** One that has shown nothing begins at the head, wherever that is by now. */
  async #begin(names: readonly SegmentName[], last: OpenSegmentFile): Promise<readonly Link[] | null> {
    const whole = await wholeOf(last);
    if (!await this.#reaches(last, whole)) return null;
    let walked = this.#walkFrom(names, last, whole.headLsn);
    // A head frame at the very end may still be lost, unless files below it are gone: they go when it is synced.
    if (walked.missing !== null && whole.lastHeadLsn > whole.headLsn) {
      walked = this.#walkFrom(names, last, whole.lastHeadLsn);
    }
    if (walked.missing !== null) return await this.#staleAt(last, whole, walked.missing);
    const [lowest] = walked.links;
    if (lowest === undefined || lowest.baseLsn <= this.#nextLsn) return walked.links;
    const damage = { segment: lowest.name, offset: 0, lsn: this.#nextLsn, evidence: "successor" } as const;
    this.#staleReason = new WalCorruptionError(damage, `${lowest.name}: ${hasNothingBefore(this.#nextLsn)}`);
    return null;
  }

  #walkFrom(names: readonly SegmentName[], last: OpenSegmentFile, headLsn: number): Walk {
    if (this.#fromLsn !== null && this.#fromLsn < headLsn) {
      throw new WalTruncatedError(`read from LSN ${this.#fromLsn}`, headLsn);
    }
    this.#nextLsn = this.#fromLsn ?? headLsn;
    return walkDown(names, last.header, this.#nextLsn);
  }

  /** A file is not there; damage may hide the head frame that let it go. */
  async #staleAt(last: OpenSegmentFile, whole: Whole, missing: NonNullable<Walk["missing"]>): Promise<null> {
    const { id, successor } = missing;
    const { endOffset: offset } = whole;
    const lsn = whole.lastLsn + 1;
    if (await vouchedBehind(last, offset) < lsn) {
      const lost = { segment: `number ${id}`, offset: 0, lsn: this.#nextLsn, evidence: "successor" } as const;
      this.#staleReason = new WalCorruptionError(lost, isMissing(id, successor));
      return null;
    }
    const segment = linkTo(last.header).name;
    const damage = { segment, offset, lsn, evidence: "frame" } as const;
    this.#staleReason = new WalCorruptionError(damage, hasNoGoodFrame(offset, lsn));
    return null;
  }

  /** Its place must be on the chain, or the chain begin just behind it, on the same line of history. */
  async #goOn(names: readonly SegmentName[], last: OpenSegmentFile, anchor: Anchor): Promise<readonly Link[] | null> {
    const { nextLsn } = anchor;
    const { links, missing } = walkDown(names, last.header, nextLsn);
    const [first] = links;
    if (first === undefined || first.id === anchor.id) return links;
    // What is gone below the head was cut; what is gone above it has vanished.
    if (missing !== null) {
      const whole = await wholeOf(last);
      if (whole.lastHeadLsn <= nextLsn) return await this.#staleAt(last, whole, missing);
    }
    if (first.baseLsn > nextLsn) throw new WalTruncatedError(`read on from LSN ${nextLsn}`, first.baseLsn);
    const opened = await this.#openNamed(first.name, first.id);
    if (opened === null) return null;
    await release(opened.file);
    const { predecessor, epoch } = opened.header;
    const isSameLine = predecessor.id === anchor.id || epoch.id === anchor.epochId ||
      epoch.parentId === anchor.epochId && epoch.lsn >= nextLsn - 1;
    if (first.baseLsn < nextLsn || !isSameLine) throw new WalRewoundError(this.#place.directory, nextLsn);
    return await this.#isWhereItLeft(names, anchor) ? links : null;
  }

  /** The same where it has left a file that it has read to its end. One that is gone, or has no good header, tells nothing. */
  async #isWhereItLeft(names: readonly SegmentName[], { id }: Anchor): Promise<boolean> {
    const name = names.find((each) => each.id === id)?.name;
    if (name === undefined) return true;
    const opened = await openSegmentFile(this.#place, name, "read").catch(() => null);
    if (opened === null || "fault" in opened) return true;
    try {
      return await this.#isWhereItStands(name, opened, false);
    } finally {
      await release(opened.file);
    }
  }

  /** The segment of a name; null where the file is gone, or another's by now. */
  async #openNamed(name: string, id: number): Promise<OpenSegmentFile | null> {
    const path = this.#place.runtime.join(this.#place.directory, name);
    const opened = await openSegmentFile(this.#place, name, "read").catch((error: unknown) => {
      if (systemCode(error) === "ENOENT") return null;
      throw new WalIoError(`open ${path}`, error);
    });
    if (opened === null) return null;
    if ("fault" in opened) {
      if (opened.fault === "future") throw new WalVersionError(path, opened.what);
      if (await this.#isThere(name)) throw headerDamage(path, name, opened.fault);
      return null;
    }
    if (opened.header.id === id) return opened;
    await release(opened.file);
    return null;
  }

  /** A file whose header is being overwritten does not bear a segment's name any more. */
  async #isThere(name: string): Promise<boolean> {
    return (await this.#place.runtime.list(this.#place.directory)).includes(name);
  }
}

function headerDamage(path: string, name: string, fault: "no-segment" | "damaged"): Error {
  if (fault === "no-segment") return new WalFormatError(path, NO_SEGMENT);
  const lsn = parseSegmentName(name)?.baseLsn ?? 1;
  return new WalCorruptionError({ segment: name, offset: 0, lsn, evidence: "name" }, `${path}: ${DAMAGED_HEADER}`);
}
