/**
 * The runtimes that this program can be started on.
 *
 * @module
 */

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { CommandError, ExitStatus } from "./command.ts";

export type RuntimeName = "node" | "deno" | "bun";

export const runtimeNames: readonly RuntimeName[] = ["node", "deno", "bun"];

/** The runtime that runs this. */
export const currentRuntime: RuntimeName = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

/** The command line that starts `program` on a runtime; throws where the runtime is not there. */
export function commandLineOn(runtime: RuntimeName, program: string): string[] {
  const flags = runtime === "deno" ? ["run", "--quiet", "--allow-all", "--no-prompt"] : [];
  return [runtime === currentRuntime ? process.execPath : find(runtime), ...flags, program];
}

function find(runtime: RuntimeName): string {
  const local = resolve("node_modules", ".bin");
  const directories = [local, ...(process.env["PATH"] ?? "").split(delimiter).filter((part) => part !== "")];
  const name = process.platform === "win32" ? `${runtime}.exe` : runtime;
  const found = directories.map((directory) => join(directory, name)).find(isExecutable);
  if (found !== undefined) return found;
  const places = "neither in node_modules/.bin here nor on the PATH";
  throw new CommandError(`${runtime} is not there: ${places}; install it, or use another one`, ExitStatus.unavailable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
