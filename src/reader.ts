/**
 * Reading in the process that writes: the entries of the chain, from one LSN on, frame by frame.
 *
 * @module
 */

import { viewOf } from "./bytes.ts";
import { isNextOf, learnEnd, type Link, type Pin } from "./chain.ts";
import { decodeEntries, type Entry, givenAway } from "./entry.ts";
import { WalCorruptionError, WalFormatError, WalIoError, WalTruncatedError } from "./errors.ts";
import { hasNoGoodFrame, isNotFilled, isOfAnotherLine } from "./fault_words.ts";
import { readFooter } from "./footer.ts";
import { decodeFrameHeader, FRAME_HEADER_BYTES, HEADER_BYTES, type IndexPoint, type SegmentHeader } from "./format.ts";
import { FrameScanner, type ScannedFrame } from "./scan.ts";
import type { OpenSegmentFile } from "./segment.ts";
import type { SegmentFiles, SharedFile } from "./segment_files.ts";
import { pointAtOrBefore } from "./sparse_index.ts";
import type { Tail } from "./tail.ts";

/** What a reader sees of the end of the log. */
export type ReadSource = Pick<Tail, "chain" | "segment" | "headLsn">;

/** Where a reader is: it keeps the file of its segment, which stays as long. */
interface Place {
  readonly link: Link;
  readonly file: SharedFile;
  readonly scanner: FrameScanner;
}

/** Walks along the chain as it grows. One call at a time. */
export class ChainReader implements Pin {
  readonly holder: string;
  readonly #tail: ReadSource;
  readonly #files: SegmentFiles;
  #nextLsn: number;
  #place: Place | null = null;
  /** A frame of which only the first entries have been shown. */
  #held: ScannedFrame | null = null;

  /** @param fromLsn The first LSN to show. @param holder Who reads, in words for a person. */
  constructor(tail: ReadSource, files: SegmentFiles, fromLsn: number, holder: string) {
    this.#tail = tail;
    this.#files = files;
    this.#nextLsn = fromLsn;
    this.holder = holder;
  }

  /** The next LSN to show. */
  get nextLsn(): number {
    return this.#nextLsn;
  }

  /**
   * The next entries up to `toLsn`, which must be in the files: those of one frame. Null when all have been shown. Rejects at
   * damage.
   */
  async next(toLsn: number): Promise<Entry[] | null> {
    while (this.#nextLsn <= toLsn) {
      const place = await this.#settle();
      const { link, scanner } = place;
      const frame = this.#held ?? scanner.take();
      if (frame?.bytes.length === 0) throw givenAway("read on");
      if (frame === null) {
        if (await this.#readOn(place)) continue;
        if (goesOnBehind(link, this.#nextLsn)) continue; // since it was asked for: a failed log was opened again
        const { offset, nextLsn } = scanner;
        throw damage(link, offset, nextLsn, hasNoGoodFrame(offset, nextLsn));
      }
      const endLsn = link.next === null ? frame.lastLsn : Math.min(frame.lastLsn, link.next.baseLsn - 1);
      const lastLsn = Math.min(toLsn, endLsn);
      if (lastLsn < this.#nextLsn) continue; // it lies before what is asked for, or is a control frame
      const entries = frame.header.count === 0 ? [] : entriesOf(frame, this.#nextLsn, lastLsn);
      if (entries === null) throw damage(link, frame.offset, frame.header.firstLsn, isNotFilled(frame.offset));
      this.#held = lastLsn < endLsn ? frame : null;
      this.#nextLsn = lastLsn + 1;
      if (entries.length > 0) return entries;
    }
    return null;
  }

  /** Gives the file back. */
  async close(): Promise<void> {
    const place = this.#place;
    this.#place = null;
    this.#held = null; // the rest of it may have been skipped since
    if (place === null) return;
    await this.#files.release(place.file);
    this.#tail.chain.unpin(place.link, this);
  }

  /** In the segment that holds the next LSN; its file cannot be freed from now on. */
  async #settle(): Promise<Place> {
    const { chain, headLsn } = this.#tail;
    let link = this.#place?.link ?? chain.linkOf(this.#nextLsn);
    const isCut = this.#place === null && this.#nextLsn < headLsn; // since this reader was made
    if (link === undefined || isCut) throw new WalTruncatedError(`read from LSN ${this.#nextLsn}`, headLsn);
    while (goesOnBehind(link, this.#nextLsn)) link = link.next;
    if (link === this.#place?.link) return this.#place;
    link.pins.add(this); // before anything is awaited
    await this.close();
    try {
      this.#place = await this.#enter(link);
    } catch (error) {
      chain.unpin(link, this);
      throw error;
    }
    return this.#place;
  }

  async #enter(link: Link): Promise<Place> {
    const { segment } = this.#tail;
    if (segment === null) throw new Error("there is no segment to read");
    const file = await this.#files.acquire(link, segment.header.logId);
    try {
      const limitOffset = await this.#limitOf(link, file);
      const point = link.next === null && segment.header.id === link.id
        ? pointAtOrBefore(segment.index.points, this.#nextLsn)
        : await footerPoint(file.opened, link, this.#nextLsn);
      const { lsn, offset } = point ?? { lsn: link.baseLsn, offset: HEADER_BYTES };
      const scanner = new FrameScanner(file, file.opened.checksum, offset, lsn, limitOffset);
      scanner.readsAhead = true;
      return { link, file, scanner };
    } catch (error) {
      await this.#files.release(file);
      throw error;
    }
  }

  /** Where the segment ends, as far as it is written. */
  async #limitOf(link: Link, file: SharedFile): Promise<number> {
    const { segment } = this.#tail;
    if (segment === null) return HEADER_BYTES;
    if (link.next === null) return segment.endOffset;
    if (link.endOffset !== null) return link.endOffset;
    const successor = await this.#headerOf(link.next, segment.header.logId);
    // Its name still says with which LSN it begins: up to there this one is read, and the damage is met behind that.
    if (successor === null) return await file.size();
    if (isNextOf(successor, file.opened.header)) return learnEnd(link, successor);
    const after = link.next.next === null ? null : await this.#headerOf(link.next.next, segment.header.logId);
    if (after !== null && !isNextOf(after, successor)) return await file.size(); // it is the other one that does not belong here
    throw new WalFormatError(this.#files.pathOf(link), isOfAnotherLine(link.next.name));
  }

  /** Null where it cannot be used. */
  async #headerOf(link: Link, logId: string): Promise<SegmentHeader | null> {
    try {
      const file = await this.#files.acquire(link, logId);
      await this.#files.release(file);
      return file.opened.header;
    } catch (error) {
      if (error instanceof WalIoError) throw error;
      return null;
    }
  }

  async #readOn({ link, file, scanner }: Place): Promise<boolean> {
    scanner.limitOffset = await this.#limitOf(link, file);
    try {
      return await scanner.more();
    } catch (error) {
      throw new WalIoError(`read ${link.name} at offset ${scanner.offset}`, error);
    }
  }
}

/** Whether a later segment holds this LSN, or will. */
function goesOnBehind(link: Link, lsn: number): link is Link & { readonly next: Link } {
  return link.next !== null && link.next.baseLsn <= lsn;
}

function entriesOf(frame: ScannedFrame, fromLsn: number, toLsn: number): Entry[] | null {
  return decodeEntries(frame.bytes, frame.view, frame.at, frame.header, fromLsn, toLsn);
}

function damage(link: Link, offset: number, lsn: number, what: string): WalCorruptionError {
  const evidence = link.next === null ? "frame" : "successor";
  return new WalCorruptionError({ segment: link.name, offset, lsn, evidence }, what);
}

/** Where a reader may begin in a sealed segment, or null: a bad, wrong or missing footer costs a scan, never a refusal. */
async function footerPoint(opened: OpenSegmentFile, link: Link, fromLsn: number): Promise<IndexPoint | null> {
  if (link.endOffset === null || fromLsn <= link.baseLsn) return null;
  const point = pointAtOrBefore(await readFooter(opened, link.endOffset) ?? [], fromLsn);
  return point !== null && await isFrameAt(opened, point, link.endOffset) ? point : null;
}

/** A frame with this LSN at this place of this life of the file is the one: no other was ever written there. */
async function isFrameAt({ file, checksum }: OpenSegmentFile, point: IndexPoint, endOffset: number): Promise<boolean> {
  if (point.offset + FRAME_HEADER_BYTES > endOffset) return false;
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  const count = await file.read(bytes, point.offset).catch(() => 0);
  if (count < FRAME_HEADER_BYTES) return false;
  return decodeFrameHeader(bytes, viewOf(bytes), 0, point.offset, checksum)?.firstLsn === point.lsn;
}
