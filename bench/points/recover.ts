/**
 * `recover`: all entries read back by frames, two million of them.
 *
 * They are written once, before the first round, and read from the operating system's memory by whoever reads. The log
 * and the peers do the same: count the values, each of which might be kept, and sum up their lengths. For that the log makes
 * a view of each, and checks it. LMDB without a copy of each value is shown, beside the log without views. What opening takes
 * is not part of it. The floor reads the log's own files by 1 MiB, and does nothing with what it reads.
 *
 * @module
 */

import * as fs from "node:fs";
import { join } from "node:path";
import { Wal } from "../../mod.ts";
import { filledPeerContenders } from "../contenders/peer_contenders.ts";
import { lmdbOneBuffer } from "../contenders/peers/lmdb.ts";
import { peerKinds } from "../contenders/peers/peer_kinds.ts";
import { atLeast, besideTuned, type Figures, ratio } from "../harness/figures.ts";
import type { Contender, Point, Reading, Watch } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import { arraysOf, ENTRY_BYTES, pick, randomEntries } from "../instruments/entries.ts";
import { sourceOf } from "../instruments/sources.ts";

const WHAT = "rate";
const CHUNK = 64;
const TRANSACTION = 10_000;
const FLOOR_BYTES = 1024 * 1024;

function rateOf(count: number, elapsedMs: number): Reading {
  return { what: WHAT, unit: "entries/s", better: "higher", value: count * 1000 / elapsedMs };
}

/** A whole number of chunks and of transactions, so that all have as many. */
function countOf(scale: Scale): number {
  return scale.pick(2_000_000, 40_000);
}

function check(found: { readonly count: number; readonly bytes: number }, count: number): void {
  if (found.count === count && found.bytes === count * ENTRY_BYTES) return;
  throw new Error(`${found.count} entries of ${found.bytes} bytes were read, not ${count} of ${ENTRY_BYTES} each`);
}

async function readBatches(wal: Wal): Promise<{ count: number; bytes: number }> {
  let count = 0;
  let bytes = 0;
  for await (const entries of wal.readable({ batches: true })) {
    count += entries.length;
    for (const entry of entries) bytes += entry.data.length;
  }
  return { count, bytes };
}

async function readBatchesOnly(wal: Wal): Promise<{ count: number; bytes: number }> {
  let count = 0;
  for await (const entries of wal.readable({ batches: true })) {
    count += entries.length;
  }
  return { count, bytes: count * ENTRY_BYTES };
}

async function readSingly(wal: Wal): Promise<{ count: number; bytes: number }> {
  let count = 0;
  let bytes = 0;
  for await (const entry of wal.readable()) {
    count++;
    bytes += entry.data.length;
  }
  return { count, bytes };
}

function readFiles(directory: string): void {
  const target = new Uint8Array(FLOOR_BYTES);
  for (const name of fs.readdirSync(directory).filter((each) => /^\d.*\.wal$/.test(each))) {
    const descriptor = fs.openSync(join(directory, name), "r");
    while (fs.readSync(descriptor, target, 0, target.length, null) > 0);
    fs.closeSync(descriptor);
  }
}

/** All who read the same log, and the floor of its files. */
function logContenders(scale: Scale): Contender[] {
  const count = countOf(scale);
  let kept = "";
  const reading = (name: string, read: (wal: Wal) => Promise<{ count: number; bytes: number }>): Contender => ({
    name,
    round: async (_directory: string, watch: Watch) => {
      const wal = await Wal.open(kept);
      watch.start();
      const found = await read(wal);
      const elapsedMs = watch.stop();
      await wal.close();
      check(found, count);
      return [rateOf(count, elapsedMs)];
    },
  });
  const write = async (directory: string): Promise<void> => {
    kept = directory;
    const wal = await Wal.open(kept);
    await sourceOf(arraysOf(randomEntries(), CHUNK), count / CHUNK, 1).pipeTo(wal.writable());
    await wal.close();
  };
  return [
    { ...reading("walstream", readBatches), prepare: write },
    reading("walstream, views not made", readBatchesOnly),
    reading("walstream, entry by entry", readSingly),
    {
      name: "floor, reading the files",
      round: (_directory: string, watch: Watch) => {
        watch.start();
        readFiles(kept);
        return Promise.resolve([rateOf(count, watch.stop())]);
      },
    },
  ];
}

function peers(scale: Scale): Contender[] {
  const count = countOf(scale);
  return filledPeerContenders({
    kinds: [...peerKinds, lmdbOneBuffer],
    fill: async (store) => {
      const batches = arraysOf(randomEntries(TRANSACTION), TRANSACTION);
      for (let nth = 0; nth < count / TRANSACTION; nth++) await store.putAll(pick(batches, nth));
    },
    round: async (open, watch) => {
      const store = await open();
      watch.start();
      const found = await store.scan();
      const elapsedMs = watch.stop();
      await store.close();
      check(found, count);
      return [rateOf(count, elapsedMs)];
    },
  });
}

/** See the head of this file. */
export const recover: Point = {
  name: "recover",
  entryBytes: ENTRY_BYTES,
  contenders: (scale: Scale) => [...logContenders(scale), ...peers(scale)],
  targets: (figures: Figures) => {
    const ours = figures.median("walstream", WHAT);
    const best = figures.bestPeer(WHAT);
    const tuned = figures.bestTuned(WHAT);
    return [
      atLeast("rate", "entries/s", 8_000_000, ours),
      atLeast(`rate over the best peer's scan (${best?.name ?? "none"})`, "times", 4, ratio(ours, best?.value ?? null)),
      ...besideTuned(tuned, ratio(ours, tuned?.value ?? null)),
    ];
  },
};
