/**
 * Reads the frames of one file, in chunks, each frame checked before anyone sees it.
 *
 * @module
 */

import { viewOf } from "./bytes.ts";
import { areWellFilled } from "./entry.ts";
import {
  decodeControlPayload,
  decodeFrameHeader,
  FRAME_ALIGNMENT,
  FRAME_HEADER_BYTES,
  FRAME_TARGET_BYTES,
  type FrameChecksum,
  type FrameHeader,
  FrameKind,
  MAX_NUMBER,
} from "./format.ts";
import type { RuntimeFile } from "./runtime/port.ts";

const CHUNK_BYTES = 1024 * 1024;

/** What a scanner reads from. */
export interface Chunks {
  /** The bytes from `offset` on, `lengthBytes` or up to the end of the file; a buffer that is never written to again. */
  readChunk(offset: number, lengthBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The size of the file. */
  size(): Promise<number>;
}

/** A file, read by nobody else. */
export function chunksOf(file: RuntimeFile): Chunks {
  return {
    readChunk: async (offset, lengthBytes) => {
      const bytes = new Uint8Array(lengthBytes);
      const count = await file.read(bytes, offset);
      return count < lengthBytes ? bytes.subarray(0, count) : bytes;
    },
    size: () => file.size(),
  };
}

/** A checked frame, where it stands in the file and in the chunk that was read. */
export interface ScannedFrame {
  readonly header: FrameHeader;
  readonly offset: number;
  /** The last LSN it holds; one less than its first where it holds none. */
  readonly lastLsn: number;
  /** A buffer that is never used again. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  /** Where in `bytes` the frame begins. */
  readonly at: number;
}

/** A chunk that is being read while the frames of the one before are looked at. */
interface ChunkAhead {
  readonly offset: number;
  readonly bytes: Promise<Uint8Array<ArrayBuffer>>;
}

/** The last LSN that a frame holds; NaN where it says what no log has written. */
function lastLsnOf({ kind, firstLsn, count }: FrameHeader, view: DataView, at: number): number {
  if (kind === FrameKind.SKIP) return decodeControlPayload(view, at);
  if (kind === FrameKind.HEAD && decodeControlPayload(view, at) > firstLsn) return NaN; // nobody cuts what is not there
  return firstLsn + count - 1;
}

/**
 * Walks over frames whose LSNs follow each other, up to `limitOffset` (the end of the file, or less) or the first bad frame. Take
 * frames until there is none, then ask for more:
 *
 * ```ts ignore
 * for (let frame = scanner.take(); frame !== null || await scanner.more(); frame = scanner.take()) if (frame !== null) …
 * ```
 */
export class FrameScanner {
  readonly #chunks: Chunks;
  readonly #checksum: FrameChecksum;
  readonly #chunkBytes: number;
  /** A chunk that is read ahead begins so long before the end of the one before: what is cut off there lies in it whole. */
  readonly #overlapBytes: number;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #view: DataView = viewOf(this.#bytes);
  #at = 0;
  /** What the frame at hand needs in one piece. */
  #wantedBytes = FRAME_HEADER_BYTES;
  /** Of the frame before: one that is larger than a chunk is seldom alone. */
  #lastBytes = 0;
  #ahead: ChunkAhead | null = null;
  #isBad = false;

  /** Where the next frame must begin; after the last one, where the log ends. */
  offset: number;
  /** The LSN with which it must begin. */
  nextLsn: number;
  /** Where to stop; it may rise while the file grows. */
  limitOffset: number;
  /** Whether a chunk may be read before it is asked for: where nothing below the limit changes any more. */
  readsAhead = false;
  /** Whether a frame is bad also where its entries do not fill it: who decodes them sees that himself. */
  checksEntries = false;

  /** @param offset Where the first frame begins. @param nextLsn Its first LSN. @param limitOffset Where to stop. */
  constructor(
    chunks: Chunks,
    checksum: FrameChecksum,
    offset: number,
    nextLsn: number,
    limitOffset: number,
    chunkBytes: number = CHUNK_BYTES,
  ) {
    this.#chunks = chunks;
    this.#checksum = checksum;
    this.offset = offset;
    this.nextLsn = nextLsn;
    this.limitOffset = limitOffset;
    this.#chunkBytes = chunkBytes;
    this.#overlapBytes = Math.min(FRAME_TARGET_BYTES, Math.floor(chunkBytes / 2));
  }

  /** The next frame of the chunk at hand, or null when that is used up or what follows is no frame. */
  take(): ScannedFrame | null {
    if (this.#isBad || this.#bytes.length - this.#at < this.#wantedBytes) return null;
    const { offset } = this;
    const bytes = this.#bytes;
    const view = this.#view;
    const at = this.#at;
    const header = decodeFrameHeader(bytes, view, at, offset, this.#checksum);
    if (header === null || header.firstLsn !== this.nextLsn) return this.#bad();
    if (bytes.length - at < header.lengthBytes) {
      this.#wantedBytes = header.lengthBytes; // the header is checked: its length may be trusted
      return null;
    }
    if (!this.#checksum.frameHolds(bytes, view, at, header.lengthBytes, offset)) return this.#bad();
    const lastLsn = lastLsnOf(header, view, at);
    if (!(lastLsn >= header.firstLsn - 1 && lastLsn < MAX_NUMBER)) return this.#bad();
    if (this.checksEntries && header.count > 0 && !areWellFilled(view, at, header)) return this.#bad();
    this.#at = at + header.lengthBytes;
    this.#wantedBytes = FRAME_HEADER_BYTES;
    this.#lastBytes = header.lengthBytes;
    this.offset = offset + header.lengthBytes;
    this.nextLsn = lastLsn + 1;
    if (header.kind === FrameKind.FOOTER) this.#isBad = true; // nothing follows it
    return { header, offset, lastLsn, bytes, view, at };
  }

  /** Reads on; false when no further frame follows. */
  async more(): Promise<boolean> {
    if (this.#isBad) return false;
    const room = this.limitOffset - this.offset;
    if (room < this.#wantedBytes) return false;
    // A checked length that the file cannot hold is a torn frame; its bytes are not allocated before that is known.
    if (this.#wantedBytes > this.#chunkBytes && (await this.#chunks.size()) - this.offset < this.#wantedBytes) {
      return false;
    }
    if (!await this.#takeAhead()) {
      const length = Math.min(room, Math.max(this.#chunkBytes, this.#wantedBytes, this.#lastBytes));
      this.#use(await this.#chunks.readChunk(this.offset, length), this.offset);
    }
    return this.#bytes.length - this.#at >= this.#wantedBytes;
  }

  /** Goes on in the chunk that was read ahead; false where there is none, or it does not hold the frame at hand. */
  async #takeAhead(): Promise<boolean> {
    const ahead = this.#ahead;
    if (ahead === null) return false;
    this.#ahead = null;
    const bytes = await ahead.bytes;
    const isInside = this.offset >= ahead.offset && ahead.offset + bytes.length >= this.offset + this.#wantedBytes;
    if (isInside) this.#use(bytes, ahead.offset);
    return isInside;
  }

  /** Takes frames from this chunk from now on, and has the next one read meanwhile if one was used up already. */
  #use(bytes: Uint8Array<ArrayBuffer>, chunkOffset: number): void {
    const isFirst = this.#bytes.length === 0; // few who look something up need more than one
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#at = this.offset - chunkOffset;
    if (!isFirst && this.readsAhead) this.#readAhead(chunkOffset + bytes.length);
  }

  #readAhead(endOffset: number): void {
    if (endOffset >= this.limitOffset || this.#bytes.length <= this.#overlapBytes) return;
    if (Math.max(this.#wantedBytes, this.#lastBytes) > this.#overlapBytes) return; // it would not lie in there whole
    const offset = endOffset - this.#overlapBytes;
    const ahead = this.#chunks.readChunk(offset, Math.min(this.#chunkBytes, this.limitOffset - offset));
    ahead.catch(() => {}); // who asks for it hears of it
    this.#ahead = { offset, bytes: ahead };
  }

  /** The frame that it stands before; null where none does. */
  async first(): Promise<ScannedFrame | null> {
    let frame = this.take();
    while (frame === null && await this.more()) frame = this.take();
    return frame;
  }

  #bad(): null {
    this.#isBad = true;
    return null;
  }
}

/** A frame header that was found by looking at every place where one may begin. Its body may be torn. */
export interface FoundHeader {
  readonly header: FrameHeader;
  readonly offset: number;
}

/** Every frame header of this life of the file from `offset` to `endOffset`. Zeros, damaged headers and earlier lives are passed over. */
export async function* searchHeaders(
  file: Pick<RuntimeFile, "read">,
  checksum: FrameChecksum,
  offset: number,
  endOffset: number,
  chunkBytes: number = CHUNK_BYTES,
): AsyncGenerator<FoundHeader, void, undefined> {
  const bytes = new Uint8Array(Math.min(chunkBytes, Math.max(0, endOffset - offset)));
  const view = viewOf(bytes);
  let start = offset;
  while (endOffset - start >= FRAME_HEADER_BYTES) {
    const count = await file.read(bytes.subarray(0, endOffset - start), start);
    const last = count - FRAME_HEADER_BYTES;
    for (let at = 0; at <= last; at += FRAME_ALIGNMENT) {
      if (view.getUint32(at + 8, true) === 0) continue; // zeros, mostly: cheaper than asking for a header
      const header = decodeFrameHeader(bytes, view, at, start + at, checksum);
      if (header !== null) yield { header, offset: start + at };
    }
    if (last < 0) return; // the file is shorter than it was
    start += last + FRAME_ALIGNMENT; // the next place that was not looked at: lengths are multiples of 8, or this is the end
  }
}
