/**
 * Somebody with a log, who does what a workload says while an oracle takes notes.
 */

import {
  type Durability,
  type EntryInput,
  Wal,
  WalDiskFullError,
  WalError,
  type WalEvent,
  WalFailedError,
  type WalOptions,
  WalTruncatedError,
} from "../../mod.ts";
import { nextHostTask } from "../../src/runtime/host_task.ts";
import type { MemoryRuntime } from "../../src/runtime/memory.ts";
import { kindOf, type Oracle, Violation } from "./oracle.ts";
import { DIRECTORY, type Step } from "./workload.ts";

/** Longer than any window, delay or loss that a workload asks for. */
const LONG_MS = 200;

interface Waiter {
  readonly lsn: number;
  readonly level: Durability | "own";
}

/** Somebody with a log. */
export class User {
  readonly wal: Wal;
  readonly #runtime: MemoryRuntime;
  readonly #oracle: Oracle;
  readonly #level: Durability;
  /** What has been begun and is not settled. */
  readonly #open: Set<Promise<void>> = new Set();
  /** Who waits for an LSN that was not durable yet. */
  readonly #waiters: Set<Waiter> = new Set();
  /** Whether entries were written that ask for no sync. */
  #hasLaxEntries = false;
  /** LSNs that nobody waits for. */
  readonly #dropped: Set<number> = new Set();
  #isUntold = false;
  /** Whether entries were rejected because the disk was full. */
  hasRejections = false;
  /** What an answer that nobody was waiting for has revealed. */
  #violation: unknown = null;

  private constructor(wal: Wal, runtime: MemoryRuntime, oracle: Oracle, level: Durability) {
    this.wal = wal;
    this.#runtime = runtime;
    this.#oracle = oracle;
    this.#level = level;
  }

  static async open(
    options: WalOptions & { readonly runtime: MemoryRuntime },
    oracle: Oracle,
    opened: (wal: Wal) => Promise<void>,
    met: (user: User) => void,
  ): Promise<User> {
    let user: User | null = null;
    const onEvent = (event: WalEvent): void => {
      if (event.type !== "disk-full" || event.firstLsn === 0) return;
      for (let lsn = event.firstLsn; lsn <= event.lastLsn; lsn++) {
        oracle.rejected(lsn);
        if (user !== null && user.#dropped.has(lsn)) user.#isUntold = true;
      }
      if (user !== null) user.hasRejections = true;
    };
    const wal = await Wal.open(DIRECTORY, { ...options, onEvent });
    await opened(wal);
    user = new User(wal, options.runtime, oracle, options.durability ?? "fsync");
    met(user);
    return user;
  }

  /** Closes the log; then everything that was begun must be settled. */
  async close(): Promise<void> {
    const failure = await this.wal.close().then(() => null, (error: unknown) => error);
    this.#mustBeTold(failure, "a close");
    if (failure === null) this.#oracle.closed(this.wal);
    for (let turn = 0; turn < 200 && this.#open.size > 0; turn++) await nextHostTask();
    this.check();
    if (this.#open.size > 0) throw new Violation(`closed, and ${this.#open.size} calls are left waiting`);
    if (failure !== null) throw failure;
  }

  /** Throws what an answer that nobody was waiting for has revealed; an error of the log only where nothing explains it. */
  check(isSpoiled = false): void {
    if (isSpoiled && this.#violation instanceof WalError) return;
    if (this.#violation !== null) throw this.#violation;
  }

  /** Does a step. */
  async take(step: Exclude<Step, { readonly reopen: true }>): Promise<void> {
    if ("commit" in step) await Promise.all(step.commit.map((length) => this.#commit(length, step.at)));
    if ("append" in step) { for (const length of step.append) this.append(length, step.at); }
    if ("stream" in step) await this.#stream(step.stream, step.at);
    if ("through" in step) await this.#through(step.through);
    if ("follow" in step) this.#begin(this.#follow());
    if ("cut" in step) await this.#cut(this.wal.lastLsn - step.cut);
    if ("drop" in step) { for (const length of step.drop) this.#drop(length); }
    if ("batch" in step) await this.#commitBatch(step.batch);
    if ("appendBatch" in step) this.#appendBatch(step.appendBatch);
    if ("wait" in step) await this.#waitFor(this.wal.lastLsn - step.wait, step.level);
    if ("flush" in step) await this.#flush();
    if ("ready" in step) await this.#ready();
    if ("idle" in step) await this.#idle(step.idle);
    if ("read" in step) await this.#read(...(step.read === true ? [0, 1] as const : step.read));
    if ("room" in step) this.#runtime.disk.sizeBytes = this.#runtime.disk.usedBytes + step.room;
    if ("jump" in step) this.#runtime.clock.jump(step.jump);
    if ("later" in step && !("reopen" in step.later)) this.#begin(this.take(step.later));
    this.check();
  }

  /** Appends an entry, if the log takes it. */
  append(length: number, level: Durability = this.#level): void {
    const value = this.#oracle.value(length);
    const { syncedLsn } = this.wal;
    try {
      const lsn = this.wal.append(this.#inputOf(value, level));
      this.#oracle.accepted(lsn, value, syncedLsn);
      this.#begin(this.#settle(this.wal.waitFor(lsn), [lsn], level));
    } catch (error) {
      tolerate(error);
      this.#oracle.turnedAway(value);
    }
  }

  #drop(length: number): void {
    const value = this.#oracle.value(length);
    const { syncedLsn } = this.wal;
    try {
      const lsn = this.wal.append(inputOf(value));
      this.#oracle.accepted(lsn, value, syncedLsn);
      this.#dropped.add(lsn);
    } catch (error) {
      tolerate(error);
      this.#oracle.turnedAway(value);
    }
  }

  /** Who dropped an entry that was rejected hears of it from the next flush or close. */
  #mustBeTold(failure: unknown, by: string): void {
    if (this.#isUntold && failure === null) {
      throw new Violation(`${by} resolved after an entry was rejected in silence`);
    }
    this.#isUntold = false;
  }

  /** What goes on while others do something; it must come to an end all the same. */
  #begin(task: Promise<void>): void {
    const guarded = task.catch((error: unknown) => {
      this.#violation ??= error;
    }).finally(() => this.#open.delete(guarded));
    this.#open.add(guarded);
  }

  async #commit(length: number, level: Durability = this.#level): Promise<void> {
    const value = this.#oracle.value(length);
    const { lastLsn: before, syncedLsn } = this.wal;
    const call = this.wal.commit(this.#inputOf(value, level));
    const { lastLsn } = this.wal;
    if (lastLsn === before) return await this.#land(call, [value], 0, level);
    this.#oracle.accepted(lastLsn, value, syncedLsn);
    await this.#settle(call, [lastLsn], level);
  }

  /** As the log's own level is, or with another one. */
  #inputOf(value: string, level: Durability): EntryInput {
    const input = inputOf(value);
    if (level === this.#level) return input;
    this.#hasLaxEntries ||= level !== "fsync";
    const isPlain = typeof input === "string" || input instanceof Uint8Array;
    return isPlain ? { data: input, durability: level } : { ...input, durability: level };
  }

  async #stream(lengths: readonly number[], level: Durability = this.#level): Promise<void> {
    const lsns: number[] = [];
    try {
      const stream = this.wal.writable(level === this.#level ? {} : { durability: level });
      this.#hasLaxEntries ||= level !== "fsync";
      const writer = stream.getWriter();
      writer.closed.catch(() => {});
      for (const length of lengths) {
        await this.#write(length, async (input) => {
          await writer.write(input);
          lsns.push(stream.lastLsn);
          return stream.lastLsn;
        });
      }
      await writer.close();
      if (level === "none") return; // accepted they were, and may have been rejected since
      for (const lsn of lsns) this.#oracle.acknowledged(lsn, level);
    } catch (error) {
      tolerate(error);
    }
  }

  /** Hands over an entry whose LSN is known when that is done. */
  async #write(length: number, write: (input: EntryInput) => Promise<number>): Promise<void> {
    const value = this.#oracle.value(length);
    this.#oracle.floats(value);
    this.#oracle.landed(await write(inputOf(value)), value); // who is refused does not know whether it was accepted before
  }

  async #through(lengths: readonly number[]): Promise<void> {
    try {
      const { writable, readable } = this.wal.acknowledge();
      const writer = writable.getWriter();
      writer.closed.catch(() => {});
      const reader = readable.getReader();
      const write = async (): Promise<void> => {
        for (const length of lengths) {
          await this.#write(length, async (input) => {
            await writer.write(input);
            return writable.lastLsn;
          });
        }
        await writer.close();
      };
      const written = write();
      written.catch(() => {});
      for (let next = await reader.read(); !next.done; next = await reader.read()) this.#oracle.shown(next.value);
      await written;
    } catch (error) {
      tolerate(error);
    }
  }

  async #follow(): Promise<void> {
    try {
      let last = 0;
      for await (const entry of this.wal.readable({ follow: true })) {
        if (entry.lsn <= last) throw new Violation(`a follower saw ${entry.lsn} after ${last}`);
        last = entry.lsn;
        this.#oracle.shown(entry);
      }
    } catch (error) {
      tolerate(error);
    }
  }

  async #cut(lsn: number): Promise<void> {
    if (lsn < 1) return;
    this.#oracle.cutting(lsn);
    try {
      const { firstLsn } = await this.wal.truncateBefore(lsn);
      this.#oracle.cut(firstLsn);
    } catch (error) {
      tolerate(error);
    }
  }

  async #commitBatch(lengths: readonly number[]): Promise<void> {
    const values = lengths.map((length) => this.#oracle.value(length));
    const batch = this.#oracle.batch();
    const { lastLsn: before, syncedLsn } = this.wal;
    const call = this.wal.commitBatch(values.map(inputOf));
    const { lastLsn } = this.wal;
    if (lastLsn === before) return await this.#land(call, values, batch, this.#level);
    await this.#settle(call, this.#acceptBatch(values, lastLsn, syncedLsn, batch), this.#level);
  }

  #appendBatch(lengths: readonly number[]): void {
    const values = lengths.map((length) => this.#oracle.value(length));
    const { syncedLsn } = this.wal;
    try {
      const lastLsn = this.wal.appendBatch(values.map(inputOf));
      const lsns = this.#acceptBatch(values, lastLsn, syncedLsn, this.#oracle.batch());
      this.#begin(this.#settle(this.wal.waitFor(lastLsn), lsns, this.#level));
    } catch (error) {
      tolerate(error);
      for (const value of values) this.#oracle.turnedAway(value);
    }
  }

  #acceptBatch(values: readonly string[], lastLsn: number, syncedLsn: number, batch: number): number[] {
    return values.map((value, nth) => {
      const lsn = lastLsn - values.length + 1 + nth;
      this.#oracle.accepted(lsn, value, syncedLsn, batch);
      return lsn;
    });
  }

  /** Waits for what had to wait for room, and whose LSNs are known only when it is durable. */
  async #land(call: Promise<number>, values: readonly string[], batch: number, level: Durability): Promise<void> {
    for (const value of values) this.#oracle.floats(value);
    try {
      const last = await call;
      values.forEach((value, nth) => {
        const lsn = last - values.length + 1 + nth;
        this.#oracle.landed(lsn, value, batch);
        this.#oracle.acknowledged(lsn, level);
      });
    } catch (error) {
      tolerate(error);
      if (error instanceof WalFailedError) return; // it may have been let in before that
      for (const value of values) this.#oracle.turnedAway(value);
    }
  }

  async #settle(call: Promise<number>, lsns: readonly number[], level: Durability): Promise<void> {
    try {
      await this.#inOrder(call, lsns.at(-1) ?? 0, "own");
      for (const lsn of lsns) this.#oracle.acknowledged(lsn, level);
    } catch (error) {
      tolerate(error);
      if (error instanceof WalDiskFullError) { for (const lsn of lsns) this.#oracle.rejected(lsn); }
    }
  }

  async #waitFor(lsn: number, level: Durability): Promise<void> {
    if (lsn < this.wal.firstLsn) return;
    this.#dropped.delete(lsn); // now somebody asks for it
    try {
      await this.#inOrder(this.wal.waitFor(lsn, { durability: level }), lsn, level);
      this.#oracle.waitedFor(lsn, level);
    } catch (error) {
      tolerate(error);
    }
  }

  /** Waits settle in the order of their LSNs. */
  async #inOrder(call: Promise<number>, lsn: number, level: Durability | "own"): Promise<void> {
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

  async #flush(): Promise<void> {
    const { lastLsn } = this.wal;
    try {
      await this.wal.flush();
    } catch (error) {
      this.#mustBeTold(error, "a flush");
      return tolerate(error);
    }
    this.#mustBeTold(null, "a flush");
    this.#mustBeSynced(lastLsn, "a flush");
  }

  /** Only at `"write"` may anything wait longer than that for its sync. */
  async #idle(durationMs: true | number): Promise<void> {
    const { lastLsn } = this.wal;
    await this.#runtime.clock.advance(durationMs === true ? LONG_MS : durationMs);
    if (durationMs === true && this.wal.state === "open" && this.#level !== "write" && !this.#hasLaxEntries) {
      this.#mustBeSynced(lastLsn, `${LONG_MS} ms`);
    }
  }

  async #ready(): Promise<void> {
    try {
      await this.wal.ready;
    } catch (error) {
      tolerate(error);
    }
  }

  #mustBeSynced(lsn: number, after: string): void {
    const keptLsn = this.#oracle.lastKeptLsn(lsn);
    if (this.wal.syncedLsn < keptLsn) throw new Violation(`after ${after}, ${keptLsn} is still not synced`);
    this.#oracle.synced(keptLsn);
  }

  async #read(fromShare: number, toShare: number): Promise<void> {
    const { firstLsn, durableLsn, state } = this.wal;
    const count = durableLsn - firstLsn + 1;
    if (count <= 0 || state !== "open") return;
    const from = firstLsn + Math.floor(fromShare * (count - 1));
    const to = firstLsn + Math.floor(toShare * (count - 1));
    const entries = [];
    try {
      for await (const entry of this.wal.readable({ from, to })) entries.push(entry);
    } catch (error) {
      // Somebody may have cut the log between the asking and the reading.
      if (this.wal.state !== "open" || error instanceof WalTruncatedError) return tolerate(error);
      throw error;
    }
    if (this.wal.state === "open") this.#oracle.checkInside(entries, from, to);
  }
}

/** An error of the log is an answer; anything else is not. */
export function tolerate(error: unknown): void {
  if (!(error instanceof WalError)) throw error;
}

/** The same text in one of the ways in which it may be handed over. */
function inputOf(value: string): EntryInput {
  const kind = kindOf(value);
  const bytes = new TextEncoder().encode(value);
  const half = bytes.length >> 1;
  if (kind !== 0) return value.length % 2 === 0 ? { kind, data: value } : { kind, data: bytes };
  if (value.length % 3 === 0) return { data: [bytes.subarray(0, half), bytes.subarray(half)] };
  return value.length % 3 === 1 ? bytes : value;
}
