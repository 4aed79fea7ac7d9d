/**
 * The command line as a program that a test starts.
 *
 * @module
 */

import { currentRuntime, type Program, type ProgramOptions, startProgram } from "./processes.ts";

/** Starts `walstream` with these arguments on the runtime of this test. */
export function cli(given: readonly string[], options: ProgramOptions = {}): Program {
  return startProgram(currentRuntime, "../../src/cli/main", { ...options, arguments: given });
}
