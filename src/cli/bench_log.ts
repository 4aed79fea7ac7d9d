/**
 * What the log does with callers who each await their commit before they make the next one.
 *
 * @module
 */

import type { Wal } from "../../mod.ts";
import { Histogram } from "../stats.ts";
import { type BenchPreset, STORED_BYTES, windowOf } from "./bench_expected.ts";
import type { BenchTime } from "./bench_time.ts";

/** So many callers at one preset. */
export interface CallersFigure {
  readonly preset: BenchPreset;
  readonly callers: number;
  readonly commitsPerSecond: number;
  readonly syncsPerCommit: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Some callers at preset `"sync"`, and one and a thousand with no preset. */
export interface LogFigures {
  readonly someAtSync: CallersFigure;
  readonly one: CallersFigure;
  readonly thousand: CallersFigure;
  /** The commits of a thousand who share syncs, by those of some at `"sync"`. */
  readonly timesGrouped: number;
}

/** Where each entry has a sync of its own, more callers make no more commits: they would only wait longer. */
const CALLERS_AT_SYNC = 16;

const SHARES = 3;
const MEASUREMENTS = 3;
/** So much of the time of each does not count. */
const WARM_UP = 0.15;

/** How many shares of the time this asks for. */
export const LOG_SHARES: number = MEASUREMENTS * SHARES;

/** Measures one log. @param roomBytes So much the log may take at once, about. */
export async function measureLog(wal: Wal, entry: Uint8Array, roomBytes: number, time: BenchTime): Promise<LogFigures> {
  const measure = async (preset: BenchPreset, callers: number, what: string): Promise<CallersFigure> => {
    await wal.configure(windowOf(preset));
    const lastLsn = wal.lastLsn + Math.floor(roomBytes / STORED_BYTES);
    const startMs = performance.now();
    const endMs = time.begin(`the log: ${what}`, SHARES);
    await commitUntil(wal, entry, callers, { endMs: startMs + (endMs - startMs) * WARM_UP, lastLsn }, time);
    const before = wal.stats();
    const countedMs = performance.now();
    const times = await commitUntil(wal, entry, callers, { endMs, lastLsn }, time);
    const elapsedMs = performance.now() - countedMs;
    const { count, p50Ms, p99Ms } = times.read();
    const syncsPerCommit = (wal.stats().fsyncs - before.fsyncs) / count;
    await wal.truncateBefore(wal.lastLsn); // gives the room back
    return { preset, callers, commitsPerSecond: Math.round(count * 1000 / elapsedMs), syncsPerCommit, p50Ms, p99Ms };
  };
  const someAtSync = await measure("sync", CALLERS_AT_SYNC, `${CALLERS_AT_SYNC} callers, preset sync`);
  const one = await measure("none", 1, "one caller");
  const thousand = await measure("none", 1000, "1,000 callers");
  return { someAtSync, one, thousand, timesGrouped: thousand.commitsPerSecond / someAtSync.commitsPerSecond };
}

/** Whichever comes first. */
interface End {
  readonly endMs: number;
  readonly lastLsn: number;
}

/** Each commits once at least. */
async function commitUntil(
  wal: Wal,
  entry: Uint8Array,
  callers: number,
  { endMs, lastLsn }: End,
  time: BenchTime,
): Promise<Histogram> {
  const times = new Histogram();
  const call = async (): Promise<void> => {
    let nowMs = performance.now();
    do {
      const beforeMs = nowMs;
      await wal.commit(entry);
      nowMs = performance.now();
      times.record(nowMs - beforeMs);
      time.check();
    } while (nowMs < endMs && wal.lastLsn < lastLsn);
  };
  await Promise.all(Array.from({ length: callers }, call));
  return times;
}
