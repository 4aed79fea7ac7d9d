/**
 * `import`: what it costs a program to have the log, in time and in size.
 *
 * The time from the start of a process that imports the log until it has ended, less that of one that imports nothing;
 * the two take turns. How long the `import()` takes by the process's own clock is a figure too, without the part that
 * the runtime does before and behind. On Node it is what npm packs that is imported, on Deno and Bun the sources, as
 * from JSR. The size is that of npm's tarball.
 *
 * @module
 */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { atMost, difference, type Figures } from "../harness/figures.ts";
import type { Contender, Point, Reading } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import { median } from "../harness/statistics.ts";
import { childCommandLine } from "../instruments/children.ts";

const PROCESS = "a process, from start to end";
const IMPORT = "import() by its own clock";
const NOTHING = "a program that imports nothing";
const KB = 1000;

/** The checkout: the bench is in it, or compiled somewhere below. */
function root(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, "deno.json"))) {
    directory = dirname(directory);
  }
  return directory;
}

function packageUrl(): string {
  const isNode = !("Deno" in globalThis) && !("Bun" in globalThis);
  return pathToFileURL(join(root(), isNode ? "dist/mod.js" : "mod.ts")).href;
}

/** Programs that import this, or nothing, one after the other. */
function starting(name: string, given: readonly string[], times: number): Contender {
  const [command = "", ...parameters] = childCommandLine("start", given);
  return {
    name,
    round: () => {
      const wholeMs: number[] = [];
      const importMs: number[] = [];
      for (let nth = 0; nth < times; nth++) {
        const startMs = performance.now();
        const { status, stdout, stderr } = spawnSync(command, parameters, { encoding: "utf8" });
        wholeMs.push(performance.now() - startMs);
        if (status !== 0) {
          throw new Error(`a program that imports the log ended with ${status}: ${stderr}`);
        }
        importMs.push(Number(stdout));
      }
      const of = (what: string, values: readonly number[]): Reading => (
        { what, unit: "ms", better: "lower", value: median(values) }
      );
      return Promise.resolve([of(PROCESS, wholeMs), ...(given.length === 0 ? [] : [of(IMPORT, importMs)])]);
    },
  };
}

/**
 * What npm would pack; asked once, it does not change. The bench's command line has seen to it that `dist` is there.
 */
function packed(): Contender {
  let readings: Reading[] | null = null;
  return { name: "package", round: () => Promise.resolve(readings ??= packedSizes()) };
}

function packedSizes(): Reading[] {
  const script = process.env["npm_execpath"];
  const [command = "npm", ...before] = script === undefined
    ? ["npm"]
    : [process.env["npm_node_execpath"] ?? "node", script];
  const output = execFileSync(command, [...before, "pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root(),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [report] = JSON.parse(output.slice(output.indexOf("["))) as {
    size: number;
    unpackedSize: number;
  }[];
  const of = (what: string, bytes = NaN): Reading => ({ what, unit: "kB", better: "lower", value: bytes / KB });
  return [of("packed", report?.size), of("unpacked", report?.unpackedSize)];
}

/** See the head of this file. */
export const importing: Point = {
  name: "import",
  entryBytes: 0,
  contenders: (scale: Scale) => {
    const times = scale.pick(10, 1);
    return [starting(NOTHING, [], times), starting("walstream", [packageUrl()], times), packed()];
  },
  targets: (figures: Figures) => {
    const more = difference(figures.median("walstream", PROCESS), figures.median(NOTHING, PROCESS));
    return [
      atMost("time: less that of a program that imports nothing", "ms", 40, more),
      atMost("packed size", "kB", 150, figures.median("package", "packed")),
    ];
  },
};
