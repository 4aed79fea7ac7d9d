// `walstream bench`: what it says, in tables and in JSON, and that it leaves a disk as it was, however it ends.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { slowRuntime } from "../bench/instruments/slow_runtime.ts";
import { Wal } from "../mod.ts";
import type { DiskFigures } from "../src/cli/bench_disk.ts";
import { Arrivals } from "../src/cli/bench_arrivals.ts";
import { LOG_SHARES, measureLog } from "../src/cli/bench_log.ts";
import { makePlace, removePlace } from "../src/cli/bench_place.ts";
import { measurePresets, PRESET_SHARES } from "../src/cli/bench_presets.ts";
import { BenchTime } from "../src/cli/bench_time.ts";
import { duration } from "../src/cli/bench_words.ts";
import { cli } from "./support/cli_runs.ts";
import { within } from "./support/deadline.ts";
import { currentRuntime, type Ended, type Program } from "./support/processes.ts";
import { inSandbox } from "./support/sandbox.ts";

const LIMIT_SECONDS = 60;

/** How it ended; a bench that does not end is ended. */
async function endOf(bench: Program): Promise<Ended> {
  try {
    return await within(LIMIT_SECONDS, "the bench", bench.ended);
  } finally {
    await bench.kill();
  }
}

/** Runs a test in a directory that holds a file already; nothing but that must be in it afterwards. */
async function inUse(body: (directory: string) => Promise<void>): Promise<void> {
  await inSandbox(async (directory) => {
    await writeFile(join(directory, "kept"), "mine");
    await body(directory);
    assertEquals(await readdir(directory), ["kept"]);
    assertEquals(await readFile(join(directory, "kept"), "utf8"), "mine");
  });
}

test("bench: tables, and three sentences at the end, in 80 columns", () =>
  inUse(async (directory) => {
    const { code, output, errors } = await endOf(cli(["bench", directory, "--seconds", "3"]));
    assertEquals([code, errors], [0, ""], output);
    for (const size of ["160 B", "128 KiB"]) {
      for (const kind of ["prepared", "growing"]) {
        assertMatch(output, new RegExp(`^ *${size}, ${kind}( +[\\d.]+ .s){3} `, "m"));
      }
    }
    assertMatch(output, /^ +16 +sync +[\d,]+ /m);
    assertMatch(output, /^ +1 +none +[\d,]+ /m);
    assertMatch(output, /^ +1,000 +none +[\d,]+ /m);
    for (const preset of ["sync", "oltp", "mixed", "analytics", "batch", "async"]) {
      assertMatch(output, new RegExp(`^ *${preset} +[\\d,]+ .* (yes|NO)$`, "m"));
    }
    const told = output.slice(output.indexOf("Entries are of 100 bytes.\n") + 26).trim();
    const advice = told.replace(/^NOTE: [^]*?\n\n/, "").replaceAll("\n", " "); // on a busy machine there is one
    assertEquals(advice.split(/(?<=\.) /).length, 3, advice);
    for (
      const line of output.split("\n").filter((line) => !line.includes(directory))
    ) {
      assert(line.length <= 80, `${line.length} columns: ${line}`);
    }
    assert(!output.includes("\x1b") && !output.includes("\r"), "no terminal, no control characters");
  }));

interface Report {
  readonly version: string;
  readonly runtime: string;
  readonly seconds: number;
  readonly disk: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly log: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly presets: readonly Readonly<Record<string, unknown>>[];
  readonly advice: readonly string[];
}

test("bench: one JSON object with all of it, and nothing else", () =>
  inUse(async (directory) => {
    const { code, output, errors } = await endOf(cli(["bench", directory, "--seconds", "3", "--json"]));
    assertEquals([code, errors], [0, ""], output);
    const report = JSON.parse(output) as Report;
    assertEquals(Object.keys(report), [
      ...["version", "runtime", "runtimeVersion", "directory", "seconds"],
      ...["inMemory", "disk", "log", "presets", "doubt", "advice"],
    ]);
    assertEquals([report.runtime, report.seconds, report.advice.length], [currentRuntime, 3, 3]);
    assertMatch(report.version, /^\d+\.\d+\.\d+/);
    assertEquals(Object.keys(report.disk), ["smallPrepared", "smallGrowing", "largePrepared", "largeGrowing"]);
    for (const figure of Object.values(report.disk)) {
      assertEquals(Object.keys(figure), ["writeBytes", "count", "p50Ms", "p99Ms", "worstMs", "bytesPerSecond"]);
      assert(Object.values(figure).every((value) => value > 0), JSON.stringify(figure));
    }
    const { someAtSync, one, thousand } = report.log;
    assertEquals([someAtSync?.["callers"], one?.["callers"], thousand?.["callers"]], [16, 1, 1000]);
    assert((thousand?.["syncsPerCommit"] ?? 1) < (someAtSync?.["syncsPerCommit"] ?? 0), "a thousand share syncs");
    assertEquals(report.presets.map(({ preset }) => preset), ["sync", "oltp", "mixed", "analytics", "batch", "async"]);
    for (const figure of report.presets) {
      const names = ["offeredPerSecond", "expectedP99Ms", "p50Ms", "p99Ms", "syncsPerSecond", "settledPerSecond"];
      for (const name of [...names, "hasKeptUp"]) assert(name in figure, `${name} of ${JSON.stringify(figure)}`);
    }
  }));

const signals = [["SIGINT", 130, "30", /^walstream /], ["SIGTERM", 143, "3", /^The disk/]] as const;

for (const [signal, status, seconds, line] of signals) {
  test(`bench: ${signal} ends it, and nothing of it stays`, () =>
    inUse(async (directory) => {
      const bench = cli(["bench", directory, "--seconds", seconds]);
      try {
        while (!line.test(await within(LIMIT_SECONDS, String(line), bench.nextLine())));
        process.kill(bench.pid, signal);
        const { code, errors } = await endOf(bench);
        assertEquals([code, errors], [status, ""]);
      } finally {
        await bench.kill();
      }
    }));
}

test("bench: a directory that will not do is told in one line that says what to do", () =>
  inUse(async (directory) => {
    const wrong: [string, number, RegExp][] = [
      [join(directory, "nowhere"), 66, /there is no .*nowhere: make that directory first/],
      [join(directory, "kept"), 66, /kept is no directory: name one/],
    ];
    // Nobody may make a directory there, not even root.
    if (process.platform === "linux") wrong.push(["/proc", 73, /cannot make a directory in \/proc \(E\w+\): name one/]);
    const ends = await Promise.all(wrong.map(([parent]) => endOf(cli(["bench", parent]))));
    for (const [nth, { code, output, errors }] of ends.entries()) {
      const [, status, problem] = wrong[nth] ?? ["", 0, /./];
      assertEquals([code, output], [status, ""], errors);
      assertMatch(errors, /^walstream: [^\n]+\n$/);
      assertMatch(errors, problem);
    }
  }));

const noSharedMemory: string | false = existsSync("/dev/shm") ? false : "there is no /dev/shm";

test("bench: it knows what lies in memory", { skip: noSharedMemory }, async () => {
  const place = await makePlace("/dev/shm");
  await removePlace(place);
  assertEquals(place.inMemory, "tmpfs");
  assert(!existsSync(place.directory));
});

// -- arrivals

const SYNC_MS = 10;

test("bench: a disk that is slower than it was does not keep up, and is not waited for", () =>
  inSandbox(async (directory) => {
    await mkdir(join(directory, "log"));
    const runtime = await slowRuntime({ syncMs: SYNC_MS, writeMs: 0 });
    const wal = await Wal.open(join(directory, "log"), { runtime, io: "pool" });
    const figure = { writeBytes: 160, count: 1, p50Ms: 0.1, p99Ms: 0.2, worstMs: 1, bytesPerSecond: 1e9 };
    const disk: DiskFigures = {
      smallPrepared: figure,
      smallGrowing: figure,
      largePrepared: { ...figure, writeBytes: 131_072 },
      largeGrowing: { ...figure, writeBytes: 131_072 },
    };
    const time = new BenchTime(1.2, PRESET_SHARES, new AbortController().signal);
    const presets = await measurePresets(wal, new Uint8Array(100), disk, 50_000_000, time);
    await wal.close();
    const [sync, ...others] = presets;
    // It arrives 5,000 times a second, and each has a sync of its own.
    assertEquals([sync?.preset, sync?.offeredPerSecond, sync?.hasKeptUp], ["sync", 5000, false]);
    assert(
      (sync?.settledPerSecond ?? 0) <= 1000 / SYNC_MS,
      `${sync?.settledPerSecond}/s with a sync of ${SYNC_MS} ms each`,
    );
    assertEquals(others.map(({ preset }) => preset), ["oltp", "mixed", "analytics", "batch", "async"]);
  }));

test("bench: of arrivals that were over before any counted no time is told", () => {
  const arrivals = new Arrivals(1000, 10, 1);
  const { p50Ms, p99Ms } = arrivals.read();
  assertEquals([p50Ms, p99Ms].map(duration), ["-", "-"]);
});

test("bench: a log that has little room ends early, and gives it back", () =>
  inSandbox(async (directory) => {
    const wal = await Wal.open(directory);
    const roomBytes = 100_000;
    const time = new BenchTime(0.3, LOG_SHARES, new AbortController().signal);
    const { thousand } = await measureLog(wal, new Uint8Array(100), roomBytes, time);
    assert(thousand.commitsPerSecond > 0);
    assertEquals(wal.firstLsn, wal.lastLsn);
    const { entries } = wal.stats();
    assert(entries < 3 * (roomBytes / 106) + 2 * (16 + 1 + 1000), `${entries} entries`);
    await wal.close();
  }));

test("bench: a signal in the middle of arrivals ends them", () =>
  inSandbox(async (directory) => {
    const wal = await Wal.open(directory);
    const interruption = new AbortController();
    const figure = { writeBytes: 160, count: 1, p50Ms: 5, p99Ms: 9, worstMs: 9, bytesPerSecond: 1e6 };
    const disk = { smallPrepared: figure, smallGrowing: figure, largePrepared: figure, largeGrowing: figure };
    const time = new BenchTime(100_000, PRESET_SHARES, interruption.signal);
    setTimeout(() => interruption.abort(new Error("enough")), 100);
    const ended = measurePresets(wal, new Uint8Array(100), disk, 50_000_000, time).then(String, String);
    assertStringIncludes(await within(LIMIT_SECONDS, "the arrivals", ended), "enough");
    await wal.close();
  }));
