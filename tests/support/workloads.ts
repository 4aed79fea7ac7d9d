/**
 * Workloads: short ones that together reach every path of the log, small enough that each of their calls can be a crash.
 */

import { MemoryDisk, MemoryRuntime } from "../../src/runtime/memory.ts";
import { Oracle } from "./oracle.ts";
import { live } from "./life.ts";
import { DIRECTORY, type Workload } from "./workload.ts";

const segmentBytes = 16 * 1024;

/** Each is explored call by call. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: "first entries of a new log",
    options: { segmentBytes },
    steps: [{ commit: [5] }, { commit: [0, 700, 20] }, { append: [30] }, { idle: true }, { commit: [9] }],
  },
  {
    name: "closed and opened",
    options: { segmentBytes },
    steps: [{ commit: [5] }, { restart: true }, { commit: [6, 7] }, { restart: true }, { restart: true }, {
      append: [8],
    }],
  },
  {
    name: "rotation by size",
    options: { segmentBytes, io: "blocking" },
    steps: [{ commit: [1500, 1500] }, { commit: [1500] }, { idle: true }, { commit: [1400, 300, 3000] }, {
      commit: [10],
    }],
  },
  {
    name: "batches, small and larger than a segment",
    options: { segmentBytes, io: "pool" },
    steps: [{ batch: [10, 600, 20] }, { batch: [9000, 9000] }, { commit: [5] }, { batch: [1, 2] }],
  },
  {
    name: "a window, and each entry by itself",
    options: { segmentBytes, windowMs: 5, maxEntries: 3 },
    steps: [{ append: [100, 100] }, { commit: [600] }, { append: [40] }, { flush: true }, { read: true }, {
      commit: [1, 1, 1, 1],
    }],
  },
  {
    name: "each entry its own sync",
    options: { segmentBytes, preset: "sync" },
    steps: [{ append: [100, 100] }, { commit: [600, 700] }],
  },
  {
    name: "written, not synced",
    options: { segmentBytes, durability: "write" },
    steps: [{ commit: [100] }, { commit: [600, 20] }, { flush: true }, { commit: [1500, 1500] }, { commit: [1500] }, {
      read: true,
    }],
  },
  {
    name: "merely accepted",
    options: { segmentBytes, durability: "none", lossMs: 100 },
    steps: [{ commit: [100] }, { append: [600, 20] }, { idle: true }, { append: [700] }, { read: true }, {
      append: [3],
    }],
  },
  {
    name: "a full disk, and room again",
    options: { segmentBytes },
    steps: [
      { commit: [100, 900] },
      { room: 0 },
      { commit: [9000] },
      { append: [4000] },
      { drop: [4000] },
      { commit: [2000] },
      { room: 100_000 },
      { idle: true },
      { commit: [3] },
      { batch: [7, 8] },
    ],
  },
  {
    name: "zeros written ahead",
    options: { segmentBytes: 48 * 1024 },
    steps: [{ commit: [300, 300] }, { commit: [9000] }, { append: [5000, 40] }, { commit: [12_000] }, { commit: [7] }],
  },
  {
    name: "cut from below",
    options: { segmentBytes, spares: 1 },
    steps: [
      { commit: [900, 900, 900] },
      { commit: [900, 900] },
      { commit: [900, 900, 900] },
      { cut: 2 },
      { commit: [900, 900, 900] },
      { idle: true },
      { cut: 0 },
      { cut: -1 },
      { commit: [5] },
    ],
  },
  {
    name: "cut on a full disk",
    options: { segmentBytes, spares: 0 },
    steps: [
      { commit: [900, 900, 900] },
      { commit: [900, 900] },
      { room: 0 },
      { commit: [3000] },
      { cut: 0 },
      { idle: true },
      { commit: [7] },
      { room: Infinity },
      { idle: true },
      { commit: [8] },
    ],
  },
  {
    name: "streams, levels mixed, and a follower",
    options: { segmentBytes },
    steps: [
      { follow: true },
      { later: { stream: [300, 20, 900] } },
      { commit: [100], at: "write" },
      { append: [40], at: "none" },
      { through: [5, 600] },
      { stream: [1500, 10], at: "write" },
      { commit: [8] },
      { restart: true },
      { follow: true },
      { commit: [9] },
    ],
  },
  {
    name: "waiting for room",
    options: { segmentBytes, maxBufferedBytes: 1000 },
    steps: [{ commit: [400, 400, 400, 400, 900, 10] }, { append: [600, 600] }, { commit: [50] }],
  },
  {
    name: "configured while somebody elsewhere reads",
    options: { segmentBytes, durability: "none", lossMs: 100 },
    isWatched: true,
    steps: [
      { append: [100, 600] },
      { configure: { durability: "write", io: "blocking" } },
      { commit: [20, 1500] },
      { configure: { durability: "fsync", maxBytes: 1 } },
      { commit: [700, 30] },
      { idle: true },
      { cut: 1 },
      { commit: [5] },
    ],
  },
];

/** Each of their calls fails, the log is brought back, and each call of that fails as well. */
export const FAILING_WORKLOADS: readonly Workload[] = [
  {
    name: "synced",
    options: { segmentBytes },
    steps: [{ commit: [5] }, { commit: [700, 20] }, { append: [30] }, { batch: [9, 8] }],
  },
  {
    name: "written, with a batch, and cut",
    options: { segmentBytes, durability: "write" },
    steps: [{ commit: [600, 20] }, { flush: true }, { batch: [5, 6] }, { commit: [7] }, { cut: 1 }],
  },
  {
    name: "levels mixed, while somebody elsewhere reads",
    options: { segmentBytes },
    isWatched: true,
    steps: [
      { append: [40], at: "none" },
      { commit: [100], at: "write" },
      { later: { stream: [20, 30], at: "write" } },
      { commit: [8] },
    ],
  },
  {
    name: "rotated, and closed and opened in between",
    options: { segmentBytes, spares: 0 },
    steps: [{ commit: [3000, 1500] }, { commit: [3000] }, { restart: true }, { commit: [10] }],
  },
];

/** Segments of an earlier log, under the names of spares: whatever of them shines through is an entry that was never written. */
export async function oldSegmentsAsSpares(): Promise<Record<string, Uint8Array>> {
  const disk = new MemoryDisk({ seed: 99 });
  const runtime = new MemoryRuntime({ disk, seed: 99 });
  const steps = [{ commit: [5, 600, 1500, 100, 10] }, { commit: [1500, 1500, 3000] }, { commit: [700, 700, 9] }];
  await live(runtime, { name: "an earlier log", options: { segmentBytes }, steps }, new Oracle());
  const names = disk.names(DIRECTORY).filter((name) => /^\d/.test(name));
  return Object.fromEntries(
    names.map((name, nth) => [`spare-${String(nth + 50).padStart(10, "0")}.wal`, disk.read(`${DIRECTORY}/${name}`)]),
  );
}
