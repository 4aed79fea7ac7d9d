// Programs of the bench, and others, run with the environment in which it measures.

import { join } from "node:path";
import process from "node:process";
import { endGroup, root, run as runChild } from "../../tests/check/child.mjs";

export { endGroup, root };

/** @typedef {import("../../tests/check/child.mjs").Outcome} Outcome */
/** @typedef {{ onLine?: (line: string) => void, onStart?: (leader: number) => void }} RunOptions */

/** Of one point with all its rounds: far more than it takes on a slow disk. */
const seconds = 3600;

/**
 * Runs `bench/<name>` on a runtime; Node takes it from where it was compiled to.
 *
 * @param {import("./runtimes.mjs").Runtime} runtime
 * @param {string} name
 * @param {string[]} given
 * @param {string | null} compiled
 * @param {RunOptions} [options]
 */
export function runBenchProgram(runtime, name, given, compiled, options) {
  const program = runtime.isNode ? join(compiled ?? "", "bench", `${name}.js`) : join(root, "bench", `${name}.ts`);
  const [command = "", ...parameters] = [...runtime.commandLine, program, ...given];
  return run(command, parameters, options);
}

/**
 * Runs a program to its end.
 *
 * @param {string} command
 * @param {string[]} parameters
 * @param {RunOptions} [options]
 * @returns {Promise<Outcome>}
 */
export function run(command, parameters, options) {
  const environment = { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
  return runChild(command, parameters, { environment, seconds, ...options });
}
