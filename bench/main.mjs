// `npm run bench`: measures the points of the bench on each runtime, one process a runtime and point, and says what
// came of it. What it takes stands in command/options.mjs; README.md says what is measured and how to read it.

import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { buildPackage, compile } from "./command/compile.mjs";
import { doubtsOf } from "./command/doubts.mjs";
import { Interruption } from "./command/interruption.mjs";
import { LiveLine } from "./command/live_line.mjs";
import { measure } from "./command/measurement.mjs";
import { help, readOptions, UsageError } from "./command/options.mjs";
import { root, runBenchProgram } from "./command/programs.mjs";
import { presentRuntimes } from "./command/runtimes.mjs";
import { table } from "./command/table.mjs";
import { makeDirectory } from "./command/temporary.mjs";

/** Of sysexits.h. */
const STATUS = { good: 0, failed: 1, usage: 64, unavailable: 69 };

/** @typedef {import("./command/options.mjs").Options} Options */

const interruption = new Interruption();

/** @param {string[]} given */
async function main(given) {
  const options = readOptions(given);
  if (options.isHelp) {
    process.stdout.write(help());
    return STATUS.good;
  }
  if (options.charts !== null) return await drawCharts(options.charts);
  return await runPoints(options);
}

/** @param {Options} options */
async function runPoints(options) {
  const { runtimes, missing } = presentRuntimes(options.runtimes);
  for (const line of missing) console.log(line);
  if (runtimes.length === 0) return STATUS.unavailable;
  for (const doubt of doubtsOf(options.disk, options.isQuick)) console.log(`NOTE: ${doubt}`);
  if (options.out !== null) prepareOut(options.out);
  const needsNode = runtimes.some(({ isNode }) => isNode);
  const compiled = needsNode ? await compile(interruption) : null;
  if (options.points.includes("import")) await buildPackage(); // its size is measured on all runtimes
  let failures = 0;
  for (const point of options.points) {
    for (const runtime of runtimes) {
      const live = new LiveLine(`${point} on ${runtime.name}`);
      const directory = makeDirectory(options.disk, interruption);
      const result = await measure({
        point,
        runtime,
        options,
        compiled,
        directory: directory.path,
        live,
        interruption,
      });
      directory.remove();
      live.clear();
      if ("line" in result) {
        console.log(table(result.line));
        if (options.out !== null) {
          appendFileSync(options.out, `${JSON.stringify(result.line)}\n`);
        }
      } else {
        failures++;
        console.error(`${point} on ${runtime.name} FAILED\n${result.error}\n`);
      }
    }
  }
  if (options.out !== null) console.log(`the JSON lines are in ${options.out}`);
  return failures === 0 ? STATUS.good : STATUS.failed;
}

/** Whoever has measured for an hour should not hear only then that nothing can be written. @param {string} path */
function prepareOut(path) {
  try {
    mkdirSync(dirname(path), { recursive: true });
    appendFileSync(path, "");
  } catch (error) {
    throw new UsageError(`--out: ${error instanceof Error ? error.message : error}`);
  }
}

/** @param {string[]} files */
async function drawCharts(files) {
  const { runtimes, missing } = presentRuntimes(["node", "deno", "bun"]);
  const runtime = runtimes[0];
  if (runtime === undefined) {
    console.error(missing.join("\n"));
    return STATUS.unavailable;
  }
  const compiled = runtime.isNode ? await compile(interruption) : null;
  const { code, stdout, errors } = await runBenchProgram(
    runtime,
    "charts/draw",
    [`${root}/build/charts`, ...files],
    compiled,
  );
  process.stdout.write(stdout);
  process.stderr.write(errors);
  return code === 0 ? STATUS.good : STATUS.failed;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = STATUS.usage;
} finally {
  interruption.cleanUp();
}
