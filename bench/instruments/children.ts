/**
 * Programs of `children/`, started on the runtime that runs this.
 *
 * They belong to the process group of whoever starts them, so that whoever ends the bench ends them too, and they end
 * by themselves when their input does.
 *
 * @module
 */

import process from "node:process";
import { fileURLToPath } from "node:url";
import { Program } from "../../tests/support/processes.ts";

const isCompiled: boolean = import.meta.url.endsWith(".js");

/** What starts the runtime, and a program of `children/` on it. */
export function childCommandLine(name: string, given: readonly string[]): string[] {
  const program = fileURLToPath(
    new URL(`../children/${name}.${isCompiled ? "js" : "ts"}`, import.meta.url),
  );
  return [process.execPath, ...runtimeFlags(), program, ...given];
}

/** Starts a program of `children/`. */
export function startChild(name: string, given: readonly string[]): Program {
  const [command = "", ...parameters] = childCommandLine(name, given);
  return new Program(command, parameters, {});
}

/** Deno alone wants to be told what it may do. */
function runtimeFlags(): string[] {
  if (!("Deno" in globalThis)) return [];
  const importMap = fileURLToPath(new URL("../../tests/std/import_map.json", import.meta.url));
  return ["run", "--quiet", "--allow-all", "--no-check", "--import-map", importMap];
}
