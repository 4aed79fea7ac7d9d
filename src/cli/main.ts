#!/usr/bin/env node
/**
 * The command line: `walstream <command>`.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { benchCommand } from "./bench.ts";
import { type Command, CommandError, ExitStatus, parse } from "./command.ts";
import { demo } from "./demo.ts";
import { demoWriter } from "./demo_writer.ts";
import { repair } from "./repair.ts";
import { verify } from "./verify.ts";

const commands: readonly Command[] = [demo, benchCommand(version), verify, repair];
/** Not for users: what a command starts this file again for. */
const hiddenCommands: readonly Command[] = [demoWriter];

const whatThereIs = `there are the commands ${
  commands.map(({ name }) => name).join(", ")
} and the options --help, --version`;

function usage(): string {
  const rows = commands.map(({ name, usage, summary }) => `  walstream ${name} ${usage}\n      ${summary}\n`);
  return `walstream: a write-ahead log for Deno, Bun and Node

usage:
${rows.join("")}  walstream --help
  walstream --version
`;
}

/** The package.json is above this file, once in the sources and one step further up when compiled. */
async function version(): Promise<string> {
  for (const steps of ["../../", "../../../"]) {
    const text = await readFile(new URL(`${steps}package.json`, import.meta.url), "utf8").catch(() => "{}");
    const { name, version } = JSON.parse(text) as { name?: string; version?: string };
    if (name === "@walstream/wal" && version !== undefined) return version;
  }
  return "of unknown version: its package.json cannot be read";
}

async function main(given: readonly string[]): Promise<number> {
  const [name, ...rest] = given;
  if (name === undefined || name.startsWith("-")) {
    const options = { help: { type: "boolean", short: "h" }, version: { type: "boolean", short: "v" } } as const;
    const { values, positionals } = parse(given, options, whatThereIs);
    const [behind] = positionals;
    if (behind !== undefined) {
      throw new CommandError(`${behind} stands behind an option; ${whatThereIs}`, ExitStatus.usage);
    }
    process.stdout.write(values.version ? `walstream ${await version()}\n` : usage());
    return ExitStatus.good;
  }
  const command = [...commands, ...hiddenCommands].find((each) => each.name === name);
  if (command === undefined) throw new CommandError(`there is no command ${name}; ${whatThereIs}`, ExitStatus.usage);
  return await command.run({ arguments: rest, program: fileURLToPath(import.meta.url) });
}

/** One line, whatever it was. */
function told(error: unknown): number {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`walstream: ${message.trimEnd()}\n`);
  return error instanceof CommandError ? error.status : ExitStatus.internal;
}

process.exitCode = await main(process.argv.slice(2)).catch(told);
