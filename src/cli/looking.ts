/**
 * What the commands that look at a log have in common: one directory, and progress while that takes long.
 *
 * @module
 */

import process from "node:process";
import { WalDirectoryError, WalLockedError } from "../../mod.ts";
import { CommandError, ExitStatus } from "./command.ts";
import { LiveLine } from "./table.ts";

/** On anything but a terminal progress is told so often. */
const TOLD_EVERY_MS = 10_000;
/** What is quicker needs no progress. */
const SILENT_MS = 500;

/** The one directory that a command takes. */
export function directoryOf(command: string, [directory, stray]: readonly string[], usage: string): string {
  if (directory === undefined || directory === "") {
    throw new CommandError(`${command} needs the directory of a log; ${usage}`, ExitStatus.usage);
  }
  if (stray !== undefined) throw new CommandError(`${command} takes no ${stray}; ${usage}`, ExitStatus.usage);
  return directory;
}

/** Runs `look`, which may take long, and shows on stderr how far it is. What it cannot look at is told as that. */
export async function looking<T>(look: (onProgress: (done: number, of: number) => void) => Promise<T>): Promise<T> {
  const line = new LiveLine(TOLD_EVERY_MS, process.stderr);
  const startMs = performance.now();
  let isShown = false;
  const onProgress = (done: number, of: number): void => {
    if (performance.now() - startMs < SILENT_MS) return;
    isShown = true;
    line.show(`looked at ${done} of ${of} segments`);
  };
  try {
    return await look(onProgress);
  } catch (error) {
    if (error instanceof WalDirectoryError) throw new CommandError(error.message, ExitStatus.noInput);
    if (error instanceof WalLockedError) throw new CommandError(error.message, ExitStatus.unavailable);
    throw error;
  } finally {
    if (isShown && process.stderr.isTTY) line.end("");
  }
}
