/**
 * The end of the log: where the next frames go, and the segment after that.
 *
 * One caller at a time: a task of the pump, which awaits each call before the next. Nothing in memory moves before the disk did;
 * what throws or rejects with anything but a {@linkcode WalDiskFullError} has left the log failed.
 *
 * @module
 */

import { removeFailed } from "./aside.ts";
import { Births, predecessorOf } from "./births.ts";
import { Capacity } from "./capacity.ts";
import { Chain, type Link, retainedBytesOf } from "./chain.ts";
import { isNoRoom, WalDiskFullError } from "./errors.ts";
import type { Report } from "./event.ts";
import { type Eventual, proceed } from "./eventual.ts";
import { aligned, CONTROL_FRAME_BYTES, type ControlFrame, FrameKind, HEADER_BYTES, type LockMark } from "./format.ts";
import { Inheritance } from "./inheritance.ts";
import type { Pending } from "./pending.ts";
import { Preparation } from "./preparation.ts";
import type { Found, Mark } from "./recovery.ts";
import { Sealer } from "./sealer.ts";
import type { Place, Segment } from "./segment.ts";
import type { Spares } from "./spares.ts";
import type { Counters } from "./stats.ts";
import { Vouching } from "./vouching.ts";

/** A sync that takes longer is told of. */
const SLOW_SYNC_MS = 100;

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

/** The end of one log. */
export class Tail {
  readonly #place: Place;
  readonly #spares: Spares;
  readonly #report: Report;
  readonly #counters: Counters;
  readonly #capacity: Capacity;
  readonly #preparation: Preparation = new Preparation();
  readonly #sealer: Sealer;
  readonly chain: Chain;
  #segment: Segment | null;
  readonly #births: Births;
  /** The segment ends as a crash left it: nothing is written behind that. */
  #isUnclean: boolean;
  #mark: Mark | null;
  readonly #vouching: Vouching;
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
    this.#capacity = new Capacity(segmentBytes, found?.segment.endOffset ?? 0);
    this.#preparation.capacityBytes = this.#capacity.segmentBytes;
    this.#births = new Births(place, spares, highestId, found?.segment.header ?? null);
    this.chain = new Chain(found?.links ?? []);
    this.#segment = found?.segment ?? null;
    this.#mark = found?.mark ?? null;
    this.#isUnclean = found !== null && found.mark === null;
    this.#sealer = new Sealer(place.runtime, counters, this, found?.lastTime ?? 0);
    this.#headLsn = found?.headLsn ?? 1;
    this.#writtenLsn = this.#syncedLsn = found?.lastLsn ?? 0;
    this.#vouching = new Vouching(found?.stampedLsn ?? 0);
  }

  /** From now on a segment is full at so many bytes; 0: never. */
  limitSegments(segmentBytes: number): void {
    this.#capacity.limit(segmentBytes);
    this.#preparation.capacityBytes = this.#capacity.segmentBytes;
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

  /** How many bytes of frames lie in segments of the log; as far as the header of the first one could be read. */
  get retainedBytes(): number {
    return this.#segment === null ? 0 : retainedBytesOf(this.#segment, this.chain.links[0]);
  }

  // -- room

  /** Whether a frame of so many bytes, and a skip before it, may go out without another word. */
  hasRoom(lengthBytes: number): boolean {
    const segment = this.#segment;
    return segment !== null && this.#takesFrames(segment) && this.#capacity.holds(segment, lengthBytes);
  }

  #takesFrames({ isFull }: Segment): boolean {
    return !this.#isUnclean && !isFull && this.#mark === null;
  }

  /** How many of these frames, the first of which has room, fit into the segment. */
  countThatFit(pending: Pending): number {
    return this.#capacity.countFitting(this.#open(), pending);
  }

  /** Makes the first segment or the next one, or takes the mark away: whatever is in the way of the next frame. */
  async makeRoom(isCutting = false): Promise<void> {
    if (this.#segment === null) return void this.#moveInto(await this.#bear(isCutting));
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

  /** Whether zeros are on their way to where so many bytes would go, with their padding and a skip before them. */
  #meetsZeros(lengthBytes: number): boolean {
    const segment = this.#segment;
    return segment !== null && segment.isExtending && segment.grows(aligned(lengthBytes) + CONTROL_FRAME_BYTES);
  }

  /** Whether a disk that was full has room again; rejects as a write would. */
  async probe(): Promise<void> {
    const segment = this.#segment;
    if (segment === null || this.#isUnclean || segment.isFull) return await this.#spares.ensure();
    try {
      await segment.probe();
      this.#preparation.resume();
    } catch (error) {
      throw isNoRoom(error) ? new WalDiskFullError(`grow ${this.#pathOf(segment)}`, error) : error;
    }
  }

  // -- frames

  /**
   * Writes the first `frameCount` frames, after a skip if LSNs were given out and rejected before them; they must have been found
   * ready for that. What comes of it is the time that they bear, at once where that blocks. Syncs nothing.
   */
  write(pending: Pending, frameCount: number, isBlocking: boolean): Eventual<number> {
    const segment = this.#open();
    const outgoing = this.#sealer.begin(segment, pending, frameCount);
    const { lengthBytes, lastLsn, time } = outgoing;
    const put = isBlocking
      ? this.#putSync(segment, this.#sealer.seal(segment, outgoing), lastLsn)
      : this.#put(segment, this.#sealer.sealParts(segment, outgoing), lengthBytes, lastLsn);
    return proceed(put, () => {
      this.#sealer.index(segment, outgoing);
      this.#capacity.entriesEndOffset = segment.endOffset;
      this.#preparation.advance(segment, lengthBytes);
      if (!this.#hasAskedForSpare && this.#capacity.isHalfFull(segment)) {
        this.#hasAskedForSpare = true;
        this.#spares.prepare(true); // so that the rotation to come finds a file
      }
      return time;
    });
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
    if (skips) this.#sealer.sealSkip(segment, bytes, 0, lastLsn);
    this.#sealer.sealControl(segment, bytes, at, { kind, firstLsn: lastLsn + 1, payload }, offset);
    await this.#put(segment, [bytes], bytes.length, lastLsn);
    if (kind === FrameKind.HEAD) this.#vouching.endedInHead();
    return offset;
  }

  /** An empty frame that vouches for what is synced, if it is wanted. */
  async idle(): Promise<void> {
    if (!this.wantsIdle) return;
    this.#vouching.tried(this.#syncedLsn);
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
    await this.sync();
    this.#headLsn = lsn;
  }

  /** Whether an idle frame would tell readers elsewhere something new. */
  get wantsIdle(): boolean {
    return this.#vouching.wantsIdle(this.#syncedLsn) && this.#hasControlRoom();
  }

  /** fdatasync: everything written so far is synced when it resolves, to how long it took. */
  async sync(): Promise<number> {
    const segment = this.#open();
    const { endOffset } = segment;
    const writtenLsn = this.#writtenLsn;
    const startMs = this.#place.runtime.monotonicMs();
    await segment.sync();
    this.#unsyncedBytes = segment.endOffset - endOffset;
    return this.#synced(writtenLsn, startMs);
  }

  /** The same on the calling thread. */
  syncSync(): number {
    const startMs = this.#place.runtime.monotonicMs();
    this.#open().syncSync();
    this.#unsyncedBytes = 0;
    return this.#synced(this.#writtenLsn, startMs);
  }

  /**
   * Marks a clean end: a write of its own, after a sync that returned after everything before it was written. Returns where
   * it stands for the lock file, or null where there is no clean end to mark.
   */
  async markEnd(lastLsn: number): Promise<LockMark | null> {
    if (this.#segment === null || this.#isUnclean || this.#mark !== null) return null;
    if (lastLsn > this.#writtenLsn) await this.#control(FrameKind.IDLE, 0, lastLsn); // the skip, and its sync, come first
    await this.sync();
    const offset = await this.#control(FrameKind.MARK, 0, lastLsn);
    await this.sync();
    return { segmentId: this.#open().header.id, offset, lsn: lastLsn }; // the mark may have found room only in the next one
  }

  // -- after a failure

  /**
   * Goes on in a fresh segment behind what is synced; the failed file is neither written nor synced any more. Up to
   * `acknowledgedLsn` entries that are merely written are kept if they can still be read; all other LSNs up to `lastLsn` are
   * skipped. `moved` is told the last LSN that was kept in the moment in which the tail moves.
   */
  async reopen(lastLsn: number, acknowledgedLsn: number, moved: (keptLsn: number) => void): Promise<void> {
    const failed = this.#segment;
    if (this.chain.last !== undefined) this.chain.last.hasFailed = true;
    await failed?.settleExtension();
    const inheritance = await Inheritance.of({
      segment: failed,
      syncedLsn: this.#syncedLsn,
      acknowledgedLsn: Math.min(acknowledgedLsn, this.#writtenLsn),
      lastLsn,
      time: this.#sealer.now(),
    });
    const segment = await this.#bear(true, inheritance);
    for (const { lsn, offset, time } of inheritance.index.points) segment.index.add(lsn, offset, time);
    const gone = this.#moveInto(segment);
    this.#writtenLsn = this.#syncedLsn = lastLsn;
    moved(inheritance.keptLsn);
    await failed?.close();
    this.#spares.discard(this.#births.takeAbandoned());
    removeFailed(this.#place, this.#spares, gone, this.#report);
  }

  /** Gives the file back. */
  async close(): Promise<void> {
    await this.#segment?.close();
  }

  // -- inside

  /** A sync that began at `startMs` has returned: how long it took. */
  #synced(writtenLsn: number, startMs: number): number {
    const elapsedMs = this.#place.runtime.monotonicMs() - startMs;
    this.#syncedLsn = writtenLsn;
    this.#counters.fsyncs++;
    this.#counters.fsync.record(elapsedMs);
    if (elapsedMs > SLOW_SYNC_MS) this.#report({ type: "slow-sync", level: "warning", elapsedMs });
    return elapsedMs;
  }

  #open(): Segment {
    if (this.#segment === null) throw new Error("there is no segment to write to");
    return this.#segment;
  }

  #pathOf({ name }: Segment): string {
    const { runtime, directory } = this.#place;
    return runtime.join(directory, name);
  }

  #hasControlRoom(): boolean {
    const segment = this.#segment;
    return segment !== null && this.#takesFrames(segment) && this.#capacity.holdsControl(segment);
  }

  /** Frames behind the last one, in one write or several. */
  async #put(segment: Segment, parts: Iterable<Uint8Array>, lengthBytes: number, lastLsn: number): Promise<void> {
    const { syncedLsn } = this;
    try {
      await segment.append(parts, lengthBytes);
    } catch (error) {
      return await this.#cutBack(segment, lengthBytes, error);
    }
    this.#took(lengthBytes, lastLsn, syncedLsn);
  }

  /** The same in one write, at once where it succeeds. */
  #putSync(segment: Segment, frames: Uint8Array, lastLsn: number): Eventual<void> {
    try {
      segment.appendSync(frames);
    } catch (error) {
      return this.#cutBack(segment, frames.length, error);
    }
    this.#took(frames.length, lastLsn, this.#syncedLsn);
  }

  /** The operating system has so many bytes more; `syncedLsn` is what they vouch for. */
  #took(lengthBytes: number, lastLsn: number, syncedLsn: number): void {
    this.#writtenLsn = lastLsn;
    this.#vouching.wrote(syncedLsn);
    this.#unsyncedBytes += lengthBytes;
    this.#counters.bytes += lengthBytes;
  }

  /** A write that finds no room is cut back before anyone is told. */
  async #cutBack(segment: Segment, lengthBytes: number, error: unknown): Promise<never> {
    if (!isNoRoom(error) || !segment.grows(lengthBytes)) throw error;
    await segment.cutBack();
    this.#counters.fsyncs++;
    this.#syncedLsn = this.#writtenLsn;
    this.#unsyncedBytes = 0;
    throw new WalDiskFullError(`write ${lengthBytes} bytes to ${this.#pathOf(segment)}`, error);
  }

  /** Before anything is written behind a mark, an idle frame of equal length takes its place, synced. */
  async #unmark(segment: Segment, mark: Mark): Promise<void> {
    const bytes = new Uint8Array(CONTROL_FRAME_BYTES);
    this.#sealer.sealControl(
      segment,
      bytes,
      0,
      { kind: FrameKind.IDLE, firstLsn: mark.nextLsn, payload: 0 },
      mark.offset,
    );
    await segment.replaceFrame(bytes, mark.offset);
    this.#counters.fsyncs++;
    this.#mark = null;
  }

  /** A segment after this one: all in here is synced before its successor's name exists, at every durability level. */
  async #rotate(withFooter: boolean, isCutting: boolean): Promise<void> {
    const segment = this.#open();
    if (withFooter) await this.#seal(segment);
    await this.sync();
    this.#moveInto(await this.#bear(isCutting));
    await segment.close();
  }

  async #seal(segment: Segment): Promise<void> {
    const footerBytes = await segment.seal(this.#writtenLsn + 1, this.#syncedLsn, this.#sealer.now());
    this.#counters.bytes += footerBytes;
    this.#counters.frames += footerBytes > 0 ? 1 : 0;
  }

  /** The segment behind all that is synced. */
  async #bear(isCutting: boolean, inheritance: Inheritance | null = null): Promise<Segment> {
    const last = this.#segment;
    const predecessor = last === null
      ? { id: 0, endOffset: 0, lastLsn: this.#headLsn - 1 }
      : predecessorOf(last, this.#syncedLsn);
    return await this.#births.next({
      predecessor,
      headLsn: predecessor.id === 0 ? Math.max(this.#headLsn, predecessor.lastLsn + 1) : this.#headLsn,
      time: inheritance?.firstTime ?? this.#sealer.now(),
      precedingBytes: last === null ? 0 : last.header.precedingBytes + last.syncedOffset - HEADER_BYTES,
      isCutting,
      endow: inheritance?.write ?? null,
    });
  }

  /** Returns what is no segment any more. */
  #moveInto(segment: Segment): Link[] {
    this.#counters.fsyncs++;
    this.#headLsn = segment.header.headLsn;
    const gone = this.chain.push(segment.header);
    this.#segment = segment;
    this.#isUnclean = false;
    this.#mark = null;
    this.#capacity.entriesEndOffset = segment.endOffset;
    this.#unsyncedBytes = 0;
    this.#hasAskedForSpare = false;
    this.#preparation.resume();
    this.#vouching.wrote(segment.header.baseLsn - 1);
    this.#spares.prepare(false);
    this.#report({ type: "rotated", level: "debug", segment: segment.name, baseLsn: segment.header.baseLsn });
    return gone;
  }
}
