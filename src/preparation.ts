/**
 * Keeps written zeros ahead of the end of a segment: a small flush into them costs a third less than one that grows the file.
 *
 * Zeros are written in small steps while a flush is being synced, and the next sync carries them. They get no sync of their
 * own: of two in flight on one file, one could swallow the error that the other must see.
 *
 * @module
 */

import { isNoRoom } from "./errors.ts";
import type { Segment } from "./segment.ts";

const AHEAD_BYTES = 512 * 1024;
const ZEROS: Uint8Array = new Uint8Array(128 * 1024);

/** The zeros ahead in one segment after the other. */
export class Preparation {
  /** How large a segment becomes; Infinity where it never ends. */
  capacityBytes: number = Infinity;
  /** Zeros found no room: none are written until there is some again. */
  #isTight = false;

  /** After a flush of so many bytes: begins to write the next zeros if there are few left. A large flush wants none. */
  advance(segment: Segment, flushBytes: number): void {
    const wantedBytes = Math.min(segment.endOffset + AHEAD_BYTES, this.capacityBytes);
    const missingBytes = Math.min(wantedBytes - segment.sizeBytes, ZEROS.length);
    if (flushBytes > ZEROS.length || missingBytes <= 0 || segment.isExtending || this.#isTight) return;
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
