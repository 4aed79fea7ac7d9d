/**
 * Reading a log without its lock, while somebody else writes it.
 *
 * What stands in the last segment may be lost by a crash, or cut back on a full disk, as long as nothing vouches for it: a later
 * frame's `syncedLsn`, or the header of a successor. So the voucher is found first, then the header is looked at again, and
 * only then the frames are read that are shown. A file may be freed and used again at any time; its header is overwritten
 * first, so whoever meets a bad frame looks at the header before he calls it damage.
 *
 * @module
 */

import { type Link, type Walk, walkDown } from "./chain.ts";
import { decodeEntries, type Entry } from "./entry.ts";
import {
  systemCode,
  WalCorruptionError,
  WalFormatError,
  WalIoError,
  WalRewoundError,
  WalTruncatedError,
  WalVersionError,
} from "./errors.ts";
import { decodeControlPayload, FrameKind, HEADER_BYTES, parseSegmentName, type SegmentName } from "./format.ts";
import { chunksOf, FrameScanner, type ScannedFrame, searchHeaders } from "./scan.ts";
import { type OpenSegmentFile, openSegmentFile, type Place, release } from "./segment.ts";

/** How far it is looked ahead for a voucher once there is one. */
const LOOK_AHEAD_BYTES = 1024 * 1024;
/** Where a reader is stuck, it looks for a voucher behind the bad frame: at first so often, then half as often each time. */
const FIRST_SEARCH_MS = 1000;
const LONGEST_SEARCH_MS = 64_000;
/** So often in a row a listing may turn out to be stale: files come and go. */
const MOST_STALE_LISTINGS = 100;

/** Where a reader is: behind the last frame that it has passed, or at its start, if a successor cuts it in the middle. */
interface Anchor {
  readonly id: number;
  readonly epochId: string;
  readonly offset: number;
  /** The first LSN of the frame at `offset`. */
  readonly lsn: number;
  /** The LSN behind all that it has passed. */
  readonly nextLsn: number;
}

/** A segment that is being read, and where its successor says that it ends. */
interface Section {
  readonly name: string;
  readonly opened: OpenSegmentFile;
  readonly endOffset: number;
  readonly lastLsn: number;
}

/** What became of a turn: all that is vouched for was shown, or the files have changed meanwhile. */
type Turn = "end" | "stale";

/** See the head of this file. */
export class OutsideReader {
  readonly #place: Place;
  readonly #fromLsn: number | null;
  #nextLsn = 0;
  #anchor: Anchor | null = null;
  #logId: string | null = null;
  #searchedMs = -Infinity;
  #searchedOffset = -1;
  #searchEveryMs = FIRST_SEARCH_MS;
  /** What a listing that stays stale means. */
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

  /** The highest LSN that something vouches for by now; 0 where there is no log. */
  async findVouchedLsn(): Promise<number> {
    for (let tries = 0; tries < MOST_STALE_LISTINGS; tries++) {
      const links = await this.#findChain();
      if (links === null) continue;
      const last = links.at(-1);
      if (last === undefined) return 0;
      const section = await this.#open(last);
      if (section === null) continue;
      try {
        return await this.#findVoucher(section, Infinity);
      } finally {
        this.#searchedOffset = -1; // who reads up to there must find it again
        await release(section.opened.file);
      }
    }
    return 0;
  }

  /** Yields the entries that something vouches for by now, up to `toLsn`, those of one frame at a time. */
  async *turn(toLsn: number): AsyncGenerator<Entry[], void, undefined> {
    for (let tries = 0; tries < MOST_STALE_LISTINGS; tries++) {
      const shownLsn = this.#nextLsn;
      const turn = yield* this.#turn(toLsn);
      if (turn === "end") return;
      if (this.#nextLsn > shownLsn) tries = 0;
    }
    const busy = new Error(`files came and went ${MOST_STALE_LISTINGS} times`);
    throw this.#staleReason ?? new WalIoError(`list the log in ${this.#place.directory}`, busy);
  }

  async *#turn(toLsn: number): AsyncGenerator<Entry[], Turn, undefined> {
    const links = await this.#findChain();
    if (links === null) return "stale";
    for (const link of links) {
      if (this.#anchor !== null && this.#nextLsn > toLsn) return "end";
      const section = await this.#open(link);
      if (section === null) return "stale";
      try {
        const isLast = link.next === null;
        const turn = isLast
          ? yield* this.#readLast(section, toLsn)
          : yield* this.#readTo(section, section.lastLsn, toLsn);
        if (turn === "stale" || isLast) return turn;
      } finally {
        await release(section.opened.file);
      }
    }
    return "end";
  }

  // -- the chain

  /** The segments from the reader's place on, oldest first; empty where there is no log; null where the listing is stale. */
  async #findChain(): Promise<readonly Link[] | null> {
    this.#staleReason = null;
    const { runtime, directory } = this.#place;
    const names = (await runtime.list(directory)).map(parseSegmentName).filter((name) => name !== null);
    names.sort((a, b) => b.id - a.id);
    const last = await this.#openLast(names);
    if (last === null) return null;
    if (last === "none") {
      if (this.#anchor === null) return [];
      throw new WalRewoundError(directory, this.#nextLsn);
    }
    try {
      this.#checkLog(last);
      return this.#anchor === null ? await this.#begin(names, last) : await this.#goOn(names, last, this.#anchor);
    } finally {
      await release(last.file);
    }
  }

  /** The segment with the highest id of a complete set. */
  async #openLast(names: readonly SegmentName[]): Promise<OpenSegmentFile | null | "none"> {
    for (const { name, id } of names) {
      const opened = await this.#openNamed(name, id);
      if (opened === null) return null;
      const { setId } = opened.header;
      if (setId === 0 || names.some((each) => each.id === setId)) return opened;
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
    const head = await headOf(last);
    let walked = this.#walkFrom(names, last, head.headLsn);
    // A head frame at the very end may still be lost, unless files below it are gone: they go when it is synced.
    if (walked.missing !== null && head.lastHeadLsn > head.headLsn) {
      walked = this.#walkFrom(names, last, head.lastHeadLsn);
    }
    return walked.missing === null ? walked.links : this.#stale(walked.missing);
  }

  #walkFrom(names: readonly SegmentName[], last: OpenSegmentFile, headLsn: number): Walk {
    if (this.#fromLsn !== null && this.#fromLsn < headLsn) {
      throw new WalTruncatedError(`read from LSN ${this.#fromLsn}`, headLsn);
    }
    this.#nextLsn = this.#fromLsn ?? headLsn;
    return walkDown(names, last.header, this.#nextLsn);
  }

  #stale({ id, successor }: NonNullable<Walk["missing"]>): null {
    const lost = { segment: `number ${id}`, offset: 0, lsn: this.#nextLsn, evidence: "successor" } as const;
    this.#staleReason = new WalCorruptionError(lost, `segment number ${id}, which ${successor} names, is missing`);
    return null;
  }

  /** Its place must be on the chain, or the chain begin just behind it, on the same line of history. */
  async #goOn(names: readonly SegmentName[], last: OpenSegmentFile, anchor: Anchor): Promise<readonly Link[] | null> {
    const { nextLsn } = anchor;
    const { links, missing } = walkDown(names, last.header, nextLsn);
    const [first] = links;
    if (first === undefined || first.id === anchor.id) return links;
    // What is gone below the head was cut; what is gone above it has vanished.
    if (missing !== null && (await headOf(last)).lastHeadLsn <= nextLsn) return this.#stale(missing);
    if (first.baseLsn > nextLsn) throw new WalTruncatedError(`read on from LSN ${nextLsn}`, first.baseLsn);
    const opened = await this.#openNamed(first.name, first.id);
    if (opened === null) return null;
    await release(opened.file);
    const { predecessor, epoch } = opened.header;
    const isSameLine = predecessor.id === anchor.id || epoch.id === anchor.epochId ||
      epoch.parentId === anchor.epochId && epoch.lsn >= nextLsn - 1;
    if (first.baseLsn < nextLsn || !isSameLine) throw new WalRewoundError(this.#place.directory, nextLsn);
    return links;
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

  async #open(link: Link): Promise<Section | null> {
    const { name, next } = link;
    const successor = next === null ? null : await this.#openNamed(next.name, next.id);
    if (successor !== null) await release(successor.file);
    else if (next !== null) return null;
    const opened = await this.#openNamed(name, link.id);
    if (opened === null) return null;
    const { endOffset, lastLsn } = successor?.header.predecessor ?? { endOffset: Infinity, lastLsn: Infinity };
    return { name, opened, endOffset, lastLsn };
  }

  // -- frames

  /** The last segment: as far as frames in it vouch for others. */
  async *#readLast(section: Section, toLsn: number): AsyncGenerator<Entry[], Turn, undefined> {
    for (;;) {
      const vouchedLsn = await this.#findVoucher(section);
      if (vouchedLsn < this.#nextLsnIn(section)) return "end";
      if (await this.#hasChanged(section)) return "stale";
      const turn = yield* this.#readTo(section, vouchedLsn, toLsn);
      if (turn === "stale") return turn;
      if (this.#nextLsn > toLsn) return "end";
    }
  }

  /** The highest LSN that a frame further on says was synced. */
  async #findVoucher(section: Section, lookAheadBytes: number = LOOK_AHEAD_BYTES): Promise<number> {
    const { opened } = section;
    const scanner = this.#scannerOf(section, await opened.file.size());
    let vouchedLsn = opened.header.baseLsn - 1;
    const enoughOffset = scanner.offset + lookAheadBytes;
    for (let frame = scanner.take(); frame !== null || await this.#more(scanner, section); frame = scanner.take()) {
      if (frame === null) continue;
      vouchedLsn = Math.max(vouchedLsn, frame.header.syncedLsn);
      if (vouchedLsn >= this.#nextLsnIn(section) && scanner.offset >= enoughOffset) return vouchedLsn;
    }
    const isEnough = vouchedLsn >= this.#nextLsnIn(section) && lookAheadBytes !== Infinity;
    return isEnough ? vouchedLsn : await this.#searchVoucher(section, scanner.offset, vouchedLsn);
  }

  /** Damage may lie before a frame that proves it. */
  async #searchVoucher({ opened }: Section, offset: number, vouchedLsn: number): Promise<number> {
    const nowMs = this.#place.runtime.monotonicMs();
    if (offset !== this.#searchedOffset) this.#searchEveryMs = FIRST_SEARCH_MS;
    else if (nowMs < this.#searchedMs + this.#searchEveryMs) return vouchedLsn;
    else this.#searchEveryMs = Math.min(2 * this.#searchEveryMs, LONGEST_SEARCH_MS);
    this.#searchedOffset = offset;
    this.#searchedMs = nowMs;
    let found = vouchedLsn;
    const { file, checksum } = opened;
    for await (const { header } of searchHeaders(file, checksum, offset, await file.size())) {
      found = Math.max(found, header.syncedLsn);
    }
    return found;
  }

  /** Shows what lies up to `vouchedLsn`, which must be there. */
  async *#readTo(section: Section, vouchedLsn: number, toLsn: number): AsyncGenerator<Entry[], Turn, undefined> {
    const scanner = this.#scannerOf(section, section.endOffset);
    while (this.#nextLsn <= toLsn && scanner.nextLsn <= vouchedLsn) {
      const frame = scanner.take();
      if (frame === null) {
        if (await this.#more(scanner, section)) continue;
        if (await this.#hasChanged(section)) return "stale";
        throw damage(section, scanner, this.#nextLsn);
      }
      if (frame.lastLsn < frame.header.firstLsn) continue; // a control frame is no place
      const lastLsn = Math.min(frame.lastLsn, section.lastLsn);
      const entries = lastLsn < this.#nextLsn ? [] : this.#entriesOf(frame, Math.min(lastLsn, toLsn));
      if (entries === null) throw damage(section, scanner, this.#nextLsn);
      this.#pass(section, frame, lastLsn);
      if (entries.length > 0) yield entries;
    }
    return "end";
  }

  #pass({ opened }: Section, frame: ScannedFrame, lastLsn: number): void {
    const { id, epoch } = opened.header;
    const isWhole = lastLsn === frame.lastLsn;
    const place = isWhole
      ? { offset: frame.offset + frame.header.lengthBytes, lsn: lastLsn + 1 }
      : { offset: frame.offset, lsn: frame.header.firstLsn };
    this.#anchor = { id, epochId: epoch.id, ...place, nextLsn: lastLsn + 1 };
    this.#nextLsn = Math.max(this.#nextLsn, lastLsn + 1);
  }

  #entriesOf(frame: ScannedFrame, lastLsn: number): Entry[] | null {
    const { bytes, view, at, header } = frame;
    return header.count === 0 ? [] : decodeEntries(bytes, view, at, header, this.#nextLsn, lastLsn);
  }

  /** From the reader's place in this segment on, or from its start. */
  #scannerOf({ opened }: Section, limitOffset: number): FrameScanner {
    const { file, checksum, header } = opened;
    const anchor = this.#anchor?.id === header.id ? this.#anchor : { offset: HEADER_BYTES, lsn: header.baseLsn };
    return new FrameScanner(chunksOf(file), checksum, anchor.offset, anchor.lsn, limitOffset);
  }

  /** The LSN behind all that has been passed in this segment. */
  #nextLsnIn({ opened }: Section): number {
    const { id, baseLsn } = opened.header;
    return this.#anchor?.id === id ? this.#anchor.nextLsn : baseLsn;
  }

  async #more(scanner: FrameScanner, { name }: Section): Promise<boolean> {
    try {
      return await scanner.more();
    } catch (error) {
      throw new WalIoError(`read ${name} at offset ${scanner.offset}`, error);
    }
  }

  /** Whether the file is another's by now. */
  async #hasChanged({ name, opened }: Section): Promise<boolean> {
    const { id, salt } = opened.header;
    const again = await this.#openNamed(name, id);
    if (again === null) return true;
    await release(again.file);
    return again.header.salt !== salt;
  }
}

/**
 * The first LSN there is, by the last segment's header and frames: what is sure, because a head frame is synced before anything
 * follows it, and what the last one says.
 */
async function headOf({ file, checksum, header }: OpenSegmentFile): Promise<{ headLsn: number; lastHeadLsn: number }> {
  const scanner = new FrameScanner(chunksOf(file), checksum, HEADER_BYTES, header.baseLsn, await file.size());
  let { headLsn } = header;
  let lastHeadLsn = headLsn;
  for (let frame = scanner.take(); frame !== null || await scanner.more(); frame = scanner.take()) {
    if (frame === null) continue;
    headLsn = lastHeadLsn;
    if (frame.header.kind === FrameKind.HEAD) {
      lastHeadLsn = Math.max(headLsn, decodeControlPayload(frame.view, frame.at));
    }
  }
  return { headLsn, lastHeadLsn };
}

function damage({ name, endOffset }: Section, { offset }: FrameScanner, lsn: number): WalCorruptionError {
  const evidence = endOffset === Infinity ? "frame" : "successor";
  return new WalCorruptionError({ segment: name, offset, lsn, evidence }, "a frame is damaged or missing");
}

function headerDamage(path: string, name: string, fault: "foreign" | "damaged"): Error {
  if (fault === "foreign") return new WalFormatError(path, "it is no segment of a log, though it is named like one");
  const lsn = parseSegmentName(name)?.baseLsn ?? 1;
  return new WalCorruptionError({ segment: name, offset: 0, lsn, evidence: "name" }, `${path}: its header is damaged`);
}
