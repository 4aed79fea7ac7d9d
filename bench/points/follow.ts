/**
 * `follow`: from durable in the writer, which is when the await of its commit is over, to seen by a follower.
 *
 * In the process: a commit, then the wait until the follower has it, then the next. A follower that has it before the
 * writer goes on counts as 0. In another process: a child follows by `Wal.read` as it is by default, and says by a line
 * what it has seen; the pipe is part of that figure, and the commits come at odd moments, since the reader looks at
 * even ones.
 *
 * @module
 */

import type { Wal } from "../../mod.ts";
import { logContender } from "../contenders/logs.ts";
import { atMost, type Figures } from "../harness/figures.ts";
import type { Point, Reading, Watch } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import { Times } from "../harness/statistics.ts";
import { startChild } from "../instruments/children.ts";
import { ENTRY_BYTES, pick, randomEntries } from "../instruments/entries.ts";
import { startFollower } from "../instruments/follower.ts";
import { Sightings } from "../instruments/sightings.ts";

const P50 = "p50";
const WARM_UP = 100;
/** As long as the reader's pause is. */
const LONGEST_PAUSE_MS = 50;

function readings(times: Times): Reading[] {
  return [
    { what: P50, unit: "ms", better: "lower", value: times.percentile(0.5) },
    { what: "p99", unit: "ms", better: "lower", value: times.percentile(0.99) },
  ];
}

async function inProcess(wal: Wal, commits: number, warmUp: number, watch: Watch): Promise<Reading[]> {
  const entries = randomEntries();
  const sightings = new Sightings();
  const endFollower = startFollower(wal, (lsn) => sightings.seen(lsn));
  const times = new Times(commits);
  for (let nth = -warmUp; nth < commits; nth++) {
    if (nth === 0) watch.start();
    const lsn = await wal.commit(pick(entries, nth + warmUp));
    const durableMs = performance.now();
    const seenMs = await sightings.of(lsn);
    if (nth >= 0) times.add(Math.max(0, seenMs - durableMs));
  }
  watch.stop();
  await endFollower();
  return readings(times);
}

async function inAnother(wal: Wal, commits: number, watch: Watch, directory: string): Promise<Reading[]> {
  const entries = randomEntries();
  await wal.commit(pick(entries, 0));
  const child = startChild("follow", [directory]);
  try {
    await child.nextLine();
    const times = new Times(commits);
    watch.start();
    for (let nth = 0; nth < commits; nth++) {
      await new Promise((resolve) => setTimeout(resolve, (nth * 37) % LONGEST_PAUSE_MS));
      const lsn = await wal.commit(pick(entries, nth));
      const durableMs = performance.now();
      while (Number(await child.nextLine()) < lsn);
      times.add(performance.now() - durableMs);
    }
    watch.stop();
    return readings(times);
  } finally {
    await child.kill();
  }
}

/** See the head of this file. */
export const follow: Point = {
  name: "follow",
  entryBytes: ENTRY_BYTES,
  contenders: (scale: Scale) => [
    logContender({
      name: "walstream, follower in the process",
      work: (wal, watch) => inProcess(wal, scale.syncs(0.5, 5000), scale.pick(WARM_UP, 5), watch),
    }),
    logContender({
      name: "walstream, Wal.read in another process",
      work: (wal, watch, directory) => inAnother(wal, scale.pick(20, 2), watch, directory),
    }),
  ],
  targets: (figures: Figures) => [
    atMost("p50 in the process", "ms", 0.1, figures.median("walstream, follower in the process", P50)),
  ],
};
