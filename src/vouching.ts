/**
 * What the end of the log tells readers elsewhere. They show what a later frame says was synced, and believe a head frame when
 * something follows it; where nothing more is written, an idle frame has to do.
 *
 * @module
 */

/** What they can know by now. */
export class Vouching {
  /** The greatest `syncedLsn` that stands in a frame. */
  #stampedLsn: number;
  /** What an idle frame was to vouch for when one was last tried. */
  #triedLsn = 0;
  #endsInHead = false;

  /** @param stampedLsn The greatest `syncedLsn` in the frames that were found. */
  constructor(stampedLsn: number) {
    this.#stampedLsn = stampedLsn;
  }

  /** Something has gone out that says that all up to `syncedLsn` is synced. */
  wrote(syncedLsn: number): void {
    this.#stampedLsn = Math.max(this.#stampedLsn, syncedLsn);
    this.#endsInHead = false;
  }

  /** The last frame of that was a head frame. */
  wroteHead(): void {
    this.#endsInHead = true;
  }

  /** Whether an idle frame would tell something new where all up to `syncedLsn` is synced. */
  lacks(syncedLsn: number): boolean {
    return this.#endsInHead || Math.max(this.#stampedLsn, this.#triedLsn) < syncedLsn;
  }

  /** An idle frame is tried; on a full disk not again and again, for something so small. */
  tries(syncedLsn: number): void {
    this.#triedLsn = syncedLsn;
    this.#endsInHead = false;
  }
}
