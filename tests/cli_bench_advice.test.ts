// What the bench expects of a disk, and what it advises: disks that are made up, from a fast one to one that lies.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { test } from "node:test";
import { adviceOf, type BenchFigures, doubtOf, fittingPreset } from "../src/cli/bench_advice.ts";
import type { DiskFigure, DiskFigures } from "../src/cli/bench_disk.ts";
import { expectedP99Ms, windowOf } from "../src/cli/bench_expected.ts";
import type { CallersFigure } from "../src/cli/bench_log.ts";
import type { PresetFigure } from "../src/cli/bench_presets.ts";
import { duration, wrapped } from "../src/cli/bench_words.ts";
import type { Preset } from "../mod.ts";

interface MadeUp {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** How many times a prepared one a growing one takes. */
  readonly growth?: number;
  readonly largeP50Ms?: number;
}

function diskOf({ p50Ms, p99Ms, growth = 1, largeP50Ms = p50Ms }: MadeUp): DiskFigures {
  const figure = (writeBytes: number, medianMs: number): DiskFigure => ({
    writeBytes,
    count: 1000,
    p50Ms: medianMs,
    p99Ms: Math.max(medianMs, p99Ms),
    worstMs: 2 * p99Ms,
    bytesPerSecond: writeBytes * 1000 / medianMs,
  });
  return {
    smallPrepared: figure(160, p50Ms),
    smallGrowing: figure(160, growth * p50Ms),
    largePrepared: figure(131_072, largeP50Ms),
    largeGrowing: figure(131_072, growth * largeP50Ms),
  };
}

const rates: readonly (readonly [Preset, number])[] = [
  ["oltp", 50_000],
  ["mixed", 100_000],
  ["analytics", 250_000],
  ["batch", 500_000],
  ["async", 1_000_000],
];

interface Circumstances {
  readonly inMemory?: string;
  readonly behind?: readonly Preset[];
  /** Whose windows spare the disk half of its syncs. */
  readonly sparing?: readonly Preset[];
  readonly p99Times?: number;
  readonly syncTimes?: number;
}

const windows: readonly Preset[] = ["oltp", "mixed", "analytics", "batch"];

function figuresOf(madeUp: MadeUp, circumstances: Circumstances = {}): BenchFigures {
  const { inMemory, behind = [], sparing = windows, p99Times = 1, syncTimes = 1 } = circumstances;
  const disk = diskOf(madeUp);
  const callers = (count: number, preset: CallersFigure["preset"]): CallersFigure => ({
    preset,
    callers: count,
    commitsPerSecond: Math.round((preset === "sync" ? syncTimes : count) * 1000 / madeUp.p50Ms),
    syncsPerCommit: 1 / count,
    p50Ms: madeUp.p50Ms,
    p99Ms: madeUp.p99Ms,
  });
  const presets = rates.map(([preset, offeredPerSecond]): PresetFigure => {
    const window = windowOf(preset);
    const p99Ms = expectedP99Ms(disk, window, offeredPerSecond);
    const syncsPerSecond = Math.round((sparing.includes(preset) ? 500 : 1000) / disk.largePrepared.p50Ms);
    const measured = {
      p50Ms: p99Ms / 2,
      p99Ms: p99Times * p99Ms,
      syncsPerSecond,
      settledPerSecond: offeredPerSecond,
    };
    return {
      preset,
      ...window,
      offeredPerSecond,
      expectedP99Ms: p99Ms,
      ...measured,
      hasKeptUp: !behind.includes(preset),
    };
  });
  const log = {
    someAtSync: callers(16, "sync"),
    one: callers(1, "none"),
    thousand: callers(1000, "none"),
    timesGrouped: 1000,
  };
  return { inMemory: inMemory ?? null, disk, log, presets };
}

const fast: MadeUp = { p50Ms: 0.05, p99Ms: 0.2, growth: 1.6, largeP50Ms: 0.11 };
const spinning: MadeUp = { p50Ms: 8, p99Ms: 20, growth: 1.1, largeP50Ms: 8.6 };
const network: MadeUp = { p50Ms: 3, p99Ms: 50, largeP50Ms: 3.2 };
const lying: MadeUp = { p50Ms: 0.004, p99Ms: 0.01, largeP50Ms: 0.03 };

test("bench: a fast disk needs no window, and a growing file is what is dear on it", () => {
  const [fits, expect, danger] = adviceOf(figuresOf(fast));
  assertMatch(fits, /^Take no preset: a sync of 128 KiB takes 110 µs, which is less than any window/);
  assertMatch(
    expect,
    /one caller .* gets 20,000 commits\/s, 99 of 100 within 200 µs, and a thousand .* 20,000,000 commits/,
  );
  assertMatch(expect, /one sync for 1,000 of them\.$/);
  assertMatch(danger, /^Losing power costs nothing that was acknowledged.* takes 1\.6 times .* spares as it is: /);
});

test("bench: a slow disk gets the shortest window that spared it syncs, if any did", () => {
  const sparing: readonly Preset[] = ["mixed", "batch"];
  const [fits, , danger] = adviceOf(figuresOf(spinning, { sparing }));
  assertMatch(
    fits,
    /^The preset "mixed" fits: a sync of 128 KiB takes 8\.60 ms, and with a window of 10 ms 58 syncs a second carry 100,000 entries\/s/,
  );
  assertMatch(danger, /; avoid "sync" with many callers, who get 1,000 times as much/);
  const fitting = (p50Ms: number) => fittingPreset(figuresOf({ p50Ms, p99Ms: 2 * p50Ms }, { sparing }))?.preset;
  assertEquals([0.9, 1.1, 200].map(fitting), [undefined, "mixed", "mixed"]);
  const [none] = adviceOf(figuresOf(spinning, { sparing: [] }));
  assertMatch(none, /^Take no preset: .*, no window spared the disk syncs, and a busy log groups by itself\.$/);
});

test("bench: where something else had the disk, the figures are to be doubted", () => {
  assertEquals(doubtOf(figuresOf(spinning)), null);
  assertMatch(
    doubtOf(figuresOf(spinning, { behind: ["mixed"] })) ?? "",
    /^NOTE: "mixed" did much worse .* run it again/,
  );
  assertMatch(doubtOf(figuresOf(spinning, { p99Times: 7 })) ?? "", /^NOTE: "oltp" did much worse/);
  assertMatch(doubtOf(figuresOf(spinning, { syncTimes: 0.4 })) ?? "", /^NOTE: one caller and 16 at sync/);
  assertEquals(doubtOf(figuresOf({ p50Ms: 1, p99Ms: 4, largeP50Ms: 9 }, { behind: ["batch"] })), null);
});

test("bench: a disk that is slow now and then is to be kept off the thread", () => {
  const [fits, , danger] = adviceOf(figuresOf(network));
  assertMatch(fits, /^The preset "oltp" fits/);
  assertMatch(danger, /one sync in 100 takes 50\.0 ms, so give io: "pool"/);
  const [, , sudden] = adviceOf(figuresOf({ p50Ms: 0.2, p99Ms: 12 }));
  assertMatch(sudden, /io: "pool"/);
  const [, , even] = adviceOf(figuresOf({ p50Ms: 9, p99Ms: 12 }));
  assert(!even.includes("pool"), even);
});

test("bench: a disk that is too fast to be true is told to be that", () => {
  const [, , danger] = adviceOf(figuresOf(lying));
  assertMatch(danger, /^A sync in 4 µs is faster than disks are, so that it may not be syncing at all/);
  assert(!danger.includes("costs nothing"));
});

test("bench: of what lies in memory nothing is said that would hold on a disk", () => {
  for (const madeUp of [lying, fast]) {
    const [fits, , danger] = adviceOf(figuresOf(madeUp, { inMemory: "tmpfs" }));
    assertMatch(fits, /^This directory lies in memory \(tmpfs\)/);
    assertMatch(danger, /^Losing power costs the whole log/);
  }
});

test("bench: no preset is advised that did not keep up with its rate", () => {
  const fitting = (behind: readonly Preset[]) => fittingPreset(figuresOf(spinning, { behind }))?.preset;
  assertEquals([fitting([]), fitting(["oltp"]), fitting(["oltp", "mixed", "analytics"])], ["oltp", "mixed", "batch"]);
  const [fits] = adviceOf(figuresOf(spinning, { behind: ["oltp", "mixed", "analytics", "batch"] }));
  assertMatch(fits, /^Take no preset: .* no preset with a window kept up/);
});

test("bench: whatever the disk, it is three sentences with figures in them", () => {
  for (const madeUp of [fast, spinning, network, lying, { p50Ms: 0.001, p99Ms: 0.001 }, { p50Ms: 900, p99Ms: 4000 }]) {
    const all = rates.map(([preset]) => preset);
    for (const circumstances of [{}, { inMemory: "ramfs" }, { behind: all }, { sparing: [] }]) {
      const advice = adviceOf(figuresOf(madeUp, circumstances));
      for (const sentence of advice) {
        assertMatch(sentence, /^[A-Z][^.]*(?:\.(?! )[^.]*)*\.$/);
        assert(!/NaN|Infinity|undefined|null/.test(sentence), sentence);
      }
      assertEquals(advice.length, 3);
    }
  }
});

test("bench: what is expected is the timer, the window, a slow flush in flight and one's own", () => {
  const disk = diskOf({ p50Ms: 1, p99Ms: 4, largeP50Ms: 2 });
  const expected = (preset: Preset, perSecond: number): number => expectedP99Ms(disk, windowOf(preset), perSecond);
  const near = (left: number, right: number) => assert(Math.abs(left - right) < 0.05, `${left} is not ${right}`);
  near(expected("oltp", 1000), 2 + 5 + 4 + 1);
  near(expected("oltp", 50_000), 2 + 1 + 4 + 1 + 2 * 0.04); // 50 entries fill the window in 1 ms
  near(expected("batch", 500_000), 2 + 2 + 4 + 1 + 2 * 0.81); // 1,000 of 106 bytes in 2 ms
  near(expected("sync", 500), 2 + 1 + 4);
  near(expected("sync", 2000), 2 + 4 * 1 + 4); // four in the 2 ms of a timer, one after the other
  near(expected("async", 1_000_000), 2);
  assertEquals(expectedP99Ms(diskOf({ p50Ms: 1, p99Ms: 4, largeP50Ms: 9 }), windowOf("batch"), 500_000), Infinity);
});

test("bench: times and lines fit a terminal", () => {
  assertEquals([0.0004, 0.052, 0.9994, 0.9996, 12.34, 1234, Infinity, NaN].map(duration), [
    "0 µs",
    "52 µs",
    "999 µs",
    "1.00 ms",
    "12.3 ms",
    "1234 ms",
    "-",
    "-",
  ]);
  const lines = wrapped("word ".repeat(40).trim()).split("\n");
  assertEquals(lines.map((line) => line.length), [79, 79, 39]);
});
