/**
 * The index of a segment while it is written: a bounded number of places where a reader may begin.
 *
 * @module
 */

import { type IndexPoint, MAX_INDEX_POINTS } from "./format.ts";

const FIRST_SPACING_BYTES = 64 * 1024;

/** Keeps points that lie at least so far apart; when there are too many, every other one goes and the spacing doubles. */
export class SparseIndex {
  #points: IndexPoint[] = [];
  #spacingBytes = FIRST_SPACING_BYTES;

  /** Takes the place of a frame, if it is far enough from the last point. Frames come in the order of their offsets. */
  add(lsn: number, offset: number, time: number): void {
    const last = this.#points.at(-1);
    if (last !== undefined && offset - last.offset < this.#spacingBytes) return;
    if (this.#points.length === MAX_INDEX_POINTS) {
      this.#points = this.#points.filter((_, nth) => nth % 2 === 0);
      this.#spacingBytes *= 2;
    }
    this.#points.push({ lsn, offset, time });
  }

  /** The points so far, oldest first. */
  get points(): readonly IndexPoint[] {
    return this.#points;
  }
}

/** The last point that is not behind `lsn`, or null. */
export function pointAtOrBefore(points: readonly IndexPoint[], lsn: number): IndexPoint | null {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((points[middle]?.lsn ?? Infinity) <= lsn) low = middle + 1;
    else high = middle;
  }
  return points[low - 1] ?? null;
}
