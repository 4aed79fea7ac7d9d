// A program that is run to its end, in a process group of its own: so that all it started can be ended with it, and so that
// nobody else is. For the checks, and for the command line of the bench.

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const root = fileURLToPath(new URL("../../", import.meta.url)).replace(/[/\\]$/, "");

/**
 * How a program ended, and what it said: all of it as it came, and each stream alone.
 *
 * @typedef {{ code: number | null, output: string, stdout: string, errors: string }} Outcome
 */

/**
 * What a program gets and who hears of it.
 *
 * @typedef {{
 *   environment: NodeJS.ProcessEnv, cwd?: string, seconds: number,
 *   onStart?: (leader: number) => void, onLine?: (line: string) => void
 * }} RunOptions
 */

/**
 * Runs a program to its end and gathers what it says. One that takes too long is ended, with all that it started.
 *
 * @param {string} command
 * @param {readonly string[]} parameters
 * @param {RunOptions} options
 * @returns {Promise<Outcome>}
 */
export function run(command, parameters, { environment, cwd = root, seconds, onStart, onLine = () => {} }) {
  return new Promise((resolve) => {
    const said = { output: "", stdout: "", errors: "" };
    let unended = "";
    const child = spawn(command, parameters, {
      cwd,
      detached: true,
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { pid } = child;
    if (pid !== undefined) onStart?.(pid);
    const complain = (/** @type {string} */ text) => {
      said.errors += text;
      said.output += text;
    };
    const timer = setTimeout(() => {
      complain(`\nended after ${seconds} s\n`);
      if (pid !== undefined) endGroup(pid);
    }, seconds * 1000);
    child.stdout.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      said.stdout += text;
      said.output += text;
      const lines = (unended + text).split("\n");
      unended = lines.pop() ?? "";
      lines.forEach((line) => onLine(line));
    });
    child.stderr.setEncoding("utf8").on("data", complain);
    child.on("error", (error) => complain(`${command}: ${error.message}\n`));
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, ...said });
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
