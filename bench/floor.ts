/**
 * What the disk takes by itself: the same bytes, written at a position and synced, with no format and nobody to wake.
 *
 * *Prepared*: into a file of written zeros, long enough for all of it, made and synced before. *Growing*: at the end of
 * a file. Both on the calling thread, which is the cheapest way that each runtime has.
 *
 * @module
 */

import { randomFillSync } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import type { Contender, Reading, Watch } from "./point.ts";
import { Times } from "./statistics.ts";

/** How the file is before the first write. */
export type FloorKind = "prepared" | "growing";

const ZEROS: Uint8Array = new Uint8Array(1024 * 1024);

/** A file that is written to from its start to its end. */
export class Floor {
  readonly #descriptor: number;
  #position = 0;

  /** @param totalBytes How much will be written, all in all. */
  constructor(directory: string, kind: FloorKind, totalBytes: number) {
    this.#descriptor = fs.openSync(join(directory, "floor"), "w+");
    for (let at = 0; kind === "prepared" && at < totalBytes; at += ZEROS.length) {
      this.#write(ZEROS.subarray(0, Math.min(ZEROS.length, totalBytes - at)), at);
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
      count += fs.writeSync(this.#descriptor, bytes, count, bytes.length - count, position + count);
    }
  }
}

/** What a floor took: so many syncs, and each of them in microseconds. */
export interface FloorTimes {
  readonly elapsedMs: number;
  readonly steps: Times;
}

/** How a floor is measured. */
export interface FloorWork {
  /** Asked when the round begins: it may hang on what another contender did. */
  readonly bytesPerSync: () => number;
  readonly syncs: () => number;
  readonly part?: string;
  readonly read: (times: FloorTimes) => readonly Reading[];
}

/** So many syncs before those that count: the first ones find nothing in any cache. */
const WARM_UP_SYNCS = 8;

/** A floor as a contender. */
export function floorContender(kind: FloorKind, { bytesPerSync, syncs, part, read }: FloorWork): Contender {
  return {
    name: floorName(kind),
    ...(part === undefined ? {} : { part }),
    round: (directory: string, watch: Watch) => {
      const bytes = randomFillSync(new Uint8Array(bytesPerSync())); // as entries are: nothing can compress them
      const count = syncs();
      const floor = new Floor(directory, kind, (count + WARM_UP_SYNCS) * bytes.length);
      for (let nth = 0; nth < WARM_UP_SYNCS; nth++) floor.step(bytes);
      const steps = new Times(count);
      watch.start();
      let before = performance.now();
      for (let nth = 0; nth < count; nth++) {
        floor.step(bytes);
        const now = performance.now();
        steps.add((now - before) * 1000);
        before = now;
      }
      const elapsedMs = watch.stop();
      floor.close();
      return Promise.resolve(read({ elapsedMs, steps }));
    },
  };
}

/** The contender's name. */
export function floorName(kind: FloorKind): string {
  return `floor, ${kind}`;
}
