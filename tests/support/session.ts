/**
 * An open log and those who use it: what they have begun, what they wait for, and what they were told.
 */

import {
  type Durability,
  type EntryInput,
  type Wal,
  WalCorruptionError,
  WalDiskFullError,
  WalError,
  WalFailedError,
} from "../../mod.ts";
import { nextHostTask } from "../../src/runtime/host_task.ts";
import type { MemoryRuntime } from "../../src/runtime/memory.ts";
import { kindOf, type Oracle, Violation } from "./oracle.ts";

/** So many turns of the event loop are enough for whatever was begun, once nothing can hold it up any more. */
const MOST_TURNS = 200;

interface Waiter {
  readonly lsn: number;
  readonly level: Durability | "own";
}

/** The weakest one comes last. */
const LEVELS: readonly Durability[] = ["fsync", "write", "none"];

/** See the head of this file. */
export class Session {
  readonly wal: Wal;
  readonly runtime: MemoryRuntime;
  readonly oracle: Oracle;
  /** What an entry asks for that asks for nothing. */
  level: Durability;
  /** The weakest that this has been. */
  weakestLevel: Durability;
  /** Whether entries were written that ask for no sync soon. */
  hasLaxEntries = false;
  /** LSNs that nobody waits for. */
  readonly dropped: Set<number> = new Set();
  /** Whether one of those was rejected and nobody was told. */
  isUntold = false;
  /** What has been begun and is not settled. */
  readonly #open: Set<Promise<void>> = new Set();
  /** Who waits for an LSN that was not durable yet. */
  readonly #waiters: Set<Waiter> = new Set();
  /** What an answer that nobody was waiting for has revealed. */
  #violation: unknown = null;

  constructor(wal: Wal, runtime: MemoryRuntime, oracle: Oracle, level: Durability) {
    this.wal = wal;
    this.runtime = runtime;
    this.oracle = oracle;
    this.level = this.weakestLevel = level;
  }

  /** What entries ask for from now on that ask for nothing. */
  setLevel(level: Durability): void {
    this.level = level;
    this.weakestLevel = weakerOf(this.weakestLevel, level);
    this.hasLaxEntries ||= this.weakestLevel !== "fsync"; // as far as anyone can tell when it must be synced
  }

  /** Throws what an answer that nobody was waiting for has revealed; an error of the log only where nothing explains it. */
  check(isSpoiled = false): void {
    if (isSpoiled && this.#violation instanceof WalError && !(this.#violation instanceof WalCorruptionError)) return;
    if (this.#violation !== null) throw this.#violation;
  }

  /** What goes on while others do something; it must come to an end all the same. */
  begin(task: Promise<void>): void {
    const guarded = task.catch((error: unknown) => {
      this.#violation ??= error;
    }).finally(() => this.#open.delete(guarded));
    this.#open.add(guarded);
  }

  /** Waits until everything that was begun is settled: nothing holds it up, since the log is `why`. */
  async settled(why: string): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS && this.#open.size > 0; turn++) await nextHostTask();
    this.check();
    if (this.#open.size > 0) throw new Violation(`${why}, and ${this.#open.size} calls are left waiting`);
  }

  /** An error of the log is an answer; anything else is not, and damage is none where nobody has damaged anything. */
  tolerate(error: unknown): void {
    tolerate(error);
    this.oracle.trace?.say(`${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
  }

  /** Handed over as the log's own level is, or with another one. */
  inputOf(value: string, level: Durability): EntryInput {
    const input = inputOf(value);
    if (level === this.level) return input;
    this.hasLaxEntries ||= level !== "fsync";
    const isPlain = typeof input === "string" || input instanceof Uint8Array;
    return isPlain ? { data: input, durability: level } : { ...input, durability: level };
  }

  /** Waits for what has LSNs. */
  async settle(call: Promise<number>, lsns: readonly number[], level: Durability): Promise<void> {
    try {
      await this.inOrder(call, lsns.at(-1) ?? 0, "own");
      for (const lsn of lsns) this.oracle.acknowledged(lsn, level);
    } catch (error) {
      this.tolerate(error);
      if (error instanceof WalDiskFullError) { for (const lsn of lsns) this.oracle.rejected(lsn); }
    }
  }

  /** Waits for what had to wait for room, and whose LSNs are known only when it is durable. */
  async land(call: Promise<number>, values: readonly string[], batch: number, level: Durability): Promise<void> {
    for (const value of values) this.oracle.floats(value);
    try {
      const last = await call;
      values.forEach((value, nth) => {
        const lsn = last - values.length + 1 + nth;
        this.oracle.landed(lsn, value, level, batch);
        this.oracle.acknowledged(lsn, level);
      });
    } catch (error) {
      this.tolerate(error);
      if (error instanceof WalFailedError) return; // it may have been let in before that
      for (const value of values) this.oracle.turnedAway(value);
    }
  }

  /** Waits settle in the order of their LSNs. */
  async inOrder(call: Promise<number>, lsn: number, level: Durability | "own"): Promise<void> {
    const waiter = { lsn, level };
    const durableLsn = level === "fsync" ? this.wal.syncedLsn : level === "own" ? this.wal.durableLsn : Infinity;
    if (lsn > durableLsn) this.#waiters.add(waiter);
    try {
      await call;
      const passed = [...this.#waiters].find((other) => other.level === level && other.lsn < lsn);
      if (this.#waiters.has(waiter) && passed !== undefined) throw new Violation(`${lsn} passed ${passed.lsn}`);
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  /** Who dropped an entry that was rejected hears of it from the next flush or close. */
  mustBeTold(failure: unknown, by: string): void {
    if (this.isUntold && failure === null) {
      throw new Violation(`${by} resolved after an entry was rejected in silence`);
    }
    this.isUntold = false;
  }
}

/** An error of the log is an answer; anything else is not, and damage is none where nobody has damaged anything. */
export function tolerate(error: unknown): void {
  if (error instanceof WalCorruptionError) throw new Violation(`damage where nothing was damaged: ${error.message}`);
  if (!(error instanceof WalError)) throw error;
}

/** Of two levels the one that asks for less. */
export function weakerOf(one: Durability, other: Durability): Durability {
  return LEVELS.indexOf(one) > LEVELS.indexOf(other) ? one : other;
}

/** The same text in one of the ways in which it may be handed over. */
export function inputOf(value: string): EntryInput {
  const kind = kindOf(value);
  const bytes = new TextEncoder().encode(value);
  const half = bytes.length >> 1;
  if (kind !== 0) return value.length % 2 === 0 ? { kind, data: value } : { kind, data: bytes };
  if (value.length % 3 === 0) return { data: [bytes.subarray(0, half), bytes.subarray(half)] };
  return value.length % 3 === 1 ? bytes : value;
}
