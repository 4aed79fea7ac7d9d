/**
 * The end of the log: where the next frames go, and the segment after that.
 *
 * One caller at a time: the committer, which awaits each call before the next. Nothing in memory moves before the disk did;
 * what rejects with anything but a {@linkcode WalDiskFullError} has left the log failed.
 *
 * @module
 */

import { Births, predecessorOf } from "./births.ts";
import { viewOf } from "./bytes.ts";
import { Chain } from "./chain.ts";
import { isNoRoom, WalDiskFullError } from "./errors.ts";
import type { Report } from "./event.ts";
import {
  CONTROL_FRAME_BYTES,
  CONTROL_RESERVE_BYTES,
  type ControlFrame,
  encodeControlFrame,
  encodeFrameHeader,
  FrameKind,
  HEADER_BYTES,
  type LockMark,
  type Predecessor,
} from "./format.ts";
import type { Pending } from "./pending.ts";
import { Preparation } from "./preparation.ts";
import type { Found, Mark } from "./recovery.ts";
import type { Place, Segment } from "./segment.ts";
import type { Spares } from "./spares.ts";
import type { Counters } from "./stats.ts";

/** How much room there must be again on a disk that was full. */
const PROBE_ZEROS: Uint8Array = new Uint8Array(4096);

/** A sync that takes longer is told of. */
const SLOW_SYNC_MS = 100;

/** A control frame, by what it says. */
type ControlWish = Pick<ControlFrame, "kind" | "firstLsn" | "payload">;

/** What a tail is made with. */
export interface TailOptions {
  readonly place: Place;
  readonly spares: Spares;
  /** Where a segment is full; 0: never. */
  readonly segmentBytes: number;
  readonly report: Report;
  readonly counters: Counters;
  /** The highest segment id that any file bears or a voucher names. */
  readonly highestId: number;
  /** What recovery found; null in a directory without a segment. */
  readonly found: Found | null;
}

/** See the head of this file. */
export class Tail {
  readonly #place: Place;
  readonly #spares: Spares;
  readonly #report: Report;
  readonly #counters: Counters;
  /** Where entries end, and control frames may go on for a while. */
  #entriesLimit = Infinity;
  readonly #preparation: Preparation = new Preparation();
  readonly chain: Chain;
  #segment: Segment | null;
  readonly #births: Births;
  /** The segment ends as a crash left it: nothing is written behind that. */
  #isUnclean: boolean;
  #mark: Mark | null;
  /** Where the last entries end: control frames may go on behind that. */
  #entriesEnd = 0;
  #lastTime: number;
  /** The greatest `syncedLsn` that stands in a frame. */
  #stampedLsn: number;
  /** What an idle frame was to vouch for when one was last tried. */
  #idleTriedLsn = 0;
  #unsyncedBytes = 0;
  #hasAskedForSpare = false;
  #headLsn: number;
  #writtenLsn: number;
  #syncedLsn: number;

  /** @param options See {@linkcode TailOptions}. */
  constructor(options: TailOptions) {
    const { place, spares, segmentBytes, report, counters, highestId, found } = options;
    this.#place = place;
    this.#spares = spares;
    this.#report = report;
    this.#counters = counters;
    this.limitSegments(segmentBytes);
    this.#births = new Births(place, spares, highestId, found?.segment.header ?? null);
    this.chain = new Chain(found?.links ?? []);
    this.#segment = found?.segment ?? null;
    this.#mark = found?.mark ?? null;
    this.#isUnclean = found !== null && found.mark === null;
    this.#entriesEnd = found?.segment.endOffset ?? 0;
    this.#lastTime = found?.lastTime ?? 0;
    this.#headLsn = found?.headLsn ?? 1;
    this.#writtenLsn = this.#syncedLsn = found?.lastLsn ?? 0;
    this.#stampedLsn = found?.stampedLsn ?? 0;
  }

  /** From now on a segment is full at so many bytes; 0: never. */
  limitSegments(segmentBytes: number): void {
    this.#entriesLimit = segmentBytes === 0 ? Infinity : segmentBytes - CONTROL_RESERVE_BYTES;
    this.#preparation.capacityBytes = segmentBytes === 0 ? Infinity : segmentBytes;
  }

  /** The first LSN of the log. */
  get headLsn(): number {
    return this.#headLsn;
  }

  /** The last LSN that the operating system has. */
  get writtenLsn(): number {
    return this.#writtenLsn;
  }

  /** The last LSN that a returned sync covers. */
  get syncedLsn(): number {
    return this.#syncedLsn;
  }

  /** What no sync covers yet. */
  get unsyncedBytes(): number {
    return this.#unsyncedBytes;
  }

  /** The segment that takes frames; null before the first. */
  get segment(): Segment | null {
    return this.#segment;
  }

  /** How many bytes of frames the log has had. */
  get frameBytes(): number {
    return this.#segment === null ? 0 : this.#segment.header.precedingBytes + this.#segment.endOffset - HEADER_BYTES;
  }

  /** How many of them lie in segments that are part of the log; as far as the header of the first one could be read. */
  get retainedBytes(): number {
    const { precedingBytes } = this.chain.links[0] ?? {};
    return this.frameBytes - (precedingBytes ?? this.#segment?.header.precedingBytes ?? 0);
  }

  // -- room

  /** Whether a frame of so many bytes, and a skip before it, may go out without another word. */
  hasRoom(lengthBytes: number): boolean {
    const segment = this.#segment;
    if (segment === null || this.#isUnclean || segment.isFull || this.#mark !== null) return false;
    return segment.endOffset === HEADER_BYTES ||
      segment.endOffset + lengthBytes + CONTROL_FRAME_BYTES <= this.#entriesLimit;
  }

  /** How many of these frames, the first of which has room, fit into the segment. */
  countThatFit(pending: Pending): number {
    const end = this.#segment?.endOffset ?? 0;
    let bytes = CONTROL_FRAME_BYTES;
    let count = 0;
    while (count < pending.frameCount) {
      bytes += pending.frameBytes(count);
      if (count > 0 && end + bytes > this.#entriesLimit) break;
      count++;
    }
    return count;
  }

  /** Makes the first segment or the next one, or takes the mark away: whatever is in the way of the next frame. */
  async makeRoom(isCutting = false): Promise<void> {
    if (this.#segment === null) return await this.#bear({ id: 0, endOffset: 0, lastLsn: this.#headLsn - 1 }, isCutting);
    if (this.#isUnclean) return await this.#rotate(false, isCutting);
    if (this.#mark !== null && !this.#segment.isFull) return await this.#unmark(this.#segment, this.#mark);
    await this.#rotate(true, isCutting);
  }

  /** Whether these may be written: there is room for the first frame, and no zeros are on their way to where it ends. */
  isReadyFor(pending: Pending): boolean {
    return this.hasRoom(pending.frameBytes(0)) && !this.#meetsZeros(pending.pendingBytes);
  }

  /** Takes the next step to that. */
  async getReady(pending: Pending): Promise<void> {
    if (this.hasRoom(pending.frameBytes(0))) await this.#segment?.settleExtension();
    else await this.makeRoom();
  }

  #meetsZeros(lengthBytes: number): boolean {
    return this.#segment !== null && this.#segment.isExtending && this.#segment.grows(lengthBytes);
  }

  /** Whether a disk that was full has room again; rejects as a write would. */
  async probe(): Promise<void> {
    const segment = this.#segment;
    if (segment === null || this.#isUnclean || segment.isFull) return await this.#spares.ensure();
    try {
      if (segment.grows(PROBE_ZEROS.length)) await segment.extend(PROBE_ZEROS);
      this.#preparation.resume();
    } catch (error) {
      throw isNoRoom(error) ? new WalDiskFullError(`grow ${this.#pathOf(segment)}`, error) : error;
    }
  }

  // -- frames

  /**
   * Writes the first `count` frames, after a skip if LSNs were given out and rejected before them. Returns the time that they
   * bear. Syncs nothing.
   */
  async write(pending: Pending, count: number, isBlocking: boolean): Promise<number> {
    const segment = this.#open();
    const first = pending.frame(0);
    const last = pending.frame(count - 1);
    const { bytes, view } = pending;
    if (first.firstLsn <= this.#writtenLsn) throw new Error(`LSN ${first.firstLsn} has been written already`);
    const skips = first.firstLsn > this.#writtenLsn + 1;
    const start = first.at - (skips ? CONTROL_FRAME_BYTES : 0);
    const time = this.#now();
    if (skips) {
      this.#putSkip(segment, bytes, start, first.firstLsn - 1);
    }
    for (let nth = 0; nth < count; nth++) {
      const { at, kind, firstLsn, count: entries, lengthBytes } = pending.frame(nth);
      encodeFrameHeader(view, at, { kind, lengthBytes, firstLsn, count: entries, syncedLsn: this.#syncedLsn, time });
      segment.checksum.seal(bytes, view, at, lengthBytes, segment.endOffset + at - start);
    }
    const startOffset = segment.endOffset;
    await this.#put(
      segment,
      bytes.subarray(start, last.at + last.lengthBytes),
      last.firstLsn + last.count - 1,
      isBlocking,
    );
    // Only now are the frames there: an index that knew them before could lead a reader into what came instead.
    for (let nth = 0; nth < count; nth++) {
      const { at, firstLsn } = pending.frame(nth);
      segment.index.add(firstLsn, startOffset + at - start, time);
    }
    this.#entriesEnd = segment.endOffset;
    this.#preparation.advance(segment, last.at + last.lengthBytes - start);
    this.#counters.frames += count;
    if (!this.#hasAskedForSpare && segment.endOffset > this.#entriesLimit / 2) {
      this.#hasAskedForSpare = true;
      this.#spares.prepare(true); // so that the rotation to come finds a file
    }
    return time;
  }

  /**
   * Writes a control frame behind what is there, after a skip up to `lastLsn` if LSNs were rejected. Returns where it
   * stands. Syncs nothing.
   */
  async #control(kind: ControlFrame["kind"], payload: number, lastLsn: number): Promise<number> {
    while (!this.#hasControlRoom()) await this.makeRoom(kind === FrameKind.HEAD);
    const segment = this.#open();
    const skips = lastLsn > this.#writtenLsn;
    const bytes = new Uint8Array(skips ? 2 * CONTROL_FRAME_BYTES : CONTROL_FRAME_BYTES);
    const at = bytes.length - CONTROL_FRAME_BYTES;
    const offset = segment.endOffset + at;
    if (skips) {
      this.#putSkip(segment, bytes, 0, lastLsn);
    }
    this.#putControl(segment, bytes, at, { kind, firstLsn: lastLsn + 1, payload }, offset);
    await this.#put(segment, bytes, lastLsn, false);
    return offset;
  }

  /** An empty frame that vouches for what is synced, if it is wanted. */
  async idle(): Promise<void> {
    if (!this.wantsIdle) return;
    this.#idleTriedLsn = this.#syncedLsn; // a full disk is not asked again and again for something so small
    await this.#control(FrameKind.IDLE, 0, this.#writtenLsn);
  }

  /** From now on the log begins with `lsn`, at most one above the last that was given out; synced when it resolves. */
  async moveHead(lsn: number): Promise<void> {
    if (lsn <= this.#headLsn) return;
    const lastLsn = Math.max(this.#writtenLsn, lsn - 1); // what is not written below it was rejected
    await this.#control(FrameKind.HEAD, lsn, lastLsn).catch(async (error: unknown) => {
      if (!(error instanceof WalDiskFullError) || this.#segment === null) throw error;
      await this.#rotate(!this.#isUnclean, true); // into the spare that is kept back for this
      await this.#control(FrameKind.HEAD, lsn, lastLsn);
    });
    await this.sync(false);
    this.#headLsn = lsn;
  }

  /** Whether an idle frame would tell readers elsewhere something new. */
  get wantsIdle(): boolean {
    return Math.max(this.#stampedLsn, this.#idleTriedLsn) < this.#syncedLsn && this.#hasControlRoom();
  }

  /** fdatasync: everything written so far is synced when it resolves, to how long it took. */
  async sync(isBlocking: boolean): Promise<number> {
    const segment = this.#open();
    const writtenLsn = this.#writtenLsn;
    const writtenOffset = segment.endOffset;
    const startMs = this.#place.runtime.monotonicMs();
    await segment.sync(isBlocking);
    const elapsedMs = this.#place.runtime.monotonicMs() - startMs;
    this.#synced(elapsedMs);
    this.#syncedLsn = writtenLsn;
    this.#unsyncedBytes = segment.endOffset - writtenOffset;
    return elapsedMs;
  }

  /**
   * Marks a clean end: a write of its own, after a sync that returned after everything before it was written. Returns where
   * it stands for the lock file, or null where there is no clean end to mark.
   */
  async markEnd(lastLsn: number): Promise<LockMark | null> {
    if (this.#segment === null || this.#isUnclean || this.#mark !== null) return null;
    if (lastLsn > this.#writtenLsn) await this.#control(FrameKind.IDLE, 0, lastLsn); // the skip, and its sync, come first
    await this.sync(false);
    const offset = await this.#control(FrameKind.MARK, 0, lastLsn);
    await this.sync(false);
    return { segmentId: this.#open().header.id, offset, lsn: lastLsn }; // the mark may have found room only in the next one
  }

  /** Gives the file back. */
  async close(): Promise<void> {
    await this.#segment?.close();
  }

  // -- inside

  #synced(elapsedMs: number): void {
    this.#counters.fsyncs++;
    this.#counters.fsync.record(elapsedMs);
    if (elapsedMs > SLOW_SYNC_MS) this.#report({ type: "slow-sync", level: "warning", elapsedMs });
  }

  #open(): Segment {
    if (this.#segment === null) throw new Error("there is no segment to write to");
    return this.#segment;
  }

  #pathOf({ name }: Segment): string {
    const { runtime, directory } = this.#place;
    return runtime.join(directory, name);
  }

  #now(): number {
    this.#lastTime = Math.max(this.#lastTime, this.#place.runtime.now());
    return this.#lastTime;
  }

  #hasControlRoom(): boolean {
    const segment = this.#segment;
    if (segment === null || this.#isUnclean || segment.isFull || this.#mark !== null) return false;
    // Two for a skip and the frame itself, two more that a skip and a mark may still need.
    const needed = segment.endOffset + 4 * CONTROL_FRAME_BYTES;
    return needed <= Math.max(this.#entriesLimit, this.#entriesEnd) + CONTROL_RESERVE_BYTES;
  }

  /** LSNs that were given out and rejected, from the last written one on. */
  #putSkip(segment: Segment, bytes: Uint8Array, at: number, lastLsn: number): void {
    const skip = { kind: FrameKind.SKIP, firstLsn: this.#writtenLsn + 1, payload: lastLsn };
    this.#putControl(segment, bytes, at, skip, segment.endOffset);
  }

  #putControl(segment: Segment, bytes: Uint8Array, at: number, frame: ControlWish, offset: number): void {
    const view = viewOf(bytes);
    encodeControlFrame(view, at, { ...frame, syncedLsn: this.#syncedLsn, time: this.#now() });
    segment.checksum.seal(bytes, view, at, CONTROL_FRAME_BYTES, offset);
    this.#counters.frames++;
  }

  /** Frames behind the last one, in one write; a write that finds no room is cut back before anyone is told. */
  async #put(segment: Segment, frames: Uint8Array, lastLsn: number, isBlocking: boolean): Promise<void> {
    const syncedLsn = this.#syncedLsn;
    try {
      await segment.append(frames, isBlocking);
    } catch (error) {
      if (!isNoRoom(error) || !segment.grows(frames.length)) throw error;
      await segment.cutBack();
      this.#counters.fsyncs++;
      this.#syncedLsn = this.#writtenLsn;
      this.#unsyncedBytes = 0;
      throw new WalDiskFullError(`write ${frames.length} bytes to ${this.#pathOf(segment)}`, error);
    }
    this.#writtenLsn = lastLsn;
    this.#stampedLsn = Math.max(this.#stampedLsn, syncedLsn);
    this.#unsyncedBytes += frames.length;
    this.#counters.bytes += frames.length;
  }

  /** Before anything is written behind a mark, an idle frame of equal length takes its place, synced. */
  async #unmark(segment: Segment, mark: Mark): Promise<void> {
    const bytes = new Uint8Array(CONTROL_FRAME_BYTES);
    this.#putControl(segment, bytes, 0, { kind: FrameKind.IDLE, firstLsn: mark.nextLsn, payload: 0 }, mark.offset);
    await segment.replaceFrame(bytes, mark.offset);
    this.#counters.fsyncs++;
    this.#mark = null;
  }

  /** A segment after this one: all in here is synced before its successor's name exists, at every durability level. */
  async #rotate(withFooter: boolean, isCutting: boolean): Promise<void> {
    const segment = this.#open();
    if (withFooter) await this.#seal(segment);
    await this.sync(false);
    await this.#bear(predecessorOf(segment, this.#writtenLsn), isCutting);
    await segment.close();
  }

  async #seal(segment: Segment): Promise<void> {
    const footerBytes = await segment.seal(this.#writtenLsn + 1, this.#syncedLsn, this.#now());
    this.#counters.bytes += footerBytes;
    this.#counters.frames += footerBytes > 0 ? 1 : 0;
  }

  async #bear(predecessor: Predecessor, isCutting: boolean): Promise<void> {
    const headLsn = predecessor.id === 0 ? Math.max(this.#headLsn, predecessor.lastLsn + 1) : this.#headLsn;
    const precedingBytes = this.frameBytes;
    const segment = await this.#births.next({ predecessor, headLsn, time: this.#now(), precedingBytes, isCutting });
    this.#counters.fsyncs++;
    this.#headLsn = headLsn;
    this.chain.push(segment.header);
    this.#segment = segment;
    this.#isUnclean = false;
    this.#mark = null;
    this.#entriesEnd = HEADER_BYTES;
    this.#unsyncedBytes = 0;
    this.#hasAskedForSpare = false;
    this.#preparation.resume();
    this.#stampedLsn = Math.max(this.#stampedLsn, segment.header.baseLsn - 1);
    this.#spares.prepare(false);
    this.#report({ type: "rotated", level: "debug", segment: segment.name, baseLsn: segment.header.baseLsn });
  }
}
