import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** A file in the volume that takes up room. */
export class Ballast {
  readonly #path: string;

  /** @param volume The root of the file system. */
  constructor(volume: string, name: string) {
    this.#path = join(volume, name);
  }

  /** Takes up so much room; all that there is unless said, to the last byte. */
  fill(sizeBytes: number = Infinity): void {
    const file = openSync(this.#path, "a");
    let left = sizeBytes;
    for (let chunkBytes = 64 * 1024; chunkBytes >= 1 && left > 0;) {
      try {
        left -= writeSync(file, new Uint8Array(Math.min(chunkBytes, left)));
      } catch (error) {
        if ((error as { code?: unknown }).code !== "ENOSPC") throw error;
        chunkBytes = Math.floor(chunkBytes / 4);
      }
    }
    closeSync(file);
  }

  /** Gives the room back. */
  remove(): void {
    rmSync(this.#path, { force: true });
  }
}
