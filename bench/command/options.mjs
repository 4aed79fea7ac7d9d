// What the command line takes.

import { existsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { pointNames } from "./point_names.mjs";
import { root } from "./programs.mjs";
import { runtimeNames } from "./runtimes.mjs";

/**
 * @typedef {{
 *   points: string[], rounds: number, runtimes: string[], disk: string, out: string | null, charts: string[] | null,
 *   isQuick: boolean, isHelp: boolean
 * }} Options
 */

const MOST_ROUNDS = 1000;
const names = Object.keys(pointNames);
const whatThereIs = "there are --points, --rounds, --runtime, --disk, --out, --charts, --quick and --help";
/** As parseArgs has them. @satisfies {import("node:util").ParseArgsConfig["options"]} */
const options = /** @type {const} */ ({
  points: { type: "string" },
  rounds: { type: "string" },
  runtime: { type: "string" },
  disk: { type: "string" },
  out: { type: "string" },
  charts: { type: "boolean" },
  quick: { type: "boolean" },
  help: { type: "boolean", short: "h" },
});
const defaultOut = join(root, "build/bench.jsonl");

/** Someone has asked for what there is not. */
export class UsageError extends Error {}

/** What `--help` says. */
export function help() {
  const points = Object.entries(pointNames).map(([name, summary]) => `  ${name.padEnd(14)} ${summary}`);
  return `npm run bench -- [options]: the log against its disk, and against what one might take instead

  --points a,b         only these; the start of a name is enough for all that begin so
  --rounds N           rounds that count, behind one that warms up; 5 unless said
  --runtime a,b        of ${runtimeNames.join(", ")}; all of them unless said
  --disk DIRECTORY     where to measure; in the system's temporary directory unless said
  --out FILE           appends a line of JSON for each point; ${relative(process.cwd(), defaultOut)} unless said
  --charts FILES...    only draws the charts of such files, into build/charts
  --quick              one tiny round of everything: it shows that the bench works, the figures mean nothing; no line is
                       written unless --out says where
  --help               this

points:
${points.join("\n")}
`;
}

/** Throws a {@linkcode UsageError} where they are wrong. @param {string[]} given @returns {Options} */
export function readOptions(given) {
  const swallowed = Object.keys(options).filter((name) => process.env[`npm_config_${name}`] !== undefined);
  if (swallowed.length > 0 && !given.some((each) => each.startsWith("-"))) {
    const missing = `npm took --${swallowed.join(" and --")} for itself`;
    throw new UsageError(`${missing}: put -- before the options, as in npm run bench -- --${swallowed[0]}`);
  }
  const { values, positionals } = parse(given);
  const isCharts = values.charts === true;
  if (isCharts && positionals.length === 0) {
    throw new UsageError("--charts takes files of JSON lines, as --out writes them");
  }
  const lost = isCharts ? positionals.find((path) => !existsSync(path)) : undefined;
  if (lost !== undefined) {
    throw new UsageError(`--charts: there is no file ${lost}; npm run bench -- --out makes one`);
  }
  if (!isCharts && positionals[0] !== undefined) {
    throw new UsageError(`${positionals[0]} is no option; ${whatThereIs}`);
  }
  const isQuick = values.quick === true;
  return {
    points: choosePoints(values.points),
    rounds: wholeNumber("--rounds", values.rounds ?? "5"),
    runtimes: chooseRuntimes(values.runtime),
    disk: directoryOf(values.disk ?? tmpdir()),
    out: values.out ?? (isQuick ? null : defaultOut),
    charts: isCharts ? positionals : null,
    isQuick,
    isHelp: values.help === true,
  };
}

/** @param {string[]} given */
function parse(given) {
  try {
    return parseArgs({ args: given, allowPositionals: true, options });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // What comes after the first sentence is about arguments that begin with a dash.
    throw new UsageError(`${message.split("\n")[0]?.split(". ")[0]?.replace(/\.$/, "")}; ${whatThereIs}`);
  }
}

/** A whole name is that point alone, any other start of names all of them. @param {string | undefined} said */
function choosePoints(said) {
  if (said === undefined) return names;
  const chosen = said.split(",").map((part) => part.trim().replaceAll("-", "_"))
    .flatMap((part) => {
      const found = names.includes(part) ? [part] : names.filter((name) => part !== "" && name.startsWith(part));
      if (found.length === 0) {
        throw new UsageError(`there is no point "${part}"; there are ${names.join(", ")}`);
      }
      return found;
    });
  return names.filter((name) => chosen.includes(name));
}

/** @param {string | undefined} said */
function chooseRuntimes(said) {
  const chosen = said?.split(",").map((part) => part.trim()) ?? runtimeNames;
  const unknown = chosen.find((name) => !runtimeNames.includes(name));
  if (unknown === undefined) return chosen;
  throw new UsageError(`there is no runtime "${unknown}"; there are ${runtimeNames.join(", ")}`);
}

/** @param {string} option @param {string} said */
function wholeNumber(option, said) {
  const value = Number(said);
  if (Number.isInteger(value) && value >= 1 && value <= MOST_ROUNDS) {
    return value;
  }
  throw new UsageError(`${option} takes a whole number from 1 to ${MOST_ROUNDS}, not "${said}"`);
}

/** @param {string} path */
function directoryOf(path) {
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (isDirectory) return path;
  throw new UsageError(`--disk takes a directory that is there, and ${path} is none`);
}
