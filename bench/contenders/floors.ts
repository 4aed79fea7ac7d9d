/**
 * The floors: what the disk takes by itself for the same bytes, written at a position and synced, with no format and nobody
 * to wake. A {@linkcode SyncedFile} says how.
 *
 * @module
 */

import { randomFillSync } from "node:crypto";
import type { Contender, Reading, Watch } from "../harness/point.ts";
import { Times } from "../harness/statistics.ts";
import { type FileKind, SyncedFile } from "../harness/synced_file.ts";
import { floorName } from "../harness/words.ts";

/** What a floor took: so many syncs, and each of them in microseconds. */
export interface FloorTimes {
  readonly elapsedMs: number;
  readonly steps: Times;
  /** Of each sync. */
  readonly bytes: number;
}

/** How a floor is measured. */
export interface FloorWork {
  /** Asked when the round begins: it may hang on what another contender did. */
  readonly bytesPerSync: () => number;
  readonly syncs: () => number;
  /** Said behind the name where the same kind of file takes part in more than one way. */
  readonly way?: string | undefined;
  readonly part?: string;
  readonly read: (times: FloorTimes) => readonly Reading[];
}

/** So many syncs before those that count: the first ones find nothing in any cache. */
const WARM_UP_SYNCS = 8;

/** A floor as a contender. */
export function floorContender(kind: FileKind, { bytesPerSync, syncs, way, part, read }: FloorWork): Contender {
  return {
    name: floorName(kind, way),
    ...(part === undefined ? {} : { part }),
    round: (directory: string, watch: Watch) => {
      const bytes = randomFillSync(new Uint8Array(bytesPerSync())); // as entries are: nothing can compress them
      const count = syncs();
      const file = new SyncedFile(directory, kind, (count + WARM_UP_SYNCS) * bytes.length);
      for (let nth = 0; nth < WARM_UP_SYNCS; nth++) file.step(bytes);
      const steps = new Times(count);
      watch.start();
      let before = performance.now();
      for (let nth = 0; nth < count; nth++) {
        file.step(bytes);
        const now = performance.now();
        steps.add((now - before) * 1000);
        before = now;
      }
      const elapsedMs = watch.stop();
      file.close();
      return Promise.resolve(read({ elapsedMs, steps, bytes: bytes.length }));
    },
  };
}

/** How a floor of many entries is measured. */
export interface BulkWork {
  readonly bytesPerSync: () => number;
  /** As many as the log writes, all in all. */
  readonly totalBytes: number;
  readonly way?: string;
  /** Makes figures of the time that all of them took. */
  readonly read: (elapsedMs: number) => readonly Reading[];
}

/** A floor that writes what the log writes in bulk. The last sync may carry more than is needed: that is taken off again. */
export function bulkFloor(kind: FileKind, { bytesPerSync, totalBytes, way, read }: BulkWork): Contender {
  return floorContender(kind, {
    way,
    bytesPerSync,
    syncs: () => Math.ceil(totalBytes / bytesPerSync()),
    read: ({ elapsedMs, steps, bytes }) => read(elapsedMs * totalBytes / (steps.count * bytes)),
  });
}
