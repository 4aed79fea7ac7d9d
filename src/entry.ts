/**
 * An entry: the user's bytes with a kind, as they go in and as they come out.
 *
 * @module
 */

import { messageOf, WalInputError } from "./errors.ts";
import { showAs } from "./inspect.ts";
import type { Durability } from "./options.ts";
import { ENTRY_HEADER_BYTES, FRAME_ALIGNMENT, FRAME_HEADER_BYTES, type FrameHeader } from "./format.ts";

/**
 * The bytes of an entry: as they are, as text (stored as UTF-8), or in parts that are written one after the other.
 *
 * @example The same bytes in three ways
 * ```ts
 * import { type EntryData, Wal } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const ways: EntryData[] = ["hi", new Uint8Array([104, 105]), [new Uint8Array([104]), new Uint8Array([105])]];
 * const wal = await Wal.open("/wal", { runtime: new MemoryRuntime() });
 * await wal.commitBatch(ways.map((data) => ({ data })));
 * for await (const entry of wal.readable()) console.log(entry.text()); // hi, three times
 * await wal.close();
 * ```
 */
export type EntryData = Uint8Array | string | readonly Uint8Array[];

/**
 * An entry that says more than its bytes.
 *
 * @example A kind of your own
 * ```ts
 * import { type EntryFields, Wal } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const paid: EntryFields = { kind: 3, data: JSON.stringify({ amount: 5 }) };
 * const wal = await Wal.open("/wal", { runtime: new MemoryRuntime() });
 * await wal.commit(paid);
 * for await (const { kind, lsn } of wal.readable()) console.log(kind, lsn); // 3 1
 * await wal.close();
 * ```
 */
export interface EntryFields {
  /** 0 to 127 are yours, 128 to 191 belong to layers above the log. 0 unless said. */
  readonly kind?: number;
  /** What is stored. No bytes at all are an entry too. */
  readonly data: EntryData;
  /** When it counts as durable, where that is not as the log's own level says. */
  readonly durability?: Durability;
}

/**
 * What may be appended.
 *
 * @example
 * ```ts
 * import { type EntryInput, Wal } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const inputs: EntryInput[] = ["text", new Uint8Array([1, 2, 3]), { kind: 7, data: "" }];
 * const wal = await Wal.open("/wal", { runtime: new MemoryRuntime() });
 * console.log(await wal.commitBatch(inputs)); // 3
 * await wal.close();
 * ```
 */
export type EntryInput = Uint8Array | string | EntryFields;

/** What looks like a byte order mark is text like any other. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * An entry as it was written.
 *
 * @example
 * ```ts
 * import { Wal } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const wal = await Wal.open("/wal", { runtime: new MemoryRuntime() });
 * await wal.commit({ kind: 7, data: JSON.stringify({ hello: "world" }) });
 * for await (const entry of wal.readable()) {
 *   console.log(entry.lsn, entry.kind, entry.data.length, entry.json<{ hello: string }>().hello); // 1 7 17 world
 * }
 * await wal.close();
 * ```
 */
export class Entry {
  /** Its number: 1 for the first entry of a log, and rising. */
  readonly lsn: number;
  /** What it was appended with; 0 unless said. */
  readonly kind: number;
  /** When it was written, in milliseconds since 1970; never less than that of the entry before. */
  readonly time: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #start: number;
  readonly #end: number;

  /** Made by the log: a view of `bytes` from `start` to `end`. */
  constructor(lsn: number, kind: number, time: number, bytes: Uint8Array<ArrayBuffer>, start: number, end: number) {
    this.lsn = lsn;
    this.kind = kind;
    this.time = time;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  static {
    showAs(Entry.prototype, ({ lsn, kind, time, data }) => ({ lsn, kind, time, data }));
  }

  /**
   * The bytes: a view of a buffer that the log never uses again. Other entries that were read with this one lie in it too: to
   * transfer it, transfer a copy, `data.slice()`.
   */
  get data(): Uint8Array<ArrayBuffer> {
    if (this.#bytes.length < this.#end) throw givenAway(`read the entry with LSN ${this.lsn}`);
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** The bytes as UTF-8 text. */
  text(): string {
    return decoder.decode(this.data);
  }

  /**
   * The bytes as JSON; `T` is what you know of it, it is not checked. Where they are none it throws a {@linkcode WalInputError}
   * that names the LSN; its cause is the `SyntaxError`.
   */
  json<T = unknown>(): T {
    try {
      return JSON.parse(this.text()) as T;
    } catch (cause) {
      throw new WalInputError(`the entry with LSN ${this.lsn} is no JSON: ${messageOf(cause)}`, { cause });
    }
  }
}

/** What is thrown where somebody has transferred the buffer of an entry, in which others lie. */
export function givenAway(tried: string): WalInputError {
  return new WalInputError(
    `cannot ${tried}: the buffer of another entry, in which it lay, was transferred; transfer a copy, entry.data.slice()`,
  );
}

/** Whether the entries of a whole and checked frame at `at` fill it just so; if not, it was never written by a log. */
export function areWellFilled(view: DataView, at: number, { lengthBytes, count }: FrameHeader): boolean {
  const end = at + lengthBytes;
  let position = at + FRAME_HEADER_BYTES;
  for (let nth = 0; nth < count; nth++) {
    if (position + ENTRY_HEADER_BYTES > end) return false;
    position += ENTRY_HEADER_BYTES + view.getUint32(position, true);
  }
  return position <= end && end - position < FRAME_ALIGNMENT;
}

/**
 * The entries of a whole and checked frame at `at`, from LSN `from` to `to`. Null when they do not fill the frame just so:
 * then it was never written by a log.
 */
export function decodeEntries(
  bytes: Uint8Array<ArrayBuffer>,
  view: DataView,
  at: number,
  frame: FrameHeader,
  from: number,
  to: number,
): Entry[] | null {
  const end = at + frame.lengthBytes;
  const entries: Entry[] = [];
  let position = at + FRAME_HEADER_BYTES;
  for (let nth = 0; nth < frame.count; nth++) {
    if (position + ENTRY_HEADER_BYTES > end) return null;
    const start = position + ENTRY_HEADER_BYTES;
    const next = start + view.getUint32(position, true);
    if (next > end) return null;
    const lsn = frame.firstLsn + nth;
    if (lsn >= from && lsn <= to) {
      entries.push(new Entry(lsn, view.getUint8(position + 4), frame.time, bytes, start, next));
    }
    position = next;
  }
  return end - position < FRAME_ALIGNMENT ? entries : null;
}
