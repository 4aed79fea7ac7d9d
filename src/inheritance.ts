/**
 * What a fresh segment takes over from the one whose disk has failed: copies of what was acknowledged at a weaker level than
 * `"fsync"` and can still be read, and a skip for all other LSNs that were given out.
 *
 * @module
 */

import { viewOf } from "./bytes.ts";
import {
  aligned,
  CONTROL_FRAME_BYTES,
  encodeControlFrame,
  encodeFrameHeader,
  ENTRY_HEADER_BYTES,
  FRAME_HEADER_BYTES,
  type FrameChecksum,
  type FrameHeader,
  FrameKind,
  HEADER_BYTES,
} from "./format.ts";
import type { RuntimeFile } from "./runtime/port.ts";
import { chunksOf, FrameScanner, type ScannedFrame } from "./scan.ts";
import type { Segment } from "./segment.ts";
import { SparseIndex } from "./sparse_index.ts";

/** So much of it is written at once. */
const PIECE_BYTES = 1024 * 1024;

/** How far a log had come when it failed. */
export interface Estate {
  /** The segment that took frames; null where there was none yet. */
  readonly segment: Segment | null;
  readonly syncedLsn: number;
  /** Up to here entries were acknowledged, or shown to readers, and the operating system had them. */
  readonly acknowledgedLsn: number;
  /** The last LSN that was given out. */
  readonly lastLsn: number;
  /** What the skip bears. */
  readonly time: number;
}

/** A frame in its own buffer, and what it says. */
interface Copy {
  readonly bytes: Uint8Array;
  readonly header: FrameHeader;
  readonly lastLsn: number;
}

/** See the head of this file. It can be written once. */
export class Inheritance {
  readonly #estate: Estate;
  readonly #copies: AsyncGenerator<Copy, void, undefined>;
  #first: Copy | null = null;
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #keptLsn: number;
  /** Where the entries stand. */
  readonly index: SparseIndex = new SparseIndex();

  /** @param estate See {@linkcode Estate}. */
  constructor(estate: Estate) {
    this.#estate = estate;
    this.#copies = copiesOf(estate);
    this.#keptLsn = estate.syncedLsn;
  }

  /** The last LSN that is not left out; known when all is written. */
  get keptLsn(): number {
    return this.#keptLsn;
  }

  /** The time of its first frame. */
  async firstTime(): Promise<number> {
    this.#first = (await this.#copies.next()).value ?? null;
    return this.#first?.header.time ?? this.#estate.time;
  }

  /** Writes it behind the header of a segment, and resolves to where it ends. Syncs nothing. */
  readonly write = async (file: RuntimeFile, checksum: FrameChecksum): Promise<number> => {
    let offset = HEADER_BYTES;
    for (let copy = this.#first; copy !== null; copy = (await this.#copies.next()).value ?? null) {
      offset = await this.#put(file, checksum, copy, offset);
      this.#keptLsn = copy.lastLsn;
    }
    const skip = this.#skip();
    if (skip !== null) offset = await this.#put(file, checksum, skip, offset);
    await this.#writePieces(file, offset);
    return offset;
  };

  /** Seals it for its new place. */
  async #put(file: RuntimeFile, checksum: FrameChecksum, { bytes, header }: Copy, offset: number): Promise<number> {
    checksum.seal(bytes, viewOf(bytes), 0, bytes.length, offset);
    if (header.count > 0) this.index.add(header.firstLsn, offset, header.time);
    this.#pieces.push(bytes);
    this.#pieceBytes += bytes.length;
    if (this.#pieceBytes >= PIECE_BYTES) await this.#writePieces(file, offset + bytes.length);
    return offset + bytes.length;
  }

  async #writePieces(file: RuntimeFile, endOffset: number): Promise<void> {
    const joined = new Uint8Array(this.#pieceBytes);
    let at = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    this.#pieceBytes = 0;
    if (at > 0) await file.write(joined, endOffset - at);
  }

  /** No LSN is given out twice. */
  #skip(): Copy | null {
    const { lastLsn, syncedLsn, time } = this.#estate;
    if (lastLsn <= this.#keptLsn) return null;
    const firstLsn = this.#keptLsn + 1;
    const bytes = new Uint8Array(CONTROL_FRAME_BYTES);
    encodeControlFrame(viewOf(bytes), 0, { kind: FrameKind.SKIP, firstLsn, payload: lastLsn, syncedLsn, time });
    const header = { kind: FrameKind.SKIP, lengthBytes: bytes.length, firstLsn, count: 0, syncedLsn, time };
    return { bytes, header, lastLsn };
  }
}

/** Behind what is synced, up to what was acknowledged or to the first bad frame: the page cache may have dropped some. */
async function* copiesOf({ segment, syncedLsn, acknowledgedLsn }: Estate): AsyncGenerator<Copy, void, undefined> {
  if (segment === null || acknowledgedLsn <= syncedLsn) return;
  const { file, checksum, syncedOffset, endOffset } = segment;
  const scanner = new FrameScanner(chunksOf(file), checksum, syncedOffset, syncedLsn + 1, endOffset);
  for (let frame = scanner.take(); frame !== null || await scanner.more(); frame = scanner.take()) {
    if (frame === null || frame.lastLsn < frame.header.firstLsn) continue; // of control frames only skips hold LSNs
    if (frame.header.firstLsn > acknowledgedLsn) return;
    if (frame.header.kind === FrameKind.SKIP && frame.lastLsn > acknowledgedLsn) return; // it goes into the one to come
    yield copyOf(frame, acknowledgedLsn);
  }
}

/** All of a batch; of other entries those that were acknowledged: the ones behind them may have asked for a sync. */
function copyOf({ header, bytes, view, at, lastLsn }: ScannedFrame, acknowledgedLsn: number): Copy {
  if (header.kind !== FrameKind.ENTRIES || lastLsn <= acknowledgedLsn) {
    return { bytes: bytes.slice(at, at + header.lengthBytes), header, lastLsn };
  }
  const count = acknowledgedLsn - header.firstLsn + 1;
  let end = at + FRAME_HEADER_BYTES;
  for (let nth = 0; nth < count; nth++) end += ENTRY_HEADER_BYTES + view.getUint32(end, true);
  const cut = { ...header, count, lengthBytes: aligned(end - at) };
  const copy = new Uint8Array(cut.lengthBytes);
  copy.set(bytes.subarray(at, end));
  encodeFrameHeader(viewOf(copy), 0, cut);
  return { bytes: copy, header: cut, lastLsn: acknowledgedLsn };
}
