// All that `npm test` does, as a list. A step starts when those it comes `after` have ended, well or not.

import { rmSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readReport } from "./junit.mjs";
import { checkConsumer } from "./consumer.mjs";
import { checkDocumentation } from "./documented.mjs";
import { tryMutants } from "./mutants.mjs";
import { checkPack, checkPublish, entryPoints, modulesOf } from "./packing.mjs";
import { root, runDeno, runTypeScript } from "./process.mjs";
import { failure, resultOf } from "./result.mjs";
import { runReadme } from "./readme.mjs";
import { runSuite } from "./suites.mjs";

/**
 * @typedef {import("./result.mjs").Result} Result
 * @typedef {import("./suites.mjs").Filter} Filter
 * @typedef {{ name: string, after?: string[], run: (filter: Filter) => Promise<Result> }} Step
 */

const importMap = ["--import-map", join(root, "tests/std/import_map.json")];

/** @type {Step[]} */
export const steps = [
  { name: "compile", run: compile },
  { name: "format", run: () => checkWithDeno(["fmt", "--check"]) },
  { name: "lint", run: () => checkWithDeno(["lint"]) },
  { name: "deno-check", run: () => checkWithDeno(["check", ...importMap, "mod.ts", "src", "tests"]) },
  { name: "doc-lint", run: checkDocumentation },
  { name: "pack", run: checkPack },
  { name: "publish", run: checkPublish },
  { name: "examples", run: runExamples },
  { name: "node20", after: ["compile"], run: (filter) => runSuite("node20", filter) },
  { name: "deno", run: (filter) => runSuite("deno", filter) },
  { name: "node24", after: ["compile"], run: (filter) => runSuite("node24", filter) },
  { name: "bun", run: (filter) => runSuite("bun", filter) },
  { name: "mutants", run: tryMutants },
  { name: "readme", after: ["pack"], run: runReadme },
  { name: "consumer", after: ["pack"], run: checkConsumer },
];

/** The names of the steps that a filter by file or name is for. */
export const suiteNames = ["node20", "node24", "deno", "bun"];

/** @param {string[]} parameters */
async function checkWithDeno(parameters) {
  return resultOf(await runDeno(parameters));
}

/**
 * The tests for Node, and the types of the tools here and of the bench, which compiles itself. What cannot be typed is
 * compiled all the same, so that a filtered run goes on.
 */
async function compile() {
  const outcomes = [
    await runTypeScript(["--project", "tests/tsconfig.json"]),
    await runTypeScript(["--project", "tests/check/tsconfig.json"]),
    await runTypeScript(["--project", "bench/tsconfig.json", "--noEmit"]),
  ];
  const output = outcomes.map((outcome) => outcome.output).join("");
  return resultOf({ code: outcomes.find(({ code }) => code !== 0)?.code ?? 0, output });
}

/** The examples in the comments of what is published, in a folder where `"./data"` harms nothing. */
async function runExamples() {
  const directory = await mkdtemp(join(tmpdir(), "walstream-examples-"));
  const report = join(root, "build/examples.xml");
  rmSync(report, { force: true });
  try {
    const sources = (await modulesOf(entryPoints)).map((path) => join(root, path));
    const options = ["--doc", "--allow-all", "--config", join(root, "deno.json"), ...importMap, "--junit-path", report];
    const { code, output } = await runDeno(["test", ...options, ...sources], { cwd: directory });
    const cases = readReport(await readFile(report, "utf8").catch(() => ""));
    const failed = cases.filter((test) => test.state === "failed").length;
    if (cases.length === 0) return failure(`${output}\nno example was found`);
    return { passed: cases.length - failed, failed: code !== 0 && failed === 0 ? 1 : failed, output };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
