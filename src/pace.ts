/**
 * Whether the next flush blocks the calling thread or goes through the runtime's pool.
 *
 * On a fast disk a blocking flush saves a hop through the pool, which costs a third of a sync; on a slow one it holds up
 * everything else in the process. `"auto"` begins in the pool and goes by the times it sees.
 *
 * @module
 */

import type { IoMode } from "./options.ts";

/** A sync that takes no longer is fast. */
const FAST_MS = 1;
/** One that takes longer sends the next ones to the pool. */
const SLOW_MS = 2;
/** So many fast ones in a row are believed. After each slow one in blocking mode, twice as many are asked for. */
const FIRST_TRIAL = 8;
const LONGEST_TRIAL = 1024;
/** What is larger takes its time in any case, and the thread does not wait for it. */
const LARGE_BYTES = 256 * 1024;
/** After holding the thread so long in all, one flush goes through the pool, so that the event loop turns. */
const HOLD_MS = 2;

/** Remembers how fast the disk has been. */
export class Pace {
  readonly #mode: IoMode;
  #isBlocking: boolean;
  #fastInARow = 0;
  #trial = FIRST_TRIAL;
  #heldMs = 0;

  /** @param mode What the user asked for. */
  constructor(mode: IoMode) {
    this.#mode = mode;
    this.#isBlocking = mode === "blocking";
  }

  /** Whether the next flush, of so many bytes, blocks. */
  next(lengthBytes: number): boolean {
    if (!this.#isBlocking || this.#mode === "auto" && lengthBytes > LARGE_BYTES) return false;
    if (this.#heldMs < HOLD_MS) return true;
    this.#heldMs = 0;
    return false;
  }

  /** Takes note of how long a flush took; only one with a sync tells of the disk. */
  observe(elapsedMs: number, wasBlocking: boolean, hasSynced: boolean): void {
    if (wasBlocking) this.#heldMs += elapsedMs;
    if (this.#mode !== "auto" || !hasSynced) return;
    this.#fastInARow = elapsedMs <= FAST_MS ? this.#fastInARow + 1 : 0;
    if (this.#isBlocking && wasBlocking && elapsedMs > SLOW_MS) {
      this.#isBlocking = false;
      this.#trial = Math.min(2 * this.#trial, LONGEST_TRIAL);
    } else if (!this.#isBlocking && this.#fastInARow >= this.#trial) {
      this.#isBlocking = true;
      this.#heldMs = 0;
    }
  }
}
