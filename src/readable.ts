/**
 * The log as streams of entries: what is durable, and with `follow` what becomes so.
 *
 * @module
 */

import type { Committer } from "./committer.ts";
import type { Entry } from "./entry.ts";
import { WalAbortedError, WalClosedError } from "./errors.ts";
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
  readonly signal: AbortSignal | undefined;
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
    reading.signal?.addEventListener("abort", this.#onAbort);
    if (reading.signal?.aborted) this.#onAbort();
  }

  /** The next entries; null at the end. */
  next(): Promise<Entry[] | null> {
    const call = this.#next();
    this.#call = call.catch(() => {});
    return call;
  }

  /** Nothing more is wanted: gives the file back. */
  async cancel(): Promise<void> {
    this.#isCancelled = true;
    this.#sleeper.wake();
    await this.#call;
    await this.#close();
  }

  #onAbort = (): void => void this.cancel();

  async #close(): Promise<void> {
    const { reader, signal } = this.#reading;
    signal?.removeEventListener("abort", this.#onAbort);
    await reader.close();
  }

  async #next(): Promise<Entry[] | null> {
    try {
      const entries = await this.#wait();
      const { signal } = this.#reading;
      if (signal?.aborted) throw new WalAbortedError("reading the log", signal.reason);
      if (entries === null) await this.#close();
      return entries;
    } catch (error) {
      await this.#close();
      throw error;
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
      // Whoever has the lock by now may have freed the files: that is no damage.
      throw committer.isDrained ? new WalClosedError("read on", { cause: error }) : error;
    }
  }
}

/** What is durable in the log of this process. */
export function entriesOf(reading: Reading): BatchSource {
  return new EntrySource(reading);
}

/** The entries of a source, one by one or frame by frame. */
export function readableOf(source: BatchSource, batches: boolean): WalReadable<Entry | Entry[]> {
  const stream = new ReadableStream<Entry | Entry[]>({
    pull: async (controller) => {
      const entries = await source.next();
      if (entries === null) controller.close();
      else if (batches) controller.enqueue(entries);
      else for (const entry of entries) controller.enqueue(entry);
    },
    cancel: () => source.cancel(),
  }, { highWaterMark: 0 }); // nothing is read before somebody asks
  return stream as WalReadable<Entry | Entry[]>;
}
