/**
 * Fixed workloads, each of which costs the disk the same on every runtime and every machine.
 *
 * Syncs take their time, and time passes only when nothing else can happen: so what gathers during a flush is all that
 * can gather, however many turns of the microtask queue the streams of a runtime take.
 */

import type { EntryInput, Wal, WalOptions } from "../../mod.ts";
import { type Costs, CountingRuntime } from "./counting_runtime.ts";
import { LogFixture, quiet } from "./log_fixture.ts";
import { appendAll, commitInTurn, exhaust } from "./log_use.ts";
import { repeatingSource } from "./repeating_source.ts";

const KIB = 1024;
const MIB: number = 1024 * KIB;
const SMALL_BYTES = 100;
/** Of those that fill segments. */
const PAGE_BYTES: number = 4 * KIB;
/** Enough for more than one segment of 1 MiB. */
const COMMITS_A_CUT = 300;

/** As long as a disk takes whose syncs go through the pool for good. */
const SYNC_MS = 3;

/** Something that is done with a log, and how many bytes of entries that is about. */
export interface CostWorkload {
  readonly name: string;
  readonly dataBytes: number;
  readonly options?: WalOptions;
  /** What has to be there before, uncounted. */
  readonly before?: (wal: Wal) => Promise<unknown>;
  readonly run: (wal: Wal) => Promise<unknown>;
}

/** What a workload asks of the disk, in a log that is open and has a segment. */
export async function costsOf({ options, before, run }: CostWorkload): Promise<Costs> {
  const log = new LogFixture(options);
  const runtime = new CountingRuntime(log.runtime);
  log.faults.slow("syncData", SYNC_MS);
  await passing(log, log.open({ runtime }));
  await passing(log, log.wal.commit("first"));
  if (before !== undefined) await passing(log, before(log.wal));
  await passing(log, quiet()); // a spare may be in the making
  runtime.takeCosts();
  await passing(log, run(log.wal));
  await passing(log, quiet());
  log.checkManners();
  return runtime.takeCosts();
}

/** Lets time pass until this is over, but never while anything can still happen. */
async function passing(log: LogFixture, task: Promise<unknown>): Promise<void> {
  let isOver = false;
  const over = task.finally(() => isOver = true);
  while (!isOver) {
    await quiet();
    await log.advance(SYNC_MS);
  }
  await over;
}

function bytes(sizeBytes: number): Uint8Array {
  return new Uint8Array(sizeBytes).fill(0x61);
}

const small: Uint8Array = bytes(SMALL_BYTES);
const array: readonly Uint8Array[] = Array.from({ length: 64 }, () => small);

/** A stream that begins while a flush is in flight, as on a log that is in use. */
async function pipe<T extends EntryInput | readonly EntryInput[]>(wal: Wal, chunk: T, count: number): Promise<void> {
  const first = wal.commit(small);
  await repeatingSource(chunk, count).pipeTo(wal.writable());
  await first;
}

async function pipeThrough(wal: Wal, count: number): Promise<void> {
  const first = wal.commit(small);
  await exhaust(repeatingSource(array, count).pipeThrough(wal.acknowledge({ batches: true })));
  await first;
}

/** Followers who see each commit before the next one. */
async function follow(wal: Wal, followers: number, commits: number): Promise<void> {
  const from = wal.lastLsn + 1;
  const range = { from, to: from + commits - 1, follow: true };
  const streams = Array.from({ length: followers }, () => exhaust(wal.readable(range)));
  for (let nth = 0; nth < commits; nth++) {
    await wal.commit(small);
    await quiet();
  }
  await Promise.all(streams);
}

/** Commits, and keeps only the last of them, again and again. */
async function commitAndCut(wal: Wal, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await commitInTurn(wal, bytes(PAGE_BYTES), COMMITS_A_CUT);
    await wal.truncateBefore(wal.lastLsn);
  }
}

/** See the head of this file. */
export const COST_WORKLOADS: readonly CostWorkload[] = [
  {
    name: "one caller, 1,000 commits",
    dataBytes: 1000 * SMALL_BYTES,
    run: (wal) => commitInTurn(wal, small, 1000),
  },
  {
    name: 'one caller, 1,000 commits at "write"',
    dataBytes: 1000 * SMALL_BYTES,
    options: { durability: "write" },
    run: (wal) => commitInTurn(wal, small, 1000),
  },
  {
    name: "1,000 callers, 20 commits each",
    dataBytes: 20_000 * SMALL_BYTES,
    run: (wal) => Promise.all(Array.from({ length: 1000 }, () => commitInTurn(wal, small, 20))),
  },
  {
    name: "1,000 callers, a commit each, preset sync",
    dataBytes: 1000 * SMALL_BYTES,
    options: { preset: "sync" },
    run: (wal) => Promise.all(Array.from({ length: 1000 }, () => wal.commit(small))),
  },
  {
    name: "a batch of 1,000",
    dataBytes: 1000 * SMALL_BYTES,
    run: (wal) => wal.commitBatch(Array.from({ length: 1000 }, () => small)),
  },
  {
    name: "10,000 appends and a flush",
    dataBytes: 10_000 * SMALL_BYTES,
    run: (wal) => appendAll(wal, small, 10_000),
  },
  {
    name: "a stream of 640 arrays of 64",
    dataBytes: (640 * 64 + 1) * SMALL_BYTES,
    run: (wal) => pipe(wal, array, 640),
  },
  {
    name: "a stream of 5,000 entries",
    dataBytes: 5001 * SMALL_BYTES,
    run: (wal) => pipe(wal, small, 5000),
  },
  {
    name: "200 arrays of 64 through acknowledge()",
    dataBytes: (200 * 64 + 1) * SMALL_BYTES,
    run: (wal) => pipeThrough(wal, 200),
  },
  {
    name: "100 commits of 64 KiB",
    dataBytes: 100 * 64 * KIB,
    run: (wal) => commitInTurn(wal, bytes(64 * KIB), 100),
  },
  {
    name: "16 commits of 1 MiB",
    dataBytes: 16 * MIB,
    run: (wal) => commitInTurn(wal, bytes(MIB), 16),
  },
  {
    name: "3,000 commits of 4 KiB in segments of 1 MiB",
    dataBytes: 3000 * PAGE_BYTES,
    options: { segmentBytes: MIB },
    run: (wal) => commitInTurn(wal, bytes(PAGE_BYTES), 3000),
  },
  {
    name: "the same in a log that is cut as it goes, ten times",
    dataBytes: 3000 * PAGE_BYTES,
    options: { segmentBytes: MIB },
    before: (wal) => commitAndCut(wal, 5),
    run: (wal) => commitAndCut(wal, 10),
  },
  {
    name: "reading 10,000 entries by batches",
    dataBytes: 10_000 * SMALL_BYTES,
    before: (wal) => appendAll(wal, small, 10_000),
    run: (wal) => exhaust(wal.readable({ batches: true })),
  },
  {
    name: "reading 10,000 entries one by one",
    dataBytes: 10_000 * SMALL_BYTES,
    before: (wal) => appendAll(wal, small, 10_000),
    run: (wal) => exhaust(wal.readable()),
  },
  {
    name: "reading 16 entries of 1 MiB by batches",
    dataBytes: 16 * MIB,
    before: (wal) => appendAll(wal, bytes(MIB), 16),
    run: (wal) => exhaust(wal.readable({ batches: true })),
  },
  {
    name: "100 followers, 20 commits",
    dataBytes: 20 * SMALL_BYTES,
    run: (wal) => follow(wal, 100, 20),
  },
];
