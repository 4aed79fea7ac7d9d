// Programs of the bench, each run in a process group of its own, so that it can be ended with all that it has started.

import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const root = fileURLToPath(new URL("../../", import.meta.url)).replace(/[/\\]$/, "");

/** @typedef {{ code: number | null, output: string, errors: string }} Ended */
/** @typedef {{ onLine?: (line: string) => void, onStart?: (pid: number) => void, seconds?: number }} RunOptions */

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
 * Runs a program to its end, or ends it when it has had its time.
 *
 * @param {string} command
 * @param {string[]} parameters
 * @param {RunOptions} [options]
 * @returns {Promise<Ended>}
 */
export function run(command, parameters, { onLine = () => {}, onStart = () => {}, seconds = 3600 } = {}) {
  return new Promise((resolve) => {
    let output = "";
    let errors = "";
    let half = "";
    const child = spawn(command, parameters, {
      cwd: root,
      detached: true,
      env: { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { pid } = child;
    if (pid !== undefined) onStart(pid);
    const timer = setTimeout(() => {
      errors += `ended after ${seconds} s\n`;
      if (pid !== undefined) endGroup(pid);
    }, seconds * 1000);
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
      const lines = (half + text).split("\n");
      half = lines.pop() ?? "";
      lines.forEach(onLine);
    });
    child.stderr.setEncoding("utf8").on("data", (text) => errors += text);
    child.on("error", (error) => errors += `${command}: ${error.message}\n`);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, output, errors });
    });
  });
}

/** Ends a process with all of its group. @param {number} leader */
export function endGroup(leader) {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // All of it is gone already.
  }
}
