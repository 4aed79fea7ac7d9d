/**
 * The log as streams of entries: what is durable, and with `follow` what becomes so.
 *
 * @module
 */

import type { Committer } from "./committer.ts";
import type { Entry } from "./entry.ts";
import { WalAbortedError, WalClosedError, WalCorruptionError } from "./errors.ts";
import type { ChainReader } from "./reader.ts";
import { Sleeper } from "./signal.ts";

/**
 * A stream of entries, which a `for await` may walk through.
 *
 * @example
 * ```ts
 * import { type Entry, Wal, type WalReadable } from "@walstream/wal";
 *
 * async function count(entries: WalReadable<Entry>): Promise<number> {
 *   let total = 0;
 *   for await (const _entry of entries) total++;
 *   return total;
 * }
 * const wal = await Wal.open("data/wal");
 * console.log(await count(wal.readable()));
 * await wal.close();
 * ```
 */
export type WalReadable<T> = ReadableStream<T> & AsyncIterable<T>;

/**
 * What {@linkcode Wal.readable} takes.
 *
 * @example
 * ```ts
 * import { type ReadableOptions, Wal } from "@walstream/wal";
 *
 * const page = { from: 11, to: 20 } satisfies ReadableOptions;
 * const wal = await Wal.open("data/wal");
 * for (let i = 1; i <= 100; i++) wal.append(`entry ${i}`);
 * await wal.flush();
 * for await (const entry of wal.readable(page)) console.log(entry.lsn); // 11 … 20
 * await wal.close();
 * ```
 */
export interface ReadableOptions {
  /** The first LSN, the next one that will be given out at the latest; the first there is unless said. */
  readonly from?: number;
  /** The last LSN; the last that is durable at the call unless said. A follower may wait for one that is to come. */
  readonly to?: number;
  /** Whether the stream goes on with what becomes durable, until the log is closed. */
  readonly follow?: boolean;
  /** Whether the stream carries arrays, the entries of one frame each, instead of single entries. */
  readonly batches?: boolean;
  /** Ends the reading. */
  readonly signal?: AbortSignal;
}

/** Where the entries of a stream come from. One call at a time. */
export interface BatchSource {
  /** The next entries, those of one frame; null at the end. */
  next(): Promise<Entry[] | null>;
  /** Nothing more is wanted: resolves when all files are given back. */
  cancel(): Promise<void>;
}

/** What is read, and how long. */
export interface Reading {
  readonly reader: ChainReader;
  readonly committer: Committer;
  /** The last LSN to show. */
  readonly toLsn: number;
  /** Whether it waits for what is not yet there. */
  readonly follow: boolean;
}

/** Gives out the entries of one frame after the other, each when it is durable. One call at a time. */
class EntrySource implements BatchSource {
  readonly #reading: Reading;
  #isCancelled = false;
  readonly #sleeper: Sleeper = new Sleeper();
  /** The call that is under way: whoever cancels waits for it, because it uses the file. */
  #call: Promise<unknown> = Promise.resolve();

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  next(): Promise<Entry[] | null> {
    const call = this.#next();
    this.#call = call.catch(() => {});
    return call;
  }

  async cancel(): Promise<void> {
    this.#isCancelled = true;
    this.#sleeper.wake();
    await this.#call;
    await this.#reading.reader.close();
  }

  async #next(): Promise<Entry[] | null> {
    let entries: Entry[] | null = null;
    try {
      entries = await this.#wait();
      return entries;
    } finally {
      if (entries === null) await this.#reading.reader.close(); // the end, or an error
    }
  }

  async #wait(): Promise<Entry[] | null> {
    const { reader, committer, toLsn, follow } = this.#reading;
    while (!this.#isCancelled) {
      const visibleLsn = Math.min(toLsn, committer.visibleLsn);
      if (reader.nextLsn <= visibleLsn) {
        const entries = await this.#read(visibleLsn);
        if (entries !== null) return entries;
        continue;
      }
      // What was rejected will never be: nobody waits for it.
      if (reader.nextLsn > toLsn || !follow && reader.nextLsn > committer.keptLsn(toLsn)) return null;
      if (committer.failure !== null) throw committer.failure;
      if (committer.isDrained) return null;
      if (!follow) committer.admission.hasten(); // at "none" what was accepted may not be written yet
      await this.#sleeper.sleep(committer.moved());
    }
    return null;
  }

  async #read(visibleLsn: number): Promise<Entry[] | null> {
    const { reader, committer } = this.#reading;
    try {
      return await reader.next(visibleLsn);
    } catch (error) {
      // A sync that fails may take away what was merely written, before anyone hears of it: then the failure is what to tell.
      if (error instanceof WalCorruptionError && reader.nextLsn > committer.syncedLsn) await committer.syncQuietly();
      // Whoever has the lock by now may have freed the files: that is no damage.
      throw committer.isDrained ? new WalClosedError("read on", { cause: error }) : error;
    }
  }
}

/** What is durable in the log of this process. */
export function entriesOf(reading: Reading): BatchSource {
  return new EntrySource(reading);
}

/** How a stream gives out its entries, and what ends it. */
export interface StreamOptions {
  /** Frame by frame, as arrays. */
  readonly batches?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The entries of a source, one by one or frame by frame. */
export function readableOf(source: BatchSource, options: StreamOptions): WalReadable<Entry | Entry[]> {
  const { batches = false, signal } = options;
  const onAbort = (): void => void end().catch(() => {});
  const end = (): Promise<void> => {
    signal?.removeEventListener("abort", onAbort);
    return source.cancel();
  };
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  const next = async (): Promise<Entry[] | null> => {
    const entries = await source.next().finally(() => {
      if (signal?.aborted) throw new WalAbortedError("reading the log", signal.reason);
    });
    return entries;
  };
  const stream = new ReadableStream<Entry | Entry[]>({
    pull: async (controller) => {
      const entries = await next().catch(async (error: unknown) => {
        await end();
        throw error;
      });
      if (entries === null) {
        await end();
        controller.close();
      } else if (batches) controller.enqueue(entries);
      else for (const entry of entries) controller.enqueue(entry);
    },
    cancel: end,
  }, { highWaterMark: 0 }); // nothing is read before somebody asks
  return stream as WalReadable<Entry | Entry[]>;
}
