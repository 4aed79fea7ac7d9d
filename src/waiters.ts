/**
 * Those who wait for LSNs to become durable, each at a level.
 *
 * They settle in LSN order, in whatever order they came; only one that asks for more may be passed.
 *
 * @module
 */

import { WalAbortedError } from "./errors.ts";
import type { Durability } from "./options.ts";

/** How durable somebody wants an entry: at a level, or as it was appended. */
export type AskedLevel = Durability | "own";

interface Waiter {
  readonly lsn: number;
  readonly resolve: (lsn: number) => void;
  readonly reject: (reason: unknown) => void;
  /** Nothing listens to its signal any more; null where it has none. */
  forget: (() => void) | null;
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

/** Those who ask for the same level, sorted by LSN; nearly all come in that order. */
class Lane {
  readonly level: AskedLevel;
  readonly waiting: Waiter[] = [];

  constructor(level: AskedLevel) {
    this.level = level;
  }

  /** The lowest LSN that somebody waits for; Infinity: nobody does. */
  get firstLsn(): number {
    return this.waiting[0]?.lsn ?? Infinity;
  }

  join(waiter: Waiter): void {
    const { waiting } = this;
    let place = waiting.length;
    while (place > 0 && (waiting[place - 1]?.lsn ?? 0) > waiter.lsn) place--;
    if (place === waiting.length) waiting.push(waiter);
    else waiting.splice(place, 0, waiter);
  }

  leave(waiter: Waiter): void {
    this.waiting.splice(this.waiting.indexOf(waiter), 1);
  }

  /** Whether somebody waits for an LSN from `firstLsn` to `lastLsn`. */
  isAwaited(firstLsn: number, lastLsn: number): boolean {
    let low = 0;
    let high = this.waiting.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.waiting[middle]?.lsn ?? Infinity) < firstLsn) low = middle + 1;
      else high = middle;
    }
    return (this.waiting[low]?.lsn ?? Infinity) <= lastLsn;
  }
}

/** See the head of this file. */
export class Waiters {
  readonly #outcomes: Outcomes;
  readonly #lanes: Readonly<Record<AskedLevel, Lane>> = {
    own: new Lane("own"),
    fsync: new Lane("fsync"),
    write: new Lane("write"),
    none: new Lane("none"),
  };

  /** @param outcomes Asked whenever something has moved. */
  constructor(outcomes: Outcomes) {
    this.#outcomes = outcomes;
  }

  /** Resolves to `lsn` when it is durable; rejects when it never will be, or the signal says so: then nobody waits any more. */
  wait(lsn: number, level: AskedLevel, signal?: AbortSignal): Promise<number> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { lsn, resolve, reject, forget: null };
      if (signal?.aborted) return reject(new WalAbortedError(`waiting for LSN ${lsn}`, signal.reason));
      const durableLsn = this.#outcomes.durableAt(level);
      if ((lsn > durableLsn || !this.#overtakes(lsn)) && this.#settle(waiter, durableLsn)) return;
      const lane = this.#lanes[level];
      lane.join(waiter);
      if (signal !== undefined) listen(waiter, lane, signal);
    });
  }

  /** Whether somebody waits for a lower LSN that is durable by now, and is to be told so in a moment. */
  #overtakes(lsn: number): boolean {
    return Object.values(this.#lanes).some(({ firstLsn, level }) =>
      firstLsn < lsn && firstLsn <= this.#outcomes.durableAt(level)
    );
  }

  /** Whether somebody waits at this level. */
  hasAt(level: AskedLevel): boolean {
    return this.#lanes[level].waiting.length > 0;
  }

  /** Whether somebody waits for an LSN from `firstLsn` to `lastLsn`. */
  isAwaited(firstLsn: number, lastLsn: number): boolean {
    return Object.values(this.#lanes).some((lane) => lane.isAwaited(firstLsn, lastLsn));
  }

  /** Something has moved: settles, at each level, all up to the first that is not durable yet. */
  wake(): void {
    const open = Object.values(this.#lanes).filter(({ waiting }) => waiting.length > 0);
    while (open.length > 0) {
      open.sort((a, b) => a.firstLsn - b.firstLsn);
      const [lane, next] = open;
      if (lane !== undefined && !this.#serve(lane, next?.firstLsn ?? Infinity)) open.shift();
    }
  }

  /** Settles those of a lane up to `toLsn`; false where nobody is left who can be settled. */
  #serve({ waiting, level }: Lane, toLsn: number): boolean {
    const durableLsn = this.#outcomes.durableAt(level);
    let count = 0;
    let isBlocked = false;
    for (const waiter of waiting) {
      if (waiter.lsn > toLsn) break;
      isBlocked = !this.#settle(waiter, durableLsn);
      if (isBlocked) break; // and so is everybody behind this one
      count++;
    }
    if (count === waiting.length) waiting.length = 0;
    else waiting.splice(0, count);
    return !isBlocked && waiting.length > 0;
  }

  /** False where nothing can be said yet. */
  #settle({ lsn, resolve, reject, forget }: Waiter, durableLsn: number): boolean {
    const reason = this.#outcomes.rejectionOf(lsn) ?? (lsn <= durableLsn ? null : this.#outcomes.failure);
    if (reason !== null) reject(reason);
    else if (lsn <= durableLsn) resolve(lsn);
    else return false;
    forget?.();
    return true;
  }
}

/** From now on the signal ends the waiting. */
function listen(waiter: Waiter, lane: Lane, signal: AbortSignal): void {
  const leave = (): void => {
    lane.leave(waiter);
    waiter.reject(new WalAbortedError(`waiting for LSN ${waiter.lsn}`, signal.reason));
  };
  waiter.forget = () => signal.removeEventListener("abort", leave);
  signal.addEventListener("abort", leave, { once: true });
}
