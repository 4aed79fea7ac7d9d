/**
 * The LSNs that were given out in this life and will never be: on disk a skip stands in their place.
 *
 * @module
 */

interface RejectedRange {
  readonly firstLsn: number;
  readonly lastLsn: number;
  readonly reason: Error;
}

/** Few and rising ranges: each is one time that the disk was full. */
export class RejectedLsns {
  readonly #ranges: RejectedRange[] = [];

  /** Notes that these were rejected. They lie above all noted before. */
  add(firstLsn: number, lastLsn: number, reason: Error): void {
    this.#ranges.push({ firstLsn, lastLsn, reason });
  }

  /** Why this one was rejected, or null. */
  reasonOf(lsn: number): Error | null {
    if (this.#ranges.length === 0) return null;
    return this.#ranges.find(({ firstLsn, lastLsn }) => firstLsn <= lsn && lsn <= lastLsn)?.reason ?? null;
  }

  /** The highest LSN up to `lsn` that was not rejected. */
  highestKept(lsn: number): number {
    let kept = lsn;
    for (let nth = this.#ranges.length - 1; nth >= 0; nth--) {
      const range = this.#ranges[nth];
      if (range !== undefined && range.firstLsn <= kept && kept <= range.lastLsn) kept = range.firstLsn - 1;
    }
    return kept;
  }
}
