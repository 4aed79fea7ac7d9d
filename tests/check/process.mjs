// Running other programs: quietly, with an environment that says the same on every machine.

import { existsSync, mkdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { endGroup, root, run as runChild } from "./child.mjs";

export { root };

/**
 * The runtimes by the name of their suite. npm puts Node 24 on the PATH of its scripts under the name `node`, because of the
 * alias in package.json; the Node that a user has is the one that runs npm.
 *
 * @type {{ node20: string, node24: string, deno: string, bun: string }}
 */
export const runtimes = {
  node20: process.env.npm_node_execpath ?? process.execPath,
  node24: join(root, "node_modules/node24/bin/node"),
  deno: join(root, "node_modules/.bin/deno"),
  bun: join(root, "node_modules/.bin/bun"),
};

/** @typedef {import("./child.mjs").Outcome} Outcome */

const environment = cleanEnvironment();

/** What runs, each in a process group of its own. @type {Set<number>} */
const leaders = new Set();
process.on("exit", () => leaders.forEach(endGroup));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

/**
 * Runs a program to its end and gathers what it says. One that takes too long is ended, with all that it started.
 *
 * @param {string} command
 * @param {readonly string[]} parameters
 * @param {{ cwd?: string, seconds?: number }} [options]
 * @returns {Promise<Outcome>}
 */
export async function run(command, parameters, { cwd = root, seconds = 120 } = {}) {
  let leader = 0;
  const onStart = (/** @type {number} */ pid) => {
    leader = pid;
    leaders.add(pid);
  };
  const outcome = await runChild(command, parameters, { environment, cwd, seconds, onStart });
  leaders.delete(leader);
  return outcome;
}

/** @param {readonly string[]} parameters @param {Parameters<typeof run>[2]} [options] */
export function runDeno(parameters, options) {
  return run(runtimes.deno, parameters, options);
}

/** @param {readonly string[]} parameters @param {Parameters<typeof run>[2]} [options] */
export function runTypeScript(parameters, options) {
  return run(runtimes.node20, [join(root, "node_modules/typescript/bin/tsc"), ...parameters], options);
}

/** @param {readonly string[]} parameters @param {Parameters<typeof run>[2]} [options] */
export function runNpm(parameters, options) {
  const script = process.env.npm_execpath;
  if (script === undefined) return run("npm", parameters, options);
  return run(runtimes.node20, [script, ...parameters], options);
}

/** Puts the runtimes into a folder of their own, which is the first on the PATH of every program that is run here. */
export function linkRuntimes() {
  const links = join(root, "build/bin");
  mkdirSync(links, { recursive: true });
  const programs = { node: runtimes.node20, node24: runtimes.node24, deno: runtimes.deno, bun: runtimes.bun };
  for (const [name, path] of Object.entries(programs)) {
    if (!existsSync(path)) {
      throw new Error(`${path} is missing: run npm ci, and let it run the packages' install scripts`);
    }
    rmSync(join(links, name), { force: true });
    symlinkSync(realpathSync(path), join(links, name));
  }
}

/** Without what npm tells its scripts: an npm within npm would take this checkout for its own. */
function cleanEnvironment() {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|NODE$|FORCE_COLOR$)/.test(name));
  const path = [join(root, "build/bin"), process.env.PATH ?? ""].join(delimiter);
  return { ...Object.fromEntries(inherited), PATH: path, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
}
