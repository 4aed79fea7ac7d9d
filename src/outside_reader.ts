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

import { anchorBehind } from "./anchor.ts";
import { decodeEntries, type Entry } from "./entry.ts";
import { WalCorruptionError, WalIoError } from "./errors.ts";
import { hasNoGoodFrame, isNotFilled } from "./fault_words.ts";
import { OutsideChain, type Section } from "./outside_chain.ts";
import { vouchedBehind } from "./outside_contents.ts";
import { chunksOf, FrameScanner, type ScannedFrame } from "./scan.ts";
import { type Place, release } from "./segment.ts";

/** How far it is looked ahead for a voucher once there is one. */
const LOOK_AHEAD_BYTES = 1024 * 1024;
/** Where a reader is stuck, it looks for a voucher behind the bad frame: at first so often, then half as often each time. */
const FIRST_SEARCH_MS = 1000;
const LONGEST_SEARCH_MS = 64_000;
/** So often in a row a listing may turn out to be stale: files come and go. */
const MOST_STALE_LISTINGS = 100;

/** What became of a turn: all that is vouched for was shown, or the files have changed meanwhile. */
type Turn = "end" | "stale";

/** One reader of a log in another process, at its place. */
export class OutsideReader {
  readonly #place: Place;
  readonly #chain: OutsideChain;
  #searchedMs = -Infinity;
  #searchedOffset = -1;
  #searchEveryMs = FIRST_SEARCH_MS;

  /** @param fromLsn The first LSN to show; null: the first there is. */
  constructor(place: Place, fromLsn: number | null) {
    this.#place = place;
    this.#chain = new OutsideChain(place, fromLsn);
  }

  /** The next LSN to show; 0 before anything is known of the log. */
  get nextLsn(): number {
    return this.#chain.nextLsn;
  }

  /** The highest LSN that something vouches for by now; 0 where there is no log. */
  async findVouchedLsn(): Promise<number> {
    for (let tries = 0; tries < MOST_STALE_LISTINGS; tries++) {
      const links = await this.#chain.find();
      if (links === null) continue;
      const last = links.at(-1);
      if (last === undefined) return 0;
      const section = await this.#chain.open(last);
      if (section === null) continue;
      try {
        return await this.#findVoucher(section, Infinity);
      } finally {
        this.#searchedOffset = -1; // who reads up to there must find it again
        await release(section.opened.file);
      }
    }
    throw this.#busy();
  }

  /** Yields the entries that something vouches for by now, up to `toLsn`, those of one frame at a time. */
  async *turn(toLsn: number): AsyncGenerator<Entry[], void, undefined> {
    for (let tries = 0; tries < MOST_STALE_LISTINGS; tries++) {
      const shownLsn = this.#chain.nextLsn;
      const turn = yield* this.#turn(toLsn);
      if (turn === "end") return;
      if (this.#chain.nextLsn > shownLsn) tries = 0;
    }
    throw this.#busy();
  }

  #busy(): Error {
    const cause = new Error(`files came and went ${MOST_STALE_LISTINGS} times`);
    return this.#chain.staleReason ?? new WalIoError(`list the log in ${this.#place.directory}`, cause);
  }

  async *#turn(toLsn: number): AsyncGenerator<Entry[], Turn, undefined> {
    const links = await this.#chain.find();
    if (links === null) return "stale";
    for (const link of links) {
      if (this.#chain.anchor !== null && this.#chain.nextLsn > toLsn) return "end";
      const section = await this.#chain.open(link);
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

  /** The last segment: as far as frames in it vouch for others. */
  async *#readLast(section: Section, toLsn: number): AsyncGenerator<Entry[], Turn, undefined> {
    for (;;) {
      const vouchedLsn = await this.#findVoucher(section);
      if (vouchedLsn < this.#chain.startIn(section).nextLsn) return "end";
      if (await this.#chain.hasChanged(section)) return "stale";
      const turn = yield* this.#readTo(section, vouchedLsn, toLsn);
      if (turn === "stale") return turn;
      if (this.#chain.nextLsn > toLsn) return "end";
    }
  }

  /** The highest LSN that a frame further on says was synced. */
  async #findVoucher(section: Section, lookAheadBytes: number = LOOK_AHEAD_BYTES): Promise<number> {
    const { opened } = section;
    const { nextLsn } = this.#chain.startIn(section);
    const scanner = this.#scannerOf(section, await opened.file.size());
    let vouchedLsn = opened.header.baseLsn - 1;
    const enoughOffset = scanner.offset + lookAheadBytes;
    for (let frame = scanner.take(); frame !== null || await this.#more(scanner, section); frame = scanner.take()) {
      if (frame === null) continue;
      vouchedLsn = Math.max(vouchedLsn, frame.header.syncedLsn);
      if (vouchedLsn >= nextLsn && scanner.offset >= enoughOffset) return vouchedLsn;
    }
    const isEnough = vouchedLsn >= nextLsn && lookAheadBytes !== Infinity;
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
    return Math.max(vouchedLsn, await vouchedBehind(opened, offset));
  }

  /** Shows what lies up to `vouchedLsn`, which must be there. */
  async *#readTo(section: Section, vouchedLsn: number, toLsn: number): AsyncGenerator<Entry[], Turn, undefined> {
    const scanner = this.#scannerOf(section, section.endOffset);
    while (this.#chain.nextLsn <= toLsn && scanner.nextLsn <= vouchedLsn) {
      const frame = scanner.take();
      if (frame === null) {
        if (await this.#more(scanner, section)) continue;
        if (await this.#chain.hasChanged(section)) return "stale";
        const { offset, nextLsn } = scanner;
        throw damage(section, offset, nextLsn, hasNoGoodFrame(offset, nextLsn));
      }
      if (frame.lastLsn < frame.header.firstLsn) continue; // a control frame is no place
      const lastLsn = Math.min(frame.lastLsn, section.lastLsn);
      const entries = lastLsn < this.#chain.nextLsn ? [] : this.#entriesOf(frame, Math.min(lastLsn, toLsn));
      if (entries === null) throw damage(section, frame.offset, frame.header.firstLsn, isNotFilled(frame.offset));
      this.#chain.moveTo(anchorBehind(section.opened, frame, lastLsn));
      if (entries.length > 0) yield entries;
    }
    return "end";
  }

  #entriesOf(frame: ScannedFrame, lastLsn: number): Entry[] | null {
    const { bytes, view, at, header } = frame;
    return header.count === 0 ? [] : decodeEntries(bytes, view, at, header, this.#chain.nextLsn, lastLsn);
  }

  /** From the reader's place in this segment on, or from its start. */
  #scannerOf(section: Section, limitOffset: number): FrameScanner {
    const { file, checksum } = section.opened;
    const { offset, lsn } = this.#chain.startIn(section);
    return new FrameScanner(chunksOf(file), checksum, offset, lsn, limitOffset);
  }

  async #more(scanner: FrameScanner, { name }: Section): Promise<boolean> {
    try {
      return await scanner.more();
    } catch (error) {
      throw new WalIoError(`read ${name} at offset ${scanner.offset}`, error);
    }
  }
}

function damage({ name, endOffset }: Section, offset: number, lsn: number, what: string): WalCorruptionError {
  const evidence = endOffset === Infinity ? "frame" : "successor";
  return new WalCorruptionError({ segment: name, offset, lsn, evidence }, what);
}
