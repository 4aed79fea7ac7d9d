/**
 * `readers`: the callers of `clients`, a thousand of them, alone and with someone who reads what they write.
 *
 * The log has entries before the watch starts, so that a scan has something to read from the beginning. A reader must
 * really read: how far the follower was behind when the callers were done, and how often the log was scanned, are
 * figures too.
 *
 * @module
 */

import type { Wal } from "../../mod.ts";
import { logContender } from "../contenders/logs.ts";
import { atLeast, type Figures, ratio } from "../harness/figures.ts";
import type { Point, Reading, Watch } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import { callAll } from "../instruments/callers.ts";
import { startChild } from "../instruments/children.ts";
import { arraysOf, ENTRY_BYTES, pick, randomEntries } from "../instruments/entries.ts";
import { startFollower } from "../instruments/follower.ts";
import { sourceOf } from "../instruments/sources.ts";

const CALLERS = 1000;
const CHUNK = 64;
const RATE = "rate";
const ALONE = "walstream, nobody reads";
const FOLLOWED = "walstream, a follower in the process";
const SCANNED = "walstream, scans in another process";

/** Fills the log, and lets all go once before it counts. */
async function fill(wal: Wal, scale: Scale): Promise<void> {
  await sourceOf(arraysOf(randomEntries(), CHUNK), scale.pick(4000, 20), 1)
    .pipeTo(wal.writable());
}

async function calling(wal: Wal, scale: Scale, watch: Watch): Promise<Reading> {
  const entries = randomEntries();
  const times = scale.syncs(1, scale.pick(1000, 2));
  await callAll(CALLERS, Math.ceil(times / 10), (nth) => wal.commit(pick(entries, nth)));
  watch.start();
  await callAll(CALLERS, times, (nth) => wal.commit(pick(entries, nth)));
  const value = CALLERS * times * 1000 / watch.stop();
  return { what: RATE, unit: "commits/s", better: "higher", value };
}

async function followed(wal: Wal, scale: Scale, watch: Watch): Promise<Reading[]> {
  let seenLsn = wal.lastLsn;
  const endFollower = startFollower(wal, (lsn) => seenLsn = lsn);
  const rate = await calling(wal, scale, watch);
  const behind = wal.durableLsn - seenLsn;
  await endFollower();
  return [rate, { what: "entries behind at the end", unit: "", better: "lower", value: behind }];
}

async function scanned(wal: Wal, scale: Scale, watch: Watch, directory: string): Promise<Reading[]> {
  const child = startChild("scan", [directory]);
  try {
    await child.nextLine(); // it has read all once: it is there, and as quick as it will be
    let scans = 0;
    let isOver = false;
    const counting = (async () => {
      while (!isOver) {
        await child.nextLine();
        if (!isOver) scans++;
      }
    })().catch(() => {}); // it is killed in the midst of a scan
    const rate = await calling(wal, scale, watch);
    isOver = true;
    await child.kill();
    await counting;
    return [rate, { what: "scans meanwhile", unit: "", better: "higher", value: scans }];
  } finally {
    await child.kill();
  }
}

/** See the head of this file. */
export const readers: Point = {
  name: "readers",
  entryBytes: ENTRY_BYTES,
  contenders: (scale: Scale) => {
    const works: Readonly<
      Record<
        string,
        (wal: Wal, watch: Watch, directory: string) => Promise<Reading[]>
      >
    > = {
      [ALONE]: async (wal, watch) => [await calling(wal, scale, watch)],
      [FOLLOWED]: (wal, watch) => followed(wal, scale, watch),
      [SCANNED]: (wal, watch, directory) => scanned(wal, scale, watch, directory),
    };
    return Object.entries(works).map(([name, work]) =>
      logContender({
        name,
        work: async (wal, watch, directory) => {
          await fill(wal, scale);
          return await work(wal, watch, directory);
        },
      })
    );
  },
  targets: (figures: Figures) => {
    const shareOf = (name: string): number | null => ratio(figures.median(name, RATE), figures.median(ALONE, RATE));
    return [
      atLeast("rate with a follower in the process, of that alone", "times", 0.7, shareOf(FOLLOWED)),
      atLeast("rate with scans in another process, of that alone", "times", 0.8, shareOf(SCANNED)),
    ];
  },
};
