/**
 * Those who wait for LSNs to become durable, each at a level.
 *
 * They settle in LSN order, in whatever order they came; only one that asks for more may be passed.
 *
 * @module
 */

import { WalAbortedError } from "./errors.ts";
import type { Durability } from "./options.ts";
import { onAbort, WaitingGroup } from "./waiting_group.ts";

/** How durable somebody wants an entry: at a level, or as it was appended. */
export type AskedLevel = Durability | "own";

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
  #groups: WaitingGroup[] = [];
  #first = 0;

  constructor(level: AskedLevel) {
    this.level = level;
  }

  /** The lowest LSN that somebody waits for; Infinity: nobody does. */
  get firstLsn(): number {
    return this.first?.firstLsn ?? Infinity;
  }

  /** Who waits for that. */
  get first(): WaitingGroup | undefined {
    return this.#groups[this.#first];
  }

  /** Who waits for the highest LSN; he may take others in. */
  get last(): WaitingGroup | undefined {
    return this.#groups[this.#groups.length - 1];
  }

  join(group: WaitingGroup): void {
    const groups = this.#groups;
    let place = groups.length;
    while (place > this.#first && (groups[place - 1]?.lastLsn ?? 0) > group.lastLsn) place--;
    if (place === groups.length) groups.push(group);
    else groups.splice(place, 0, group);
  }

  leave(group: WaitingGroup): void {
    this.#groups.splice(this.#groups.indexOf(group, this.#first), 1);
  }

  /** The first has been settled. */
  shift(): void {
    this.#first++;
    if (this.#first === this.#groups.length) {
      this.#groups.length = this.#first = 0;
    } else if (this.#first >= MOST_SETTLED && this.#first * 2 >= this.#groups.length) {
      this.#groups = this.#groups.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The group in the midst of which `lsn` lies: others wait for it, or for what is before it, and for what is behind it. */
  around(lsn: number): WaitingGroup | null {
    const group = this.#firstUpTo(lsn + 1);
    return group !== undefined && group.firstLsn <= lsn ? group : null;
  }

  /** Whether somebody waits for an LSN from `firstLsn` to `lastLsn`. */
  isAwaited(firstLsn: number, lastLsn: number): boolean {
    return (this.#firstUpTo(firstLsn)?.firstLsn ?? Infinity) <= lastLsn;
  }

  /** The first group that reaches to `lsn` or further. */
  #firstUpTo(lsn: number): WaitingGroup | undefined {
    const groups = this.#groups;
    let low = this.#first;
    let high = groups.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((groups[middle]?.lastLsn ?? Infinity) < lsn) low = middle + 1;
      else high = middle;
    }
    return groups[low];
  }
}

/** It is the turn of this lane, up to where others come first. */
interface Turn {
  readonly lane: Lane;
  readonly toLsn: number;
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

  readonly #all: readonly Lane[] = Object.values(this.#lanes);

  /** @param outcomes Asked whenever something has moved. */
  constructor(outcomes: Outcomes) {
    this.#outcomes = outcomes;
  }

  /** Resolves to `lsn` when it is durable; rejects when it never will be, or the signal says so: then nobody waits any more. */
  wait(lsn: number, level: AskedLevel, signal?: AbortSignal): Promise<number> {
    if (signal?.aborted) return Promise.reject(new WalAbortedError(`waiting for LSN ${lsn}`, signal.reason));
    const lane = this.#lanes[level];
    const around = lane.around(lsn);
    if (around !== null) return around.joinLate(lsn, signal);
    const group = new WaitingGroup(lsn, 0, null);
    if (signal !== undefined) {
      group.forget = onAbort(signal, lsn, (reason) => {
        lane.leave(group);
        group.reject(reason);
      });
    }
    return this.#begin(group, lane);
  }

  /** The same for the newest LSN, as it asked to be; together with others of its frame who ask for the same. */
  waitTogether(lsn: number, frameLsn: number, durability: Durability): Promise<number> {
    const lane = this.#lanes.own;
    const { last } = lane;
    if (last?.takes(lsn, frameLsn, durability)) return last.join();
    return this.#begin(new WaitingGroup(lsn, frameLsn, durability), lane);
  }

  /** The first of a group waits. */
  #begin(group: WaitingGroup, lane: Lane): Promise<number> {
    const promise = group.join();
    const durableLsn = this.#outcomes.durableAt(lane.level);
    const isHeldUp = group.firstLsn <= durableLsn && this.#overtakes(group.firstLsn);
    if (isHeldUp || !this.#settle(group, durableLsn)) lane.join(group);
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
    for (let group = lane.first; group !== undefined && group.firstLsn <= toLsn; group = lane.first) {
      lane.isBlocked = !this.#settle(group, durableLsn);
      if (lane.isBlocked) return; // and so is everybody behind this one
      lane.shift();
    }
  }

  /** False where nothing can be said yet. What becomes of the last of a group becomes of all. */
  #settle(group: WaitingGroup, durableLsn: number): boolean {
    const { lastLsn } = group;
    const reason = this.#outcomes.rejectionOf(lastLsn) ?? (lastLsn <= durableLsn ? null : this.#outcomes.failure);
    if (reason !== null) group.reject(reason);
    else if (lastLsn <= durableLsn) group.resolve();
    else return false;
    return true;
  }
}
