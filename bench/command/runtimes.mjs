// The runtimes that a point can be measured on.

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { root } from "./programs.mjs";

/** @typedef {{ name: string, isNode: boolean, commandLine: string[] }} Runtime */

const current = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

// So that garbage can be collected between two contenders. The programs themselves and not the scripts that npm puts
// before them: a signal would end those alone.
const flags = {
  node: ["--expose-gc"],
  deno: [
    "run",
    "--quiet",
    "--allow-all",
    "--no-check",
    "--v8-flags=--expose-gc",
    "--import-map",
    join(root, "tests/std/import_map.json"),
  ],
};

export const runtimeNames = ["node", "node24", "deno", "bun"];

/** @type {Record<string, () => string | undefined>} */
const programs = {
  // npm puts Node 24 on the PATH of its scripts as `node`: the Node that a user has is the one that runs npm.
  node: () => (current === "node" ? process.env.npm_node_execpath ?? process.execPath : onPath("node")),
  node24: () => installed("node24/bin/node"),
  deno: () => (current === "deno" ? process.execPath : installed("deno/deno") ?? onPath("deno")),
  bun: () => (current === "bun" ? process.execPath : installed("bun/bin/bun.exe") ?? onPath("bun")),
};

/** Those of `names` that are here, and a line for each that is not. @param {string[]} names */
export function presentRuntimes(names) {
  /** @type {Runtime[]} */
  const runtimes = [];
  const missing = [];
  for (const name of names) {
    const program = programs[name]?.();
    if (program === undefined) {
      missing.push(`${name} is not here: npm ci brings it`);
    } else runtimes.push(runtimeOf(name, program));
  }
  return { runtimes, missing };
}

/** @param {string} name @param {string} program @returns {Runtime} */
function runtimeOf(name, program) {
  const isNode = name.startsWith("node");
  return { name, isNode, commandLine: [program, ...(isNode ? flags.node : name === "deno" ? flags.deno : [])] };
}

/** @param {string} path */
function installed(path) {
  return runnable(join(root, "node_modules", path));
}

/** @param {string} name */
function onPath(name) {
  const directories = (process.env.PATH ?? "").split(delimiter).filter((part) => part !== "");
  return directories.map((directory) => runnable(join(directory, name))).find((path) => path !== undefined);
}

/** @param {string} path */
function runnable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? path : undefined;
  } catch {
    return undefined;
  }
}
