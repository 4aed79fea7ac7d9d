/**
 * Seals frames for the place they go to: their time, what they vouch for, and their checksums are known only now. Once they
 * are there, it notes where.
 *
 * @module
 */

import { viewOf } from "./bytes.ts";
import { CONTROL_FRAME_BYTES, type ControlFrame, encodeControlFrame, encodeFrameHeader, FrameKind } from "./format.ts";
import type { Pending } from "./pending.ts";
import type { Runtime } from "./runtime/port.ts";
import type { Segment } from "./segment.ts";
import type { Progress } from "./settlement.ts";
import type { Counters } from "./stats.ts";

/** A control frame, by what it says. */
export type ControlWish = Pick<ControlFrame, "kind" | "firstLsn" | "payload">;

/** Frames that go out together, behind what is there. */
export interface Outgoing {
  readonly pending: Pending;
  readonly frameCount: number;
  /** Where they begin in their buffer, with the skip that may stand before them. */
  readonly at: number;
  readonly lengthBytes: number;
  readonly lastLsn: number;
  /** They all bear it. */
  readonly time: number;
}

/** So much is sealed while what was sealed before is being written. */
const PART_BYTES = 1024 * 1024;

/** What is between the pending buffer and the segment that takes its frames. */
export class Sealer {
  readonly #runtime: Runtime;
  readonly #counters: Counters;
  readonly #progress: Progress;
  #lastTime: number;

  /** @param progress Where the log stands. @param lastTime The time of its last frame. */
  constructor(runtime: Runtime, counters: Counters, progress: Progress, lastTime: number) {
    this.#runtime = runtime;
    this.#counters = counters;
    this.#progress = progress;
    this.#lastTime = lastTime;
  }

  /** What the next frame bears; it never goes back. */
  now(): number {
    this.#lastTime = Math.max(this.#lastTime, this.#runtime.now());
    return this.#lastTime;
  }

  /** The first `frameCount` of these, after a skip if LSNs were given out and rejected before them; that is sealed by now. */
  begin(segment: Segment, pending: Pending, frameCount: number): Outgoing {
    const { writtenLsn } = this.#progress;
    const first = pending.frame(0);
    const last = pending.frame(frameCount - 1);
    if (first.firstLsn <= writtenLsn) throw new Error(`LSN ${first.firstLsn} has been written already`);
    const skips = first.firstLsn > writtenLsn + 1;
    const at = first.at - (skips ? CONTROL_FRAME_BYTES : 0);
    if (skips) this.sealSkip(segment, pending.bytes, at, first.firstLsn - 1);
    const lengthBytes = last.at + last.lengthBytes - at;
    return { pending, frameCount, at, lengthBytes, lastLsn: last.firstLsn + last.count - 1, time: this.now() };
  }

  /** Seals all of them: what is to be written. */
  seal(segment: Segment, { pending, frameCount, at, lengthBytes, time }: Outgoing): Uint8Array {
    for (let nth = 0; nth < frameCount; nth++) this.#sealFrame(segment, pending, nth, at, time);
    return pending.bytes.subarray(at, at + lengthBytes);
  }

  /** The same in parts, each sealed only when it is asked for: so that one can be written meanwhile. */
  *sealParts(segment: Segment, { pending, frameCount, at, time }: Outgoing): Generator<Uint8Array, void, void> {
    let partAt = at;
    for (let nth = 0; nth < frameCount; nth++) {
      const endAt = this.#sealFrame(segment, pending, nth, at, time);
      if (endAt - partAt < PART_BYTES && nth < frameCount - 1) continue;
      yield pending.bytes.subarray(partAt, endAt);
      partAt = endAt;
    }
  }

  /** Where it ends in the buffer, of which the byte at `startAt` goes to the end of the segment. */
  #sealFrame(segment: Segment, pending: Pending, nth: number, startAt: number, time: number): number {
    const { bytes, view } = pending;
    const { at, kind, firstLsn, count, lengthBytes } = pending.frame(nth);
    const { syncedLsn } = this.#progress;
    encodeFrameHeader(view, at, { kind, lengthBytes, firstLsn, count, syncedLsn, time });
    segment.checksum.seal(bytes, view, at, lengthBytes, segment.endOffset + at - startAt);
    return at + lengthBytes;
  }

  /**
   * They are there now, up to the end of the segment, and can be looked up. Not before: an index that knew them could lead a
   * reader into what came instead.
   */
  index(segment: Segment, { pending, frameCount, at: startAt, lengthBytes, time }: Outgoing): void {
    this.#counters.frames += frameCount;
    const startOffset = segment.endOffset - lengthBytes;
    for (let nth = 0; nth < frameCount; nth++) {
      const { at, firstLsn } = pending.frame(nth);
      segment.index.add(firstLsn, startOffset + at - startAt, time);
    }
  }

  /** LSNs that were given out and rejected, from behind the last written one up to `lastLsn`: at `at` of what goes out. */
  sealSkip(segment: Segment, bytes: Uint8Array, at: number, lastLsn: number): void {
    const skip = { kind: FrameKind.SKIP, firstLsn: this.#progress.writtenLsn + 1, payload: lastLsn };
    this.sealControl(segment, bytes, at, skip, segment.endOffset);
  }

  /** A control frame at `at` of what goes out, and at `offset` of the segment. */
  sealControl(segment: Segment, bytes: Uint8Array, at: number, wish: ControlWish, offset: number): void {
    const view = viewOf(bytes);
    encodeControlFrame(view, at, { ...wish, syncedLsn: this.#progress.syncedLsn, time: this.now() });
    segment.checksum.seal(bytes, view, at, CONTROL_FRAME_BYTES, offset);
    this.#counters.frames++;
  }
}
