/**
 * When a follower has seen which LSN, for one who waits for that.
 *
 * @module
 */

/** See the head of this file. */
export class Sightings {
  #lastLsn = 0;
  #lastMs = 0;
  #awaitedLsn = 0;
  #tell: (seenMs: number) => void = () => {};

  /** The follower has seen everything up to here. */
  seen(lsn: number): void {
    this.#lastMs = performance.now();
    this.#lastLsn = lsn;
    if (lsn >= this.#awaitedLsn) this.#tell(this.#lastMs);
  }

  /** Resolves to the moment when this LSN was seen. One may wait at a time. */
  of(lsn: number): Promise<number> {
    if (this.#lastLsn >= lsn) return Promise.resolve(this.#lastMs);
    this.#awaitedLsn = lsn;
    return new Promise((resolve) => this.#tell = resolve);
  }
}
