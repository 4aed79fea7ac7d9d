/**
 * A stream through the log: entries go in, and come out, numbered, once they are durable.
 *
 * @module
 */

import type { Committer } from "./committer.ts";
import { Entry, type EntryData, type EntryInput } from "./entry.ts";
import { lengthOf } from "./entry_input.ts";
import { WalAbortedError } from "./errors.ts";
import type { Observer } from "./observers.ts";
import type { Durability } from "./options.ts";
import type { WalReadable } from "./readable.ts";
import { Sleeper } from "./signal.ts";
import { EntrySink, type Keeper, type WalWritable, writableOf, type WritableOptions } from "./writable.ts";

/** When so many entries or bytes have gone in and not been taken out again, no more go in. */
const MOST_ENTRIES = 16_384;
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * What {@linkcode Wal.acknowledge} takes.
 *
 * @example One line a flush instead of one an entry
 * ```ts
 * import { type AcknowledgeOptions, splitLines, Wal } from "@walstream/wal";
 *
 * const together = { batches: true } satisfies AcknowledgeOptions;
 * const wal = await Wal.open("data/wal");
 * const lines = new Response("one\ntwo\nthree\n").body!.pipeThrough(splitLines());
 * for await (const entries of lines.pipeThrough(wal.acknowledge(together))) {
 *   console.log(`durable up to ${entries.at(-1)?.lsn}`); // durable up to 3
 * }
 * await wal.close();
 * ```
 */
export interface AcknowledgeOptions extends WritableOptions {
  /** Whether arrays come out, of the entries that became durable together, instead of single entries. */
  readonly batches?: boolean;
}

/**
 * Both ends of a stream through the log, for `pipeThrough`.
 *
 * @example
 * ```ts
 * import { type Acknowledgement, Wal } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * const { writable, readable }: Acknowledgement = wal.acknowledge();
 * const writer = writable.getWriter();
 * void writer.write("hello");
 * for await (const entry of readable) {
 *   console.log(entry.lsn <= wal.durableLsn, entry.text()); // true hello
 *   void writer.close();
 * }
 * await wal.close();
 * ```
 */
export interface Acknowledgement<T = Entry> {
  /** Takes entries, as {@linkcode Wal.writable} does. Waits when what comes out is not taken. */
  readonly writable: WalWritable;
  /** Gives out each entry once it is durable, in order. */
  readonly readable: WalReadable<T>;
}

interface Kept {
  readonly lsn: number;
  readonly kind: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** When it was written; 0 before that. */
  time: number;
}

const encoder = new TextEncoder();

/** What has gone in and not come out. */
class KeptEntries implements Keeper, Observer {
  readonly #committer: Committer;
  readonly #sleeper: Sleeper = new Sleeper();
  /** Oldest first. */
  #kept: Kept[] = [];
  /** How many of them have their time. */
  #timed = 0;
  #bytes = 0;
  #makeRoom: () => void = () => {};
  #end: { readonly reason: unknown } | null = null;

  constructor(committer: Committer) {
    this.#committer = committer;
    committer.observers.add(this);
  }

  // -- what goes in

  accepted(lsn: number, input: EntryInput): void {
    const isPlain = typeof input === "string" || input instanceof Uint8Array;
    const bytes = copyOf(isPlain ? input : input.data);
    this.#kept.push({ lsn, kind: isPlain ? 0 : input.kind ?? 0, bytes, time: 0 });
    this.#bytes += bytes.length;
  }

  get isFull(): boolean {
    return this.#end === null && (this.#kept.length >= MOST_ENTRIES || this.#bytes >= MOST_BYTES);
  }

  room(): Promise<void> {
    return new Promise((resolve) => this.#makeRoom = resolve);
  }

  end(reason: unknown): void {
    this.#end ??= { reason };
    this.#makeRoom();
    this.#sleeper.wake();
  }

  /** Nobody wants to hear of any of it. */
  drop(): void {
    this.#kept = [];
    this.#timed = 0;
    this.#committer.observers.remove(this);
  }

  // -- what becomes of it

  written(lastLsn: number, time: number): void {
    for (
      let kept = this.#kept[this.#timed];
      kept !== undefined && kept.lsn <= lastLsn;
      kept = this.#kept[this.#timed]
    ) {
      kept.time = time;
      this.#timed++;
    }
  }

  rejected(firstLsn: number, reason: Error): void {
    this.#dropFrom(firstLsn, reason);
  }

  /** A log that is being closed makes durable what was accepted. */
  ended(reason: Error): void {
    if (this.#committer.failure !== null) this.#dropFrom(this.#committer.visibleLsn + 1, reason);
  }

  /** Whoever waits for what will never come out hears why, also where the stream had been closed well. */
  #dropFrom(goneLsn: number, reason: unknown): void {
    const { length } = this.#kept;
    this.#kept = this.#kept.filter(({ lsn }) => lsn < goneLsn);
    if (this.#kept.length < length) this.#end = { reason };
    this.#timed = Math.min(this.#timed, this.#kept.length);
    this.#sleeper.wake();
  }

  // -- what comes out

  /** What is durable by now, as soon as anything is; null at the end. */
  async next(): Promise<Entry[] | null> {
    for (;;) {
      const entries = this.#take();
      if (entries.length > 0) return entries;
      if (this.#end !== null && this.#kept.length === 0) {
        this.#committer.observers.remove(this);
        if (this.#end.reason === null) return null;
        throw this.#end.reason;
      }
      await this.#sleeper.sleep(this.#committer.moved());
    }
  }

  #take(): Entry[] {
    const { visibleLsn } = this.#committer;
    let count = 0;
    while (count < this.#timed && (this.#kept[count]?.lsn ?? Infinity) <= visibleLsn) count++;
    const entries = this.#kept.splice(0, count).map(({ lsn, kind, time, bytes }) => {
      this.#bytes -= bytes.length;
      return new Entry(lsn, kind, time, bytes, 0, bytes.length);
    });
    this.#timed -= count;
    if (count > 0) this.#makeRoom();
    return entries;
  }
}

function copyOf(data: EntryData): Uint8Array<ArrayBuffer> {
  if (typeof data === "string") return encoder.encode(data);
  if (data instanceof Uint8Array) return new Uint8Array(data);
  const bytes = new Uint8Array(data.reduce((sum, part) => sum + lengthOf(part), 0));
  let end = 0;
  for (const part of data) {
    bytes.set(part, end);
    end += lengthOf(part);
  }
  return bytes;
}

/** Both ends of a stream through the log. */
export function acknowledgement(
  committer: Committer,
  level: Durability | undefined,
  batches: boolean,
): Acknowledgement<Entry | Entry[]> {
  const kept = new KeptEntries(committer);
  const sink = new EntrySink(committer, level, kept);
  const readable = new ReadableStream<Entry | Entry[]>({
    pull: async (controller) => {
      const entries = await kept.next();
      if (entries === null) controller.close();
      else if (batches) controller.enqueue(entries);
      else for (const entry of entries) controller.enqueue(entry);
    },
    cancel: (reason) => {
      kept.drop(); // what was accepted stays in the log
      sink.end(reason ?? new WalAbortedError("acknowledging entries", "nobody reads them"));
    },
  }, { highWaterMark: 0 });
  return { writable: writableOf(sink), readable: readable as WalReadable<Entry | Entry[]> };
}
