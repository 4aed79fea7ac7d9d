/**
 * What users do with a log, step by step, while an oracle takes notes.
 */

import { type Durability, Wal, WalDiskFullError, WalError, type WalEvent, type WalOptions } from "../../mod.ts";
import type { MemoryRuntime } from "../../src/runtime/memory.ts";
import { type Oracle, Violation } from "./oracle.ts";

export const DIRECTORY = "/data/wal";

/** One thing that a user does. Lengths are characters. */
export type Step =
  /** Commits at the same moment, and waits for all of them. */
  | { readonly commit: readonly number[] }
  /** Appends, and waits for nothing. */
  | { readonly append: readonly number[] }
  /** Commits a batch of entries. */
  | { readonly batch: readonly number[] }
  | { readonly flush: true }
  /** Waits until every timer of an idle log has run. */
  | { readonly idle: true }
  /** Reads everything that is durable, in the process. */
  | { readonly read: true }
  /** Closes the log and opens it again. */
  | { readonly reopen: true }
  /** The disk has room for so many more bytes. */
  | { readonly room: number };

/** A log's options and what is done with it. */
export interface Workload {
  readonly name: string;
  readonly options: WalOptions;
  readonly steps: readonly Step[];
}

/** One life of a log: opened, used until the steps are done, closed. Errors of the log end the life; violations are thrown. */
export async function live(runtime: MemoryRuntime, workload: Workload, oracle: Oracle): Promise<void> {
  const onEvent = (event: WalEvent): void => {
    if (event.type !== "disk-full") return;
    for (let lsn = event.firstLsn; lsn <= event.lastLsn; lsn++) oracle.rejected(lsn);
  };
  const options = { ...workload.options, runtime, onEvent };
  try {
    let wal = await Wal.open(DIRECTORY, options);
    for (const step of workload.steps) {
      if (wal.state !== "open") break;
      if ("reopen" in step) {
        await wal.close();
        oracle.closed(wal);
        wal = await Wal.open(DIRECTORY, options);
      } else await take(wal, runtime, step, oracle, workload.options.durability ?? "fsync");
    }
    await wal.close();
    oracle.closed(wal);
  } catch (error) {
    if (!(error instanceof WalError)) throw error;
  }
}

async function take(wal: Wal, runtime: MemoryRuntime, step: Step, oracle: Oracle, level: Durability): Promise<void> {
  if ("commit" in step) await Promise.all(step.commit.map((length) => commit(wal, oracle, length, level)));
  if ("append" in step) { for (const length of step.append) append(wal, oracle, length, level); }
  if ("batch" in step) await commitBatch(wal, oracle, step.batch, level);
  if ("flush" in step) await wal.flush().then((lsn) => oracle.synced(lsn), tolerate);
  if ("idle" in step) await runtime.clock.advance(200);
  if ("read" in step) await readInside(wal, oracle);
  if ("room" in step) runtime.disk.sizeBytes = runtime.disk.usedBytes + step.room;
}

/** An error of the log is an answer; anything else is not. */
function tolerate(error: unknown): void {
  if (!(error instanceof WalError)) throw error;
}

function commit(wal: Wal, oracle: Oracle, length: number, level: Durability): Promise<void> {
  const value = oracle.value(length);
  const before = wal.lastLsn;
  const call = wal.commit(value);
  const lsn = wal.lastLsn;
  if (lsn === before) {
    oracle.floats(value);
    return call.then((landed) => {
      oracle.landed(landed, value);
      oracle.acknowledged(landed, level);
    }, tolerate);
  }
  oracle.accepted(lsn, value);
  return settle(call, oracle, [lsn], level);
}

function append(wal: Wal, oracle: Oracle, length: number, level: Durability): void {
  const value = oracle.value(length);
  try {
    const lsn = wal.append(value);
    oracle.accepted(lsn, value);
    settle(wal.waitFor(lsn), oracle, [lsn], level).catch(() => {});
  } catch (error) {
    tolerate(error);
  }
}

function commitBatch(wal: Wal, oracle: Oracle, lengths: readonly number[], level: Durability): Promise<void> {
  const values = lengths.map((length) => oracle.value(length));
  const before = wal.lastLsn;
  const call = wal.commitBatch(values);
  const batch = oracle.batch();
  const note = (lastLsn: number, write: (lsn: number, value: string, batch: number) => void): number[] =>
    values.map((value, nth) => {
      const lsn = lastLsn - values.length + 1 + nth;
      write(lsn, value, batch);
      return lsn;
    });
  if (wal.lastLsn > before) {
    return settle(call, oracle, note(wal.lastLsn, (...entry) => oracle.accepted(...entry)), level);
  }
  for (const value of values) oracle.floats(value);
  return call.then((last) => {
    for (const lsn of note(last, (...entry) => oracle.landed(...entry))) oracle.acknowledged(lsn, level);
  }, tolerate);
}

async function settle(
  call: Promise<unknown>,
  oracle: Oracle,
  lsns: readonly number[],
  level: Durability,
): Promise<void> {
  try {
    await call;
    for (const lsn of lsns) oracle.acknowledged(lsn, level);
  } catch (error) {
    tolerate(error);
    if (error instanceof WalDiskFullError) { for (const lsn of lsns) oracle.rejected(lsn); }
  }
}

async function readInside(wal: Wal, oracle: Oracle): Promise<void> {
  const { durableLsn } = wal;
  const entries = [];
  for await (const entry of wal.readable()) entries.push(entry);
  if (wal.state === "open") oracle.checkInside(wal, entries, durableLsn);
}

/** `waitFor` resolves for what is there, and for nothing else. */
export async function checkWaits(wal: Wal, oracle: Oracle): Promise<void> {
  const { present, skipped } = oracle.lsns();
  for (const lsn of present) if (lsn >= wal.firstLsn) await wal.waitFor(lsn);
  for (const lsn of [...skipped, wal.lastLsn + 1]) {
    await wal.waitFor(lsn).then(() => {
      throw new Violation(`waitFor resolved for ${lsn}, which is not there`);
    }, tolerate);
  }
}
