/**
 * `clients`: so many callers, each awaiting its own commit, over and over.
 *
 * Time a commit. Each number of callers has a new log, which writes zeros ahead of flushes that are not large: those bytes
 * twice. The prepared floor's file has its zeros before the watch starts, so the limit is held against *steady*: a log that
 * was filled and cut before and goes on being cut, whose segments are files used again. What a new log takes is shown.
 *
 * "Callers alone" is what the callers themselves cost: each awaits one promise that all share and that is resolved at once.
 * It is part of every figure of the log and is not taken off.
 *
 * @module
 */

import type { Wal } from "../../mod.ts";
import { floorContender } from "../contenders/floors.ts";
import { logContender } from "../contenders/logs.ts";
import { peerContenders, putInBatches } from "../contenders/peer_contenders.ts";
import { lmdb } from "../contenders/peers/lmdb.ts";
import { makeSteady, MovingHead, steadyCourse } from "../contenders/steady_log.ts";
import { atLeast, atMost, besideTuned, difference, type Figures, ratio, shown, sum } from "../harness/figures.ts";
import type { Contender, Point, Reading, Watch } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import type { FileKind } from "../harness/synced_file.ts";
import { callersText, commitWith, floorName, STEADY } from "../harness/words.ts";
import { callAll, callersAlone } from "../instruments/callers.ts";
import { arraysOf, ENTRY_BYTES, flushBytes, pick, randomEntries } from "../instruments/entries.ts";

const CALLERS = [1, 10, 100, 1000, 10_000] as const;
/** The one that the limits are about, and how many entries a transaction of a peer holds. */
const MANY = 1000;
const MOST_COMMITS = 1_000_000;
const SECONDS = 0.5;

function fsyncsOf(callers: number): string {
  return `fsyncs ${commitWith(callers)}`;
}

function timeOf(callers: number, elapsedMs: number, commits: number): Reading {
  return { what: commitWith(callers), unit: "µs", better: "lower", value: elapsedMs * 1000 / commits };
}

/** How often each of the callers commits. */
function timesOf(callers: number, scale: Scale): number {
  return scale.syncs(SECONDS, scale.pick(MOST_COMMITS / callers, Math.max(1, 2000 / callers)));
}

type Commit = (entry: Uint8Array) => Promise<unknown>;

/** So many callers on this log, with some before the watch starts. */
async function calling(
  wal: Wal,
  callers: number,
  times: number,
  watch: Watch,
  commit: Commit = (entry) => wal.commit(entry),
): Promise<Reading[]> {
  const entries = randomEntries();
  await callAll(callers, Math.ceil(times / 10), (nth) => commit(pick(entries, nth)));
  const before = wal.stats().fsyncs;
  watch.start();
  await callAll(callers, times, (nth) => commit(pick(entries, nth)));
  const elapsedMs = watch.stop();
  const commits = callers * times;
  const fsyncs = (wal.stats().fsyncs - before) / commits;
  return [timeOf(callers, elapsedMs, commits), { what: fsyncsOf(callers), unit: "", better: "lower", value: fsyncs }];
}

function floor(kind: FileKind, scale: Scale): Contender {
  return floorContender(kind, {
    bytesPerSync: () => flushBytes(MANY),
    syncs: () => timesOf(MANY, scale),
    read: ({ elapsedMs, steps }) => [timeOf(MANY, elapsedMs, steps.count * MANY)],
  });
}

/** The same on a log whose head moves while they call. */
function steady(scale: Scale): Contender {
  const course = steadyCourse(scale, MANY);
  return logContender({
    name: STEADY,
    options: { segmentBytes: course.segmentBytes },
    work: async (wal, watch) => {
      await makeSteady(wal, course);
      const head = new MovingHead(wal, course);
      const readings = await calling(
        wal,
        MANY,
        timesOf(MANY, scale),
        watch,
        (entry) => {
          head.advance(1);
          return wal.commit(entry);
        },
      );
      await head.settled();
      return readings;
    },
  });
}

function alone(callers: number, scale: Scale): Contender {
  const times = timesOf(callers, scale);
  return {
    name: "callers alone",
    part: callersText(callers),
    round: async (_directory: string, watch: Watch) => {
      await callersAlone(callers, Math.ceil(times / 10));
      watch.start();
      await callersAlone(callers, times);
      return [timeOf(callers, watch.stop(), callers * times)];
    },
  };
}

function contenders(scale: Scale): Contender[] {
  const batches = arraysOf(randomEntries(scale.pick(10 * MANY, MANY)), MANY);
  const transactions = scale.syncs(SECONDS, 200);
  return [
    ...CALLERS.map((callers) =>
      logContender({
        part: callersText(callers),
        work: (wal, watch) => calling(wal, callers, timesOf(callers, scale), watch),
      })
    ),
    steady(scale),
    logContender({
      name: "walstream, preset sync",
      options: { preset: "sync" },
      work: (wal, watch) => calling(wal, MANY, Math.ceil(scale.syncs(SECONDS, 20_000) / MANY), watch),
    }),
    floor("prepared", scale),
    floor("growing", scale),
    alone(MANY, scale),
    ...peerContenders({
      work: async (peer, watch) => {
        await putInBatches(peer, batches, scale.pick(10, 1), watch);
        return [timeOf(MANY, await putInBatches(peer, batches, transactions, watch), transactions * MANY)];
      },
    }),
    // Of those that group what comes in one turn of the event loop: puts as the log has commits.
    ...peerContenders({
      kinds: [lmdb],
      way: callersText(MANY),
      work: async (peer, watch) => {
        const entries = randomEntries();
        const put = (nth: number): Promise<void> | void => peer.put(pick(entries, nth));
        await callAll(MANY, scale.pick(10, 1), put);
        watch.start();
        await callAll(MANY, transactions, put);
        return [timeOf(MANY, watch.stop(), transactions * MANY)];
      },
    }),
  ];
}

/** The least rise of the rate from one number of callers to the next; below 1 it falls. */
function leastRise(figures: Figures): number | null {
  const times = CALLERS.map((callers) => figures.median("walstream", commitWith(callers)));
  const rises = times.slice(1).map((time, nth) => ratio(times[nth] ?? null, time));
  return rises.reduce((least, rise) => least === null || rise === null ? null : Math.min(least, rise));
}

/** See the head of this file. */
export const clients: Point = {
  name: "clients",
  entryBytes: ENTRY_BYTES,
  contenders,
  targets: (figures: Figures) => {
    const what = commitWith(MANY);
    const ours = figures.median("walstream", what);
    const steady = figures.median(STEADY, what);
    const peer = figures.bestPeer(what);
    const tuned = figures.bestTuned(what);
    const sync = figures.median("walstream, preset sync", what);
    const floorUs = figures.median(floorName("prepared"), what);
    const fsyncs = figures.median("walstream", fsyncsOf(MANY));
    return [
      atMost(
        "a commit at 1,000 callers, steady: the prepared floor of 1,000 entries a sync + 0.25 µs",
        "µs",
        sum(floorUs, 0.25),
        steady,
      ),
      shown("a commit at 1,000 callers, steady, less that floor", "µs", difference(steady, floorUs)),
      shown("a commit at 1,000 callers on a new log, less that floor", "µs", difference(ours, floorUs)),
      atLeast(`rate over the best peer's (${peer?.name ?? "none"})`, "times", 3, ratio(peer?.value ?? null, ours)),
      atLeast("rate over that of preset sync", "times", 50, ratio(sync, ours)),
      atLeast("least rise of the rate from one number of callers to the next", "times", 1, leastRise(figures)),
      atMost("fsyncs a commit at 1,000 callers", "", 0.01, fsyncs),
      ...besideTuned(tuned, ratio(tuned?.value ?? null, ours)),
    ];
  },
};
