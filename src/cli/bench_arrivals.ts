/**
 * Entries that arrive at a fixed rate, whether those before them are durable or not.
 *
 * Latency counts from the moment of arrival and not from the call, so how late the calls are is in it.
 *
 * @module
 */

import { type Wal, WalBufferFullError } from "../../mod.ts";
import { Histogram } from "../stats.ts";
import { windowOf } from "./bench_expected.ts";
import type { BenchTime } from "./bench_time.ts";

const WARM_UP = 0.2;
/** How far behind arrivals may be beyond what is expected, before they are stopped. */
const PATIENCE_MS = 250;
/** How far behind they may be in the end, as a share of the whole time. */
const TOLERANCE = 0.05;

/** How it went. */
export interface Achieved {
  /** NaN, as p99Ms: it was over before any counted. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly settledPerSecond: number;
  readonly hasKeptUp: boolean;
}

/** The entries of one measurement. */
export class Arrivals {
  readonly #perMs: number;
  readonly #most: number;
  readonly #uncounted: number;
  readonly #expectedMs: number;
  readonly #times: Histogram = new Histogram();
  #startMs = 0;
  #arrived = 0;
  #settled = 0;
  #settledMs = 0;
  /** When the last of those had settled that are not counted. */
  #countedMs = 0;
  #settledPerMs = 0;
  #hasKeptUp = true;

  /** @param most How many arrive in all. @param expectedMs Within what they are expected to be durable. */
  constructor(perSecond: number, most: number, expectedMs: number) {
    this.#perMs = perSecond / 1000;
    this.#most = most;
    this.#uncounted = Math.floor(most * WARM_UP);
    this.#expectedMs = Math.min(expectedMs, PATIENCE_MS);
  }

  /** Ends when all have come, or when it cannot keep up with them, and all that came are settled. */
  async run(wal: Wal, entry: Uint8Array, isAccepting: boolean, time: BenchTime): Promise<void> {
    const firstLsn = wal.lastLsn + 1;
    let failure: unknown = null;
    const settled = (lsn: number): void => this.#settle(lsn - firstLsn);
    const failed = (error: unknown): void => void (failure ??= error);
    let last: Promise<void> = Promise.resolve();
    this.#startMs = this.#countedMs = performance.now();
    while (this.#arrived < this.#most && this.#hasKeptUp && failure === null && !time.isInterrupted) {
      const due = Math.min(this.#most, Math.floor((performance.now() - this.#startMs) * this.#perMs) + 1);
      try {
        // LSNs rise by one a call: they say which arrival it is, and no closure is made for each.
        for (; this.#arrived < due; this.#arrived++) {
          if (isAccepting) settled(wal.append(entry));
          else last = wal.commit(entry).then(settled, failed);
        }
      } catch (error) {
        if (!(error instanceof WalBufferFullError)) throw error;
        this.#hasKeptUp = false;
      }
      if (this.#lagMs() > PATIENCE_MS + 2 * this.#expectedMs) this.#hasKeptUp = false;
      if (this.#arrived < this.#most) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const spanMs = performance.now() - this.#startMs;
    if (this.#lagMs() > Math.max(2 * this.#expectedMs, TOLERANCE * spanMs)) this.#hasKeptUp = false;
    const { count } = this.#times.read();
    this.#settledPerMs = count > 0 ? count / (this.#settledMs - this.#countedMs) : this.#settled / spanMs;
    await wal.configure(windowOf("none")); // what is left waits for no company, and is no long line of single syncs
    await wal.flush();
    await last; // commits settle in the order of their LSNs
    if (failure !== null) throw failure;
    time.check();
    this.#settledPerMs ||= this.#arrived / (this.#settledMs - this.#startMs); // the time was over before the first
  }

  /** The first ones do not count. */
  read(): Achieved {
    const { count, p50Ms, p99Ms } = this.#times.read();
    const settledPerSecond = Math.round(Math.min(this.#settledPerMs, this.#perMs) * 1000);
    const times = count === 0 ? { p50Ms: NaN, p99Ms: NaN } : { p50Ms, p99Ms };
    return { ...times, settledPerSecond, hasKeptUp: this.#hasKeptUp };
  }

  #settle(nth: number): void {
    this.#settled = nth + 1;
    this.#settledMs = performance.now();
    if (nth < this.#uncounted) this.#countedMs = this.#settledMs;
    else this.#times.record(this.#sinceMs(nth, this.#settledMs));
  }

  /** How long ago the moment of the first one was that is not settled, whether it has been called or not. */
  #lagMs(): number {
    return this.#sinceMs(this.#settled, performance.now());
  }

  #sinceMs(nth: number, nowMs: number): number {
    return nowMs - this.#startMs - nth / this.#perMs;
  }
}
