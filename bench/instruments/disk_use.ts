/**
 * What a directory takes on the disk.
 *
 * @module
 */

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** In which `stat` counts, whatever the blocks of the file system are. */
const BLOCK_BYTES = 512;

/** All files of a directory, without those of directories in it. */
export interface DiskUse {
  /** What the disk has given to them. */
  readonly allocatedBytes: number;
  /** Their sizes. */
  readonly apparentBytes: number;
}

/** See the head of this file. */
export function diskUse(directory: string): DiskUse {
  let allocatedBytes = 0;
  let apparentBytes = 0;
  for (const name of readdirSync(directory)) {
    const { blocks, size } = statSync(join(directory, name));
    allocatedBytes += blocks * BLOCK_BYTES;
    apparentBytes += size;
  }
  return { allocatedBytes, apparentBytes };
}
