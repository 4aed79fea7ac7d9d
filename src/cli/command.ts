/**
 * What a command of the command line is.
 *
 * @module
 */

import { parseArgs, type ParseArgsConfig } from "node:util";
import { isWrittenUrl } from "../checks.ts";

/** What the process ends with. The numbers from 64 on are those of sysexits.h. */
export const ExitStatus: {
  readonly good: 0;
  /** What was looked at is not as it should be. */
  readonly wrong: 1;
  /** And nobody can say how it came to that. */
  readonly corrupt: 2;
  readonly usage: 64;
  /** What was named is not there, or is not what it should be. */
  readonly noInput: 66;
  /** Something that the command needs is not there. */
  readonly unavailable: 69;
  readonly internal: 70;
  /** The disk has an error. */
  readonly ioError: 74;
  /** There is no room, or no leave, for what is to be made. */
  readonly cannotCreate: 73;
} = {
  good: 0,
  wrong: 1,
  corrupt: 2,
  usage: 64,
  noInput: 66,
  unavailable: 69,
  internal: 70,
  cannotCreate: 73,
  ioError: 74,
};

/** How the command line was called. */
export interface Invocation {
  /** What follows the command's name. */
  readonly arguments: readonly string[];
  /** The file that was started, so that a command can start it again. */
  readonly program: string;
}

/** One file each, entered in the table of main.ts. */
export interface Command {
  readonly name: string;
  /** Without the name: `[--seconds N]`. */
  readonly usage: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** Resolves to the exit status. */
  run(invocation: Invocation): Promise<number>;
}

/** What a command answers to `--help`. */
export interface CommandHelp extends Omit<Command, "run"> {
  /** What else there is to say, behind a semicolon. */
  readonly details: string;
}

/** Ends the command with one line on stderr and a status. */
export class CommandError extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values<T extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: T; strict: true; allowPositionals: true }>
>;

/** `node:util`'s parseArgs; wrong use is told in one line that ends with what there is. */
export function parse<T extends Options>(given: readonly string[], options: T, whatThereIs: string): Values<T> {
  try {
    return parseArgs({ args: [...given], options, strict: true, allowPositionals: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // What comes after the first sentence is about positional arguments that begin with a dash: there are none.
    const sentence = message.split("\n")[0]?.split(". ")[0] ?? message;
    throw new CommandError(`${sentence.replace(/\.$/, "")}; ${whatThereIs}`, ExitStatus.usage);
  }
}

/** How a command is called. */
export function usageOf({ name, usage }: CommandHelp): string {
  return `usage: walstream ${name} ${usage}`;
}

/** Throws where a URL stands in the place of a path: it is none, and a directory of that name is hardly meant. */
export function checkPath(command: CommandHelp, path: string): void {
  if (!isWrittenUrl(path)) return;
  const problem = `${command.name} takes a path, such as /data/wal, and ${path} is a URL`;
  throw new CommandError(`${problem}; ${usageOf(command)}`, ExitStatus.usage);
}

/** What a command was given; null where that is `--help`, which has been answered then. */
export function parseFor<T extends Options>(help: CommandHelp, given: readonly string[], options: T): Values<T> | null {
  const all: T & Options = { ...options, help: { type: "boolean", short: "h" } };
  const parsed = parse(given, all, usageOf(help));
  const { help: isAsked }: { readonly help?: unknown } = parsed.values;
  if (isAsked !== true) return parsed;
  console.log(`${usageOf(help)}\n\n${help.summary};\n${help.details}`);
  return null;
}
