/**
 * `stream`: entries piped into a new log, in arrays of 64, until the stream is closed and all of it is on the disk.
 *
 * The floor grows a file by as many bytes, 512 KiB a sync; that is what the limit is held against. Two more floors write as
 * much a sync as a flush of the log really carried, and are shown. "The pipe alone" is the same source piped into a sink
 * that does nothing: what the streams themselves cost is part of the log's figure and is not taken off.
 *
 * @module
 */

import { AS_CARRIED, CarriedBytes } from "../contenders/carried_bytes.ts";
import { bulkFloor } from "../contenders/floors.ts";
import { logContender } from "../contenders/logs.ts";
import { peerContenders, putInBatches } from "../contenders/peer_contenders.ts";
import { atLeast, atMost, besideTuned, difference, type Figures, ratio, shown, sum } from "../harness/figures.ts";
import type { Contender, Point, Reading, Watch } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import { AN_ENTRY, floorName } from "../harness/words.ts";
import { arraysOf, ENTRY_BYTES, flushBytes, randomEntries } from "../instruments/entries.ts";
import { sourceOf } from "../instruments/sources.ts";

/** Entries a chunk. */
const CHUNK = 64;
const FLOOR_BYTES = 512 * 1024;
/** Peers get a part of what the log gets: a tree that stays small is to their advantage, and their time is long. */
const PEERS_SHARE = 4;
const TRANSACTIONS: readonly number[] = [1000, 10_000];

function timeOf(elapsedMs: number, entries: number): Reading {
  return { what: AN_ENTRY, unit: "µs", better: "lower", value: elapsedMs * 1000 / entries };
}

function entriesOf(scale: Scale): number {
  return scale.pick(1_000_000, 20_000);
}

function pipingAlone(chunks: readonly Uint8Array[][], count: number): Contender {
  return {
    name: "the pipe alone",
    round: async (_directory: string, watch: Watch) => {
      watch.start();
      await sourceOf(chunks, count, 1).pipeTo(new WritableStream({ write: () => {} }));
      return [timeOf(watch.stop(), count * CHUNK)];
    },
  };
}

function contenders(scale: Scale): Contender[] {
  const entries = randomEntries();
  const chunks = arraysOf(entries, CHUNK);
  const count = Math.ceil(entriesOf(scale) / CHUNK);
  const totalBytes = flushBytes(count * CHUNK);
  const carried = new CarriedBytes();
  const read = (elapsedMs: number): Reading[] => [timeOf(elapsedMs, count * CHUNK)];
  const asCarried = { bytesPerSync: () => carried.medianBytes, totalBytes, way: AS_CARRIED, read };
  return [
    logContender({
      work: async (wal, watch) => {
        const source = sourceOf(chunks, count, 1);
        const before = wal.stats();
        watch.start();
        await source.pipeTo(wal.writable());
        const elapsedMs = watch.stop();
        return [timeOf(elapsedMs, count * CHUNK), carried.read(before, wal.stats())];
      },
    }),
    bulkFloor("growing", { bytesPerSync: () => FLOOR_BYTES, totalBytes, read }),
    bulkFloor("growing", asCarried),
    bulkFloor("prepared", asCarried),
    pipingAlone(chunks, count),
    ...TRANSACTIONS.flatMap((size) => {
      const batches = arraysOf(randomEntries(scale.pick(10_000, size)), size);
      const transactions = Math.ceil(entriesOf(scale) / PEERS_SHARE / size);
      return peerContenders({
        way: `${size.toLocaleString("en")} a transaction`,
        work: async (peer, watch) => [
          timeOf(await putInBatches(peer, batches, transactions, watch), transactions * size),
        ],
      });
    }),
  ];
}

/** See the head of this file. */
export const stream: Point = {
  name: "stream",
  entryBytes: ENTRY_BYTES,
  contenders,
  targets: (figures: Figures) => {
    const ours = figures.median("walstream", AN_ENTRY);
    const floorUs = sum(figures.median(floorName("growing"), AN_ENTRY), 0.08);
    const peer = figures.bestPeer(AN_ENTRY);
    const tuned = figures.bestTuned(AN_ENTRY);
    const carriedUs = figures.median(floorName("growing", AS_CARRIED), AN_ENTRY);
    return [
      atMost("an entry: the growing floor at 512 KiB a sync + 0.08 µs", "µs", floorUs, ours),
      atLeast(`rate over the best peer's (${peer?.name ?? "none"})`, "times", 4, ratio(peer?.value ?? null, ours)),
      shown(`an entry, less the growing floor with ${AS_CARRIED}`, "µs", difference(ours, carriedUs)),
      ...besideTuned(tuned, ratio(tuned?.value ?? null, ours)),
    ];
  },
};
