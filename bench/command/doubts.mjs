// What a person should know of a disk before it is measured for an hour.

import { statfsSync } from "node:fs";

/** What `memory` writes, and what the other stores keep for `recover`. */
const neededGigabytes = 6;
const GB = 1e9;

/** The numbers of tmpfs and of ramfs, as Linux has them. */
const inMemory = [0x01021994, 0x858458f6];

/** A line for each doubt. @param {string} directory @param {boolean} isQuick @returns {string[]} */
export function doubtsOf(directory, isQuick) {
  try {
    const { type, bavail, bsize } = statfsSync(directory);
    const freeGigabytes = bavail * bsize / GB;
    return [
      ...(inMemory.includes(type)
        ? ["that directory is in memory, where a sync does nothing: take another by --disk"]
        : []),
      ...(!isQuick && freeGigabytes < neededGigabytes
        ? [`${freeGigabytes.toFixed(1)} GB are free there, and all points together need ${neededGigabytes}`]
        : []),
    ];
  } catch {
    return []; // no such system call here
  }
}
