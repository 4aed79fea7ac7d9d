/**
 * `open`: `Wal.open` of a log with many sealed segments, and with few.
 *
 * The logs are made once. Each time is that of one opening; the log is closed well in between, and nothing is written.
 * Peers open a store that holds the same entries as the log of many segments.
 *
 * @module
 */

import { Wal } from "../../mod.ts";
import { filledPeerContenders } from "../contenders/peer_contenders.ts";
import { atMost, difference, type Figures } from "../harness/figures.ts";
import type { Contender, Point, Reading, Watch } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import { median } from "../harness/statistics.ts";
import { arraysOf, randomEntries } from "../instruments/entries.ts";

const WHAT = "an opening";
/** The smallest there are; each holds one of the entries. */
const SEGMENT_BYTES = 16 * 1024;
const ENTRY_BYTES = 3800;
const MANY = "walstream, 1,000 segments";
const FEW = "walstream, 10 segments";
/** Openings a round. */
const TIMES = 10;

/** The median time of a few openings. */
async function opening(times: number, watch: Watch, open: () => Promise<() => Promise<void>>): Promise<Reading[]> {
  const elapsedMs: number[] = [];
  for (let nth = 0; nth < times; nth++) {
    watch.start();
    const close = await open();
    elapsedMs.push(watch.stop());
    await close();
  }
  return [{ what: WHAT, unit: "ms", better: "lower", value: median(elapsedMs) }];
}

/** One entry a segment, and one more in the last, so that the others are sealed. */
async function writeSegments(directory: string, sealed: number): Promise<void> {
  const [entry = new Uint8Array(0)] = randomEntries(1, ENTRY_BYTES);
  const wal = await Wal.open(directory, { segmentBytes: SEGMENT_BYTES });
  for (let nth = 0; nth <= sealed; nth++) await wal.commit(entry);
  const { segments } = wal.stats();
  await wal.close();
  if (segments !== sealed + 1) {
    throw new Error(`${segments} segments were made, not ${sealed + 1}`);
  }
}

function log(name: string, sealed: number, scale: Scale): Contender {
  let kept = "";
  return {
    name,
    prepare: async (directory: string) => {
      kept = directory;
      await writeSegments(kept, sealed);
    },
    round: (_directory: string, watch: Watch) =>
      opening(scale.pick(TIMES, 2), watch, async () => {
        const wal = await Wal.open(kept, { segmentBytes: SEGMENT_BYTES });
        return () => wal.close();
      }),
  };
}

function peers(entries: number, scale: Scale): Contender[] {
  return filledPeerContenders({
    fill: async (store) => {
      for (const batch of arraysOf(randomEntries(entries, ENTRY_BYTES), 100)) await store.putAll(batch);
    },
    round: (open, watch) =>
      opening(scale.pick(TIMES, 2), watch, async () => {
        const store = await open();
        return async () => await store.close();
      }),
  });
}

/** See the head of this file. */
export const open: Point = {
  name: "open",
  entryBytes: ENTRY_BYTES,
  contenders: (scale: Scale) => {
    const many = scale.pick(1000, 30);
    return [log(MANY, many, scale), log(FEW, 10, scale), ...peers(many, scale)];
  },
  targets: (figures: Figures) => {
    const more = difference(figures.median(MANY, WHAT), figures.median(FEW, WHAT));
    return [atMost("an opening with 1,000 sealed segments instead of 10: more", "ms", 15, more)];
  },
};
