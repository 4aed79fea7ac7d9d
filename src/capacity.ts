/**
 * How much goes into a segment: entries up to a limit, control frames for a while behind that.
 *
 * @module
 */

import { CONTROL_FRAME_BYTES, CONTROL_RESERVE_BYTES, HEADER_BYTES } from "./format.ts";
import type { Pending } from "./pending.ts";
import type { Segment } from "./segment.ts";

/** Two for a skip and the frame itself, two more that a skip and a mark may still need. */
const CONTROL_ROOM_BYTES: number = 4 * CONTROL_FRAME_BYTES;

/** Of the segment that takes frames, and of those to come. */
export class Capacity {
  /** Up to where entries may go. */
  #entriesLimitOffset = Infinity;
  /** Where the last entries do end: in a segment of one large frame that is behind the limit. */
  entriesEndOffset: number;

  /** @param segmentBytes Where a segment is full; 0: never. @param entriesEndOffset Where the last entries end. */
  constructor(segmentBytes: number, entriesEndOffset: number) {
    this.limit(segmentBytes);
    this.entriesEndOffset = entriesEndOffset;
  }

  /** From now on a segment is full at so many bytes; 0: never. */
  limit(segmentBytes: number): void {
    this.#entriesLimitOffset = segmentBytes === 0 ? Infinity : segmentBytes - CONTROL_RESERVE_BYTES;
  }

  /** How large a segment becomes; Infinity where it never ends. */
  get segmentBytes(): number {
    return this.#entriesLimitOffset + CONTROL_RESERVE_BYTES;
  }

  /** Whether it is more than half full. */
  isHalfFull({ endOffset }: Segment): boolean {
    return endOffset > this.#entriesLimitOffset / 2;
  }

  /** Whether a frame of so many bytes, and a skip before it, has room. One that no segment can hold gets a file of its own. */
  holds({ endOffset }: Segment, lengthBytes: number): boolean {
    return endOffset === HEADER_BYTES || endOffset + lengthBytes + CONTROL_FRAME_BYTES <= this.#entriesLimitOffset;
  }

  /** How many of these frames, the first of which has room, do. */
  countFitting({ endOffset }: Segment, pending: Pending): number {
    let bytes = CONTROL_FRAME_BYTES;
    let count = 0;
    while (count < pending.frameCount) {
      bytes += pending.frameBytes(count);
      if (count > 0 && endOffset + bytes > this.#entriesLimitOffset) break;
      count++;
    }
    return count;
  }

  /** Whether a control frame has room. */
  holdsControl({ endOffset }: Segment): boolean {
    return endOffset + CONTROL_ROOM_BYTES <=
      Math.max(this.#entriesLimitOffset, this.entriesEndOffset) + CONTROL_RESERVE_BYTES;
  }
}
