/**
 * Frames that are copied into a segment which is being born: sealed for their new place, and gathered into large writes.
 *
 * @module
 */

import { viewOf } from "./bytes.ts";
import {
  CONTROL_FRAME_BYTES,
  encodeControlFrame,
  type FrameChecksum,
  type FrameHeader,
  FrameKind,
  HEADER_BYTES,
} from "./format.ts";
import type { RuntimeFile } from "./runtime/port.ts";
import type { ScannedFrame } from "./scan.ts";
import { SparseIndex } from "./sparse_index.ts";

/** So much is written at once. */
const PIECE_BYTES = 1024 * 1024;

/** A frame in a buffer of its own, and what it says. */
export interface Copy {
  readonly bytes: Uint8Array;
  readonly header: FrameHeader;
  readonly lastLsn: number;
}

/** All of a frame. */
export function copyOf({ header, bytes, at, lastLsn }: ScannedFrame): Copy {
  return { bytes: bytes.slice(at, at + header.lengthBytes), header, lastLsn };
}

/** A frame that says that these LSNs are left out. */
export function skipOf(
  firstLsn: number,
  lastLsn: number,
  { syncedLsn, time }: Pick<FrameHeader, "syncedLsn" | "time">,
): Copy {
  const bytes = new Uint8Array(CONTROL_FRAME_BYTES);
  encodeControlFrame(viewOf(bytes), 0, { kind: FrameKind.SKIP, firstLsn, payload: lastLsn, syncedLsn, time });
  const header = { kind: FrameKind.SKIP, lengthBytes: bytes.length, firstLsn, count: 0, syncedLsn, time };
  return { bytes, header, lastLsn };
}

/** Writes copies behind the header of a segment, in the order in which they come. Syncs nothing. */
export class CopyWriter {
  readonly #file: RuntimeFile;
  readonly #checksum: FrameChecksum;
  #offset = HEADER_BYTES;
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  /** Where the entries stand. */
  readonly index: SparseIndex = new SparseIndex();

  /** @param checksum Of the segment of which they become part. */
  constructor(file: RuntimeFile, checksum: FrameChecksum) {
    this.#file = file;
    this.#checksum = checksum;
  }

  /** Takes the next frame; its bytes belong to the writer from now on. */
  async put({ bytes, header }: Copy): Promise<void> {
    this.#checksum.seal(bytes, viewOf(bytes), 0, bytes.length, this.#offset);
    if (header.count > 0) this.index.add(header.firstLsn, this.#offset, header.time);
    this.#offset += bytes.length;
    this.#pieces.push(bytes);
    this.#pieceBytes += bytes.length;
    if (this.#pieceBytes >= PIECE_BYTES) await this.#write();
  }

  /** Writes what is left. Resolves to where the frames end. */
  async end(): Promise<number> {
    if (this.#pieceBytes > 0) await this.#write();
    return this.#offset;
  }

  async #write(): Promise<void> {
    const joined = new Uint8Array(this.#pieceBytes);
    let at = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    this.#pieceBytes = 0;
    await this.#file.write(joined, this.#offset - joined.length);
  }
}
