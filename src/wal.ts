/**
 * The log as its user holds it.
 *
 * @module
 */

import { type Acknowledgement, acknowledgement, type AcknowledgeOptions } from "./acknowledge.ts";
import type { Admission } from "./admission.ts";
import { checkFlag, checkLsn, checkOptions } from "./checks.ts";
import { closeLog } from "./closing.ts";
import type { Truncation } from "./cut.ts";
import type { Entry, EntryInput } from "./entry.ts";
import {
  WalAbortedError,
  WalBufferFullError,
  WalClosedError,
  type WalFailedError,
  WalRangeError,
  WalTruncatedError,
} from "./errors.ts";
import { showAs } from "./inspect.ts";
import { type OpenedLog, openLog } from "./opening.ts";
import {
  changed,
  checkDurability,
  DURABILITIES,
  type Durability,
  type WalChanges,
  type WalOptions,
} from "./options.ts";
import { outsideEntries, type ReadOptions } from "./outside_source.ts";
import { entriesOf, readableOf, type ReadableOptions, type WalReadable } from "./readable.ts";
import { ChainReader } from "./reader.ts";
import { repairLog, type RepairOptions, type WalRepair } from "./repair.ts";
import type { WalRecovery, WalReport } from "./report.ts";
import type { WalStats } from "./stats.ts";
import { verifyLog, type VerifyOptions } from "./verify.ts";
import { EntrySink, type WalWritable, writableOf, type WritableOptions } from "./writable.ts";

/**
 * Whether a log takes entries.
 *
 * @example
 * ```ts
 * import { Wal, type WalState } from "@walstream/wal";
 *
 * const words: Record<WalState, string> = { open: "takes entries", failed: "has failed", closed: "is closed" };
 * const wal = await Wal.open("data/wal");
 * await wal.close();
 * console.log(`the log ${words[wal.state]}`); // the log is closed
 * ```
 */
export type WalState = "open" | "failed" | "closed";

/**
 * What {@linkcode Wal.waitFor} takes.
 *
 * @example
 * ```ts
 * import { type WaitOptions, Wal } from "@walstream/wal";
 *
 * const synced: WaitOptions = { durability: "fsync" };
 * const wal = await Wal.open("data/wal", { durability: "write" });
 * await wal.waitFor(wal.append("hello"), synced);
 * await wal.close();
 * ```
 */
export interface WaitOptions {
  /** How durable the entry must be; as it was appended unless said. */
  readonly durability?: Durability;
  /** Ends the waiting; the entry stays in the log. */
  readonly signal?: AbortSignal;
}

/**
 * A write-ahead log in a directory.
 *
 * @example
 * ```ts
 * import { Wal } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * const lsn = wal.append("hello"); // accepted: numbered at once
 * await wal.waitFor(lsn); // durable: on the disk, by a sync that is shared with everyone else
 * await wal.commit({ kind: 7, data: new Uint8Array([1, 2, 3]) }); // both in one
 * for await (const entry of wal.readable()) console.log(entry.lsn, entry.kind, entry.data.length);
 * await wal.close();
 * ```
 */
export class Wal {
  readonly #log: OpenedLog;
  /** What was there when the log was opened: of these LSNs only the files know which were skipped. */
  readonly #recoveredLsn: number;
  #closing: Promise<void> | null = null;
  readonly #closed: Promise<void>;
  #settleClosed: (outcome: Promise<void>) => void = () => {};

  static {
    showAs(Wal.prototype, (wal) => {
      const { state, firstLsn, lastLsn, durableLsn, syncedLsn } = wal;
      return { directory: wal.#log.place.directory, state, firstLsn, lastLsn, durableLsn, syncedLsn };
    });
  }

  private constructor(log: OpenedLog) {
    this.#log = log;
    this.#recoveredLsn = log.recovery.lastLsn;
    this.#closed = new Promise((resolve) => this.#settleClosed = resolve);
    this.#closed.catch(() => {}); // who does not look has not asked
  }

  /**
   * Opens the log in `directory`: makes it if it is not there, locks it, and recovers what is in it. When this resolves,
   * everything that {@linkcode readable} shows is synced, and {@linkcode recovery} says what was found.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal", { preset: "oltp", onEvent: (event) => console.log(event.type) });
   * console.log(wal.recovery.end); // new
   * await wal.close();
   * ```
   */
  static async open(directory: string | URL, options: WalOptions = {}): Promise<Wal> {
    return new Wal(await openLog(directory, options));
  }

  /**
   * Reads the log in `directory` without its lock, while another process writes it, or nobody does; changes not one byte.
   *
   * It shows only what later bytes in the files vouch for, so that nothing it has shown is lost by a crash of the writer. An
   * idle writer vouches for its last entries after `idleMs`; at the weaker levels they are vouched for after the next sync.
   * With `follow` it looks again every `pollMs`: it does not watch the directory. Where the log has been cut past the
   * reader's place it ends in a {@linkcode WalTruncatedError}; where it was cut back and written anew, or replaced, in a
   * {@linkcode WalRewoundError}.
   *
   * The first read rejects with a {@linkcode WalDirectoryError} where there is no such directory, while in an empty one a
   * follower waits; and with a {@linkcode WalRangeError} where `from` is above the next LSN of the files: in an empty log above
   * 1. So a follower that is started again on a log that was replaced by a shorter one skips nothing unseen.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal"); // in another process
   * await wal.commit("hello");
   * await wal.close();
   * for await (const entry of Wal.read("data/wal")) console.log(entry.lsn, entry.text()); // … hello
   * ```
   */
  static read(
    directory: string | URL,
    options: ReadOptions & { readonly batches: true },
  ): WalReadable<Entry[]>;
  /** The same, entry by entry. */
  static read(
    directory: string | URL,
    options?: ReadOptions & { readonly batches?: false },
  ): WalReadable<Entry>;
  /** The same, for options that are known only when it runs. */
  static read(directory: string | URL, options?: ReadOptions): WalReadable<Entry | Entry[]>;
  static read(directory: string | URL, options: ReadOptions = {}): WalReadable<Entry | Entry[]> {
    return readableOf(outsideEntries(directory, options), options);
  }

  /**
   * Looks at every byte of the log in `directory`, without its lock, and changes none. Whoever writes it meanwhile is left
   * alone. Opening looks only at the end of the log, and finds damage in older files when they are read: this finds all of it.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal");
   * await wal.commit("hello");
   * const { state, entries, damage } = await Wal.verify("data/wal");
   * console.log(state, entries, damage); // unclean 1 []
   * await wal.close();
   * ```
   */
  static async verify(directory: string | URL, options: VerifyOptions = {}): Promise<WalReport> {
    return await verifyLog(directory, options);
  }

  /**
   * Makes a log that is torn or corrupt one that opens again, as its `mode` says, and tells what was found, what is lost, and
   * where the files are that were damaged: they keep their bytes. With `dryRun` it only tells. A log that is open is locked,
   * and one that is whole is left alone.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal");
   * await wal.close();
   * const { outcome, found } = await Wal.repair("data/wal", { mode: "salvage", dryRun: true });
   * console.log(outcome, found.damage); // clean []
   * ```
   */
  static async repair(directory: string | URL, options: RepairOptions = {}): Promise<WalRepair> {
    return await repairLog(directory, options);
  }

  // -- where the log stands

  /** The first LSN there is, or will be: 1 in a new log. */
  get firstLsn(): number {
    return this.#log.tail.headLsn;
  }

  /** The last LSN that was given out; 0 in a new log. */
  get lastLsn(): number {
    return this.#log.committer.lastLsn;
  }

  /** The highest LSN up to which every entry is as durable as it asked to be. */
  get durableLsn(): number {
    return this.#log.committer.durableLsn;
  }

  /** The highest LSN up to which every entry is synced to the disk. */
  get syncedLsn(): number {
    return this.#log.tail.syncedLsn;
  }

  /** Whether the log takes entries. */
  get state(): WalState {
    if (this.#closing !== null) return "closed";
    return this.#log.committer.failure === null ? "open" : "failed";
  }

  /** Why the log failed, or null. */
  get error(): WalFailedError | null {
    return this.#log.committer.failure;
  }

  /** Settles as {@linkcode close} does. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** What opening found. */
  get recovery(): WalRecovery {
    return this.#log.recovery;
  }

  /** Bytes that {@linkcode append} still takes before the buffer is full, as a stream's writer has it; it may be negative. */
  get desiredSize(): number {
    return this.#closing === null ? this.#log.committer.admission.desiredBytes : 0;
  }

  /**
   * Resolves when {@linkcode desiredSize} is above zero; rejects when the log has failed or is closed.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal", { maxBufferedBytes: 64 * 1024 });
   * for (let i = 0; i < 10_000; i++) {
   *   if (wal.desiredSize <= 0) await wal.ready;
   *   wal.append(`entry ${i}`);
   * }
   * await wal.close();
   * ```
   */
  get ready(): Promise<void> {
    const ready = this.#log.committer.admission.roomAvailable();
    ready.catch(() => {}); // as a stream's writer does: who does not look has not asked
    return ready;
  }

  // -- write

  /**
   * Accepts an entry and returns its LSN at once; no I/O is waited for. Its bytes are copied. Throws, and accepts nothing,
   * when the entry is none or too large, the buffer or the disk is full, or the log has failed or is closed.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal");
   * for (let i = 0; i < 1000; i++) wal.append(`entry ${i}`);
   * await wal.flush(); // one write, one sync
   * await wal.close();
   * ```
   */
  append(entry: EntryInput): number {
    const lsn = this.#log.committer.admission.append(entry);
    if (lsn === 0) throw this.#bufferFull();
    return lsn;
  }

  /**
   * Accepts entries that will be in the log all together or not at all, and returns the last LSN. Throws as
   * {@linkcode append} does; a batch without entries is an error too.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal");
   * const lastLsn = wal.appendBatch(["debit 5", "credit 5"]); // both, or after a crash neither
   * await wal.waitFor(lastLsn);
   * await wal.close();
   * ```
   */
  appendBatch(entries: readonly EntryInput[]): number {
    const lsn = this.#log.committer.admission.appendBatch(entries);
    if (lsn === 0) throw this.#bufferFull();
    return lsn;
  }

  /**
   * Appends an entry, waiting in line for room if need be, and resolves to its LSN when it is durable. Leave the bytes
   * alone until then.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal");
   * const lsn = await wal.commit("hello");
   * console.log(lsn <= wal.syncedLsn); // true
   * await wal.close();
   * ```
   */
  commit(entry: EntryInput): Promise<number> {
    return this.#commit(entry, appendOne);
  }

  /**
   * The same for {@linkcode appendBatch}: resolves to the last LSN when all of the batch is durable.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal");
   * await wal.commitBatch(["debit 5", "credit 5"]); // both are on the disk
   * await wal.close();
   * ```
   */
  commitBatch(entries: readonly EntryInput[]): Promise<number> {
    try {
      this.#log.committer.admission.checkBatch(entries); // what is too large is refused, not queued
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#commit(entries, appendAll);
  }

  /**
   * Resolves, to the LSN, when the entry with this LSN is durable; waits settle in LSN order. Rejects when there is no such
   * entry, when it was rejected because the disk was full, and when the log has failed before it was durable: then the
   * outcome is unknown.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal");
   * let lsn = 0;
   * for (const data of ["one", "two", "three"]) lsn = wal.append(data);
   * await wal.waitFor(lsn); // all three are durable
   * await wal.close();
   * ```
   */
  waitFor(lsn: number, options: WaitOptions = {}): Promise<number> {
    try {
      checkOptions("waitFor", options, ["durability", "signal"]);
      this.#checkWait(lsn, options.durability);
    } catch (error) {
      return Promise.reject(error);
    }
    const { durability, signal } = options;
    const isRecovered = lsn <= this.#recoveredLsn;
    if (!isRecovered) return this.#log.committer.settled(lsn, durability ?? "own", signal);
    return this.#checkRecovered(lsn, signal);
  }

  /**
   * A new stream into the log; many may be open at once. `write()` means accepted, `close()` means durable, and leaves the log
   * open.
   *
   * @example
   * ```ts
   * import { splitLines, Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal");
   * const { body } = new Response("one\ntwo\nthree\n");
   * await body?.pipeThrough(splitLines()).pipeTo(wal.writable()); // three entries, and they are on the disk
   * await wal.close();
   * ```
   */
  writable(options: WritableOptions = {}): WalWritable {
    this.#checkTaking("write to");
    checkOptions("writable", options, ["durability"]);
    checkDurability(options.durability);
    return writableOf(new EntrySink(this.#log.committer, options.durability, null));
  }

  /**
   * Both ends of a stream through the log: entries go in, and come out, numbered, once they are durable. With `batches` they
   * come out in arrays, those together that became durable together.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal");
   * const source = ReadableStream.from(["one", "two"]);
   * for await (const entry of source.pipeThrough(wal.acknowledge())) console.log(`${entry.text()} is ${entry.lsn}`);
   * await wal.close();
   * ```
   */
  acknowledge(options: AcknowledgeOptions & { readonly batches: true }): Acknowledgement<Entry[]>;
  /** The same, entry by entry. */
  acknowledge(options?: AcknowledgeOptions & { readonly batches?: false }): Acknowledgement;
  /** The same, for options that are known only when it runs. */
  acknowledge(options?: AcknowledgeOptions): Acknowledgement<Entry | Entry[]>;
  acknowledge(options: AcknowledgeOptions = {}): Acknowledgement<Entry | Entry[]> {
    this.#checkTaking("write through");
    checkOptions("acknowledge", options, ["durability", "batches"]);
    checkDurability(options.durability);
    checkFlag("batches", options.batches);
    return acknowledgement(this.#log.committer, options.durability, options.batches ?? false);
  }

  /**
   * Resolves when everything that was accepted before the call is synced to the disk, at every durability level; to the
   * last LSN of it. Rejects, once, where a full disk has rejected an entry that no {@linkcode commit} and no
   * {@linkcode waitFor} waited for, also where a stream was told of it.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal", { durability: "none" });
   * await wal.commit("accepted");
   * console.log((await wal.flush()) === wal.syncedLsn); // true, and the disk has it
   * await wal.close();
   * ```
   */
  async flush(): Promise<number> {
    if (this.#closing !== null) throw new WalClosedError("flush");
    return await this.#log.committer.flush();
  }

  // -- read

  /**
   * Reads the log from one LSN to another, both included, in order. Ends at what was durable at the call; with `follow` it
   * goes on with what becomes durable, until the log is closed or fails. Throws at once where `from` has been cut away, or is
   * not given out yet. Memory is bounded by two reads, each of 1 MiB or of the largest frame, whichever is more. A stream that is
   * being read when the log is closed goes on as long as nobody else frees the files.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal");
   * for (let i = 1; i <= 10; i++) wal.append(`entry ${i}`);
   * await wal.flush();
   * for await (const entry of wal.readable({ from: 9 })) console.log(entry.text()); // entry 9, entry 10
   * await wal.close();
   * ```
   */
  readable(options: ReadableOptions & { readonly batches: true }): WalReadable<Entry[]>;
  /** The same, entry by entry. */
  readable(options?: ReadableOptions & { readonly batches?: false }): WalReadable<Entry>;
  /** The same, for options that are known only when it runs. */
  readable(options?: ReadableOptions): WalReadable<Entry | Entry[]>;
  readable(options: ReadableOptions = {}): WalReadable<Entry | Entry[]> {
    if (this.#closing !== null) throw new WalClosedError("read");
    checkOptions("readable", options, ["from", "to", "follow", "batches", "signal"]);
    const { firstLsn, lastLsn, durableLsn } = this;
    const { from = firstLsn, to, follow = false, batches = false, signal } = options;
    checkLsn(from);
    if (to !== undefined) checkLsn(to);
    checkFlag("follow", follow);
    checkFlag("batches", batches);
    if (from < firstLsn) throw new WalTruncatedError(`read from LSN ${from}`, firstLsn);
    if (from > lastLsn + 1 || !follow && to !== undefined && to > lastLsn) {
      const range = `from LSN ${from}${to === undefined ? "" : ` to ${to}`}`;
      throw new WalRangeError(`cannot read ${range}: the last one given out is ${lastLsn}`);
    }
    const toLsn = follow ? to ?? Infinity : Math.min(to ?? durableLsn, durableLsn);
    const { tail, files, committer } = this.#log;
    const reader = new ChainReader(tail, files, from, `a ${follow ? "follower" : "reader"} from LSN ${from}`);
    return readableOf(entriesOf({ reader, committer, toLsn, follow }), { batches, signal });
  }

  // -- while it runs

  /**
   * Changes how the log works from now on; what was accepted before keeps the level that it asked for. Resolves when the
   * changes hold: a stronger level syncs everything first. Throws where they are wrong, and changes nothing.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal", { durability: "none" });
   * for (let nth = 0; nth < 1000; nth++) wal.append(`import ${nth}`);
   * await wal.configure({ durability: "fsync" }); // all of it is synced, and so will be each commit from now on
   * await wal.close();
   * ```
   */
  async configure(changes: WalChanges): Promise<void> {
    this.#checkTaking("configure");
    const { settings, tail, spares, committer } = this.#log;
    const next = changed(settings, changes);
    const isStronger = DURABILITIES.indexOf(next.durability) < DURABILITIES.indexOf(settings.durability);
    Object.assign(settings, next);
    tail.limitSegments(settings.segmentBytes);
    spares.limitSegments(settings.segmentBytes);
    await committer.configured(isStronger);
  }

  /**
   * What the log has done since it was opened, and how it stands now.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal");
   * await wal.commit("hello");
   * const { entries, fsyncs, commit, utilisation } = wal.stats();
   * console.log(entries, fsyncs, commit.p99Ms, utilisation);
   * await wal.close();
   * ```
   */
  stats(): WalStats {
    const { counters, committer, tail, settings } = this.#log;
    const { entries, bytes, frames, flushes, fsyncs, refused, rejected, mostPendingBytes, commit, fsync } = counters;
    const { bufferedBytes } = committer;
    const unsynced = Math.max(0, committer.keptLsn(this.lastLsn) - tail.syncedLsn); // LSNs that are skipped may be synced
    return {
      entries,
      bytes,
      frames,
      flushes,
      fsyncs,
      entriesPerFlush: flushes === 0 ? 0 : entries / flushes,
      pendingEntries: committer.bufferedEntries,
      pendingBytes: bufferedBytes,
      mostPendingBytes,
      utilisation: bufferedBytes / settings.maxBufferedBytes,
      segments: tail.chain.links.length,
      retainedBytes: tail.retainedBytes,
      refused,
      rejected,
      commit: commit.read(),
      fsync: fsync.read(),
      loss: {
        entries: unsynced,
        bytes: unsynced === 0 ? 0 : bufferedBytes + tail.unsyncedBytes,
        ageMs: unsynced === 0 ? 0 : committer.admission.ages.unsyncedAgeMs,
      },
    };
  }

  // -- cut

  /**
   * Makes `lsn` the first LSN there is: what lies before it is not in the log any more, and the files that hold nothing else
   * are freed. Syncs everything first. Throws above `lastLsn + 1`; below {@linkcode firstLsn} nothing moves. Whoever reads an
   * old file in this process keeps it until he has done so.
   *
   * @example Keeping what the database does not have yet
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal");
   * const lsn = await wal.commit("the database has everything before this");
   * const { firstLsn, freedSegments } = await wal.truncateBefore(lsn);
   * console.log(firstLsn === wal.firstLsn, freedSegments); // true 0
   * await wal.close();
   * ```
   */
  async truncateBefore(lsn: number): Promise<Truncation> {
    this.#checkTaking("truncate");
    checkLsn(lsn);
    return await this.#log.cut.before(lsn);
  }

  // -- after a failure

  /**
   * Brings a log that has failed back to open, in place, without giving up the lock: in a new file, since the failed one is never
   * written again. Everything that was synced is there; so is what was acknowledged at a weaker level, if it can still be
   * read, and is synced now. All other LSNs that had been given out are skipped, and given to nobody else: {@linkcode waitFor}
   * tells of each whether it is there. Where the disk refuses once more this rejects, the log is as failed as before, and it
   * may be tried again. Streams that ended with the failure stay ended; an open log is left alone.
   *
   * @example Trying until the disk is back
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal");
   * await wal.commit("hello");
   * while (wal.state === "failed") {
   *   await wal.reopen().catch((error) => console.warn(error.message));
   *   if (wal.state === "failed") await new Promise((resolve) => setTimeout(resolve, 1000));
   * }
   * await wal.close();
   * ```
   */
  async reopen(): Promise<void> {
    if (this.#closing !== null) throw new WalClosedError("reopen");
    await this.#log.committer.reopen();
    this.#log.cut.resume();
  }

  // -- the end

  /**
   * Writes and syncs everything that was accepted, marks the clean end, and unlocks. Closing twice is closing once. A log
   * that has failed is unlocked, and this rejects with the cause. Where a full disk has rejected an entry that no
   * {@linkcode commit} and no {@linkcode waitFor} waited for, and no {@linkcode flush} has told of it since, it rejects too, also
   * where a stream was told; the log is closed all the same.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * const wal = await Wal.open("data/wal");
   * wal.append("accepted");
   * await wal.close(); // on the disk, and the next open finds a clean end
   * ```
   */
  close(): Promise<void> {
    if (this.#closing === null) {
      this.#closing = closeLog(this.#log);
      this.#settleClosed(this.#closing);
    }
    return this.#closing;
  }

  /**
   * {@linkcode close}, for `await using`, which Node knows from version 24 on.
   *
   * @example
   * ```ts
   * import { Wal } from "@walstream/wal";
   *
   * {
   *   await using wal = await Wal.open("data/wal");
   *   wal.append("hello");
   * } // written, synced and closed
   * ```
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // -- inside

  /** Throws where the log takes nothing any more. */
  #checkTaking(tried: string): void {
    if (this.#closing !== null) throw new WalClosedError(tried);
    if (this.error !== null) throw this.error;
  }

  #bufferFull(): WalBufferFullError {
    const { committer, settings } = this.#log;
    return new WalBufferFullError(committer.bufferedBytes, settings.maxBufferedBytes);
  }

  /** Appends and waits. There is no closure in here: nearly every entry goes this way. */
  #commit<T>(input: T, append: Append<T>): Promise<number> {
    const { committer, settings } = this.#log;
    const { admission } = committer;
    const { durability } = settings; // as it is now, whenever there is room
    try {
      const lsn = admission.mustQueue ? 0 : append(admission, input, durability);
      if (lsn !== 0) return committer.settled(lsn, "own");
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#commitInLine(input, append, durability);
  }

  #commitInLine<T>(input: T, append: Append<T>, durability: Durability): Promise<number> {
    const { committer } = this.#log;
    let settled: Promise<number> | null = null;
    const inLine = (): number => {
      const lsn = append(committer.admission, input, durability);
      if (lsn !== 0) settled = committer.settled(lsn, "own"); // at once: nothing may happen to it that nobody waits for
      settled?.catch(() => {}); // whoever waits hears of it a moment later
      return lsn;
    };
    return committer.admission.appendInLine(inLine).then((lsn) => settled ?? lsn);
  }

  #checkWait(lsn: number, durability: Durability | undefined): void {
    checkDurability(durability);
    checkLsn(lsn);
    if (lsn > this.lastLsn) {
      throw new WalRangeError(`cannot wait for LSN ${lsn}: the last one given out is ${this.lastLsn}`);
    }
  }

  /** Of an entry from an earlier life only the files know whether it is one, or was skipped. */
  async #checkRecovered(lsn: number, signal: AbortSignal | undefined): Promise<number> {
    if (signal?.aborted) throw new WalAbortedError(`waiting for LSN ${lsn}`, signal.reason);
    if (lsn === this.firstLsn - 1) return lsn; // there is nothing before the first one to wait for
    if (this.#closing !== null) throw new WalClosedError(`look whether LSN ${lsn} is in the log`);
    if (lsn < this.firstLsn) throw new WalTruncatedError(`wait for LSN ${lsn}`, this.firstLsn);
    for await (const _entry of this.readable({ from: lsn, to: lsn, ...(signal === undefined ? {} : { signal }) })) {
      return lsn;
    }
    throw new WalRangeError(`cannot wait for LSN ${lsn}: it was given out and rejected before the log was opened`);
  }
}

/** Takes what it is given, at this level unless that says so itself; returns 0 where there is no room. */
type Append<T> = (admission: Admission, input: T, level: Durability) => number;

function appendOne(admission: Admission, entry: EntryInput, level: Durability): number {
  return admission.tryAppend(entry, level);
}

function appendAll(admission: Admission, entries: readonly EntryInput[], level: Durability): number {
  return admission.tryAppendBatch(entries, level);
}
