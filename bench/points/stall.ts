/**
 * `stall`: how long the event loop is held while each sync takes 10 ms; and, with no limit, while each write does.
 *
 * The disk is slow from the start, or was fast until just before: then the first slow call may hold the loop, and the
 * watch begins when that one is over. What is held against the limit is the longest of all rounds, without the time
 * that other programs had the processor for. "The timer alone" shows what the machine does to a timer when there is no
 * log at all.
 *
 * @module
 */

import { Wal } from "../../mod.ts";
import { atMost, type Figures, shown } from "../harness/figures.ts";
import type { Contender, Point, Reading, Watch } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import { callAll } from "../instruments/callers.ts";
import { ENTRY_BYTES, pick, randomEntries } from "../instruments/entries.ts";
import { type Held, LoopWatch } from "../instruments/loop_watch.ts";
import { type Slowness, slowRuntime } from "../instruments/slow_runtime.ts";

const WHAT = "longest hold of the event loop";
const WALL = "the same with waits for a processor";
const SLOW_MS = 10;
/** Enough that the log takes the disk for fast, and flushes on the thread. */
const FAST_COMMITS = 200;
const WARM_UP_TIMES = 20;
const LOADS: Readonly<Record<string, number>> = { "one caller": 1, "1,000 callers": 1000 };
const STARTS = ["slow from the start", "fast before"] as const;
/** What is slow; the limits are about the first. */
const KINDS: Readonly<Record<"syncs" | "writes", Slowness>> = {
  syncs: { syncMs: SLOW_MS, writeMs: 0 },
  writes: { syncMs: 0, writeMs: SLOW_MS },
};
const FAST: Slowness = { syncMs: 0, writeMs: 0 };
/** Callers of a load, what is slow, and since when. */
type Case = readonly [load: string, kind: keyof typeof KINDS, start: typeof STARTS[number]];
const CASES: readonly Case[] = (["syncs", "writes"] as const).flatMap((kind) =>
  Object.keys(LOADS).flatMap((load) => STARTS.map((start): Case => [load, kind, start]))
);

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

function stalling(each: Case, scale: Scale): Contender {
  const [who, kind, start] = each;
  const callers = LOADS[who] ?? 1;
  return {
    name: nameOf(each),
    round: async (directory: string, watch: Watch) => {
      const slowness = { ...KINDS[kind] };
      const runtime = await slowRuntime(slowness);
      const wal = await Wal.open(directory, { runtime });
      if (start === "fast before") {
        Object.assign(slowness, FAST);
        for (let nth = 0; nth < scale.pick(FAST_COMMITS, 20); nth++) {
          await wal.commit("fast");
        }
      }
      // So that a hold by callers who are compiled just then is not taken for one by a sync.
      await callAll(callers, scale.pick(WARM_UP_TIMES, 1), () => wal.commit("warms up"));
      Object.assign(slowness, KINDS[kind]);
      await wal.commit("the first slow one");
      try {
        return await load(wal, callers, scale.pick(100, 5), watch);
      } finally {
        Object.assign(slowness, FAST);
        await wal.close();
      }
    },
  };
}

function nameOf(each: Case): string {
  return `walstream, ${wordsOf(each)}`;
}

function wordsOf([load, kind, start]: Case): string {
  return kind === "syncs" ? `${load}, ${start}` : `${load}, slow ${kind}, ${start}`;
}

/** See the head of this file. */
export const stall: Point = {
  name: "stall",
  entryBytes: ENTRY_BYTES,
  contenders: (scale: Scale) => [
    ...CASES.map((each) => stalling(each, scale)),
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
    CASES.map((each) => {
      const what = `${wordsOf(each)}: longest hold of any round`;
      const heldMs = figures.most(nameOf(each), WHAT);
      return each[1] === "syncs" ? atMost(what, "ms", 5, heldMs) : shown(what, "ms", heldMs);
    }),
};
