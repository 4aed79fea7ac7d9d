/**
 * What the commands that look at a log have in common: one directory, and progress while that takes long.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import {
  WalDirectoryError,
  WalDiskFullError,
  WalInputError,
  WalIoError,
  WalLockedError,
  type WalProgress,
  type WalReport,
} from "../../mod.ts";
import { LOCK_NAME } from "../format.ts";
import { checkPath, CommandError, type CommandHelp, ExitStatus, usageOf } from "./command.ts";
import { LiveLine } from "./table.ts";

/** On anything but a terminal progress is told so often. */
const TOLD_EVERY_MS = 10_000;
/** What a file that cannot be read asks for. */
const UNREADABLE =
  "see to the rights of that file; if its disk is bad, copy all files to another one with ddrescue and repair those";
/** What is quicker needs no progress. */
const SILENT_MS = 500;

/** The one directory that a command takes. */
export function directoryOf(command: CommandHelp, [directory, stray]: readonly string[]): string {
  if (directory === undefined || directory === "") {
    throw new CommandError(`${command.name} needs the directory of a log; ${usageOf(command)}`, ExitStatus.usage);
  }
  if (stray !== undefined) {
    const what = `${command.name} takes one directory, and ${stray} is one more`;
    throw new CommandError(`${what}; ${usageOf(command)}`, ExitStatus.usage);
  }
  checkPath(command, directory);
  return directory;
}

/** Where there has never been a log, nobody meant to look: a directory that is not mounted, or a slip of the pen. */
export function mustBeLog({ directory, state }: WalReport): void {
  if (state !== "empty" || existsSync(join(directory, LOCK_NAME))) return;
  throw new CommandError(`there is no log in ${directory}, nor was there one`, ExitStatus.noInput);
}

/** Runs `look`, which may take long, and shows on stderr how far it is. What it cannot look at is told as that. */
export async function looking<T>(look: (onProgress: WalProgress) => Promise<T>): Promise<T> {
  const line = new LiveLine(TOLD_EVERY_MS, process.stderr);
  const startMs = performance.now();
  let isShown = false;
  const onProgress: WalProgress = (done, of, what) => {
    if (performance.now() - startMs < SILENT_MS) return;
    isShown = true;
    line.show(`${what} ${done} of ${of} segments`);
  };
  try {
    return await look(onProgress);
  } catch (error) {
    if (error instanceof WalInputError) throw new CommandError(error.message, ExitStatus.usage);
    if (error instanceof WalDirectoryError) throw new CommandError(error.message, ExitStatus.noInput);
    if (error instanceof WalLockedError) throw new CommandError(error.message, ExitStatus.unavailable);
    if (error instanceof WalDiskFullError) throw new CommandError(error.message, ExitStatus.cannotCreate);
    if (error instanceof WalIoError) throw new CommandError(`${error.message}; ${UNREADABLE}`, ExitStatus.ioError);
    throw error;
  } finally {
    if (isShown && process.stderr.isTTY) line.end("");
  }
}
