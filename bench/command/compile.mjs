// What Node 20 needs before it can run the bench.

import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { endGroup, root, run } from "./programs.mjs";
import { UsageError } from "./options.mjs";
import { presentRuntimes } from "./runtimes.mjs";
import { makeDirectory } from "./temporary.mjs";

/**
 * Compiles the bench, and what it imports, into a folder that is this run's own: two runs do not get into each other's
 * way. What cannot be typed is compiled all the same; tests/check tells of that.
 *
 * @param {import("./interruption.mjs").Interruption} interruption
 */
export async function compile(interruption) {
  const parent = join(root, "build/bench");
  mkdirSync(parent, { recursive: true });
  const { path } = makeDirectory(parent, interruption);
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  if (!existsSync(compiler)) {
    throw new UsageError("what compiles the bench for Node is not installed: npm ci brings it");
  }
  let forget = () => {};
  const { output } = await run(node(), [compiler, "-p", join(root, "bench/tsconfig.json"), "--outDir", path], {
    onStart: (pid) => forget = interruption.atEnd(() => endGroup(pid)),
  });
  forget();
  if (!existsSync(join(path, "bench/run.js"))) {
    throw new Error(`the bench could not be compiled: ${output}`);
  }
  // The peers are looked for from where the bench runs.
  if (existsSync(join(root, "bench/node_modules"))) {
    symlinkSync(join(root, "bench/node_modules"), join(path, "bench/node_modules"));
  }
  return path;
}

/** Builds what npm packs, where it is not there or older than its sources. */
export async function buildPackage() {
  const built = statSync(join(root, "dist/mod.js"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync(join(root, "src"), { recursive: true }).map((name) => join(root, "src", String(name)));
  const newest = Math.max(...[join(root, "mod.ts"), ...sources].map((path) => statSync(path).mtimeMs));
  if (built > newest) return;
  const { code, output } = await run(node(), [join(root, "tests/check/build.mjs")]);
  if (code !== 0) {
    throw new Error(`the package could not be built: ${output}`);
  }
}

function node() {
  const program = presentRuntimes(["node"]).runtimes[0]?.commandLine[0];
  if (program === undefined) {
    throw new UsageError("there is no Node, which compiles the bench for Node");
  }
  return program;
}
