/**
 * Reads all whole frames of one file, also those behind damage.
 *
 * @module
 */

import { decodeControlPayload, FRAME_ALIGNMENT, FrameKind, HEADER_BYTES } from "./format.ts";
import type { RuntimeFile } from "./runtime/port.ts";
import { type Chunks, FrameScanner, searchHeaders } from "./scan.ts";
import type { OpenSegmentFile } from "./segment.ts";

/** How much is kept of what was read, so that looking from many places close to each other reads each byte once. */
const KEPT_BYTES = 1024 * 1024;
/** How much a scanner asks for at a time: little, because behind each flaw it begins anew. */
const CHUNK_BYTES = 64 * 1024;

/** Frames that follow each other without a gap. */
export interface Run {
  /** Where the first one begins. */
  readonly offset: number;
  /** Where the last one ends; there it would go on. */
  readonly endOffset: number;
  readonly firstLsn: number;
  /** One less than the first where it holds none. */
  readonly lastLsn: number;
  readonly entries: number;
  /** Of the first frame; 0 where there is none. */
  readonly time: number;
  /** Of the last one. */
  readonly lastTime: number;
}

/** How far frames are of interest. */
export interface Limits {
  /** No frame ends behind this. */
  readonly endOffset: number;
  /** None holds a later LSN. */
  readonly lastLsn: number;
}

/** What a file holds. */
export interface Contents {
  /** The first begins where the first frame must, and may be empty; the others lie behind damage. */
  readonly runs: readonly [Run, ...Run[]];
  /** The greatest LSN in a head frame of the first run, or in one that a frame follows: it was synced before. 0: there is none. */
  readonly headLsn: number;
  /** The greatest in any head frame. */
  readonly lastHeadLsn: number;
  /** Whether the first run ends in a mark. */
  readonly isMarked: boolean;
}

/** A place where a frame begins, or must. */
interface Start {
  readonly offset: number;
  readonly lsn: number;
}

/** Reads a file whose header is good, within these limits. */
export async function readContents(opened: OpenSegmentFile, limits: Limits): Promise<Contents> {
  const reading = new Reading(opened, limits);
  const first = await reading.run({ offset: HEADER_BYTES, lsn: opened.header.baseLsn });
  const { isMarked, lastHeadLsn: firstHeadLsn } = reading;
  const runs: [Run, ...Run[]] = [first];
  let last = first;
  while (last.endOffset < limits.endOffset && last.lastLsn < limits.lastLsn) {
    const start = await reading.findFrame(last.endOffset + FRAME_ALIGNMENT, last.lastLsn + 1);
    if (start === null) break;
    last = await reading.run(start);
    runs.push(last);
  }
  const { followedHeadLsn, lastHeadLsn } = reading;
  return { runs, headLsn: Math.max(firstHeadLsn, followedHeadLsn), lastHeadLsn, isMarked };
}

/** A file that is read piece by piece, from many places close to each other: the last large piece is kept. */
class KeptChunk implements Chunks {
  readonly #file: RuntimeFile;
  readonly #sizeBytes: number;
  #offset = 0;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor({ file, sizeBytes }: OpenSegmentFile) {
    this.#file = file;
    this.#sizeBytes = sizeBytes;
  }

  async readChunk(offset: number, lengthBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const at = offset - this.#offset;
    if (at < 0 || at + lengthBytes > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(lengthBytes, Math.min(KEPT_BYTES, this.#sizeBytes - offset)));
      this.#bytes = bytes.subarray(0, await this.#file.read(bytes, offset));
      this.#offset = offset;
    }
    return this.#bytes.subarray(offset - this.#offset, offset - this.#offset + lengthBytes);
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    const bytes = await this.readChunk(position, target.length);
    target.set(bytes);
    return bytes.length;
  }

  size(): Promise<number> {
    return this.#file.size();
  }
}

class Reading {
  readonly #opened: OpenSegmentFile;
  readonly #limits: Limits;
  readonly #chunks: KeptChunk;
  /** The greatest LSN in a head frame. */
  lastHeadLsn = 0;
  /** The same, but for a head frame that nothing follows yet. */
  followedHeadLsn = 0;
  isMarked = false;

  constructor(opened: OpenSegmentFile, limits: Limits) {
    this.#opened = opened;
    this.#limits = limits;
    this.#chunks = new KeptChunk(opened);
  }

  async run({ offset, lsn }: Start): Promise<Run> {
    const { lastLsn } = this.#limits;
    const scanner = this.#scannerAt(offset, lsn);
    let endOffset = offset;
    let nextLsn = lsn;
    let entries = 0;
    let time = 0;
    let lastTime = 0;
    for (let frame = scanner.take(); frame !== null || await scanner.more(); frame = scanner.take()) {
      if (frame === null) continue;
      if (frame.lastLsn > lastLsn) break;
      const { header, view, at } = frame;
      this.followedHeadLsn = this.lastHeadLsn;
      if (header.kind === FrameKind.HEAD) {
        this.lastHeadLsn = Math.max(this.lastHeadLsn, decodeControlPayload(view, at));
      }
      this.isMarked = header.kind === FrameKind.MARK;
      if (endOffset === offset) time = header.time;
      lastTime = header.time;
      endOffset = frame.offset + header.lengthBytes;
      nextLsn = frame.lastLsn + 1;
      entries += header.count;
    }
    return { offset, endOffset, firstLsn: lsn, lastLsn: nextLsn - 1, entries, time, lastTime };
  }

  /** The first good frame from `offset` on that goes on with `nextLsn`, or with a later one. */
  async findFrame(offset: number, nextLsn: number): Promise<Start | null> {
    const { endOffset, lastLsn } = this.#limits;
    const { checksum } = this.#opened;
    for await (const { header, offset: at } of searchHeaders(this.#chunks, checksum, offset, endOffset, CHUNK_BYTES)) {
      const { firstLsn, count } = header;
      const mostLsn = count === 0 ? lastLsn + 1 : lastLsn; // a control frame bears the next one
      if (firstLsn < nextLsn || firstLsn > mostLsn) continue;
      if (await this.#scannerAt(at, firstLsn).first() !== null) return { offset: at, lsn: firstLsn };
    }
    return null;
  }

  #scannerAt(offset: number, lsn: number): FrameScanner {
    const { checksum } = this.#opened;
    const scanner = new FrameScanner(this.#chunks, checksum, offset, lsn, this.#limits.endOffset, CHUNK_BYTES);
    scanner.checksEntries = true;
    return scanner;
  }
}
