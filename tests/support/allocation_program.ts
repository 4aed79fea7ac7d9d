// Says how many bytes of heap an entry costs, on its way into the log and out of it. It must be started as
// allocations.ts does: where nothing is collected unless this asks for it, and nothing is compiled to machine code.

import { type EntryInput, Wal, type WalOptions } from "../../mod.ts";
import { appendAll, commitInTurn, exhaust } from "./log_use.ts";
import { PlainRuntime } from "./plain_runtime.ts";
import { repeatingSource } from "./repeating_source.ts";

const WARM_ROUNDS = 2;
const ROUNDS = 5;
const SMALL_BYTES = 100;
const CAPACITY_BYTES = 32 * 1024 * 1024;

/** Nothing is collected while a round goes on. */
interface Engine {
  /** What has been allocated so far. */
  readonly usedBytes: () => number;
  readonly collect: () => void;
}

interface V8Statistics {
  getHeapSpaceStatistics(): { readonly space_name: string; readonly space_used_size: number }[];
}

async function engineOf(): Promise<Engine> {
  if ("Bun" in globalThis) {
    const name = "bun:jsc";
    const { heapStats } = await import(name) as { heapStats: () => { heapCapacity: number } };
    // It counts whole blocks, and what lies free in the first ones is used up in the first rounds.
    return { usedBytes: () => heapStats().heapCapacity, collect: () => {} };
  }
  const { getHeapSpaceStatistics } = await import("node:v8") as V8Statistics;
  const { gc: collect } = globalThis as { gc?: () => void };
  if (collect === undefined) throw new Error("this was not started with --expose-gc");
  // What is new lies in spaces of its own, exact to the byte.
  const usedBytes = (): number =>
    getHeapSpaceStatistics().reduce(
      (sum, space) => sum + (/^new/.test(space.space_name) ? space.space_used_size : 0),
      0,
    );
  return { usedBytes, collect };
}

interface Measured {
  readonly entries: number;
  readonly options?: WalOptions;
  /** What has to be there before. */
  readonly before?: (wal: Wal) => Promise<unknown>;
  /** What is done in a round. */
  readonly run: (wal: Wal) => Promise<unknown>;
  /** What of it is none of the log's doing. */
  readonly without?: () => Promise<unknown>;
}

const entry: Uint8Array = new Uint8Array(SMALL_BYTES);
const fields: EntryInput = { kind: 7, data: entry };
const text: string = "a".repeat(SMALL_BYTES);
const array: readonly Uint8Array[] = Array.from({ length: 64 }, () => entry);

/** Takes all that comes, and does nothing. */
function idleSink(): WritableStream<unknown> {
  return new WritableStream({ write() {} });
}

/** Text comes last: it makes some of the log's numbers fractions for an engine, which take memory. */
const MEASURED: Readonly<Record<string, Measured>> = {
  "nothing but a promise": {
    entries: 10_000,
    run: () => {
      for (let nth = 0; nth < 10_000; nth++) void new Promise(() => {});
      return Promise.resolve();
    },
  },
  "append": { entries: 10_000, run: (wal) => appendAll(wal, entry, 10_000) },
  "append, with a kind": { entries: 10_000, run: (wal) => appendAll(wal, fields, 10_000) },
  "commit, one caller, pool": { entries: 1000, options: { io: "pool" }, run: (wal) => commitInTurn(wal, entry, 1000) },
  "commit, one caller, blocking": {
    entries: 1000,
    options: { io: "blocking" },
    run: (wal) => commitInTurn(wal, entry, 1000),
  },
  "commit, 1,000 callers": {
    entries: 5000,
    run: (wal) => Promise.all(Array.from({ length: 1000 }, () => commitInTurn(wal, entry, 5))),
  },
  "stream, arrays of 64": {
    entries: 100 * 64,
    run: (wal) => repeatingSource(array, 100).pipeTo(wal.writable()),
    without: () => repeatingSource(array, 100).pipeTo(idleSink()),
  },
  "stream, entry by entry": {
    entries: 4000,
    run: (wal) => repeatingSource(entry, 4000).pipeTo(wal.writable()),
    without: () => repeatingSource(entry, 4000).pipeTo(idleSink()),
  },
  "read by batches": {
    entries: 10_000,
    before: (wal) => appendAll(wal, entry, 10_000),
    run: (wal) => exhaust(wal.readable({ batches: true })),
  },
  "append of text": { entries: 10_000, run: (wal) => appendAll(wal, text, 10_000) },
};

/** The middle one of some rounds, after others that make room in every buffer. */
async function bytesAllocated({ usedBytes, collect }: Engine, run: () => Promise<unknown>): Promise<number> {
  for (let round = 0; round < WARM_ROUNDS; round++) await run();
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    collect();
    const before = usedBytes();
    await run();
    rounds.push(usedBytes() - before);
  }
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1] ?? 0;
}

async function bytesPerEntry(engine: Engine, { entries, options, before, run, without }: Measured): Promise<number> {
  const runtime = new PlainRuntime({ capacityBytes: CAPACITY_BYTES, syncsLast: without !== undefined });
  const wal = await Wal.open("/wal", { runtime, segmentBytes: 0, io: "pool", ...options });
  await before?.(wal);
  const allBytes = await bytesAllocated(engine, () => run(wal));
  const otherBytes = without === undefined ? 0 : await bytesAllocated(engine, without);
  await wal.close();
  return (allBytes - otherBytes) / entries;
}

const engine = await engineOf();
const found: Record<string, number> = {};
for (const [name, measured] of Object.entries(MEASURED)) {
  found[name] = await bytesPerEntry(engine, measured);
}
console.log(JSON.stringify(found));
