// What a log asks of its disk for fixed workloads: how many calls, and how many bytes for each byte of an entry.
// There is no clock in it. Each number is as low as the promises allow, or says why not; whoever changes one says
// here what a commit costs from now on.
//
// - A flush is one write and one sync, whoever waits for it: one caller pays both for each commit, a thousand share
//   them.
// - An entry takes 5 bytes, and a frame 48 more, padded to 8: 160 for 100 bytes alone, 105 and a little in company.
// - Nothing is read while only writing goes on, and no file is opened but where a segment begins or is freed.
// - Zeros go ahead of small flushes, in the background; they get no sync of their own. Freed files need none.

import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { COST_WORKLOADS, costsOf, type CostWorkload } from "./support/cost_workloads.ts";
import { type CostName, type Costs, writtenBytes } from "./support/counting_runtime.ts";

type CallName = Exclude<CostName, `${string}Bytes`>;

/** Calls, and bytes for each byte of the entries, to three digits behind the point. What is missing is 0. */
type Row = Readonly<Partial<Record<CallName | "writtenPerByte" | "zerosPerByte" | "readPerByte", number>>>;

/** By the names of the workloads. */
const TABLE: Readonly<Record<string, Row>> = {
  "one caller, 1,000 commits": { frameWrites: 1000, syncs: 1000, writtenPerByte: 1.6 },
  'one caller, 1,000 commits at "write"': { frameWrites: 1000, writtenPerByte: 1.6 },
  "1,000 callers, 20 commits each": {
    frameWrites: 20,
    syncs: 20,
    writtenPerByte: 1.051,
    zeroWrites: 3,
    zerosPerByte: 0.786, // steps of 512 KiB: flushes of 105 KB still count as small
  },
  "1,000 callers, a commit each, preset sync": { frameWrites: 1000, syncs: 1000, writtenPerByte: 1.6 },
  "a batch of 1,000": { frameWrites: 1, syncs: 1, writtenPerByte: 1.05 },
  "10,000 appends and a flush": { frameWrites: 1, syncs: 1, writtenPerByte: 1.051 },
  // One for what was there before, then one for each MiB that gathers, and for the rest.
  "a stream of 640 arrays of 64": {
    frameWrites: 6,
    syncs: 6,
    writtenPerByte: 1.051,
    zeroWrites: 1,
    zerosPerByte: 0.128,
  },
  "a stream of 5,000 entries": { frameWrites: 2, syncs: 2, writtenPerByte: 1.051 },
  // Nothing is read: what comes out was kept.
  "200 arrays of 64 through acknowledge()": { frameWrites: 3, syncs: 3, writtenPerByte: 1.051 },
  "100 commits of 64 KiB": {
    frameWrites: 100,
    syncs: 100,
    writtenPerByte: 1.001,
    zeroWrites: 12,
    zerosPerByte: 0.96,
  },
  // Flushes of more than 256 KiB want no zeros.
  "16 commits of 1 MiB": { frameWrites: 16, syncs: 16, writtenPerByte: 1 },
  // Twelve rotations. Each syncs the end of one segment and the header of the next, and the spare for the one after
  // that is made meanwhile: four writes of zeros, and a sync. A spare is opened to be made, and to become a segment.
  "3,000 commits of 4 KiB in segments of 1 MiB": {
    frameWrites: 3000,
    controlWrites: 12,
    headerWrites: 12,
    zeroWrites: 48,
    syncs: 3036,
    directorySyncs: 12,
    opens: 24,
    closes: 24,
    sizes: 12,
    renames: 12,
    writtenPerByte: 1.018,
    zerosPerByte: 1.024,
  },
  // Twelve rotations into freed files: no zeros. Each cut writes and syncs where the log begins, and syncs the
  // directory when files were freed. Of those the header and the footer are read, in case something torn is to be
  // kept, and each is opened twice and asked for its size.
  "the same in a log that is cut as it goes, ten times": {
    frameWrites: 3000,
    controlWrites: 22,
    headerWrites: 12,
    syncs: 3034,
    directorySyncs: 22,
    reads: 24,
    opens: 36,
    closes: 36,
    sizes: 36,
    renames: 24,
    writtenPerByte: 1.018,
    readPerByte: 0.007,
  },
  // The header, and chunks of 1 MiB: what ends a chunk in the middle of a frame is read again.
  "reading 10,000 entries by batches": { reads: 3, opens: 1, closes: 1, sizes: 1, readPerByte: 1.056 },
  "reading 10,000 entries one by one": { reads: 3, opens: 1, closes: 1, sizes: 1, readPerByte: 1.056 },
  // Of frames that are longer than a chunk only the first is read twice: those behind it are taken to be as large.
  "reading 16 entries of 1 MiB by batches": { reads: 18, opens: 1, closes: 1, sizes: 2, readPerByte: 1.063 },
  // One file and one read a flush, for all of them.
  "100 followers, 20 commits": {
    frameWrites: 20,
    syncs: 20,
    reads: 21,
    opens: 1,
    closes: 1,
    sizes: 1,
    writtenPerByte: 1.6,
    readPerByte: 3.68, // each frame of 160 bytes once, and 4 KiB of header
  },
};

for (const workload of COST_WORKLOADS) {
  test(`costs: ${workload.name}`, async () => {
    const expected = TABLE[workload.name];
    assert(expected !== undefined, "it has no row in the table");
    assertEquals(rowOf(await costsOf(workload), workload), expected);
  });
}

test("costs: there is a workload for each row", () => {
  assertEquals(Object.keys(TABLE), COST_WORKLOADS.map(({ name }) => name));
});

function rowOf(costs: Costs, { dataBytes }: CostWorkload): Row {
  const calls = Object.entries(costs).filter(([name]) => !name.endsWith("Bytes"));
  const { zeroBytes = 0, readBytes = 0 } = costs;
  const moved: [string, number][] = [
    ["writtenPerByte", writtenBytes(costs) - zeroBytes],
    ["zerosPerByte", zeroBytes],
    ["readPerByte", readBytes],
  ];
  const ratios = moved.map(([name, bytes]) => [name, Math.round(bytes / dataBytes * 1000) / 1000] as const);
  return Object.fromEntries([...calls, ...ratios.filter(([, ratio]) => ratio > 0)]);
}
