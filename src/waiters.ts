/**
 * Those who wait for LSNs to become durable, each at a level.
 *
 * @module
 */

import { WalAbortedError } from "./errors.ts";
import type { Durability } from "./options.ts";

/** How durable somebody wants an entry: at a level, or as it was appended. */
export type AskedLevel = Durability | "own";

interface Waiter {
  readonly lsn: number;
  readonly level: AskedLevel;
  readonly resolve: (lsn: number) => void;
  readonly reject: (reason: unknown) => void;
  /** Nothing listens to its signal any more. */
  forget: () => void;
}

/** What becomes of an LSN. */
export interface Outcomes {
  /** The highest one up to which all are durable at this level. */
  durableAt(level: AskedLevel): number;
  /** Why this one will never be, or null. */
  rejectionOf(lsn: number): Error | null;
  /** Why nothing becomes durable any more, or null. */
  readonly failure: Error | null;
}

/** Waits settle in LSN order, in whatever order they came; only one that asks for more may be passed. */
export class Waiters {
  readonly #outcomes: Outcomes;
  /** Sorted by LSN; nearly all come in that order. */
  #waiting: Waiter[] = [];
  /** How many there are at each level. */
  readonly #counts: Map<AskedLevel, number> = new Map();

  /** @param outcomes Asked whenever something has moved. */
  constructor(outcomes: Outcomes) {
    this.#outcomes = outcomes;
  }

  /** Resolves to `lsn` when it is durable; rejects when it never will be, or the signal says so: then nobody waits any more. */
  wait(lsn: number, level: AskedLevel, signal?: AbortSignal): Promise<number> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { lsn, level, resolve, reject, forget: () => {} };
      if (signal?.aborted) return reject(new WalAbortedError(`waiting for LSN ${lsn}`, signal.reason));
      if (this.#settle(waiter, this.#outcomes.durableAt(level))) return;
      if (signal !== undefined) this.#listen(waiter, signal);
      let place = this.#waiting.length;
      while (place > 0 && (this.#waiting[place - 1]?.lsn ?? 0) > lsn) place--;
      if (place === this.#waiting.length) this.#waiting.push(waiter);
      else this.#waiting.splice(place, 0, waiter);
      this.#counts.set(level, (this.#counts.get(level) ?? 0) + 1);
    });
  }

  /** Whether somebody waits at this level. */
  hasAt(level: AskedLevel): boolean {
    return this.#counts.has(level);
  }

  /** Whether somebody waits for an LSN from `firstLsn` to `lastLsn`. */
  isAwaited(firstLsn: number, lastLsn: number): boolean {
    let low = 0;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#waiting[middle]?.lsn ?? Infinity) < firstLsn) low = middle + 1;
      else high = middle;
    }
    return (this.#waiting[low]?.lsn ?? Infinity) <= lastLsn;
  }

  /** Something has moved: settles, at each level, all up to the first that is not durable yet. */
  wake(): void {
    const open = new Map([...this.#counts.keys()].map((level) => [level, this.#outcomes.durableAt(level)]));
    const left: Waiter[] = [];
    let seen = 0;
    for (const waiter of this.#waiting) {
      if (open.size === 0) break; // nobody behind this one can be settled
      seen++;
      const durableLsn = open.get(waiter.level);
      if (durableLsn !== undefined && this.#settle(waiter, durableLsn)) this.#count(waiter.level);
      else {
        open.delete(waiter.level);
        left.push(waiter);
      }
    }
    if (seen === left.length) return; // nobody was
    this.#waiting = seen === this.#waiting.length ? left : left.concat(this.#waiting.slice(seen));
  }

  #listen(waiter: Waiter, signal: AbortSignal): void {
    const leave = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      this.#count(waiter.level);
      waiter.reject(new WalAbortedError(`waiting for LSN ${waiter.lsn}`, signal.reason));
    };
    waiter.forget = () => signal.removeEventListener("abort", leave);
    signal.addEventListener("abort", leave, { once: true });
  }

  #count(level: AskedLevel): void {
    const count = (this.#counts.get(level) ?? 0) - 1;
    if (count > 0) this.#counts.set(level, count);
    else this.#counts.delete(level);
  }

  /** False where nothing can be said yet. */
  #settle({ lsn, resolve, reject, forget }: Waiter, durableLsn: number): boolean {
    const reason = this.#outcomes.rejectionOf(lsn) ?? (lsn <= durableLsn ? null : this.#outcomes.failure);
    if (reason !== null) reject(reason);
    else if (lsn <= durableLsn) resolve(lsn);
    else return false;
    forget();
    return true;
  }
}
