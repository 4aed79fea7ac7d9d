/**
 * `stream_reuse`: the same pipe in the steady state, where the head is cut as the log goes and freed files are used
 * again.
 *
 * Before the watch starts so much is piped and cut that freed files lie ready. While it runs the head follows half a
 * segment behind the end; the cuts are part of what is timed. The floor is the prepared one: that is what a file is
 * that is used again.
 *
 * @module
 */

import type { Wal } from "../../mod.ts";
import { arraysOf, ENTRY_BYTES, flushBytes, randomEntries } from "../entries.ts";
import { atMost, type Figures, sum } from "../figures.ts";
import { floorContender, floorName } from "../floor.ts";
import { logContender } from "../logs.ts";
import type { Contender, Point, Reading } from "../point.ts";
import type { Scale } from "../scale.ts";

const CHUNK = 64;
const WHAT = "an entry";
const FLOOR_BYTES = 512 * 1024;
const MIB = 1024 * 1024;
/** Segments that are filled before it counts: with two spares, each of them has been another one before after four. */
const WARM_UP_SEGMENTS = 5;
const SEGMENTS = 4;

/** How much is piped, and how often the head moves. */
interface Course {
  readonly segmentBytes: number;
  /** Chunks that half a segment holds. */
  readonly chunksInHalf: number;
}

function courseOf(scale: Scale): Course {
  const segmentBytes = scale.pick(64 * MIB, MIB);
  return { segmentBytes, chunksInHalf: Math.floor(segmentBytes / 2 / flushBytes(CHUNK)) };
}

/** Pipes so many halves of a segment, and moves the head at each to where the last one began. */
async function pipeAndCut(wal: Wal, chunks: readonly Uint8Array[][], halves: number, course: Course): Promise<void> {
  const cuts: Promise<unknown>[] = [];
  let given = 0;
  const source = new ReadableStream<Uint8Array[]>({
    pull: (controller) => {
      controller.enqueue(chunks[given % chunks.length] as Uint8Array[]);
      if (++given % course.chunksInHalf !== 0) return;
      const headLsn = wal.lastLsn - course.chunksInHalf * CHUNK;
      if (headLsn > wal.firstLsn) cuts.push(wal.truncateBefore(headLsn));
      if (given === halves * course.chunksInHalf) controller.close();
    },
  });
  await source.pipeTo(wal.writable());
  await Promise.all(cuts);
}

function contenders(scale: Scale): Contender[] {
  const chunks = arraysOf(randomEntries(), CHUNK);
  const course = courseOf(scale);
  const halves = 2 * SEGMENTS;
  const entries = halves * course.chunksInHalf * CHUNK;
  const totalBytes = flushBytes(entries);
  const syncs = Math.ceil(totalBytes / FLOOR_BYTES);
  const timeOf = (elapsedMs: number): Reading[] => [
    { what: WHAT, unit: "µs", better: "lower", value: elapsedMs * 1000 / entries },
  ];
  return [
    logContender({
      options: { segmentBytes: course.segmentBytes },
      work: async (wal, watch) => {
        await pipeAndCut(wal, chunks, 2 * WARM_UP_SEGMENTS, course);
        watch.start();
        await pipeAndCut(wal, chunks, halves, course);
        return timeOf(watch.stop());
      },
    }),
    ...(["prepared", "growing"] as const).map((kind) =>
      floorContender(kind, {
        bytesPerSync: () => FLOOR_BYTES,
        syncs: () => syncs,
        read: ({ elapsedMs }) => timeOf(elapsedMs * totalBytes / (syncs * FLOOR_BYTES)),
      })
    ),
  ];
}

/** See the head of this file. */
export const streamReuse: Point = {
  name: "stream_reuse",
  entryBytes: ENTRY_BYTES,
  contenders,
  targets: (figures: Figures) => [
    atMost(
      "an entry: the prepared floor at 512 KiB a sync + 0.1 µs",
      "µs",
      sum(figures.median(floorName("prepared"), WHAT), 0.1),
      figures.median("walstream", WHAT),
    ),
  ],
};
