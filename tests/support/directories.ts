import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Copies the directory of a log, which is flat: while the log is open, that is what a killed process would leave. */
export async function copyDirectory(from: string, to: string): Promise<string> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) await writeFile(join(to, name), await readFile(join(from, name)));
  return to;
}

/** A file as it lies on the disk. */
export interface FileState {
  readonly bytes: Uint8Array;
  /** Moves whenever somebody writes, be it the same bytes. */
  readonly modifiedMs: number;
}

/** All files of a directory, by name. */
export async function readDirectory(directory: string): Promise<Map<string, FileState>> {
  const files = new Map<string, FileState>();
  for (const name of (await readdir(directory)).sort()) {
    const path = join(directory, name);
    files.set(name, { bytes: new Uint8Array(await readFile(path)), modifiedMs: (await stat(path)).mtimeMs });
  }
  return files;
}

/** The names of a directory's segments, oldest first. */
export async function segmentNames(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => /^\d.*\.wal$/.test(name)).sort();
}

/** The name of a directory's last segment, or "" where there is none. */
export async function lastSegment(directory: string): Promise<string> {
  return (await segmentNames(directory)).at(-1) ?? "";
}
