/**
 * What the log does with callers who each await their commit before they make the next one.
 *
 * @module
 */

import type { Wal } from "../../mod.ts";
import { Histogram } from "../stats.ts";
import { type BenchPreset, windowOf } from "./bench_expected.ts";
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

/** One caller at preset `"sync"`, and one and a thousand with no preset. */
export interface LogFigures {
  readonly oneAtSync: CallersFigure;
  readonly one: CallersFigure;
  readonly thousand: CallersFigure;
  /** How many times the commits that one has at `"sync"` a thousand have. */
  readonly timesGrouped: number;
}

const SHARES = 3;
const MEASUREMENTS = 3;
/** So much of the time of each does not count. */
const WARM_UP = 0.15;

/** How many shares of the time this asks for. */
export const LOG_SHARES: number = MEASUREMENTS * SHARES;

/** See the head of this file. */
export async function measureLog(wal: Wal, entry: Uint8Array, time: BenchTime): Promise<LogFigures> {
  const measure = async (preset: BenchPreset, callers: number, what: string): Promise<CallersFigure> => {
    await wal.configure(windowOf(preset));
    const startMs = performance.now();
    const endMs = time.begin(`the log: ${what}`, SHARES);
    await commitUntil(wal, entry, callers, startMs + (endMs - startMs) * WARM_UP, time);
    const before = wal.stats();
    const countedMs = performance.now();
    const times = await commitUntil(wal, entry, callers, endMs, time);
    const elapsedMs = performance.now() - countedMs;
    const { count, p50Ms, p99Ms } = times.read();
    const syncsPerCommit = (wal.stats().fsyncs - before.fsyncs) / count;
    return { preset, callers, commitsPerSecond: Math.round(count * 1000 / elapsedMs), syncsPerCommit, p50Ms, p99Ms };
  };
  const oneAtSync = await measure("sync", 1, "one caller, preset sync");
  const one = await measure("none", 1, "one caller");
  const thousand = await measure("none", 1000, "1,000 callers");
  return { oneAtSync, one, thousand, timesGrouped: thousand.commitsPerSecond / oneAtSync.commitsPerSecond };
}

/** Each commits once at least. */
async function commitUntil(
  wal: Wal,
  entry: Uint8Array,
  callers: number,
  endMs: number,
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
    } while (nowMs < endMs);
  };
  await Promise.all(Array.from({ length: callers }, call));
  return times;
}
