/**
 * `large`: entries of 64 KiB and of 1 MiB, eight commits in flight.
 *
 * The floor grows a file by as many bytes a sync as a flush of the log really carried in the rounds so far (all bytes
 * that it wrote, by the number of its flushes): the log goes first in the first round, so that the floor knows.
 *
 * @module
 */

import { CarriedBytes } from "../contenders/carried_bytes.ts";
import { floorContender } from "../contenders/floors.ts";
import { logContender } from "../contenders/logs.ts";
import { atLeast, type Figures } from "../harness/figures.ts";
import type { Contender, Point, Reading } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import { floorName } from "../harness/words.ts";
import { callAll } from "../instruments/callers.ts";
import { pick, randomEntries } from "../instruments/entries.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const SIZES: readonly number[] = [64 * KIB, MIB];
const IN_FLIGHT = 8;
const WARM_UP_TIMES = 2;

function sizeName(bytes: number): string {
  return bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`;
}

function rateOf(entryBytes: number, bytes: number, elapsedMs: number): Reading {
  return {
    what: `entries of ${sizeName(entryBytes)}`,
    unit: "MB/s",
    better: "higher",
    value: bytes / 1000 / elapsedMs,
  };
}

function contendersOf(entryBytes: number, scale: Scale): Contender[] {
  const entries = randomEntries(16, entryBytes);
  const totalBytes = scale.pick(512 * MIB, 16 * MIB);
  const times = totalBytes / entryBytes / IN_FLIGHT;
  const carried = new CarriedBytes();
  const part = sizeName(entryBytes);
  return [
    logContender({
      part,
      work: async (wal, watch) => {
        await callAll(IN_FLIGHT, WARM_UP_TIMES, (nth) => wal.commit(pick(entries, nth)));
        const before = wal.stats();
        watch.start();
        await callAll(IN_FLIGHT, times, (nth) => wal.commit(pick(entries, nth)));
        const elapsedMs = watch.stop();
        const flush = carried.read(before, wal.stats(), `a flush carried, entries of ${part}`);
        return [rateOf(entryBytes, totalBytes, elapsedMs), flush];
      },
    }),
    floorContender("growing", {
      part,
      bytesPerSync: () => carried.medianBytes,
      syncs: () => Math.max(1, Math.round(totalBytes / carried.medianBytes)),
      read: ({ elapsedMs, steps, bytes }) => [rateOf(entryBytes, steps.count * bytes, elapsedMs)],
    }),
  ];
}

/** See the head of this file. */
export const large: Point = {
  name: "large",
  entryBytes: MIB,
  contenders: (scale: Scale) => SIZES.flatMap((size) => contendersOf(size, scale)),
  targets: (figures: Figures) =>
    SIZES.map((size) => {
      const what = `entries of ${sizeName(size)}`;
      const floor = figures.median(floorName("growing"), what);
      const allowed = floor === null ? null : 0.75 * floor;
      return atLeast(`${what}: 0.75 of the growing floor`, "MB/s", allowed, figures.median("walstream", what));
    }),
};
