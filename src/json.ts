/**
 * Values to entries and back, as JSON.
 *
 * @module
 */

import type { Entry, EntryInput } from "./entry.ts";
import { isArray } from "./entry_input.ts";
import { describe, isRevoked, messageOf, WalInputError, WalOptionsError } from "./errors.ts";
import { MAX_APPEND_KIND } from "./format.ts";
import { checkOptions } from "./checks.ts";

/**
 * What {@linkcode encodeJson} takes.
 *
 * @example
 * ```ts
 * import { encodeJson, type EncodeJsonOptions, Wal } from "@walstream/wal";
 *
 * const options: EncodeJsonOptions = { kind: 3 };
 * const wal = await Wal.open("data/wal");
 * await ReadableStream.from([{ paid: 5 }]).pipeThrough(encodeJson(options)).pipeTo(wal.writable());
 * await wal.close();
 * ```
 */
export interface EncodeJsonOptions {
  /** The kind of the entries; 0 unless said. */
  readonly kind?: number;
}

/**
 * Makes an entry of each value: its JSON. A value that has none (`undefined`, a function, a circle) ends the stream.
 *
 * @example
 * ```ts
 * import { encodeJson, Wal } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * await ReadableStream.from([{ n: 1 }, { n: 2 }]).pipeThrough(encodeJson()).pipeTo(wal.writable());
 * await wal.close();
 * ```
 */
export function encodeJson(options: EncodeJsonOptions = {}): TransformStream<unknown, EntryInput> {
  checkOptions("encodeJson", options, ["kind"]);
  const { kind = 0 } = options;
  if (!Number.isInteger(kind) || kind < 0 || kind > MAX_APPEND_KIND) {
    throw new WalOptionsError(`kind must be a whole number from 0 to ${MAX_APPEND_KIND}, not ${describe(kind)}`);
  }
  return new TransformStream<unknown, EntryInput>({
    transform: (value, controller) => {
      const data = jsonOf(value);
      controller.enqueue(kind === 0 ? data : { kind, data });
    },
  });
}

function jsonOf(value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new WalInputError(`cannot make JSON of ${describe(value)}: ${messageOf(cause)}`, { cause });
  }
  if (json === undefined) throw new WalInputError(`cannot make JSON of ${describe(value)}: there is none`);
  return json;
}

/**
 * What {@linkcode decodeJson} makes of an entry.
 *
 * @example
 * ```ts
 * import { decodeJson, type JsonEntry, Wal } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * const from = await wal.commit(JSON.stringify({ paid: 5 }));
 * const print = ({ lsn, value }: JsonEntry<{ paid: number }>): void => console.log(lsn, value.paid);
 * for await (const entry of wal.readable({ from }).pipeThrough(decodeJson<{ paid: number }>())) print(entry);
 * await wal.close();
 * ```
 */
export interface JsonEntry<T> {
  /** Its number. */
  readonly lsn: number;
  /** What it was appended with; 0 unless said. */
  readonly kind: number;
  /** When it was written, in milliseconds since 1970. */
  readonly time: number;
  /** What its JSON says. */
  readonly value: T;
}

/**
 * Makes values of entries again. `T` is what you know of them: it is not checked. An entry that is no JSON ends the stream
 * with the {@linkcode WalInputError} of {@linkcode Entry.json}.
 *
 * @example
 * ```ts
 * import { decodeJson, Wal } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * const from = await wal.commit(JSON.stringify({ n: 1 }));
 * const values = wal.readable({ from }).pipeThrough(decodeJson<{ n: number }>());
 * for await (const { lsn, value } of values) console.log(lsn, value.n);
 * await wal.close();
 * ```
 */
export function decodeJson<T = unknown>(): TransformStream<Entry | readonly Entry[], JsonEntry<T>> {
  return new TransformStream<Entry | readonly Entry[], JsonEntry<T>>({
    transform: (chunk, controller) => {
      const entries: readonly Entry[] = isArray(chunk) ? chunk : [chunk as Entry];
      for (const entry of entries) {
        if (isRevoked(entry) || typeof entry?.json !== "function") {
          throw new WalInputError(`decodeJson takes entries and arrays of them, not ${describe(entry)}`);
        }
        const { lsn, kind, time } = entry;
        controller.enqueue({ lsn, kind, time, value: entry.json<T>() });
      }
    },
  });
}
