/**
 * How much is measured: as said, or a tiny part of it to see that the bench works.
 *
 * @module
 */

/** Fewer syncs than this have no median worth telling. */
const FEWEST_SYNCS = 50;
const QUICK_SYNCS = 12;

/** See the head of this file. */
export class Scale {
  readonly isQuick: boolean;
  readonly #syncUs: number;

  /** @param syncUs How long a sync takes on this disk, about. */
  constructor(isQuick: boolean, syncUs: number) {
    this.isQuick = isQuick;
    this.#syncUs = syncUs;
  }

  /** The one or the other. */
  pick(full: number, quick: number): number {
    return this.isQuick ? quick : full;
  }

  /**
   * So many syncs as this disk makes in `seconds`, about: a slow disk should take no hours, a fast one has noise to
   * drown.
   */
  syncs(seconds: number, most: number): number {
    if (this.isQuick) return Math.min(QUICK_SYNCS, most);
    return Math.min(most, Math.max(FEWEST_SYNCS, Math.round(seconds * 1e6 / this.#syncUs)));
  }
}
