/**
 * `stall`: how long the event loop is held while each sync takes 10 ms.
 *
 * The disk is slow from the start, or was fast until just before: then the first slow sync may hold the loop, and the
 * watch begins when that one is over. What is held against the limit is the longest of all rounds, without the time
 * that other programs had the processor for. "The timer alone" shows what the machine does to a timer when there is no
 * log at all.
 *
 * @module
 */

import { Wal } from "../../mod.ts";
import { callAll } from "../callers.ts";
import { ENTRY_BYTES, pick, randomEntries } from "../entries.ts";
import { atMost, type Figures } from "../figures.ts";
import { type Held, LoopWatch } from "../loop_watch.ts";
import type { Contender, Point, Reading, Watch } from "../point.ts";
import type { Scale } from "../scale.ts";
import { slowRuntime } from "../slow_runtime.ts";

const WHAT = "longest hold of the event loop";
const WALL = "the same with waits for a processor";
const SLOW_MS = 10;
/** Enough that the log takes the disk for fast, and flushes on the thread. */
const FAST_COMMITS = 200;
const WARM_UP_TIMES = 20;
const LOADS: Readonly<Record<string, number>> = { "one caller": 1, "1,000 callers": 1000 };
const STARTS = ["slow from the start", "fast before"] as const;

function readings({ ownMs, wallMs }: Held): Reading[] {
  return [
    { what: WHAT, unit: "ms", better: "lower", value: ownMs },
    { what: WALL, unit: "ms", better: "lower", value: wallMs },
  ];
}

/** A turn of the event loop: what waits for it has been served. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

async function load(wal: Wal, callers: number, syncs: number, watch: Watch): Promise<Reading[]> {
  const entries = randomEntries();
  await turn();
  const loop = new LoopWatch();
  watch.start();
  await callAll(callers, syncs, (nth) => wal.commit(pick(entries, nth)));
  watch.stop();
  await turn();
  await turn(); // a hold that has just ended is seen by the next timer
  return readings(loop.stop());
}

function stalling(name: string, callers: number, start: typeof STARTS[number], scale: Scale): Contender {
  return {
    name,
    round: async (directory: string, watch: Watch) => {
      const slowness = { syncMs: SLOW_MS };
      const runtime = await slowRuntime(slowness);
      const wal = await Wal.open(directory, { runtime });
      if (start === "fast before") {
        slowness.syncMs = 0;
        for (let nth = 0; nth < scale.pick(FAST_COMMITS, 20); nth++) {
          await wal.commit("fast");
        }
      }
      // So that a hold by callers who are compiled just then is not taken for one by a sync.
      await callAll(callers, scale.pick(WARM_UP_TIMES, 1), () => wal.commit("warms up"));
      slowness.syncMs = SLOW_MS;
      await wal.commit("the first slow one");
      try {
        return await load(wal, callers, scale.pick(100, 5), watch);
      } finally {
        slowness.syncMs = 0;
        await wal.close();
      }
    },
  };
}

function nameOf(load: string, start: string): string {
  return `walstream, ${load}, ${start}`;
}

/** See the head of this file. */
export const stall: Point = {
  name: "stall",
  entryBytes: ENTRY_BYTES,
  contenders: (scale: Scale) => [
    ...Object.entries(LOADS).flatMap(([load, callers]) =>
      STARTS.map((start) => stalling(nameOf(load, start), callers, start, scale))
    ),
    {
      name: "the timer alone",
      round: async () => {
        const loop = new LoopWatch();
        await new Promise((resolve) => setTimeout(resolve, scale.pick(100, 5) * SLOW_MS));
        return readings(loop.stop());
      },
    },
  ],
  targets: (figures: Figures) =>
    Object.keys(LOADS).flatMap((load) =>
      STARTS.map((start) =>
        atMost(`${load}, ${start}: longest hold of any round`, "ms", 5, figures.most(nameOf(load, start), WHAT))
      )
    ),
};
