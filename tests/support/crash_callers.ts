/**
 * Who writes in a program that is killed: callers, each of which has one submission in flight and says what became of it
 * before it begins the next. They never end.
 */

import { setImmediate } from "node:timers";
import { type Durability, type EntryInput, type Wal, WalBufferFullError, WalDiskFullError } from "../../mod.ts";
import { Random } from "../../src/runtime/random.ts";
import { entryOf, type Submission } from "./crash_entries.ts";
import type { Statement } from "./crash_ledger.ts";

export type CallerKind =
  /** Entries one by one and small batches, at the level of the log. */
  | "plain"
  /** All the ways there are to write, at all levels. */
  | "mixed"
  /** Batches that take the system a while to write. */
  | "large"
  /** Cuts the log from below, so that it stays small, and flushes. */
  | "cutter";

/** What the callers of a program have in common. */
export interface Shared {
  readonly wal: Wal;
  readonly life: number;
  /** The log's. */
  readonly level: Durability;
  readonly say: (statement: Statement) => void;
  /** How many entries all of them have handed over, counted as LSNs are: on from what the log held. */
  submitted: number;
}

/** See the head of this file. */
export interface Caller {
  run(): Promise<never>;
}

const MOST_PLAIN_BYTES = 3000;
const LARGE_BYTES = 256 * 1024;
const LARGE_COUNT = 32;
const MOST_STREAMED = 24;
/** So many entries stay in the log, or twice as many. */
const KEPT_COUNT = 1000;

export function callerOf(kind: CallerKind, shared: Shared, caller: number, seed: number): Caller {
  const random = new Random(seed * 1000 + caller);
  if (kind === "cutter") return new Cutter(shared, random);
  return new Writer(shared, caller, random, kind);
}

/** What a submission is made of, and how durable it is to be. */
interface Task {
  readonly entries: readonly EntryInput[];
  readonly level: Durability;
}

/** Hands a task over and resolves to the LSN of its last entry when all of it is durable. */
type Way = (wal: Wal, task: Task) => Promise<number>;

const commitOne: Way = (wal, { entries: [entry = ""], level }) => wal.commit(atLevel(entry, level));
const commitBatch: Way = (wal, { entries, level }) => wal.commitBatch(entries.map((entry) => atLevel(entry, level)));

const eachWays: readonly Way[] = [
  async (wal, { entries: [entry = ""], level }) => {
    const lsn = await appendWhenThereIsRoom(wal, atLevel(entry, "none"));
    return await wal.waitFor(lsn, { durability: level });
  },
  async (wal, { entries, level }) => {
    const stream = wal.writable({ durability: level });
    const writer = stream.getWriter();
    const half = Math.ceil(entries.length / 2);
    const writes = [writer.write(entries.slice(0, half)), ...entries.slice(half).map((entry) => writer.write(entry))];
    await Promise.all([...writes, writer.close()]);
    return stream.lastLsn ?? 0;
  },
  async (wal, { entries, level }) => {
    let lastLsn = 0;
    const source = new ReadableStream<EntryInput>({
      start: (controller) => {
        for (const entry of entries) controller.enqueue(entry);
        controller.close();
      },
    });
    for await (const { lsn } of source.pipeThrough(wal.acknowledge({ durability: level }))) lastLsn = lsn;
    return lastLsn;
  },
];

/** Waits for room in the buffer. A full disk is another matter: then this throws, as `append` does. */
async function appendWhenThereIsRoom(wal: Wal, entry: EntryInput): Promise<number> {
  for (;;) {
    try {
      return wal.append(entry);
    } catch (error) {
      if (!(error instanceof WalBufferFullError)) throw error;
      await wal.ready;
    }
  }
}

class Writer implements Caller {
  readonly #shared: Shared;
  readonly #caller: number;
  readonly #random: Random;
  readonly #kind: CallerKind;
  #number = 0;

  constructor(shared: Shared, caller: number, random: Random, kind: CallerKind) {
    this.#shared = shared;
    this.#caller = caller;
    this.#random = random;
    this.#kind = kind;
  }

  async run(): Promise<never> {
    for (let round = 0;; round++) {
      if (this.#kind === "plain") await this.#plain(round);
      else if (this.#kind === "large") await this.#submit(commitBatch, LARGE_COUNT, true, "fsync");
      else await this.#mixed();
    }
  }

  async #plain(round: number): Promise<void> {
    const { level } = this.#shared;
    if (round % 4 === 3) await this.#submit(commitBatch, 3, true, level);
    else await this.#submit(commitOne, 1, false, level);
  }

  async #mixed(): Promise<void> {
    const random = this.#random;
    const level = random.pick(["fsync", "fsync", "write", "none"] as const);
    const choice = random.integer(0, 9);
    if (choice < 4) await this.#submit(commitOne, 1, false, level);
    else if (choice < 7) await this.#submit(commitBatch, random.integer(1, 5), true, level);
    else {
      const [append, ...streams] = eachWays;
      const way = choice === 7 && append !== undefined ? append : random.pick(streams);
      await this.#submit(way, way === append ? 1 : random.integer(1, MOST_STREAMED), false, level);
    }
    // At the weaker levels nothing is waited for that takes time, and nobody else would ever have a turn.
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #submit(way: Way, count: number, isBatch: boolean, level: Durability): Promise<void> {
    const { wal, say } = this.#shared;
    const caller = this.#caller;
    const range = [this.#number + 1, this.#number + count] as const;
    const entries: EntryInput[] = [];
    while (this.#number < range[1]) entries.push(this.#entry(++this.#number, range, isBatch));
    this.#shared.submitted += count;
    try {
      const acknowledged = await way(wal, { entries, level });
      const { submitted } = this.#shared;
      say({ acknowledged, caller, number: range[1], level, accepted: wal.lastLsn, submitted });
    } catch (error) {
      if (!(error instanceof WalDiskFullError)) throw error;
      say({ rejected: range, caller, isWhole: isBatch || count === 1 });
      await wal.ready; // until there is room again
    }
  }

  #entry(number: number, range: Submission["range"], isBatch: boolean): EntryInput {
    const { life } = this.#shared;
    return entryOf({ life, caller: this.#caller, number, range, isBatch, fillerBytes: this.#fillerBytes(number) });
  }

  #fillerBytes(number: number): number {
    if (this.#kind === "large") return LARGE_BYTES;
    if (this.#kind === "plain") return (number * 7919 + this.#caller * 1009) % MOST_PLAIN_BYTES;
    return this.#random.integer(0, this.#random.chance(0.1) ? MOST_PLAIN_BYTES : 200);
  }
}

class Cutter implements Caller {
  readonly #shared: Shared;
  readonly #random: Random;

  constructor(shared: Shared, random: Random) {
    this.#shared = shared;
    this.#random = random;
  }

  async run(): Promise<never> {
    const { wal, say } = this.#shared;
    for (;;) {
      if (this.#random.chance(0.1)) await wal.flush().then((flushed) => say({ flushed }), ifNotFull);
      if (wal.lastLsn - wal.firstLsn >= 2 * KEPT_COUNT) {
        const cutting = wal.lastLsn - this.#random.integer(0, KEPT_COUNT);
        say({ cutting });
        say({ cut: (await wal.truncateBefore(cutting)).firstLsn });
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

function ifNotFull(error: unknown): void {
  if (!(error instanceof WalDiskFullError)) throw error;
}

function atLevel(entry: EntryInput, durability: Durability): EntryInput {
  return typeof entry === "object" && "data" in entry
    ? { ...entry, durability }
    : { data: entry as string, durability };
}
