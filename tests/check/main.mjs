// `npm test`: every check there is, two at a time, and one line at the end.
//
//   npm test -- --on deno,node20          only these steps, and what they need
//   npm test -- --file committer          only the suites, and of them the test files whose name contains this
//   npm test -- --grep "torn tail"        only the suites, and of them the tests whose name contains this

import process from "node:process";
import { parseArgs } from "node:util";
import { linkRuntimes, run, runtimes } from "./process.mjs";
import { failure } from "./result.mjs";
import { steps, suiteNames } from "./steps.mjs";

const atOnce = 2;

/** @typedef {import("./result.mjs").Result} Result */
/** @typedef {import("./steps.mjs").Step} Step */

const { values } = parseArgs({
  options: {
    on: { type: "string", default: "" },
    file: { type: "string", default: "" },
    grep: { type: "string", default: "" },
  },
});
const filter = { file: String(values.file), grep: String(values.grep) };
const chosen = choose(String(values.on), filter.file + filter.grep !== "");

linkRuntimes();
const started = performance.now();
/** @type {Map<string, Result>} */
const results = new Map();
await runAll(chosen);
printSkipped();
printCovered();
const total = { passed: 0, failed: 0, skipped: 0 };
for (const result of results.values()) {
  total.passed += result.passed;
  total.failed += result.failed;
  total.skipped += result.skipped?.length ?? 0;
}
console.log(`\n${seconds(started)} in all`);
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped === 0 ? "" : `, ${total.skipped} skipped`}`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

/** @param {string} on @param {boolean} isFiltered @returns {Step[]} */
function choose(on, isFiltered) {
  const names = on !== "" ? on.split(",") : isFiltered ? suiteNames : steps.map(({ name }) => name);
  const unknown = names.filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length > 0) {
    console.error(`there is no step ${unknown.join(", ")}; there are ${steps.map(({ name }) => name).join(", ")}`);
    process.exit(2);
  }
  const needed = steps.filter(({ name }) => names.includes(name)).flatMap(({ after = [] }) => after);
  return steps.filter(({ name }) => names.includes(name) || needed.includes(name));
}

/** @param {Step[]} chosen */
async function runAll(chosen) {
  const waiting = [...chosen];
  /** @type {Set<Promise<void>>} */
  const running = new Set();
  const isReady = (/** @type {Step} */ step) => (step.after ?? []).every((name) => results.has(name));
  while (waiting.length > 0 || running.size > 0) {
    const index = running.size < atOnce ? waiting.findIndex(isReady) : -1;
    if (index < 0) {
      await Promise.race(running);
      continue;
    }
    const [step] = waiting.splice(index, 1);
    if (step === undefined) break;
    const ended = runStep(step).finally(() => running.delete(ended));
    running.add(ended);
  }
}

/** @param {Step} step */
async function runStep(step) {
  const began = performance.now();
  const result = await step.run(filter).catch((error) => failure(String(error?.stack ?? error)));
  results.set(step.name, result);
  const counts = [`${result.passed} passed`];
  if (result.failed > 0) counts.push(`${result.failed} failed`);
  if (result.skipped?.length) counts.push(`${result.skipped.length} skipped`);
  const word = result.failed > 0 ? "FAILED" : "ok";
  const version = await versionOf(step.name);
  console.log(
    `${word.padEnd(7)}${step.name.padEnd(12)}${counts.join(", ").padEnd(26)}${seconds(began).padStart(8)}${version}`,
  );
  const text = result.failed > 0 ? result.output : result.told ?? "";
  if (text !== "") console.log(text.trimEnd().replaceAll(/^/gm, "    "));
}

/** @param {string} name */
async function versionOf(name) {
  const runtime = Object.entries(runtimes).find(([key]) => key === name);
  if (runtime === undefined) return "";
  const { stdout } = await run(runtime[1], ["--version"]);
  return `   ${stdout.split("\n")[0]?.replace(/^(deno )?v?/, "").replace(/ .*/, "")}`;
}

/** Each test once, with where it was skipped and why. */
function printSkipped() {
  /** @type {Map<string, { where: string[], reason: string }>} */
  const skipped = new Map();
  for (const [step, result] of results) {
    for (const { name, reason, isExact } of result.skipped ?? []) {
      const known = skipped.get(name);
      if (known === undefined) skipped.set(name, { where: [step], reason });
      else skipped.set(name, { where: [...known.where, step], reason: isExact ? reason : known.reason });
    }
  }
  for (const [name, { where, reason }] of skipped) {
    console.log(`skipped ${name}\n        on ${where.join(", ")}: ${reason}`);
  }
}

/** How much the tests have gone through, on each runtime. */
function printCovered() {
  for (const [step, { covered }] of results) {
    if (covered === undefined || covered.size === 0) continue;
    const counts = [...covered].map(([name, count]) => `${count.toLocaleString("en-US")} ${name}`);
    console.log(`covered on ${step}: ${counts.join(", ")}`);
  }
}

/** @param {number} since */
function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
