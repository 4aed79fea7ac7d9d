/**
 * Where a bench works: a new directory in the one that the user names. It touches nothing else.
 *
 * @module
 */

import { mkdtemp, rm, stat, statfs } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { messageOf, systemCode } from "../errors.ts";
import { CommandError, ExitStatus } from "./command.ts";

const MIB: number = 1024 * 1024;
const LEAST_FREE_BYTES: number = 300 * MIB;
/** However much is free: nobody's disk shall be worn out. */
const MOST_ROOM_BYTES: number = 1024 * MIB;
/** What Linux calls file systems that lie in memory. */
const IN_MEMORY: ReadonlyMap<number, string> = new Map([[0x01021994, "tmpfs"], [0x858458f6, "ramfs"]]);

/** The directory of one bench. */
export interface BenchPlace {
  readonly directory: string;
  /** So much may lie in it at once, about. */
  readonly roomBytes: number;
  /** The file system where that lies in memory; null where it does not, or where that cannot be known. */
  readonly inMemory: string | null;
}

/** Makes one in `parent`; throws a {@linkcode CommandError} that says what to do where that cannot be. */
export async function makePlace(parent: string): Promise<BenchPlace> {
  const found = await stat(parent).catch((error: unknown) => {
    if (systemCode(error) !== "ENOENT") throw new CommandError(messageOf(error), ExitStatus.noInput);
    throw new CommandError(`there is no ${parent}: make that directory first, or name another one`, ExitStatus.noInput);
  });
  if (!found.isDirectory()) {
    throw new CommandError(`${parent} is no directory: name one on the disk to be measured`, ExitStatus.noInput);
  }
  // Where it may not be asked, the disk itself says when it is full.
  const { type = 0, blocks = 0, bavail = 0, bsize = 0 } = await statfs(parent).catch(() => null) ?? {};
  const freeBytes = blocks === 0 ? Infinity : bavail * bsize;
  if (freeBytes < LEAST_FREE_BYTES) {
    const free = `${Math.floor(freeBytes / MIB)} MiB are free in ${parent}`;
    const needed = `the bench needs ${LEAST_FREE_BYTES / MIB}`;
    throw new CommandError(`${free}, and ${needed}: make room, or name another directory`, ExitStatus.cannotCreate);
  }
  const directory = await mkdtemp(join(resolve(parent), "walstream-bench-")).catch((error: unknown) => {
    const problem = `cannot make a directory in ${parent} (${systemCode(error) ?? messageOf(error)})`;
    throw new CommandError(`${problem}: name one that you may write to`, ExitStatus.cannotCreate);
  });
  return {
    directory,
    roomBytes: Math.min(freeBytes / 3, MOST_ROOM_BYTES),
    inMemory: process.platform === "linux" ? IN_MEMORY.get(type >>> 0) ?? null : null,
  };
}

/** Removes it, whatever is in it. */
export async function removePlace({ directory }: BenchPlace): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}
