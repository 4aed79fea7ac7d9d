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
  #arrivedMs: number | null = null;
  /** The same for what was taken last. */
  #takenMs = 0;
  /** The same for what is not synced. */
  #unsyncedMs: number | null = null;

  /** @param runtime Its clock. */
  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** An entry has come. */
  arrived(): void {
    if (this.#arrivedMs !== null) return;
    this.#arrivedMs = this.#runtime.monotonicMs();
    this.#unsyncedMs ??= this.#arrivedMs;
  }

  /** What has come was taken away to be written. */
  taken(): void {
    this.#takenMs = this.#arrivedMs ?? this.#takenMs;
    this.#arrivedMs = null;
  }

  /** What was taken is written, all or a part of it. */
  sinceTaken(nowMs: number): number {
    return nowMs - this.#takenMs;
  }

  /** Everything written is synced; `isTakenLeft` says whether some of what was taken is not written yet. */
  synced(isTakenLeft: boolean): void {
    this.#unsyncedMs = isTakenLeft ? this.#takenMs : this.#arrivedMs;
  }

  /** How long the oldest entry that is not synced has waited; 0 where there is none. */
  get unsyncedMs(): number {
    return this.#unsyncedMs === null ? 0 : this.#runtime.monotonicMs() - this.#unsyncedMs;
  }
}
