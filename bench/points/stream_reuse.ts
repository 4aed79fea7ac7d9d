/**
 * `stream_reuse`: the same pipe in the steady state, where the head is cut as the log goes and freed files are used
 * again.
 *
 * Before the watch starts so much is piped and cut that freed files lie ready. While it runs the head follows half a
 * segment behind the end; the cuts are part of what is timed. The floor is the prepared one: that is what a file is
 * that is used again. One more floor writes as much a sync as a flush of the log really carried; it is shown.
 *
 * @module
 */

import { AS_CARRIED, CarriedBytes } from "../contenders/carried_bytes.ts";
import { bulkFloor } from "../contenders/floors.ts";
import { logContender } from "../contenders/logs.ts";
import { makeSteady, pipeAndCut, steadyCourse } from "../contenders/steady_log.ts";
import { atMost, difference, type Figures, shown, sum } from "../harness/figures.ts";
import type { Contender, Point, Reading } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import { AN_ENTRY, floorName } from "../harness/words.ts";
import { arraysOf, ENTRY_BYTES, flushBytes, randomEntries } from "../instruments/entries.ts";

const CHUNK = 64;
const FLOOR_BYTES = 512 * 1024;
const SEGMENTS = 4;

function contenders(scale: Scale): Contender[] {
  const chunks = arraysOf(randomEntries(), CHUNK);
  const course = steadyCourse(scale, CHUNK);
  const halves = 2 * SEGMENTS;
  const entries = halves * course.entriesInHalf;
  const totalBytes = flushBytes(entries);
  const carried = new CarriedBytes();
  const timeOf = (elapsedMs: number): Reading[] => [
    { what: AN_ENTRY, unit: "µs", better: "lower", value: elapsedMs * 1000 / entries },
  ];
  return [
    logContender({
      options: { segmentBytes: course.segmentBytes },
      work: async (wal, watch) => {
        await makeSteady(wal, course);
        const before = wal.stats();
        watch.start();
        await pipeAndCut(wal, chunks, halves, course);
        const elapsedMs = watch.stop();
        return [...timeOf(elapsedMs), carried.read(before, wal.stats())];
      },
    }),
    bulkFloor("prepared", { bytesPerSync: () => FLOOR_BYTES, totalBytes, read: timeOf }),
    bulkFloor("growing", { bytesPerSync: () => FLOOR_BYTES, totalBytes, read: timeOf }),
    bulkFloor("prepared", { bytesPerSync: () => carried.medianBytes, totalBytes, way: AS_CARRIED, read: timeOf }),
  ];
}

/** See the head of this file. */
export const streamReuse: Point = {
  name: "stream_reuse",
  entryBytes: ENTRY_BYTES,
  contenders,
  targets: (figures: Figures) => {
    const ours = figures.median("walstream", AN_ENTRY);
    const floorUs = sum(figures.median(floorName("prepared"), AN_ENTRY), 0.1);
    const carriedUs = figures.median(floorName("prepared", AS_CARRIED), AN_ENTRY);
    return [
      atMost("an entry: the prepared floor at 512 KiB a sync + 0.1 µs", "µs", floorUs, ours),
      shown(`an entry, less the prepared floor with ${AS_CARRIED}`, "µs", difference(ours, carriedUs)),
    ];
  },
};
