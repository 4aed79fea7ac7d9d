/**
 * Bytes to lines, for streams of text and NDJSON into a log.
 *
 * @module
 */

import { describe, WalInputError, WalLimitError, WalOptionsError } from "./errors.ts";
import { checkOptions } from "./checks.ts";
import { checkReadable, isBytes, lengthOf } from "./entry_input.ts";

const NEW_LINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const DEFAULT_MAX_LINE_BYTES = 16 * 1024 * 1024;

/**
 * What {@linkcode splitLines} takes.
 *
 * @example
 * ```ts
 * import { splitLines, type SplitLinesOptions } from "@walstream/wal";
 *
 * const options: SplitLinesOptions = { maxLineBytes: 1024 };
 * const lines = new Response("x".repeat(2000)).body!.pipeThrough(splitLines(options));
 * await lines.getReader().read().catch((error) => console.log(error.code)); // WAL_LIMIT
 * ```
 */
export interface SplitLinesOptions {
  /** A line that is longer without its line end is an error, so that nobody fills the memory with one. 16 MiB unless said. */
  readonly maxLineBytes?: number;
}

/**
 * Splits bytes into lines, without their `\n` or `\r\n`: for each chunk, the array of the lines that end in it, which
 * {@linkcode Wal.writable} takes as so many entries. What follows the last line end is a line too; an empty line is one of
 * no bytes. The lines are views of the chunks.
 *
 * @example
 * ```ts
 * import { splitLines, Wal } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * const response = new Response('{"n":1}\n{"n":2}\n');
 * await response.body!.pipeThrough(splitLines()).pipeTo(wal.writable()); // two entries
 * await wal.close();
 * ```
 */
export function splitLines(options: SplitLinesOptions = {}): TransformStream<Uint8Array, Uint8Array[]> {
  checkOptions("splitLines", options, ["maxLineBytes"]);
  const { maxLineBytes = DEFAULT_MAX_LINE_BYTES } = options;
  if (!Number.isSafeInteger(maxLineBytes) || maxLineBytes < 1) {
    throw new WalOptionsError(`maxLineBytes must be a whole number from 1, not ${describe(maxLineBytes)}`);
  }
  const splitter = new Splitter(maxLineBytes);
  return new TransformStream<Uint8Array, Uint8Array[]>({
    transform: (chunk, controller) => {
      const lines = splitter.split(chunk);
      if (lines.length > 0) controller.enqueue(lines);
    },
    flush: (controller) => {
      const rest = splitter.rest();
      if (rest !== null) controller.enqueue([rest]);
    },
  });
}

/** Remembers the line that has begun. */
class Splitter {
  readonly #maxLineBytes: number;
  #begun: Uint8Array[] = [];
  #begunBytes = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines that end in this chunk. */
  split(chunk: Uint8Array): Uint8Array[] {
    if (!isBytes(chunk)) {
      throw new WalInputError(
        `splitLines takes bytes, not ${describe(chunk)}; text goes through a TextEncoderStream first`,
      );
    }
    checkReadable(chunk);
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEW_LINE); end >= 0; end = chunk.indexOf(NEW_LINE, start)) {
      this.#add(chunk.subarray(start, end));
      lines.push(withoutReturn(this.#take()));
      start = end + 1;
    }
    if (start < lengthOf(chunk)) this.#add(chunk.subarray(start));
    return lines;
  }

  /** What has begun and not ended, or null. */
  rest(): Uint8Array | null {
    return this.#begunBytes === 0 ? null : withoutReturn(this.#take());
  }

  #add(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#begun.push(part);
    this.#begunBytes += part.length;
    const returnBytes = part.at(-1) === CARRIAGE_RETURN ? 1 : 0; // of the line end, it may be
    if (this.#begunBytes - returnBytes > this.#maxLineBytes) {
      const message =
        `a line is longer than maxLineBytes, ${this.#maxLineBytes}: it has ${this.#begunBytes} bytes or more`;
      throw new WalLimitError("maxLineBytes", this.#begunBytes, this.#maxLineBytes, message);
    }
  }

  #take(): Uint8Array {
    const [first = new Uint8Array(0), ...more] = this.#begun;
    const line = more.length === 0 ? first : join(this.#begun, this.#begunBytes);
    this.#begun = [];
    this.#begunBytes = 0;
    return line;
  }
}

function join(parts: readonly Uint8Array[], lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  let end = 0;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}

function withoutReturn(line: Uint8Array): Uint8Array {
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}
