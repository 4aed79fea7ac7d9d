/**
 * What the end of the log tells readers elsewhere. They show what a later frame says was synced, and believe a head frame when
 * something follows it; where nothing more is written, an idle frame has to do.
 *
 * @module
 */

/** What readers elsewhere can know by now. */
export class Vouching {
  /** The greatest `syncedLsn` that stands in a frame. */
  #stampedLsn: number;
  /** What an idle frame was to vouch for when one was last tried. */
  #triedLsn = 0;
  /** The last frame is a head frame, and no idle frame behind it has been tried. */
  #owesHead = false;

  /** @param stampedLsn The greatest `syncedLsn` in the frames that were found. */
  constructor(stampedLsn: number) {
    this.#stampedLsn = stampedLsn;
  }

  /** Something has gone out that says that all up to `syncedLsn` is synced. */
  wrote(syncedLsn: number): void {
    this.#stampedLsn = Math.max(this.#stampedLsn, syncedLsn);
    this.#owesHead = false;
  }

  /** The last frame of that was a head frame. */
  endedInHead(): void {
    this.#owesHead = true;
  }

  /** Whether an idle frame would tell something new where all up to `syncedLsn` is synced. */
  wantsIdle(syncedLsn: number): boolean {
    return this.#owesHead || Math.max(this.#stampedLsn, this.#triedLsn) < syncedLsn;
  }

  /** An idle frame is being tried: on a full disk not again and again, for something so small. */
  tried(syncedLsn: number): void {
    this.#triedLsn = syncedLsn;
    this.#owesHead = false;
  }
}
