/**
 * `serial`: one caller, who awaits each commit before the next.
 *
 * The floor writes and syncs as many bytes as the frame of one entry takes. Each time is that of one call, from before
 * it to behind its await. The first commits do not count: they make the file, and with the default the log gets to know
 * the disk.
 *
 * @module
 */

import type { IoMode } from "../../mod.ts";
import { ENTRY_BYTES, flushBytes, pick, randomEntries } from "../entries.ts";
import { atLeast, atMost, type Figures, ratio, sum } from "../figures.ts";
import { floorContender, type FloorKind, floorName } from "../floor.ts";
import { logContender } from "../logs.ts";
import { peerContenders } from "../peer_contenders.ts";
import type { Contender, Point, Reading, Watch } from "../point.ts";
import type { Scale } from "../scale.ts";
import { Times } from "../statistics.ts";

const WARM_UP = 200;
const P50 = "p50";
const RATE = "rate";
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
  watch.start();
  let before = performance.now();
  for (let nth = 0; nth < commits; nth++) {
    const done = commit(nth);
    if (done !== undefined) await done;
    const now = performance.now();
    times.add((now - before) * 1000);
    before = now;
  }
  return readings(watch.stop(), times);
}

function committing(name: string, io: IoMode, scale: Scale): Contender {
  const entries = randomEntries();
  return logContender({
    name,
    options: { io },
    work: (wal, watch) => oneAfterTheOther((nth) => wal.commit(pick(entries, nth)), scale, watch),
  });
}

function commitsOf(scale: Scale): number {
  return scale.syncs(1, 20_000);
}

function floor(kind: FloorKind, scale: Scale): Contender {
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
    const isFast = floorUs !== null && floorUs < SLOW_FLOOR_US;
    const rates = isFast ? ratio(figures.median("walstream", RATE), peer?.value ?? null) : null;
    const [blocking, pool] = ["walstream, blocking", "walstream, pool"].map((name) => figures.median(name, P50));
    const what = `rate by default over the best peer's (${peer?.name ?? "none"}), where the floor is under 1 ms`;
    return [
      atMost("p50 with io blocking: the prepared floor + 15 µs", "µs", sum(floorUs, 15), blocking ?? null),
      atMost("p50 with io pool: the prepared floor + 60 µs", "µs", sum(floorUs, 60), pool ?? null),
      atLeast(what, "times", 1.3, rates),
    ];
  },
};
