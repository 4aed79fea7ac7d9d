/**
 * Those who wait for an LSN to become durable at one level.
 *
 * @module
 */

import type { Signal } from "./signal.ts";

interface LateWaiter {
  readonly lsn: number;
  readonly resolve: () => void;
}

/**
 * Waits settle in LSN order. All who come in that order, and every commit does, share the promise of one signal; one who
 * comes late, for a lower LSN than someone waits for already, is let through by the first higher one that wakes. That
 * works because durability moves upwards: whatever settles an LSN has settled all below it.
 */
export class Waiters {
  readonly #isDurable: (lsn: number) => boolean;
  readonly #signalFor: (lsn: number) => Signal;
  /** The highest LSN that is waited for, or 0. */
  #highestLsn = 0;
  #late: LateWaiter[] = [];

  /** @param isDurable True when it is, false when not yet; throws when never. @param signalFor What wakes one who waits. */
  constructor(isDurable: (lsn: number) => boolean, signalFor: (lsn: number) => Signal) {
    this.#isDurable = isDurable;
    this.#signalFor = signalFor;
  }

  /** Resolves to `lsn` when it is durable; rejects when it never will be. */
  async wait(lsn: number): Promise<number> {
    if (this.#isDurable(lsn)) return lsn;
    if (lsn < this.#highestLsn) await new Promise<void>((resolve) => this.#late.push({ lsn, resolve }));
    else this.#highestLsn = lsn;
    try {
      while (!this.#isDurable(lsn)) await this.#signalFor(lsn).wait();
      return lsn;
    } finally {
      if (this.#highestLsn === lsn) this.#highestLsn = 0;
      if (this.#late.length > 0) await this.#letThrough(lsn);
    }
  }

  /** All who came late for a lower LSN are settled too, and go first. */
  async #letThrough(lsn: number): Promise<void> {
    const first = this.#late.filter((late) => late.lsn < lsn).sort((a, b) => a.lsn - b.lsn);
    this.#late = this.#late.filter((late) => late.lsn >= lsn);
    for (const late of first) late.resolve();
    await null; // they are queued before this goes on
  }
}
