/**
 * Takes entries in, numbers them, and bounds what waits to be written.
 *
 * Of its two buffers one is filled while the other is written.
 *
 * @module
 */

import type { EntryInput } from "./entry.ts";
import { isArray, leastBytesOf } from "./entry_input.ts";
import { describe, WalInputError, WalLimitError } from "./errors.ts";
import { MAX_NUMBER } from "./format.ts";
import type { Settings } from "./options.ts";
import { batchTooLarge, Pending, type PendingFrame } from "./pending.ts";

/** The next LSN must still be a number that holds exactly. */
const LAST_LSN: number = MAX_NUMBER - 1;

/** The two buffers, and the LSN to be given out next. */
export class Intake {
  readonly #settings: Settings;
  #isAdding = false;
  /** What is filled. */
  #pending: Pending;
  /** What is written: empty, but during a flush and where a segment ends in its middle. */
  #taken: Pending;
  #lastLsn: number;

  /** @param settings May change while the log runs. @param lastLsn The last LSN that was given out before. */
  constructor(settings: Settings, lastLsn: number) {
    this.#settings = settings;
    this.#pending = new Pending(settings);
    this.#taken = new Pending(settings);
    this.#lastLsn = lastLsn;
  }

  /** The last LSN that was given out. */
  get lastLsn(): number {
    return this.#lastLsn;
  }

  /** What arrives now goes here. */
  get pending(): Pending {
    return this.#pending;
  }

  /** What has been taken away to be written. */
  get taken(): Pending {
    return this.#taken;
  }

  /** What is written next: the rest of what was taken, or what has arrived. */
  get next(): Pending {
    return this.#taken.frameCount > 0 ? this.#taken : this.#pending;
  }

  /** The first LSN that is not written yet, or null. */
  get firstUnwrittenLsn(): number | null {
    return this.next.firstLsn;
  }

  /** Bytes that wait to be written. */
  get bufferedBytes(): number {
    return this.#pending.pendingBytes + this.#taken.pendingBytes;
  }

  /** Entries that wait to be written. */
  get bufferedEntries(): number {
    return this.#pending.count + this.#taken.count;
  }

  /** Frames that wait to be written, oldest first. */
  get frames(): PendingFrame[] {
    return [...this.#taken.frames, ...this.#pending.frames];
  }

  /** How much more may wait; the last entry or batch that is taken may be larger than that, as in a stream. */
  get roomBytes(): number {
    return this.#settings.maxBufferedBytes - this.bufferedBytes;
  }

  /** Takes an entry and returns its LSN, or 0 where there is no room. Throws, and takes nothing, where it is none. */
  add(input: EntryInput): number {
    this.#checkLsns(1);
    if (this.roomBytes <= 0) return 0;
    this.#enter();
    try {
      this.#pending.add(input, this.#lastLsn + 1);
    } finally {
      this.#isAdding = false;
    }
    return ++this.#lastLsn;
  }

  /** Takes all of a batch that was checked, and returns its last LSN, or 0 where there is no room. Throws else. */
  addBatch(inputs: readonly EntryInput[]): number {
    this.#checkLsns(inputs.length);
    if (this.roomBytes <= 0) return 0;
    this.#enter();
    try {
      this.#lastLsn += this.#pending.addBatch(inputs, this.#lastLsn + 1);
    } finally {
      this.#isAdding = false;
    }
    return this.#lastLsn;
  }

  /** Throws where this is no batch, or one that is surely too large: there is no sense in waiting for room then. */
  checkBatch(inputs: readonly EntryInput[]): void {
    if (!isArray(inputs)) throw new WalInputError(`a batch must be an array of entries, not ${describe(inputs)}`);
    if (inputs.length === 0) throw new WalInputError("cannot append a batch without entries");
    const { maxBatchBytes } = this.#settings;
    const dataBytes = leastBytesOf(inputs, maxBatchBytes);
    if (dataBytes > maxBatchBytes) throw batchTooLarge(dataBytes, maxBatchBytes);
  }

  /** A getter of an entry may call the log: what it appended would lie where the entry is being put. */
  #enter(): void {
    if (this.#isAdding) throw new WalInputError("cannot append while another entry is being read: a getter of it did");
    this.#isAdding = true;
  }

  /** Takes away what has arrived; what arrives from now on goes elsewhere. */
  take(): void {
    [this.#pending, this.#taken] = [this.#taken, this.#pending];
    this.#taken.closeFrame();
  }

  /** Forgets all that is not written. */
  clear(): void {
    this.#pending.clear();
    this.#taken.clear();
  }

  #checkLsns(count: number): void {
    if (this.#lastLsn + count <= LAST_LSN) return;
    const message = `cannot append: LSN ${this.#lastLsn} has been given out and ${LAST_LSN} is the last there is`;
    throw new WalLimitError("lsn", this.#lastLsn + count, LAST_LSN, message);
  }
}
