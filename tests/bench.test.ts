// The bench as a tool: what it writes, how it takes what it is told, and that it measures what it says. Not how fast
// anything is.

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { Wal } from "@walstream/wal";
import { MemoryRuntime } from "@walstream/wal/memory";
import { drawCharts } from "../bench/charts/charts.ts";
import { makeSteady, MovingHead, steadyCourse } from "../bench/contenders/steady_log.ts";
import { atLeast, atMost, besideTuned, Figures } from "../bench/harness/figures.ts";
import type { Contender, Reading } from "../bench/harness/point.ts";
import type { Figure, PointLine } from "../bench/harness/point_line.ts";
import { runRounds } from "../bench/harness/rounds.ts";
import { Scale } from "../bench/harness/scale.ts";
import { median, Times } from "../bench/harness/statistics.ts";
import { callAll } from "../bench/instruments/callers.ts";
import { flushBytes, pick, randomEntries } from "../bench/instruments/entries.ts";
import { CountingRuntime, writtenBytes } from "./support/counting_runtime.ts";
import { currentRuntime, Program } from "./support/processes.ts";
import { inSandbox } from "./support/sandbox.ts";

function bench(given: readonly string[]): Program {
  const flags = currentRuntime === "deno" ? ["run", "--quiet", "--allow-all"] : [];
  return new Program(process.execPath, [...flags, "bench/main.mjs", ...given], {});
}

// -- the command line

test("bench: a quick run writes a line of JSON for each point, in which no folder of the machine stands", async () => {
  await inSandbox(async (directory) => {
    const out = join(directory, "lines.jsonl");
    const given = ["--quick", "--points", "open,app", "--runtime", currentRuntime, "--disk", directory, "--out", out];
    const { code, output, errors } = await bench(given).finish();
    assertEquals([code, errors], [0, ""], output);
    assertEquals(await readdir(directory), ["lines.jsonl"], "it takes its folders away");
    const text = await readFile(out, "utf8");
    for (const folder of [directory, process.cwd()]) assert(!text.includes(folder), text);
    const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line) as PointLine);
    assertEquals(lines.map(({ point }) => point), ["append", "open"]);
    for (const line of lines) {
      checkLine(line);
      for (const { contender } of [...line.figures, ...line.absent]) assertStringIncludes(output, contender);
    }
    // Installed or not: whoever is not measured is told of.
    assert([...lines[1]?.figures ?? [], ...lines[1]?.absent ?? []].some(({ contender }) => contender === "lmdb"));
  });
});

function checkLine(line: PointLine): void {
  assertEquals([line.runtime, line.quick, line.rounds, line.disk.directory], [currentRuntime, true, 1, null]);
  assertMatch(line.version, /^\d+\.\d+\.\d+/);
  assertMatch(line.package, /^\d+\.\d+\.\d+/);
  assert(Math.abs(Date.now() - Date.parse(line.at)) < 3_600_000);
  assert(line.machine.cores > 0 && line.machine.memoryBytes > 0 && line.disk.fdatasync.p50Us > 0);
  assert(line.figures.length > 0 && line.targets.length > 0);
  for (const { median, rounds, contender } of line.figures) assertEquals(rounds, [median], contender);
  for (const { median } of line.figures) assert(median > 0);
  for (const { isLimit, met, allowed, measured } of line.targets) {
    assertEquals(met === null, !isLimit || allowed === null || measured === null);
  }
}

test("bench: wrong use is told in one line that says what there is, with status 64", async () => {
  const wrong: [string[], string, string][] = [
    [["--nonsense"], "'--nonsense'", "there are --points"],
    [["nonsense"], "nonsense", "there are --points"],
    [["--points", "append,nonsense"], `no point "nonsense"`, "there are append, serial"],
    [["--points", ""], `no point ""`, "there are append, serial"],
    [["--rounds", "0"], `not "0"`, "a whole number from 1"],
    [["--rounds", "many"], `not "many"`, "a whole number from 1"],
    [["--runtime", "perl"], `no runtime "perl"`, "there are node, node24, deno, bun"],
    [["--disk", "no/such/folder"], "no/such/folder is none", "--disk takes a directory"],
    [["--out", "package.json/x", "--runtime", currentRuntime], "--out", "package.json"],
    [["--charts"], "--charts takes files", "JSON"],
    [["--charts", "no/such/file"], "no file no/such/file", "--out makes one"],
  ];
  const ends = await Promise.all(wrong.map(([given]) => bench(given).finish()));
  for (const [nth, { code, output, errors }] of ends.entries()) {
    const [, problem = "", whatThereIs = ""] = wrong[nth] ?? [];
    assertEquals([code, output], [64, ""], errors);
    assertMatch(errors, /^bench: [^\n]+\n$/);
    assertStringIncludes(errors, problem);
    assertStringIncludes(errors, whatThereIs);
  }
});

test("bench: its help names each point that there is, and each has its file", async () => {
  const { code, output, errors } = await bench(["--help"]).finish();
  assertEquals([code, errors], [0, ""]);
  const named = [...output.slice(output.indexOf("points:")).matchAll(/^ {2}(\w+) /gm)].map(([, name]) => `${name}.ts`);
  assertEquals(named.sort(), (await readdir("bench/points")).sort());
});

test("bench: interrupted, it ends what it has started, takes its folders away, and ends with 130", async () => {
  await inSandbox(async (directory) => {
    const program = bench([
      "--points=stall",
      "--runtime",
      currentRuntime,
      "--disk",
      directory,
      "--out",
      `${directory}/x`,
    ]);
    assertMatch(await program.nextLine(), /^stall on /);
    const started = await startedBy(program.pid);
    process.kill(program.pid, "SIGINT");
    assertEquals((await program.ended).code, 130);
    assertEquals(await readdir(directory), ["x"]);
    const deadlineMs = performance.now() + 10_000; // SIGKILL was sent: the system takes its time
    for (const pid of started) {
      while (await isRunning(pid)) {
        assert(performance.now() < deadlineMs, `process ${pid} outlives the bench`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  });
});

/** The processes that a process has started, where the system tells them. */
async function startedBy(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => ""));
  return (await Promise.all(lists)).flatMap((list) => list.split(" ")).filter((word) => word !== "").map(Number);
}

/** Whether a process runs; one that has ended and is still told of does not. */
async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return status !== "" && !/^State:\s+[ZX]/m.test(status);
}

// -- what it measures

test("bench: the floor writes as many bytes as the log does", async () => {
  const groups = [[1, 100], [2, 100], [64, 100], [623, 100], [624, 100], [1000, 100], [3, 70_000]] as const;
  for (const [count, entryBytes] of groups) {
    const wal = await Wal.open("/wal", { runtime: new MemoryRuntime() });
    await Promise.all(randomEntries(count, entryBytes).map((entry) => wal.commit(entry)));
    assertEquals([wal.stats().flushes, wal.stats().bytes], [1, flushBytes(count, entryBytes)], `${count} entries`);
    await wal.close();
  }
});

test("bench: a log that is steady writes no zeros ahead, as the prepared floor does, and a new one does", async () => {
  const course = steadyCourse(new Scale(true, 100), 100);
  const entries = randomEntries();
  const written: number[] = [];
  for (const isSteady of [true, false]) {
    const runtime = new CountingRuntime(new MemoryRuntime());
    const wal = await Wal.open("/wal", { runtime, segmentBytes: course.segmentBytes });
    if (isSteady) await makeSteady(wal, course);
    const framesBytes = wal.stats().bytes;
    runtime.takeCosts();
    const head = new MovingHead(wal, course);
    await callAll(100, 200, (nth) => {
      head.advance(1);
      return wal.commit(pick(entries, nth));
    });
    await head.settled();
    written.push(writtenBytes(runtime.takeCosts()) / (wal.stats().bytes - framesBytes));
    await wal.close();
  }
  const [steady = NaN, young = NaN] = written;
  assert(steady < 1.05, `${steady} bytes were written for each of the frames`);
  assert(young > 1.5, `${young} bytes were written for each of the frames`);
});

test("bench: contenders take turns, each round in another order, and the first round does not count", async () => {
  await inSandbox(async (directory) => {
    const turns: string[] = [];
    const contender = (name: string): Contender => ({
      name,
      round: async (own) => {
        assertEquals(await readdir(own), []);
        turns.push(name);
        return [reading(turns.length)];
      },
    });
    const { figures } = await run(["a", "b", "c"].map(contender), directory);
    assertEquals(turns.join(""), "abcacbcab");
    assertEquals(figures.map(({ contender, rounds }) => `${contender} ${rounds}`), ["a 4,8", "b 6,9", "c 5,7"]);
    assertEquals(figures.map((figure) => figure.median), [6, 7.5, 6]);
    assertEquals(await readdir(directory), []);
  });
});

test("bench: a peer that is not here or fails is left out and told of; anybody else who fails ends it", async () => {
  await inSandbox(async (directory) => {
    let rounds = 0;
    const well: Contender = { name: "well", round: () => Promise.resolve([reading(1)]) };
    const away: Contender = {
      ...well,
      name: "away",
      isPeer: true,
      unavailable: () => Promise.resolve({ reason: "not installed", isMissed: true }),
    };
    const unready: Contender = {
      ...well,
      name: "unready",
      isPeer: true,
      prepare: () => Promise.reject(new Error("full")),
    };
    const late: Contender = {
      name: "late",
      isPeer: true,
      round: () => ++rounds < 3 ? Promise.resolve([reading(1)]) : Promise.reject(new Error("broken\nat …")),
    };
    const { figures, absent } = await run([well, away, unready, late], directory);
    assertEquals(figures.map(({ contender }) => contender), ["well"]);
    assertEquals(absent, [
      { contender: "away", reason: "not installed", isMissed: true },
      { contender: "unready", reason: "failed: full", isMissed: true },
      { contender: "late", reason: "failed: broken", isMissed: true },
    ]);
    const own: Contender = { name: "log", round: () => Promise.reject(new Error("lost an entry")) };
    await assertRejects(() => run([own], directory), Error, "lost an entry");
  });
});

function reading(value: number): Reading {
  return { what: "p50", unit: "µs", better: "lower", value };
}

function run(contenders: readonly Contender[], directory: string): ReturnType<typeof runRounds> {
  return runRounds({ contenders, rounds: 2, hasWarmUp: true, directory, onTurn: () => {} });
}

test("bench: medians and percentiles are those of all values, and of none there is none", () => {
  assertEquals([median([3, 1, 2]), median([4, 1, 2, 3]), median([])], [2, 2.5, NaN]);
  const times = new Times(100);
  assertEquals(times.percentile(0.5), NaN);
  for (let nth = 100; nth >= 1; nth--) times.add(nth);
  assertEquals([0, 0.01, 0.5, 0.99, 1].map((share) => times.percentile(share)), [1, 1, 50, 99, 100]);
  const few = new Times(2);
  for (const value of [5, 4, 3]) few.add(value); // one more than it was made for
  assertEquals([few.count, few.percentile(0.6), few.percentile(1)], [2, 5, 5]);
});

test("bench: a limit is met at its very edge, missed beyond, and unknown where a figure is missing", () => {
  assertEquals([atMost("", "", 2, 2).met, atMost("", "", 2, 2.1).met, atMost("", "", null, 2).met], [
    true,
    false,
    null,
  ]);
  assertEquals([atLeast("", "", 2, 2).met, atLeast("", "", 2, 1.9).met, atLeast("", "", 2, null).met], [
    true,
    false,
    null,
  ]);
  const figure = (contender: string, better: Figure["better"], value: number): Figure => (
    { contender, what: better, unit: "", better, median: value, rounds: [value, value + 1] }
  );
  const all = [figure("log", "lower", 1), figure("a", "lower", 3), figure("b", "lower", 2)];
  const more = [figure("a", "higher", 3), figure("b", "higher", 2), figure("t", "lower", 1), figure("t", "higher", 4)];
  const [a, b] = [{ name: "a", isPeer: true }, { name: "b", isPeer: true }];
  const entrants = [{ name: "log" }, a, b, { name: "t", isPeer: true, isTuned: true }];
  const figures = new Figures([...all, ...more], entrants, []);
  assertEquals(figures.bestPeer("lower"), { name: "b", value: 2 });
  assertEquals(figures.bestPeer("higher"), { name: "a", value: 3 });
  const isHeldAgainst = (contender: string, isMissed: boolean): boolean => {
    const absent = [{ contender, reason: "", isMissed }];
    return new Figures(all, [...entrants, { name: "z", isPeer: true }], absent).bestPeer("lower") !== null;
  };
  assertEquals([isHeldAgainst("z", true), isHeldAgainst("z", false), isHeldAgainst("t", true)], [false, true, true]);
  assertEquals([figures.bestTuned("higher"), figures.bestTuned("none")], [{ name: "t", value: 4 }, null]);
  assertEquals(besideTuned(figures.bestTuned("higher"), 2).map(({ isLimit, met }) => [isLimit, met]), [[false, null]]);
  const rising = [figure("log", "lower", 1), { ...figure("a", "lower", 1), rounds: [2, 1] }];
  assertEquals(new Figures(rising, entrants, []).medianRatio("log", "a", "lower"), 1.25);
  assertEquals(new Figures(rising, entrants, []).medianRatio("log", "b", "lower"), null);
  assertEquals([figures.median("log", "lower"), figures.most("log", "lower"), figures.median("log", "none")], [
    1,
    2,
    null,
  ]);
});

// -- what it draws

const line: PointLine = {
  point: "serial",
  runtime: "deno",
  version: "2.9.5",
  package: "0.1.0",
  at: "2026-11-20T21:00:00.000Z",
  machine: { cpu: 'A & B "<9>"', cores: 2, kernel: "Linux 6", memoryBytes: 1 },
  disk: { directory: null, fdatasync: { p50Us: 150, p99Us: 300 } },
  rounds: 3,
  entryBytes: 100,
  quick: false,
  figures: [],
  targets: [],
  absent: [],
  unlimited: ["a:sqlite, tuned", "lmdb, one buffer"],
  peers: { "lmdb": "1", "lmdb, blocking": "1", "a:sqlite": "3", "a:sqlite, tuned": "3" },
};

function lineOf(
  point: string,
  what: string,
  medians: Readonly<Record<string, number>>,
  more?: Partial<PointLine>,
): PointLine {
  const figures = Object.entries(medians).map(([contender, median]): Figure => (
    { contender, what, unit: what === "rate" ? "/s" : "µs", better: "higher", median, rounds: [median] }
  ));
  return { ...line, point, figures, ...more };
}

const many = "a commit, 1,000 callers";

test("bench: charts say what was measured, against the floor and other stores, on what machine and when", () => {
  const lines = [
    lineOf("serial", "rate", { "walstream": 9000, "floor, prepared": 10_000, "lmdb": 100, "lmdb, blocking": 4000 }),
    lineOf("clients", many, { "walstream": 77 }), // an older one: the newest counts
    lineOf("clients", many, {
      "walstream": 0.5,
      "walstream, steady": 0.4,
      "floor, prepared": 0.2,
      "lmdb, blocking": 2,
      "a:sqlite, tuned": 1,
      "a:sqlite": NaN, // could not be measured
    }, { at: "2026-11-21T00:00:00.000Z" }),
    lineOf("recover", "rate", {
      "walstream": 8e6,
      "floor, reading the files": 160e6,
      "lmdb": 2e6,
      "lmdb, one buffer": 5e6,
    }, { runtime: "bun" }),
  ];
  const charts = drawCharts(lines);
  assertEquals([...charts.keys()], ["floor.svg", "callers.svg", "commits.svg", "bulk.svg"]);
  for (const [name, svg] of charts) {
    checkWellFormed(svg, name);
    for (const word of ["<title ", "prefers-color-scheme:dark", "A &amp; B", "2026-11-2", "loor"]) {
      assertStringIncludes(svg, word, name);
    }
    assertEquals(/NaN|Infinity|undefined|null/.exec(svg), null, name);
  }
  assertStringIncludes(charts.get("floor.svg") ?? "", ">50 %<"); // steady, of the floor; and 40 % of a new log
  assertStringIncludes(charts.get("floor.svg") ?? "", ">40 %<");
  const commits = charts.get("commits.svg") ?? "";
  for (const text of ["9.0 k", "4.0 k", "2.0 M", "2.5 M", "500 k", "a:sqlite, tuned", "floor 5.0 M"]) {
    assertStringIncludes(commits, `>${text}<`);
  }
  assert(!commits.includes(">100<") && !commits.includes(">a:sqlite<") && commits.includes('class="floor"'));
  for (const text of ["floor 160 M, far right", ">2.0 M<", ">lmdb, tuned<", ">5.0 M<"]) {
    assertStringIncludes(charts.get("bulk.svg") ?? "", text);
  }
  assertEquals([...drawCharts([lineOf("append", "a call", { "walstream": 1 })]).keys()], []);
  assertStringIncludes(
    drawCharts([{ ...lines[0] ?? line, quick: true }]).get("commits.svg") ?? "",
    "figures mean nothing",
  );
});

test("bench: how commits grow with callers is shown beside one store, the best with many, and its own figures", () => {
  const callers = drawCharts([
    lineOf("serial", "rate", { "walstream": 9000, "floor, prepared": 10_000, "lmdb": 7000, "a:sqlite": 3000 }),
    lineOf("clients", many, {
      "walstream": 0.5,
      "floor, prepared": 0.2,
      "lmdb": 2,
      "a:sqlite": 1,
      "a:sqlite, tuned": 0.1,
    }),
  ]).get("callers.svg") ?? "";
  assertStringIncludes(callers, "a:sqlite 3.0 k/s with 1 caller, 1.0 M/s with 1,000 callers");
  assertStringIncludes(callers, "walstream 9.0 k/s with 1 caller, 2.0 M/s with 1,000 callers");
});

/** Every element is closed where it must be, and every ampersand is one of XML's own. */
function checkWellFormed(svg: string, name: string): void {
  const open: string[] = [];
  for (const [tag, isEnd, element = "", isEmpty] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (isEnd === "/") assertEquals(open.pop(), element, `${name}: ${tag}`);
    else if (isEmpty !== "/") open.push(element);
  }
  assertEquals([open, /&(?!amp;|lt;|gt;|quot;|#39;)/.exec(svg)], [[], null], name);
}

// -- what it is like

/** A folder imports from itself and from those with a lower number; what lies in none of them from all. */
const levels: Readonly<Record<string, number>> = {
  harness: 0,
  instruments: 1,
  charts: 1,
  children: 2,
  contenders: 2,
  points: 3,
};

test("bench: its folders import in one direction, and each is known", async () => {
  const names = (await readdir("bench", { recursive: true })).map((name) => name.replaceAll("\\", "/"));
  const sources = names.filter((name) => name.endsWith(".ts") && !name.includes("node_modules/"));
  const folderOf = (path: string): string => path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
  const levelOf = (folder: string): number => folder === "" ? Infinity : levels[folder] ?? NaN;
  const wrong: string[] = [];
  for (const path of sources) {
    const own = folderOf(path);
    if (Number.isNaN(levelOf(own))) wrong.push(`${path}: enter ${own} in the levels of this test`);
    const text = await readFile(join("bench", path), "utf8");
    for (const [, specifier = ""] of text.matchAll(/^(?:import|export)[^;]*? from "(\.[^"]+)";$/gm)) {
      const target = new URL(specifier, `file:///bench/${path}`).pathname;
      if (!target.startsWith("/bench/")) continue;
      const folder = folderOf(target.slice("/bench/".length));
      if (folder !== own && !(levelOf(folder) < levelOf(own))) wrong.push(`${path} imports ${target}`);
    }
  }
  assertEquals(wrong, []);
});
