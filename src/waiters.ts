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

/** So many that are settled may lie about, and as many as are left. */
const MOST_SETTLED = 1024;

/** Those who ask for the same level, sorted by LSN; nearly all come in that order. */
class Lane {
  readonly level: AskedLevel;
  /** The first of them cannot be settled yet. */
  isBlocked = false;
  /** Those before the first one have been settled: an array that is cut at its start moves all that is left. */
  #waiters: Waiter[] = [];
  #first = 0;

  constructor(level: AskedLevel) {
    this.level = level;
  }

  /** The lowest LSN that somebody waits for; Infinity: nobody does. */
  get firstLsn(): number {
    return this.first?.lsn ?? Infinity;
  }

  /** Who waits for that. */
  get first(): Waiter | undefined {
    return this.#waiters[this.#first];
  }

  join(waiter: Waiter): void {
    const waiters = this.#waiters;
    let place = waiters.length;
    while (place > this.#first && (waiters[place - 1]?.lsn ?? 0) > waiter.lsn) place--;
    if (place === waiters.length) waiters.push(waiter);
    else waiters.splice(place, 0, waiter);
  }

  leave(waiter: Waiter): void {
    this.#waiters.splice(this.#waiters.indexOf(waiter, this.#first), 1);
  }

  /** The first has been settled. */
  shift(): void {
    this.#first++;
    if (this.#first === this.#waiters.length) {
      this.#waiters.length = this.#first = 0;
    } else if (this.#first >= MOST_SETTLED && this.#first * 2 >= this.#waiters.length) {
      this.#waiters = this.#waiters.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Whether somebody waits for an LSN from `firstLsn` to `lastLsn`. */
  isAwaited(firstLsn: number, lastLsn: number): boolean {
    const waiters = this.#waiters;
    let low = this.#first;
    let high = waiters.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((waiters[middle]?.lsn ?? Infinity) < firstLsn) low = middle + 1;
      else high = middle;
    }
    return (waiters[low]?.lsn ?? Infinity) <= lastLsn;
  }
}

/** It is the turn of this lane, up to where others come first. */
interface Turn {
  readonly lane: Lane;
  readonly toLsn: number;
}

/** All who wait at one log. */
export class Waiters {
  readonly #outcomes: Outcomes;
  readonly #lanes: Readonly<Record<AskedLevel, Lane>> = {
    own: new Lane("own"),
    fsync: new Lane("fsync"),
    write: new Lane("write"),
    none: new Lane("none"),
  };

  readonly #all: readonly Lane[] = Object.values(this.#lanes);
  #toldLsn = 0;

  /** @param outcomes Asked whenever something has moved. */
  constructor(outcomes: Outcomes) {
    this.#outcomes = outcomes;
  }

  /** The highest LSN of which anybody was told that it is durable, at whatever level. */
  get toldLsn(): number {
    return this.#toldLsn;
  }

  /** Resolves to `lsn` when it is durable; rejects when it never will be, or the signal says so: then nobody waits any more. */
  wait(lsn: number, level: AskedLevel, signal?: AbortSignal): Promise<number> {
    if (signal?.aborted) return Promise.reject(new WalAbortedError(`waiting for LSN ${lsn}`, signal.reason));
    const promise = new Promise(keepSettlers);
    const waiter: Waiter = { lsn, resolve: lastResolve, reject: lastReject, forget: null };
    const durableLsn = this.#outcomes.durableAt(level);
    if ((lsn > durableLsn || !this.#overtakes(lsn)) && this.#settle(waiter, durableLsn)) return promise;
    const lane = this.#lanes[level];
    lane.join(waiter);
    if (signal !== undefined) listen(waiter, lane, signal);
    return promise;
  }

  /** Whether somebody waits for a lower LSN that is durable by now, and is to be told so in a moment. */
  #overtakes(lsn: number): boolean {
    return this.#all.some(({ firstLsn, level }) => firstLsn < lsn && firstLsn <= this.#outcomes.durableAt(level));
  }

  /** Whether somebody waits at this level. */
  hasAt(level: AskedLevel): boolean {
    return this.#lanes[level].first !== undefined;
  }

  /** Whether somebody waits for an LSN from `firstLsn` to `lastLsn`. */
  isAwaited(firstLsn: number, lastLsn: number): boolean {
    return this.#all.some((lane) => lane.isAwaited(firstLsn, lastLsn));
  }

  /** Something has moved: settles, at each level, all up to the first that is not durable yet. */
  wake(): void {
    for (const lane of this.#all) lane.isBlocked = false;
    for (let turn = this.#nextTurn(); turn !== null; turn = this.#nextTurn()) this.#serve(turn);
  }

  /** Whose first waiter is the next to be settled; null where nobody can be. */
  #nextTurn(): Turn | null {
    let lane: Lane | null = null;
    let toLsn = Infinity;
    for (const each of this.#all) {
      if (each.isBlocked || each.first === undefined) continue;
      if (lane === null || each.firstLsn < lane.firstLsn) {
        toLsn = lane?.firstLsn ?? Infinity;
        lane = each;
      } else if (each.firstLsn < toLsn) toLsn = each.firstLsn;
    }
    return lane === null ? null : { lane, toLsn };
  }

  #serve({ lane, toLsn }: Turn): void {
    const durableLsn = this.#outcomes.durableAt(lane.level);
    for (let waiter = lane.first; waiter !== undefined && waiter.lsn <= toLsn; waiter = lane.first) {
      lane.isBlocked = !this.#settle(waiter, durableLsn);
      if (lane.isBlocked) return; // and so is everybody behind this one
      lane.shift();
    }
  }

  /** False where nothing can be said yet. */
  #settle({ lsn, resolve, reject, forget }: Waiter, durableLsn: number): boolean {
    const reason = this.#outcomes.rejectionOf(lsn) ?? (lsn <= durableLsn ? null : this.#outcomes.failure);
    if (reason !== null) {
      reject(reason);
    } else if (lsn <= durableLsn) {
      if (lsn > this.#toldLsn) this.#toldLsn = lsn;
      resolve(lsn);
    } else return false;
    forget?.();
    return true;
  }
}

let lastResolve: (lsn: number) => void = () => {};
let lastReject: (reason: unknown) => void = () => {};

/** What a promise is made with. A closure for each, and the scope that it keeps, would be 120 bytes more a commit on V8. */
function keepSettlers(resolve: (lsn: number) => void, reject: (reason: unknown) => void): void {
  lastResolve = resolve;
  lastReject = reject;
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
