// The rules of the code that no compiler knows: who may import whom, who may know which runtime this is, and what a file
// is like. Each message says what to write instead.

import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { assertEquals } from "@std/assert";

/**
 * Every file of src, without the `.ts`, at its level: L0 plain data, pure functions and the port; L1 the runtimes and one
 * file of the log; L2 the mechanisms; L3 the log; L4 what is built over it; L5 the command line. A file imports files of
 * its own level and of those below.
 */
const table: Levels = readLevels(`
  L0 bytes checks checksum entry entry_input errors event eventual fault_words format inspect json lines options signal stats
  L0 runtime/port
  L1 alarm lock lock_owner numbered_lock segment spares sparse_index
  L1 runtime/bun runtime/deno runtime/detect runtime/host_task runtime/memory runtime/memory_call
  L1 runtime/memory_change runtime/memory_clock runtime/memory_directory runtime/memory_disk runtime/memory_error
  L1 runtime/memory_file runtime/memory_inode runtime/memory_path runtime/memory_process runtime/memory_runtime
  L1 runtime/memory_sectors runtime/memory_survival runtime/memory_tree runtime/memory_volume runtime/node
  L1 runtime/node_file runtime/process_identity runtime/random runtime/system_error runtime/system_runtime
  L1 runtime/system_timer
  L2 acknowledge admission ages anchor aside behind births capacity chain chain_walk closing committer copies cut
  L2 disk_room flaws flusher footer good_segment inheritance intake leftovers levels likely_below lock_mark mending
  L2 mending_plan newest observers opening outside_chain outside_contents outside_reader outside_source pace pending
  L2 preparation pump readable reader recovery rejected_lsns remedy repair replaced report rewriting room_queue runs
  L2 scan sealer segment_files sets settlement survey tail turned_bit turns unfinished unlocked_survey verdict verify
  L2 vouching waiters window writable
  L3 wal
  L5 cli/bench cli/bench_advice cli/bench_arrivals cli/bench_disk cli/bench_expected cli/bench_log cli/bench_place
  L5 cli/bench_presets cli/bench_report cli/bench_time cli/bench_words
  L5 cli/command cli/demo cli/demo_check cli/demo_child cli/demo_entries cli/demo_figures cli/demo_run cli/demo_writer
  L5 cli/interruption cli/looking cli/main cli/repair cli/report_words cli/runtimes cli/table cli/verify
`);

/** Of code: doc comments with their examples, and blank lines, are no burden. */
const longestFileLines = 330;

type Sources = ReadonlyMap<string, string>;

/** The level of each file. */
type Levels = ReadonlyMap<string, number>;

function readLevels(text: string): Levels {
  const rows = text.trim().split("\n").map((line) => line.trim().split(/\s+/));
  return new Map(rows.flatMap(([level = "", ...names]) => names.map((name) => [`${name}.ts`, Number(level.slice(1))])));
}

/** The TypeScript files of a folder by their path in it. The suites are run with the checkout as working directory. */
async function readSources(folder: string): Promise<Sources> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".ts")).sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(`${folder}/${name}`, "utf8")] as const)),
  );
}

/** The code without comments, and of texts only what is computed in them. */
function codeOf(source: string): string {
  const part = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return source.replace(part, (text) => text.startsWith("`") ? (text.match(/\$\{[^}]*\}/g) ?? []).join(" ") : '""');
}

function importsOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|(?<![:"])\/\/[^\n]*/g, "");
  const found = code.matchAll(/(?:^|[\s}*])from\s*"([^"]+)"|^import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm);
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith(".");
}

/** The path in src that `specifier` names, seen from `path`. */
function targetOf(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

function mayKnowTheRuntime(path: string): boolean {
  return path.startsWith("runtime/") || path.startsWith("cli/");
}

function tableProblems(sources: Sources, levels: Levels): string[] {
  const missing = [...sources.keys()].filter((path) => !levels.has(path));
  const gone = [...levels.keys()].filter((path) => !sources.has(path));
  return [
    ...missing.map((path) => `src/${path}: enter it in the table of tests/layers.test.ts, at its level`),
    ...gone.map((path) => `src/${path} is gone: strike it from the table of tests/layers.test.ts`),
  ];
}

function directionProblems(sources: Sources, levels: Levels): string[] {
  return [...sources].flatMap(([path, source]) => {
    const level = levels.get(path) ?? Infinity;
    return importsOf(source).filter(isRelative).flatMap((specifier) => {
      const target = targetOf(path, specifier);
      const targetLevel = levels.get(target) ?? 0;
      if (targetLevel <= level) return [];
      return `src/${path} (L${level}) imports src/${target} (L${targetLevel}): hand the value in as a parameter, or move ` +
        "what both need into a file below both";
    });
  });
}

function circleProblems(sources: Sources): string[] {
  const done = new Set<string>();
  const problems: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      const circle = [...trail.slice(trail.indexOf(path)), path].join(" → ");
      problems.push(`${circle}: imports go in a circle; move what both need into a file of its own`);
      return;
    }
    if (done.has(path)) return;
    for (const specifier of importsOf(sources.get(path) ?? "").filter(isRelative)) {
      visit(targetOf(path, specifier), [...trail, path]);
    }
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return problems;
}

function runtimeProblems(sources: Sources): string[] {
  return [...sources].filter(([path]) => !mayKnowTheRuntime(path)).flatMap(([path, source]) => {
    const name = /(?<![\w$#])(?<!(?<!globalThis)\.)(Deno|Bun|process)(?![\w$])/.exec(codeOf(source))?.[1];
    const system = importsOf(source).filter((specifier) => /^(node|bun):/.test(specifier));
    const told = "ask the Runtime that was handed in (src/runtime/port.ts), and add to the port what it lacks";
    return [...(name === undefined ? [] : [name]), ...system].map((what) => `src/${path} uses ${what}: ${told}`);
  });
}

function dependencyProblems(sources: Sources): string[] {
  return [...sources].flatMap(([path, source]) =>
    importsOf(source)
      .filter((specifier) => !isRelative(specifier) && !/^(node|bun):|^hash-wasm$/.test(specifier))
      .map((specifier) => `src/${path} imports ${specifier}: hash-wasm is the only dependency; write the part you need`)
  );
}

function styleProblems(sources: Sources): string[] {
  return [...sources].flatMap(([path, source]) => {
    const code = source.replace(/\/\*\*[\s\S]*?\*\//g, "").split("\n");
    const lines = code.filter((line) => line.trim() !== "").length;
    const mark = /\b(TODO|FIXME|XXX)\b/.exec(source)?.[0];
    const silenced = /@ts-(?:ignore|expect-error|nocheck)|(?:deno|eslint)-lint-ignore/.exec(source)?.[0];
    const drawer = /(?:^|\/)(?:utils?|types?|helpers?|common|misc)\.ts$/.test(path);
    return [
      ...(lines > longestFileLines
        ? [`has ${lines} lines of code: find the second concept in it and give it its own file`]
        : []),
      ...(mark === undefined ? [] : [`has a ${mark}: do it, or write an issue`]),
      ...(silenced === undefined ? [] : [`silences a check (${silenced}): mend what the check found`]),
      ...(drawer ? ["is a drawer: name the file after the one thing in it"] : []),
      ...(/\bexport\s+default\b|\bas\s+default\b/.test(codeOf(source)) ? ["has a default export: export a name"] : []),
    ].map((problem) => `src/${path} ${problem}`);
  });
}

function testProblems(sources: Sources): string[] {
  return [...sources].filter(([path]) => path.endsWith(".test.ts")).flatMap(([path, source]) => {
    const call = /\b(?:describe|it)\(|\b(?:t|test|context)\.(?:skip|only|todo|test)\(|\b(?:only|todo):/.exec(
      codeOf(source),
    )?.[0];
    if (call === undefined) return [];
    return `tests/${path} uses ${call}: the runtimes count it differently; write test(name, { skip: reason }, fn) at the ` +
      "top level";
  });
}

test("layers: every file of src is entered in the table", async () => {
  assertEquals(tableProblems(await readSources("src"), table), []);
});

test("layers: imports point downwards and never in a circle", async () => {
  const sources = await readSources("src");
  assertEquals([...directionProblems(sources, table), ...circleProblems(sources)], []);
});

test("layers: only src/runtime and src/cli know which runtime this is", async () => {
  assertEquals(runtimeProblems(await readSources("src")), []);
});

test("layers: src imports hash-wasm and nothing else from outside", async () => {
  assertEquals(dependencyProblems(await readSources("src")), []);
});

test("layers: no drawers, default exports, long files, left-over marks or silenced checks in src", async () => {
  assertEquals(styleProblems(await readSources("src")), []);
});

test("layers: mod.ts re-exports and does nothing else", async () => {
  const rest = codeOf(await readFile("mod.ts", "utf8")).replace(
    /export\s+(?:type\s+)?(?:\{[^}]*\}|\*)\s*from\s*"";/g,
    "",
  );
  assertEquals(rest.replaceAll('""', "").trim(), "");
});

test("layers: tests are top-level, and none skips itself while it runs", async () => {
  assertEquals(testProblems(await readSources("tests")), []);
});

test("layers: each rule can be broken, and says what to write instead", () => {
  const levels = readLevels("L0 low gone\nL1 high runtime/node");
  const sources: Sources = new Map([
    ["low.ts", 'import { high } from "./high.ts";\nexport default high; // TODO\n'],
    ["high.ts", 'import type { Low } from "./low.ts";\nconst pid = `${process.pid}`;\nimport "npm:left-pad";\n'],
    ["runtime/node.ts", 'import { open } from "node:fs"; // Deno\n'],
    [
      "utils.ts",
      '// Deno and process\nimport {\n  open,\n} from "node:fs";\nconst word = "Bun";\nrow.process = globalThis;\n',
    ],
    ["long.ts", `// @ts-ignore\n${"long();\n".repeat(longestFileLines)}`],
  ]);
  const subjects = (problems: string[]): string[] =>
    problems.map((problem) => problem.replace(/(:|,| are| is| has) .*/, ""));
  assertEquals(subjects(tableProblems(sources, levels)), ["src/utils.ts", "src/long.ts", "src/gone.ts"]);
  assertEquals(subjects(directionProblems(sources, levels)), ["src/low.ts (L0) imports src/high.ts (L1)"]);
  assertEquals(subjects(circleProblems(sources)), ["low.ts → high.ts → low.ts"]);
  assertEquals(subjects(runtimeProblems(sources)), ["src/high.ts uses process", "src/utils.ts uses node:fs"]);
  assertEquals(subjects(dependencyProblems(sources)), ["src/high.ts imports npm:left-pad"]);
  assertEquals(subjects(styleProblems(sources)), [
    "src/low.ts",
    "src/low.ts",
    "src/utils.ts",
    "src/long.ts",
    "src/long.ts silences a check (@ts-ignore)",
  ]);
  const nested = new Map([["a.test.ts", 'test("a", async (t) => { await t.test("b", () => {}); });']]);
  assertEquals(subjects(testProblems(nested)), ["tests/a.test.ts uses t.test("]);
});
