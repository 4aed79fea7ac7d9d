/**
 * What the figures of a bench mean for whoever has this disk, in three sentences.
 *
 * @module
 */

import type { Preset } from "../../mod.ts";
import type { DiskFigures } from "./bench_disk.ts";
import type { LogFigures } from "./bench_log.ts";
import type { PresetFigure } from "./bench_presets.ts";
import { duration } from "./bench_words.ts";
import { count } from "./table.ts";

/** All that was measured. */
export interface BenchFigures {
  /** The file system where it lies in memory. */
  readonly inMemory: string | null;
  readonly disk: DiskFigures;
  readonly log: LogFigures;
  readonly presets: readonly PresetFigure[];
}

/** A disk that syncs faster gains nothing by a window: while one flush is in flight, company for the next gathers anyway. */
const FAST_MS = 1;
/** No sync that reaches a disk, or memory that outlasts a power cut, is known to be faster. */
const TOO_FAST_MS = 0.02;
/** A sync now and then that takes so long, and so many times the usual, holds up everything else in the process. */
const SLOW_MS = 10;
const SLOW_TIMES = 4;
const DEAR_GROWTH = 1.3;
/** Each is about twice as long as the one before, so that one of them is about as long as a sync: */
const WINDOWS: readonly Preset[] = ["oltp", "mixed", "analytics", "batch"];
/** a sync takes at most so many times the window. */
const ABOUT = 1.5;

/** Which preset fits, what to expect, and what a power cut costs or what to avoid. */
export function adviceOf(figures: BenchFigures): [string, string, string] {
  return [fitting(figures), expectation(figures), danger(figures)];
}

/** The preset whose window is about as long as a sync, or null: none. A window that did not keep up fits nobody. */
export function fittingPreset({ disk, presets }: BenchFigures): PresetFigure | null {
  const { p50Ms } = disk.largePrepared;
  if (p50Ms < FAST_MS) return null;
  const good = presets.filter(({ preset, hasKeptUp }) => WINDOWS.includes(preset) && hasKeptUp);
  return good.find(({ windowMs }) => ABOUT * windowMs >= p50Ms) ?? good.at(-1) ?? null;
}

function fitting(figures: BenchFigures): string {
  const { inMemory, disk } = figures;
  if (inMemory !== null) {
    const told = `This directory lies in memory (${inMemory}), so that nothing here says anything of a disk`;
    return `${told}: run it again where the log shall be, and take no preset until then.`;
  }
  const syncs = `a sync of 128 KiB takes ${duration(disk.largePrepared.p50Ms)}`;
  const preset = fittingPreset(figures);
  if (preset !== null) {
    const { windowMs, arrivalsPerSecond, p99Ms } = preset;
    const fits =
      `The preset "${preset.preset}" fits: ${syncs}, and a window of ${windowMs} ms saves about half of them`;
    return `${fits}, with ${count(arrivalsPerSecond)} entries/s durable within ${duration(p99Ms)} in 99 of 100 cases.`;
  }
  const why = disk.largePrepared.p50Ms < FAST_MS
    ? "which is less than any window would wait"
    : "and no preset with a window kept up with its rate";
  return `Take no preset: ${syncs}, ${why}, and a busy log groups by itself.`;
}

function expectation({ log: { one, thousand } }: BenchFigures): string {
  const rate = ({ commitsPerSecond, p99Ms }: typeof one): string =>
    `${count(commitsPerSecond)} commits/s, 99 of 100 within ${duration(p99Ms)}`;
  const shared = Math.max(1, 1 / thousand.syncsPerCommit);
  return `With no preset one caller who awaits each commit gets ${rate(one)}, and a thousand callers get ` +
    `${rate(thousand)}, with one sync for ${count(shared)} of them.`;
}

function danger({ inMemory, disk, log }: BenchFigures): string {
  const { p50Ms, p99Ms } = disk.smallPrepared;
  if (inMemory !== null) return "Losing power costs the whole log here, whatever the preset.";
  if (p50Ms < TOO_FAST_MS) {
    const told = `A sync in ${duration(p50Ms)} is faster than disks are, so that it may not be syncing at all`;
    return `${told}, and losing power may cost what was acknowledged, whatever the preset: ask who knows its caches.`;
  }
  const power = 'Losing power costs nothing that was acknowledged, but with "async" the last second';
  const growth = disk.smallGrowing.p50Ms / p50Ms;
  if (p99Ms >= Math.max(SLOW_MS, SLOW_TIMES * p50Ms)) {
    return `${power}; one sync in 100 takes ${duration(p99Ms)}, so give io: "pool", which lets everything else go on.`;
  }
  if (growth >= DEAR_GROWTH) {
    const dear = `a sync of a growing file takes ${growth.toFixed(1)} times that of a prepared one`;
    return `${power}; ${dear}, so leave the log its spares.`;
  }
  return `${power}; avoid "sync" with many callers, who get ${count(log.timesGrouped)} times as much by sharing syncs.`;
}
