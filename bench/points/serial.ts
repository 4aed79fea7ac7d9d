/**
 * `serial`: one caller, who awaits each commit before the next.
 *
 * The floor writes and syncs as many bytes as the frame of one entry takes. Each time is that of one call, from before
 * it to behind its await. The first commits do not count: they make the file, and with the default the log gets to know
 * the disk.
 *
 * A few microseconds are looked for where the disk itself is slower by twenty of them from one second to the next. So the log
 * and the prepared floor also take turns, fifty calls each, within one round, and the limits are held against that. How the
 * log compares with a peer is the median of what it comes to in each round.
 *
 * @module
 */

import { randomFillSync } from "node:crypto";
import { join } from "node:path";
import { type IoMode, Wal } from "../../mod.ts";
import { floorContender } from "../contenders/floors.ts";
import { peerContenders } from "../contenders/peer_contenders.ts";
import { atLeast, atMost, besideTuned, type Best, type Figures } from "../harness/figures.ts";
import type { Contender, Point, Reading, Watch } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import { Times } from "../harness/statistics.ts";
import { FLOOR_IN_TURNS, floorName } from "../harness/words.ts";
import { type FileKind, SyncedFile } from "../harness/synced_file.ts";
import { ENTRY_BYTES, flushBytes, pick, randomEntries } from "../instruments/entries.ts";

const WARM_UP = 200;
const P50 = "p50";
const RATE = "rate";
const ABOVE_FLOOR = "p50 above the floor's, in turns";
/** So many calls of the one, then as many of the other. */
const TURN = 50;
/** On a slower disk a rate is the disk's alone. */
const SLOW_FLOOR_US = 1000;

function readings(elapsedMs: number, times: Times): Reading[] {
  return [
    { what: P50, unit: "µs", better: "lower", value: times.percentile(0.5) },
    { what: "p99", unit: "µs", better: "lower", value: times.percentile(0.99) },
    { what: RATE, unit: "commits/s", better: "higher", value: times.count * 1000 / elapsedMs },
  ];
}

/** Calls one after the other; what is done when it returns is not awaited. */
async function oneAfterTheOther(
  commit: (nth: number) => Promise<unknown> | void,
  scale: Scale,
  watch: Watch,
): Promise<Reading[]> {
  const [commits, warmUp] = [commitsOf(scale), scale.pick(WARM_UP, 10)];
  for (let nth = 0; nth < warmUp; nth++) await commit(nth);
  const times = new Times(commits);
  return readings(await timed(commits, times, watch, commit), times);
}

/** So many calls, each with its time; how long all of them took. */
async function timed(
  count: number,
  times: Times,
  watch: Watch,
  call: (nth: number) => Promise<unknown> | void,
): Promise<number> {
  watch.start();
  let before = performance.now();
  for (let nth = 0; nth < count; nth++) {
    const done = call(nth);
    if (done !== undefined) await done;
    const now = performance.now();
    times.add((now - before) * 1000);
    before = now;
  }
  return watch.stop();
}

/** The log, in turns with the prepared floor. */
function committing(name: string, io: IoMode, scale: Scale): Contender {
  const entries = randomEntries();
  return {
    name,
    round: async (directory: string, watch: Watch) => {
      const commits = commitsOf(scale);
      const warmUp = scale.pick(WARM_UP, 10);
      const bytes = randomFillSync(new Uint8Array(flushBytes(1)));
      const file = new SyncedFile(directory, "prepared", (commits + warmUp) * bytes.length);
      const wal = await Wal.open(join(directory, "log"), { io });
      try {
        for (let nth = 0; nth < warmUp; nth++) await wal.commit(pick(entries, nth));
        for (let nth = 0; nth < warmUp; nth++) file.step(bytes);
        const [ours, floors] = [new Times(commits), new Times(commits)];
        let elapsedMs = 0;
        while (ours.count < commits) {
          const turn = watch.takesOnePart ? commits : Math.min(TURN, commits - ours.count);
          elapsedMs += await timed(turn, ours, watch, (nth) => wal.commit(pick(entries, nth)));
          await timed(turn, floors, watch, () => file.step(bytes));
        }
        const floorUs = floors.percentile(0.5);
        return [
          ...readings(elapsedMs, ours),
          { what: FLOOR_IN_TURNS, unit: "µs", better: "lower", value: floorUs },
          { what: ABOVE_FLOOR, unit: "µs", better: "lower", value: ours.percentile(0.5) - floorUs },
        ];
      } finally {
        await wal.close();
        file.close();
      }
    },
  };
}

function commitsOf(scale: Scale): number {
  return scale.syncs(1, 20_000);
}

function floor(kind: FileKind, scale: Scale): Contender {
  return floorContender(kind, {
    bytesPerSync: () => flushBytes(1),
    syncs: () => commitsOf(scale),
    read: ({ elapsedMs, steps }) => readings(elapsedMs, steps),
  });
}

/** See the head of this file. */
export const serial: Point = {
  name: "serial",
  entryBytes: ENTRY_BYTES,
  contenders: (scale: Scale) => {
    const entries = randomEntries();
    return [
      committing("walstream", "auto", scale),
      committing("walstream, blocking", "blocking", scale),
      committing("walstream, pool", "pool", scale),
      floor("prepared", scale),
      floor("growing", scale),
      ...peerContenders({
        work: (peer, watch) => oneAfterTheOther((nth) => peer.put(pick(entries, nth)), scale, watch),
      }),
    ];
  },
  targets: (figures: Figures) => {
    const floorUs = figures.median(floorName("prepared"), P50);
    const peer = figures.bestPeer(RATE);
    const tuned = figures.bestTuned(RATE);
    const over = (best: Best | null): number | null =>
      best === null ? null : figures.medianRatio("walstream", best.name, RATE);
    const isFast = floorUs !== null && floorUs < SLOW_FLOOR_US;
    const above = (name: string): number | null => figures.median(name, ABOVE_FLOOR);
    const what = `rate by default over the best peer's (${peer?.name ?? "none"}), where the floor is under 1 ms`;
    return [
      atMost("p50 with io blocking, above that of the prepared floor", "µs", 15, above("walstream, blocking")),
      atMost("p50 with io pool, above that of the prepared floor", "µs", 60, above("walstream, pool")),
      atLeast(what, "times", 1.3, isFast ? over(peer) : null),
      ...besideTuned(tuned, over(tuned)),
    ];
  },
};
