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
/** Those with a window. */
const WINDOWS: readonly Preset[] = ["oltp", "mixed", "analytics", "batch"];
/** A window is worth its wait where the disk makes at most this share of the syncs that it could make one after the other. */
const SPARED = 0.75;
/** More than so many times what was expected, and so much more, is not the disk's alone. */
const DISTURBED_TIMES = 5;
const DISTURBED_MS = 20;

/** Which preset fits, what to expect, and what a power cut costs or what to avoid. */
export function adviceOf(figures: BenchFigures): [string, string, string] {
  return [fitting(figures), expectation(figures), danger(figures)];
}

/** The preset with the shortest window that kept up and spared the disk syncs, or null: none. */
export function fittingPreset({ disk, presets }: BenchFigures): PresetFigure | null {
  const { p50Ms } = disk.largePrepared;
  if (p50Ms < FAST_MS) return null;
  const mostSyncs = SPARED * 1000 / p50Ms;
  const isGood = ({ hasKeptUp, syncsPerSecond }: PresetFigure): boolean => hasKeptUp && syncsPerSecond <= mostSyncs;
  return presets.find((figure) => WINDOWS.includes(figure.preset) && isGood(figure)) ?? null;
}

/** What shows that something else had the disk or the processor meanwhile, for a person to read; or null. */
export function doubtOf({ log, presets }: BenchFigures): string | null {
  const late = presets.find(({ hasKeptUp, p99Ms, expectedP99Ms }) =>
    Number.isFinite(expectedP99Ms) && (!hasKeptUp || p99Ms > DISTURBED_TIMES * expectedP99Ms + DISTURBED_MS)
  );
  const rates = [log.someAtSync.commitsPerSecond, log.one.commitsPerSecond];
  const isUneven = Math.max(...rates) > 2 * Math.min(...rates);
  if (late === undefined && !isUneven) return null;
  const sign = late !== undefined
    ? `"${late.preset}" did much worse than this disk alone would have it`
    : `one caller and ${log.someAtSync.callers} at sync, who all pay a sync for each commit, differ by more than twice`;
  return `NOTE: ${sign}. Perhaps something else had the disk or the processor: run it again before you believe it.`;
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
    const { windowMs, offeredPerSecond, syncsPerSecond, p99Ms } = preset;
    const fits = `The preset "${preset.preset}" fits: ${syncs}, and with a window of ${windowMs} ms ` +
      `${count(syncsPerSecond)} syncs a second carry ${count(offeredPerSecond)} entries/s`;
    return `${fits}, which are durable within ${duration(p99Ms)} in 99 of 100 cases.`;
  }
  return `Take no preset: ${syncs}, ${whyNone(figures)}, and a busy log groups by itself.`;
}

function whyNone({ disk, presets }: BenchFigures): string {
  if (disk.largePrepared.p50Ms < FAST_MS) return "which is less than any window would wait";
  const hasAny = presets.some(({ preset, hasKeptUp }) => WINDOWS.includes(preset) && hasKeptUp);
  return hasAny ? "no window spared the disk syncs" : "no preset with a window kept up with its rate";
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
    return `${power}; ${dear}, so leave the option spares as it is: those are prepared.`;
  }
  return `${power}; avoid "sync" with many callers, who get ${count(log.timesGrouped)} times as much by sharing syncs.`;
}
