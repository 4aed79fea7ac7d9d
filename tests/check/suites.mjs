// The tests on the runtimes. Each runtime says in its own way what it ran, and each can be silent about what it did not:
// a file that ends the process early counts as one passed test on Node, as nothing on Bun. So the counts are read from
// each runtime's report, every file must be in it, and there is a floor.

import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { readReport } from "./junit.mjs";
import { root, run, runtimes } from "./process.mjs";
import { failure } from "./result.mjs";

/** Fewer executed tests than this on any runtime is a failure. Raise it when tests are added. */
export const fewestTests = 1000;

/** Of one runtime: several times what it takes on a quiet machine. */
const suiteSeconds = 900;

/**
 * Of one test, so that the runtime names the one that hangs before it is ended itself. Bun's own limit of 5 s is too short
 * on a slow disk, Node has none and holds whole files to what it is given, Deno knows no limit.
 */
const testSeconds = 400;

/** @typedef {{ file: string, grep: string }} Filter */
/** @typedef {import("./result.mjs").Result} Result */

/**
 * Runs the test files whose name contains `file`, and of them the tests whose name contains `grep`.
 *
 * @param {keyof typeof runtimes} runtime
 * @param {Filter} filter
 * @returns {Promise<Result>}
 */
export async function runSuite(runtime, filter) {
  const names = readdirSync(join(root, "tests")).filter((name) => name.endsWith(".test.ts"));
  const files = names.filter((name) => name.includes(filter.file)).map((name) => `tests/${name}`);
  if (files.length === 0) return failure(`no test file's name contains "${filter.file}"`);

  const report = join(root, "build/reports", `${runtime}.xml`);
  mkdirSync(join(root, "build/reports"), { recursive: true });
  rmSync(report, { force: true });
  const { code, output } = await run(runtimes[runtime], commandLine(runtime, files, filter.grep, report), {
    seconds: suiteSeconds,
  });
  const reported = readCases(report);
  if (reported.length === 0) return failure(`${withoutPassed(output)}\n${runtime} exited with ${code} and no report`);
  const { cases, silent } = sort(files, reported, filter.grep);
  const failures = cases.filter((test) => test.state === "failed").length;
  const executed = cases.filter((test) => test.state !== "skipped").length;
  const complaints = silent.map((file) => `${file}: no test of it ran to its end on ${runtime}`);
  if (code !== 0 && failures === 0) complaints.push(`${runtime} exited with ${code} although no test failed`);
  if (filter.file === "" && filter.grep === "" && executed < fewestTests) {
    complaints.push(
      `${runtime} executed ${executed} tests, fewer than the ${fewestTests} stated in tests/check/suites.mjs`,
    );
  }
  if (filter.grep !== "" && executed === 0) complaints.push(`no test's name contains "${filter.grep}"`);
  return {
    passed: executed - failures,
    failed: failures + complaints.length,
    skipped: cases.filter((test) => test.state === "skipped").map(skipOf),
    covered: coverageOf(output),
    output: [withoutPassed(output), ...complaints].join("\n"),
  };
}

/** @param {string} runtime @param {string[]} files @param {string} grep @param {string} report */
function commandLine(runtime, files, grep, report) {
  if (runtime === "deno") {
    const options = ["--no-check", "--allow-all", "--import-map", "tests/std/import_map.json", "--junit-path", report];
    return ["test", ...options, ...(grep === "" ? [] : ["--filter", grep]), ...files];
  }
  if (runtime === "bun") {
    const options = ["--timeout", String(testSeconds * 1000), "--reporter", "junit", "--reporter-outfile", report];
    return ["test", ...options, ...(grep === "" ? [] : ["-t", literal(grep)]), ...files.map((file) => `./${file}`)];
  }
  const reporters = ["spec", "stdout", "junit", report];
  return [
    "--enable-source-maps",
    "--import=./tests/check/untracked.mjs",
    "--test",
    `--test-timeout=${testSeconds * 1000}`,
    ...reporters.map((value, index) => (index % 2 === 0 ? "--test-reporter=" : "--test-reporter-destination=") + value),
    ...(grep === "" ? [] : [`--test-name-pattern=${literal(grep)}`]),
    ...files.map((file) => `build/${file.replace(/\.ts$/, ".js")}`),
  ];
}

/**
 * What the tests say that they have gone through, in lines such as `covered: kills 200, survivals 1200`, added up.
 *
 * @param {string} output
 */
function coverageOf(output) {
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const [, counts = ""] of output.matchAll(/^covered: (.*)$/gm)) {
    for (const [, name = "", count] of counts.matchAll(/([^,]+?) (\d+)(?:, |\s*$)/g)) {
      sums.set(name, (sums.get(name) ?? 0) + Number(count));
    }
  }
  return sums;
}

/** What a runtime says of a test that passed, in its own way. @param {string} output */
function withoutPassed(output) {
  return output.split("\n").filter((line) => !/^✔ |^\(pass\) | \.\.\. ok \(/.test(line)).join("\n");
}

/** @param {string} text */
function literal(text) {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** @param {string} report */
function readCases(report) {
  try {
    return readReport(readFileSync(report, "utf8"));
  } catch {
    return [];
  }
}

/**
 * Takes out what is no test: Node reports a file of which it saw no test, or which failed as a whole, as a test of that
 * name. A filter by name leaves files empty, which is then no complaint, and most runtimes report the rest as skipped.
 *
 * @param {string[]} files
 * @param {import("./junit.mjs").TestCase[]} reported
 * @param {string} grep
 */
function sort(files, reported, grep) {
  const sourceOf = (/** @type {string} */ path) =>
    relative(root, resolve(root, path)).replace(/^build\//, "").replace(/\.js$/, ".ts");
  const isFile = (/** @type {{ name: string }} */ test) => files.includes(sourceOf(test.name));
  const cases = reported.filter((test) => isFile(test) ? test.state === "failed" : test.name.includes(grep));
  const emptyOnNode = reported.filter((test) => isFile(test) && test.state !== "failed").map((test) =>
    sourceOf(test.name)
  );
  const located = reported.filter((test) => test.file !== "").map((test) => sourceOf(test.file));
  const missing = located.length === 0 ? [] : files.filter((file) => !located.includes(file));
  return { cases, silent: grep === "" ? [...new Set([...emptyOnNode, ...missing])] : [] };
}

/**
 * Only Node's report has the reason of a skip; for the others the source has it.
 *
 * @param {import("./junit.mjs").TestCase} test
 */
function skipOf(test) {
  if (test.reason !== "") return { name: test.name, reason: test.reason, isExact: true };
  const source = readFileSync(join(root, test.file), "utf8");
  const call = source.split("\n").slice(test.line - 1, test.line + 4).join(" ");
  const reason = /\bskip:\s*(.*?)\s*\}/.exec(call)?.[1] ?? `see ${test.file}:${test.line}`;
  const isName = /^\w+$/.test(reason);
  const meaning = isName ? new RegExp(`\\b${reason}\\b[^=;]*=\\s*([^;]*);`).exec(source)?.[1] : undefined;
  return { name: test.name, reason: (meaning ?? reason).replaceAll(/\s+/g, " "), isExact: false };
}
