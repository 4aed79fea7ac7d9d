/**
 * Knows from a dead process's notes what it had done to the disk and not synced, and does to a copy of its files what a
 * power loss may do to that, and only to that.
 */

import { Buffer } from "node:buffer";
import { closeSync, existsSync, ftruncateSync, openSync, renameSync, statSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../../src/runtime/random.ts";
import type { DiskNote } from "./disk_notes.ts";

const SECTOR_BYTES = 512;

interface Write {
  readonly at: number;
  readonly length: number;
  readonly old: Uint8Array;
  isReturned: boolean;
}

interface FileRecord {
  /** All that it was called, newest last: the process may have died before a rename. */
  names: string[];
  /** How many of its names the directory is sure to have seen: 0 for a file that is new. */
  syncedNames: number;
  writes: Write[];
  /** Those that a sync in flight covers when it returns. */
  covered: Write[];
  syncedBytes: number;
  syncingBytes: number;
}

/** What survives of that which was not synced: nothing, or each sector, size and name with an even chance. */
export type Survivors = "nothing" | "chance";

/** See the head of this file. */
export class UnsyncedWrites {
  readonly #files = new Map<string, FileRecord>();
  readonly #writes = new Map<number, Write>();
  /** The names that a sync of the directory in flight covers when it returns. */
  #coveredNames: [FileRecord, number][] = [];

  /** @param notes All that the process said, in order. */
  constructor(notes: readonly DiskNote[]) {
    for (const note of notes) this.#take(note);
  }

  #take(note: DiskNote): void {
    if ("open" in note) this.#open(note.open, note.isNew, note.sizeBytes);
    else if ("rename" in note) this.#rename(note.rename, note.to);
    else if ("directory" in note) this.#syncDirectory(note.directory);
    else if ("write" in note) {
      const old = new Uint8Array(Buffer.from(note.old, "base64"));
      const write = { at: note.at, length: note.length, old, isReturned: false };
      this.#writes.set(note.id, write);
      this.#file(note.write).writes.push(write);
    } else if ("written" in note) {
      const write = this.#writes.get(note.written);
      if (write !== undefined) write.isReturned = true;
    } else if ("syncing" in note) {
      const file = this.#file(note.syncing);
      file.covered = file.writes.filter(({ isReturned }) => isReturned);
      file.syncingBytes = note.sizeBytes;
    } else if ("synced" in note) {
      const file = this.#file(note.synced);
      file.writes = file.writes.filter((write) => !file.covered.includes(write));
      file.syncedBytes = file.syncingBytes;
    }
  }

  #open(name: string, isNew: boolean, sizeBytes: number): void {
    if (this.#files.has(name) && !isNew) return;
    const syncedNames = isNew ? 0 : 1;
    this.#files.set(name, {
      names: [name],
      syncedNames,
      writes: [],
      covered: [],
      syncedBytes: sizeBytes,
      syncingBytes: 0,
    });
  }

  #rename(from: string, to: string): void {
    const file = this.#files.get(from);
    if (file === undefined) return; // it was never written by this process
    file.names.push(to);
    this.#files.set(to, file);
  }

  #syncDirectory(state: "syncing" | "synced"): void {
    if (state === "syncing") this.#coveredNames = [...this.#all()].map((file) => [file, file.names.length]);
    else for (const [file, count] of this.#coveredNames) file.syncedNames = count;
  }

  #file(name: string): FileRecord {
    const file = this.#files.get(name);
    if (file === undefined) throw new Error(`${name} was written and never opened`);
    return file;
  }

  #all(): Set<FileRecord> {
    return new Set(this.#files.values());
  }

  /** Loses what was not synced from the files in `directory`. Returns how many bytes and names were lost. */
  lose(directory: string, survivors: Survivors, random: Random): { lostBytes: number; lostNames: number } {
    const isLost = (): boolean => survivors === "nothing" || random.chance(0.5);
    let lostBytes = 0;
    let lostNames = 0;
    for (const file of this.#all()) {
      const name = file.names.findLast((each) => existsSync(join(directory, each)));
      if (name === undefined) continue;
      lostBytes += loseBytes(join(directory, name), file, isLost);
      if (file.syncedNames <= file.names.indexOf(name) && isLost()) {
        lostNames++;
        const before = file.names[file.syncedNames - 1];
        if (before === undefined) unlinkSync(join(directory, name));
        else renameSync(join(directory, name), join(directory, before));
      }
    }
    return { lostBytes, lostNames };
  }
}

function loseBytes(path: string, { writes, syncedBytes }: FileRecord, isLost: () => boolean): number {
  if (writes.length === 0) return 0;
  const { size } = statSync(path);
  const descriptor = openSync(path, "r+");
  let lostBytes = 0;
  for (const write of writes.toReversed()) lostBytes += loseSectors(descriptor, write, size, isLost);
  if (size > syncedBytes && isLost()) ftruncateSync(descriptor, syncedBytes);
  closeSync(descriptor);
  return lostBytes;
}

/** Puts back what was there before, in some sectors. Bytes of a sector that belong to no lost write are left alone. */
function loseSectors(descriptor: number, write: Write, size: number, isLost: () => boolean): number {
  const end = Math.min(write.at + write.length, size);
  let lostBytes = 0;
  for (let at = write.at; at < end;) {
    const next = Math.min(end, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    if (isLost()) {
      const bytes = new Uint8Array(next - at);
      bytes.set(write.old.subarray(at - write.at, next - write.at));
      writeSync(descriptor, bytes, 0, bytes.length, at);
      lostBytes += bytes.length;
    }
    at = next;
  }
  return lostBytes;
}
