/**
 * Since when entries have waited: for the latency of flushes, and for the age of what could be lost.
 *
 * @module
 */

import type { Runtime } from "./runtime/port.ts";

/** One look at the clock a flush, not one an entry. */
export class Ages {
  readonly #runtime: Runtime;
  /** When the first entry came that is not taken; null: there is none. */
  #arrivedAtMs: number | null = null;
  /** The same for what was taken last. */
  #takenArrivedAtMs = 0;
  /** The same for what is not synced. */
  #unsyncedSinceMs: number | null = null;

  /** @param runtime Its clock. */
  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** An entry has come. */
  arrived(): void {
    if (this.#arrivedAtMs !== null) return;
    this.#arrivedAtMs = this.#runtime.monotonicMs();
    this.#unsyncedSinceMs ??= this.#arrivedAtMs;
  }

  /** What has come was taken away to be written. */
  taken(): void {
    this.#takenArrivedAtMs = this.#arrivedAtMs ?? this.#takenArrivedAtMs;
    this.#arrivedAtMs = null;
  }

  /** How long the first of what was taken last has waited. */
  takenAgeMs(nowMs: number): number {
    return nowMs - this.#takenArrivedAtMs;
  }

  /** Everything written is synced; `isTakenLeft` says whether some of what was taken is not written yet. */
  synced(isTakenLeft: boolean): void {
    this.#unsyncedSinceMs = isTakenLeft ? this.#takenArrivedAtMs : this.#arrivedAtMs;
  }

  /** How long the oldest entry that is not synced has waited; 0 where there is none. */
  get unsyncedAgeMs(): number {
    return this.#unsyncedSinceMs === null ? 0 : this.#runtime.monotonicMs() - this.#unsyncedSinceMs;
  }
}
