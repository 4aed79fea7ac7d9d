/**
 * Arrivals in an open loop: each has its moment, whether those before it have been served or not.
 *
 * A timer cannot go off for each of so many; at each of its ticks all are called whose moments have come. Their latency
 * counts from the moment and not from the call, so how late the calls are is in it. That is a figure of its own, too.
 *
 * @module
 */

import { Times } from "../harness/statistics.ts";

const TICK_MS = 1;

/** See the head of this file. */
export class Arrivals {
  readonly #perMs: number;
  readonly #count: number;
  #startMs = NaN;
  /** Of each tick, how late its oldest arrival was called. */
  readonly lateMs: Times;

  /** @param perSecond How many arrive. @param count How many arrive in all. */
  constructor(perSecond: number, count: number) {
    this.#perMs = perSecond / 1000;
    this.#count = count;
    this.lateMs = new Times(Math.ceil(count / this.#perMs) + 1);
  }

  /** How long ago the moment of the `nth` arrival was. */
  sinceMs(nth: number): number {
    return performance.now() - this.#startMs - nth / this.#perMs;
  }

  /** Calls `serve` for runs of arrivals, from the one number up to and without the other, until all have come. */
  run(serve: (from: number, to: number) => void): Promise<void> {
    this.#startMs = performance.now();
    return new Promise((resolve, reject) => {
      let served = 0;
      const tick = (): void => {
        const late = this.sinceMs(served);
        if (late >= 0) {
          this.lateMs.add(late);
          const to = Math.min(this.#count, served + Math.floor(late * this.#perMs) + 1);
          try {
            serve(served, to);
          } catch (error) {
            return reject(error);
          }
          served = to;
        }
        if (served === this.#count) resolve();
        else setTimeout(tick, TICK_MS);
      };
      tick();
    });
  }
}
