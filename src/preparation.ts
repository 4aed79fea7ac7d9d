/**
 * Keeps written zeros ahead of the end of a segment: a small flush into them costs a third less than one that grows the file.
 *
 * Zeros are written while flushes go on, in steps that grow with use, and the next sync carries them. They get no sync of
 * their own: of two in flight on one file, one could swallow the error that the other must see.
 *
 * @module
 */

import { isNoRoom } from "./errors.ts";
import type { Segment } from "./segment.ts";

/** A step is a sixteenth of all that the log has taken, so that a small log stays small; */
const STEPS_A_LOG = 16;
/** within bounds: the sync that carries zeros takes longer, so that few large steps cost less in all, but more at once. */
const LEAST_STEP_BYTES = 512 * 1024;
const MOST_STEP_BYTES: number = 2 * 1024 * 1024;
const ZEROS: Uint8Array = new Uint8Array(MOST_STEP_BYTES);
/** A flush of so many bytes may as well grow the file: the zeros would cost more than they save. */
const LARGE_FLUSH_BYTES = 256 * 1024;

/** The zeros ahead in one segment after the other. */
export class Preparation {
  /** How large a segment becomes; Infinity where it never ends. */
  capacityBytes: number = Infinity;
  /** Zeros found no room: none are written until there is some again. */
  #isTight = false;

  /** After a flush of so many bytes: begins to write the next zeros if few are left. A large flush wants none. */
  advance(segment: Segment, flushBytes: number): void {
    const { endOffset, sizeBytes, header } = segment;
    const wantedBytes = (header.precedingBytes + endOffset) / STEPS_A_LOG;
    const stepBytes = Math.min(Math.max(wantedBytes, LEAST_STEP_BYTES), MOST_STEP_BYTES);
    const leftBytes = sizeBytes - endOffset;
    if (leftBytes > stepBytes / 2 || flushBytes > LARGE_FLUSH_BYTES || segment.isExtending || this.#isTight) return;
    const missingBytes = Math.min(Math.floor(stepBytes), this.capacityBytes - sizeBytes);
    if (missingBytes <= 0) return;
    segment.extend(ZEROS.subarray(0, missingBytes)).catch((error: unknown) => {
      // Frames may still find room where zeros did not. Of any other error the segment itself tells whoever comes next.
      if (isNoRoom(error)) this.#isTight = true;
    });
  }

  /** There is room again, or another segment. */
  resume(): void {
    this.#isTight = false;
  }
}
