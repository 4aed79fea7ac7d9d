/**
 * What was accepted and is not yet written: entries encoded into frames, in one buffer, ready for one write.
 *
 * An append copies its bytes, and allocates nothing but a view where they are text. The headers of the frames are filled in when they go out, because
 * only then their place, time and `syncedLsn` are known.
 *
 * @module
 */

import { viewOf } from "./bytes.ts";
import type { EntryData, EntryInput } from "./entry.ts";
import { copyBytes, isArray, isBytes, kindOf, leastBytes, lengthOf } from "./entry_input.ts";
import { describe, WalInputError, WalLimitError } from "./errors.ts";
import {
  aligned,
  CONTROL_FRAME_BYTES,
  ENTRY_HEADER_BYTES,
  FRAME_HEADER_BYTES,
  FRAME_TARGET_BYTES,
  FrameKind,
  MAX_FRAME_BYTES,
} from "./format.ts";
import type { Settings } from "./options.ts";

/** A skip may have to go out in front of the first frame, in the same write. */
const HEADROOM_BYTES: number = CONTROL_FRAME_BYTES;
const FIRST_BUFFER_BYTES = 64 * 1024;
/** Above this, text is encoded outside: the buffer would have to hold three bytes for each of its characters. */
const INLINE_TEXT_LENGTH = 64 * 1024;

const encoder = new TextEncoder();

/** A frame whose header is still to be filled in. */
export interface PendingFrame {
  /** Where it begins in the buffer. */
  readonly at: number;
  readonly kind: typeof FrameKind.ENTRIES | typeof FrameKind.BATCH;
  readonly firstLsn: number;
  count: number;
  /** With its padding; 0 while it may still grow. */
  lengthBytes: number;
}

/** What an entry or a batch may hold, and whether each entry is written by itself. */
export type PendingSettings = Pick<Settings, "maxEntryBytes" | "maxBatchBytes" | "maxEntries">;

/** One of the two buffers of a log: one is filled while the other is written. */
export class Pending {
  readonly #settings: PendingSettings;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BUFFER_BYTES);
  #view: DataView = viewOf(this.#bytes);
  /** Where the first frame begins that is not yet written. */
  #startAt = HEADROOM_BYTES;
  #endAt = HEADROOM_BYTES;
  #frames: PendingFrame[] = [];
  /** The last frame, while it may still grow. */
  #open: PendingFrame | null = null;
  /** Up to here of the buffer an entry goes into the open frame without another thought. */
  #openLimit = 0;
  /** The first frame that is not yet written. */
  #next = 0;
  #count = 0;

  /** @param settings May change while the log runs. */
  constructor(settings: PendingSettings) {
    this.#settings = settings;
  }

  /** The buffer; it is replaced when it grows. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** A view of {@linkcode bytes}. */
  get view(): DataView {
    return this.#view;
  }

  /** Entries that are not yet written. */
  get count(): number {
    return this.#count;
  }

  /** Bytes that are not yet written. */
  get pendingBytes(): number {
    return this.#endAt - this.#startAt;
  }

  /** The first LSN that is not yet written, or null. */
  get firstLsn(): number | null {
    return this.#frames[this.#next]?.firstLsn ?? null;
  }

  /** Frames that are not yet written. */
  get frameCount(): number {
    return this.#frames.length - this.#next;
  }

  /** The `nth` frame that is not yet written. The last one may still grow. */
  frame(nth: number): PendingFrame {
    const frame = this.#frames[this.#next + nth];
    if (frame === undefined) throw new Error(`there is no pending frame ${nth}`);
    return frame;
  }

  /** The frames that are not yet written. */
  get frames(): readonly PendingFrame[] {
    return this.#frames.slice(this.#next);
  }

  /** How many bytes the first `frames` of them take. */
  bytesOf(frames: number): number {
    const next = this.#frames[this.#next + frames];
    return (next === undefined ? this.#endAt : next.at) - this.#startAt;
  }

  /** How long the `nth` frame is, as it is now. */
  frameBytes(nth: number): number {
    const { at, lengthBytes } = this.frame(nth);
    return lengthBytes === 0 ? aligned(this.#endAt - at) : lengthBytes;
  }

  /** Takes an entry. Throws, and takes nothing, where it is none. */
  add(input: EntryInput, lsn: number): void {
    if (this.#addBytes(input)) return;
    const before = this.#endAt;
    const open = this.#openFrame(leastBytes(input));
    const at = open === null ? aligned(before) + FRAME_HEADER_BYTES : before;
    const end = this.#encode(input, at);
    if (open !== null && end - open.at <= FRAME_TARGET_BYTES) {
      open.count++;
      this.#endAt = end;
    } else {
      const start = aligned(before);
      const bodyAt = start + FRAME_HEADER_BYTES;
      if (bodyAt !== at) { // it was put behind the open frame and does not fit in there
        this.#reserve(bodyAt + (end - at));
        this.#bytes.copyWithin(bodyAt, at, end);
      }
      this.closeFrame(); // only now: its padding may lie where the entry was
      this.#push({ at: start, kind: FrameKind.ENTRIES, firstLsn: lsn, count: 1, lengthBytes: 0 });
      this.#endAt = bodyAt + (end - at);
    }
    this.#count++;
    if (this.#settings.maxEntries === 1) this.closeFrame(); // so that each can be written by itself
  }

  /**
   * Takes all of a batch as one frame and returns how many entries that were. Throws, and takes nothing, where any of it is
   * no entry, or it is too large.
   */
  addBatch(inputs: readonly EntryInput[], firstLsn: number): number {
    const start = aligned(this.#endAt);
    let end = start + FRAME_HEADER_BYTES;
    let dataBytes = 0;
    let count = 0;
    for (const input of inputs) {
      count++;
      const before = end;
      end = this.#encode(input, before);
      dataBytes += end - before - ENTRY_HEADER_BYTES;
      const { maxBatchBytes } = this.#settings;
      if (dataBytes > maxBatchBytes) throw batchTooLarge(dataBytes, maxBatchBytes);
      if (end - start > MAX_FRAME_BYTES) throw batchTooLarge(end - start, MAX_FRAME_BYTES);
    }
    if (count === 0) throw new WalInputError("cannot append a batch without entries"); // a getter of one took them away
    this.closeFrame();
    this.#push({ at: start, kind: FrameKind.BATCH, firstLsn, count, lengthBytes: 0 });
    this.#endAt = end;
    this.#count += count;
    this.closeFrame();
    return count;
  }

  /** The last frame takes no more; its padding is zeros, whatever the buffer held before. */
  closeFrame(): void {
    const open = this.#open;
    if (open === null) return;
    const end = aligned(this.#endAt);
    this.#reserve(end);
    this.#bytes.fill(0, this.#endAt, end);
    open.lengthBytes = end - open.at;
    this.#endAt = end;
    this.#open = null;
  }

  #push(frame: PendingFrame): void {
    this.#frames.push(frame);
    this.#open = frame;
    this.#openLimit = Math.min(frame.at + FRAME_TARGET_BYTES, this.#bytes.length);
  }

  /** The first `frames` of those that are not yet written have been. */
  drop(frames: number): void {
    for (let nth = 0; nth < frames; nth++) this.#count -= this.frame(nth).count;
    this.#next += frames;
    const first = this.#frames[this.#next];
    if (first === undefined) this.clear();
    else this.#startAt = first.at;
  }

  /** Forgets everything; the buffer stays as large as the largest flush so far, for the next one of that size. */
  clear(): void {
    this.#frames.length = 0;
    this.#next = 0;
    this.#count = 0;
    this.#open = null;
    this.#startAt = this.#endAt = HEADROOM_BYTES;
  }

  /** The way that most entries go: bytes that fit behind the last one. False, and nothing is taken, where these are not. */
  #addBytes(input: EntryInput): boolean {
    const open = this.#open;
    if (open === null || !isBytes(input)) return false;
    const { maxEntries, maxEntryBytes } = this.#settings;
    const length = lengthOf(input);
    const at = this.#endAt;
    const end = at + ENTRY_HEADER_BYTES + length;
    if (end > this.#openLimit || length > maxEntryBytes || maxEntries === 1) return false;
    copyBytes(this.#bytes, at + ENTRY_HEADER_BYTES, input);
    this.#view.setUint32(at, length, true);
    this.#bytes[at + 4] = 0;
    open.count++;
    this.#count++;
    this.#endAt = end;
    return true;
  }

  /** The frame that may take an entry of at least so many bytes, or null. */
  #openFrame(leastBytes: number): PendingFrame | null {
    const open = this.#open;
    if (open === null) return null;
    return this.#endAt - open.at + ENTRY_HEADER_BYTES + leastBytes <= FRAME_TARGET_BYTES ? open : null;
  }

  /** Writes an entry at `at` of the buffer and returns where it ends. */
  #encode(input: EntryInput, at: number): number {
    const isPlain = typeof input === "string" || isBytes(input);
    const kind = isPlain ? 0 : kindOf(input);
    const data = isPlain ? input : input.data;
    const start = at + ENTRY_HEADER_BYTES;
    const end = this.#encodeData(data, start);
    this.#view.setUint32(at, end - start, true);
    this.#view.setUint8(at + 4, kind);
    return end;
  }

  #encodeData(data: EntryData, at: number): number {
    if (typeof data === "string") return this.#encodeText(data, at);
    if (isBytes(data)) {
      const length = lengthOf(data);
      this.#checkLength(length);
      this.#reserve(at + length);
      copyBytes(this.#bytes, at, data);
      return at + length;
    }
    if (!isArray(data)) {
      throw new WalInputError(
        `an entry's data must be a Uint8Array, a string or an array of Uint8Arrays, not ${describe(data)}`,
      );
    }
    let length = 0;
    for (const part of data as readonly unknown[]) {
      if (!isBytes(part)) {
        throw new WalInputError(`each part of an entry must be a Uint8Array, not ${describe(part)}`);
      }
      length += lengthOf(part);
    }
    this.#checkLength(length);
    this.#reserve(at + length);
    let end = at;
    for (const part of data as readonly Uint8Array[]) {
      copyBytes(this.#bytes, end, part);
      end += lengthOf(part);
    }
    return end;
  }

  #encodeText(text: string, at: number): number {
    this.#checkLength(text.length); // no character takes less than a byte
    if (text.length > INLINE_TEXT_LENGTH) return this.#encodeData(encoder.encode(text), at);
    this.#reserve(at + 3 * text.length);
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(at));
    this.#checkLength(written);
    return at + written;
  }

  #checkLength(length: number): void {
    const { maxEntryBytes } = this.#settings;
    if (length <= maxEntryBytes) return;
    const message = `cannot append an entry of ${length} bytes: maxEntryBytes is ${maxEntryBytes}`;
    throw new WalLimitError("maxEntryBytes", length, maxEntryBytes, message);
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    let capacity = this.#bytes.length;
    while (capacity < length) capacity *= 2;
    const grown = new Uint8Array(capacity);
    grown.set(this.#bytes); // what is being encoded stands behind the end, so all of it goes along
    this.#bytes = grown;
    this.#view = viewOf(grown);
  }
}

/** What is thrown of a batch that comes to so many bytes, or more. */
export function batchTooLarge(value: number, most: number): WalLimitError {
  const message =
    `cannot append a batch of ${value} bytes or more: ${most} are the most (maxBatchBytes); make several of it`;
  return new WalLimitError("maxBatchBytes", value, most, message);
}
