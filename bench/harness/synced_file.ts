/**
 * A file that is written from its start to its end, each write synced before the next: the least that a disk can be asked
 * for. All on the calling thread, which is the cheapest way that each runtime has.
 *
 * *Prepared*: a file of written zeros, long enough for all of it, made and synced before. *Growing*: each write is at the
 * end of the file.
 *
 * @module
 */

import * as fs from "node:fs";
import { join } from "node:path";

/** How the file is before the first write. */
export type FileKind = "prepared" | "growing";

const ZEROS: Uint8Array = new Uint8Array(1024 * 1024);

/** See the head of this file. */
export class SyncedFile {
  readonly #descriptor: number;
  #position = 0;

  /** @param totalBytes How much will be written, all in all. */
  constructor(directory: string, kind: FileKind, totalBytes: number) {
    this.#descriptor = fs.openSync(join(directory, "synced"), "w+");
    for (
      let at = 0;
      kind === "prepared" && at < totalBytes;
      at += ZEROS.length
    ) {
      this.#write(
        ZEROS.subarray(0, Math.min(ZEROS.length, totalBytes - at)),
        at,
      );
    }
    fs.fsyncSync(this.#descriptor);
  }

  /** Writes the bytes behind those before, and syncs them. */
  step(bytes: Uint8Array): void {
    this.#write(bytes, this.#position);
    fs.fdatasyncSync(this.#descriptor);
    this.#position += bytes.length;
  }

  /** Gives the file back. */
  close(): void {
    fs.closeSync(this.#descriptor);
  }

  #write(bytes: Uint8Array, position: number): void {
    for (let count = 0; count < bytes.length;) {
      count += fs.writeSync(
        this.#descriptor,
        bytes,
        count,
        bytes.length - count,
        position + count,
      );
    }
  }
}
