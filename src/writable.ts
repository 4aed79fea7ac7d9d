/**
 * The log as a stream to write to. `write()` means accepted, `close()` means durable.
 *
 * A WritableStream calls its sink again only when the last call's promise has settled: a sink that awaited its fsync would make
 * one fsync an entry. This one hands over to the committer and returns at once, unless the buffer is full.
 *
 * @module
 */

import type { Committer } from "./committer.ts";
import type { EntryInput } from "./entry.ts";
import { hasData, isArray, isBytes } from "./entry_input.ts";
import type { Observer } from "./observers.ts";
import type { Durability } from "./options.ts";
import { Sleeper } from "./signal.ts";

/**
 * What {@linkcode Wal.writable} takes.
 *
 * @example
 * ```ts
 * import { Wal, type WritableOptions } from "@walstream/wal";
 *
 * const options: WritableOptions = { durability: "write" };
 * const wal = await Wal.open("data/wal");
 * await new Response("one\ntwo\n").body!.pipeTo(wal.writable(options)); // two chunks at most, as they come
 * await wal.close();
 * ```
 */
export interface WritableOptions {
  /** What its entries ask for, where they do not say so themselves; the log's own level unless said. */
  readonly durability?: Durability;
}

/**
 * A `WritableStream` of entries, and of arrays of entries. Many may be open at once on one log, and closing one leaves the log
 * open.
 *
 * - `write()` resolves when its entries are accepted: numbered, and in the order of the log. Leave their bytes alone until
 *   then. An array is no batch: what comes before a wrong entry in it has been accepted.
 * - `close()` resolves when all of them are durable.
 * - `abort()` keeps what was accepted.
 *
 * A log that fails or is closed ends its streams with the cause.
 *
 * @example
 * ```ts
 * import { Wal, type WalWritable } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * const stream: WalWritable = wal.writable();
 * const writer = stream.getWriter();
 * for (let nth = 0; nth < 1000; nth++) {
 *   await writer.ready; // resolves when the chunk before has been taken
 *   void writer.write(`entry ${nth}`);
 * }
 * await writer.close(); // all of it is on the disk
 * console.log(stream.firstLsn, stream.lastLsn, stream.count);
 * await wal.close();
 * ```
 */
export interface WalWritable extends WritableStream<EntryInput | readonly EntryInput[]> {
  /** The LSN of the first entry that was accepted; 0 before that. */
  readonly firstLsn: number;
  /** The LSN of the last one. Others may have written in between. */
  readonly lastLsn: number;
  /** How many were accepted. */
  readonly count: number;
}

/** Somebody who keeps what is accepted, and may ask for patience. */
export interface Keeper {
  /** The log has accepted this. */
  accepted(lsn: number, input: EntryInput): void;
  /** Whether nothing more is to be taken for now. */
  readonly isFull: boolean;
  /** Resolves when there is room for more. */
  room(): Promise<void>;
  /** Nothing more will be accepted; `reason` null: the stream was closed well. */
  end(reason: unknown): void;
}

/** What a stream hands to its sink. */
export interface SinkController {
  readonly signal: AbortSignal;
  error(reason: unknown): void;
}

/** The sink of a stream: accepts, counts, and is told what becomes of the log. */
export class EntrySink implements Observer {
  readonly #committer: Committer;
  readonly #level: Durability | undefined;
  readonly #keeper: Keeper | null;
  readonly #sleeper: Sleeper = new Sleeper();
  #controller: SinkController | null = null;
  #isClosing = false;
  /** As the controller's signal says, which takes its time to be asked for each entry. */
  #isAborted = false;
  #reason: { readonly reason: unknown } | null = null;
  firstLsn = 0;
  lastLsn = 0;
  count = 0;

  /** @param level What entries ask for. @param keeper Who keeps what is accepted. */
  constructor(committer: Committer, level: Durability | undefined, keeper: Keeper | null) {
    this.#committer = committer;
    this.#level = level;
    this.#keeper = keeper;
  }

  // -- the sink

  /** See `UnderlyingSink`. */
  start(controller: SinkController): void {
    this.#controller = controller;
    this.#committer.observers.add(this);
    // The stream calls abort only when the write in flight has settled: one that waits for a reader must hear of it before.
    controller.signal.addEventListener("abort", () => {
      this.#isAborted = true;
      this.#keeper?.end(controller.signal.reason);
      this.#sleeper.wake();
    }, { once: true });
  }

  /** See `UnderlyingSink`. */
  write(chunk: EntryInput | readonly EntryInput[]): void | Promise<void> {
    if (isArray(chunk)) {
      const next = this.#acceptAll(chunk, 0);
      if (next < chunk.length) return this.#acceptFrom(chunk, next);
    } else if (this.#accept(chunk as EntryInput) === 0) {
      return this.#acceptFrom([chunk as EntryInput], 0);
    }
    // A source that never waits for anything would fill the buffer before anyone hears of the flush in flight.
    if (this.#committer.isAhead) return this.#sleeper.sleep(this.#committer.caughtUp());
  }

  /** See `UnderlyingSink`. */
  async close(): Promise<void> {
    this.#isClosing = true;
    try {
      if (this.count > 0) {
        this.#committer.admission.hasten();
        await this.#committer.settled(this.lastLsn, "own");
      }
    } catch (error) {
      this.end(error);
      throw error;
    }
    this.#leave();
    this.#keeper?.end(null);
  }

  /** See `UnderlyingSink`. */
  abort(reason: unknown): void {
    this.#leave();
    this.#keeper?.end(reason);
  }

  async #acceptFrom(entries: readonly EntryInput[], from: number): Promise<void> {
    for (let nth = from; nth < entries.length; nth = this.#acceptAll(entries, nth + 1)) {
      const entry = entries[nth] as EntryInput;
      if (this.#keeper?.isFull) await this.#keeper.room();
      if (this.#accept(entry) !== 0) continue;
      await this.#committer.admission.appendInLine(() => this.#tryAppend(entry), this.#controller?.signal).catch(
        (error: unknown) => this.#refused(error),
      );
    }
  }

  /** Takes what can be taken at once, from the `from`th on; returns which is the next. */
  #acceptAll(entries: readonly EntryInput[], from: number): number {
    let nth = from;
    if (this.#keeper !== null) { // who wants to see each
      while (nth < entries.length && this.#accept(entries[nth] as EntryInput) !== 0) nth++;
      return nth;
    }
    const { admission } = this.#committer;
    if (nth === entries.length || admission.mustQueue) return nth;
    try {
      this.#throwIfEnded();
      return admission.tryAppendAll(entries, from, this.#level, this.#accepted);
    } catch (error) {
      return this.#refused(error);
    }
  }

  /** 0 where it must wait. */
  #accept(entry: EntryInput): number {
    if (this.#keeper?.isFull || this.#committer.admission.mustQueue) return 0;
    try {
      return this.#tryAppend(entry);
    } catch (error) {
      return this.#refused(error);
    }
  }

  #tryAppend(input: EntryInput): number {
    this.#throwIfEnded();
    const entry = this.#keeper === null ? input : readOnce(input);
    const lsn = this.#committer.admission.tryAppend(entry, this.#level);
    if (lsn === 0) return 0;
    this.#accepted(lsn);
    this.#keeper?.accepted(lsn, entry);
    return lsn;
  }

  readonly #accepted = (lsn: number): void => {
    if (this.count++ === 0) this.firstLsn = lsn;
    this.lastLsn = lsn;
  };

  /** Whoever waited may find that the stream has ended meanwhile. */
  #throwIfEnded(): void {
    if (this.#reason !== null) throw this.#reason.reason;
    if (this.#isAborted) throw this.#controller?.signal.reason;
  }

  #refused(error: unknown): never {
    this.end(error);
    throw error;
  }

  // -- the log

  /** See {@linkcode Observer}. */
  written(): void {}

  /** See {@linkcode Observer}. */
  rejected(firstLsn: number, reason: Error): void {
    if (this.lastLsn >= firstLsn) this.end(reason);
  }

  /** See {@linkcode Observer}. A log that is being closed makes durable what was accepted: a stream that is too waits for that. */
  ended(reason: Error): void {
    if (!this.#isClosing || this.#committer.failure !== null) this.end(reason);
  }

  /** Ends the stream: whoever writes is told why. */
  end(reason: unknown): void {
    this.#leave();
    this.#reason ??= { reason };
    this.#controller?.error(reason);
    this.#keeper?.end(reason);
  }

  /** Throws why the stream has ended, if it has by itself; else the error. */
  explain(error: unknown): never {
    throw this.#reason === null ? error : this.#reason.reason;
  }

  #leave(): void {
    this.#committer.observers.remove(this);
  }
}

/** An entry whose getters, if it has any, cannot say something else the next time: whoever keeps it sees what the log sees. */
function readOnce(input: EntryInput): EntryInput {
  if (isBytes(input) || !hasData(input)) return input;
  const { kind, data, durability } = input;
  return { data, ...(kind === undefined ? {} : { kind }), ...(durability === undefined ? {} : { durability }) };
}

type EntryWriter = WritableStreamDefaultWriter<EntryInput | readonly EntryInput[]>;

/** A stream whose sink tells how far it is. */
class EntryWritable extends WritableStream<EntryInput | readonly EntryInput[]> implements WalWritable {
  readonly #sink: EntrySink;

  /** Of a stream that has ended by itself, closing would say no more than that it is closed or errored. */
  override close(): Promise<void> {
    return super.close().catch((error: unknown) => this.#sink.explain(error));
  }

  /** See {@linkcode close}. */
  override getWriter(): EntryWriter {
    const writer = super.getWriter();
    const close = writer.close.bind(writer);
    writer.close = () => close().catch((error: unknown) => this.#sink.explain(error));
    return writer;
  }

  constructor(sink: EntrySink) {
    // One chunk waits in the stream itself: the log has room of its own, and the runtimes are slow with long queues.
    super(sink, { highWaterMark: 1 });
    this.#sink = sink;
  }

  get firstLsn(): number {
    return this.#sink.firstLsn;
  }

  get lastLsn(): number {
    return this.#sink.lastLsn;
  }

  get count(): number {
    return this.#sink.count;
  }
}

/** A stream into the log. */
export function writableOf(sink: EntrySink): WalWritable {
  return new EntryWritable(sink);
}
