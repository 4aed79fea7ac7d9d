/**
 * `stream_single`: one entry a chunk.
 *
 * Beside it the same source, piped by the runtime into a sink that does nothing: with the queue that a WritableStream
 * has unless told otherwise, which is the log's too, and with a longer one, which is quicker on some runtimes. The log
 * is held against the better one.
 *
 * @module
 */

import { logContender } from "../contenders/logs.ts";
import { atLeast, type Figures } from "../harness/figures.ts";
import type { Contender, Point, Reading, Watch } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import { ENTRY_BYTES, randomEntries } from "../instruments/entries.ts";
import { sourceOf } from "../instruments/sources.ts";

const WHAT = "rate";
/** Chunks a pull. */
const AT_ONCE = 64;
/** Quicker on some runtimes than a queue of one. */
const LONG_QUEUE = 64;

const SINKS: Readonly<Record<string, QueuingStrategy | undefined>> = {
  "a sink that does nothing": undefined,
  "a sink that does nothing, long queue": new CountQueuingStrategy({ highWaterMark: LONG_QUEUE }),
};

function rateOf(elapsedMs: number, chunks: number): Reading {
  return { what: WHAT, unit: "entries/s", better: "higher", value: chunks * 1000 / elapsedMs };
}

function contenders(scale: Scale): Contender[] {
  const entries = randomEntries();
  const count = scale.pick(500_000, 5000);
  return [
    logContender({
      work: async (wal, watch) => {
        const source = sourceOf(entries, count, AT_ONCE);
        watch.start();
        await source.pipeTo(wal.writable());
        return [rateOf(watch.stop(), count)];
      },
    }),
    ...Object.entries(SINKS).map(([name, strategy]): Contender => ({
      name,
      round: async (_directory: string, watch: Watch) => {
        const sink = new WritableStream<Uint8Array>({ write: () => {} }, strategy);
        const source = sourceOf(entries, count, AT_ONCE);
        watch.start();
        await source.pipeTo(sink);
        return [rateOf(watch.stop(), count)];
      },
    })),
  ];
}

/** See the head of this file. */
export const streamSingle: Point = {
  name: "stream_single",
  entryBytes: ENTRY_BYTES,
  contenders,
  targets: (figures: Figures) => {
    const rates = Object.keys(SINKS).flatMap((name) => figures.median(name, WHAT) ?? []);
    const allowed = rates.length === 0 ? null : 0.6 * Math.max(...rates);
    const what = "rate: 0.6 of the better pipe into a sink that does nothing";
    return [atLeast(what, "entries/s", allowed, figures.median("walstream", WHAT))];
  },
};
