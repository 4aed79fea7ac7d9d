/**
 * One file of the log: it is born from a spare, takes frames at its end, is synced and sealed.
 *
 * Nothing here decides when: the tail does. Whatever rejects leaves the fields as they were.
 *
 * @module
 */

import { viewOf } from "./bytes.ts";
import { isNoRoom, WalDiskFullError } from "./errors.ts";
import {
  decodeHeader,
  encodeFrameHeader,
  encodeHeader,
  encodeIndex,
  footerBytes,
  FrameChecksum,
  FrameKind,
  HEADER_BYTES,
  type HeaderFault,
  type SegmentHeader,
  segmentName,
} from "./format.ts";
import type { Crc32, Runtime, RuntimeFile } from "./runtime/port.ts";
import { SparseIndex } from "./sparse_index.ts";

/** Where segments live, and how their checksums are made. */
export interface Place {
  readonly runtime: Runtime;
  readonly directory: string;
  readonly crc32: Crc32;
}

/** The file of a segment whose header has been read and found good. */
export interface OpenSegmentFile {
  readonly file: RuntimeFile;
  readonly header: SegmentHeader;
  readonly checksum: FrameChecksum;
  readonly sizeBytes: number;
}

/** Writes the frames that a segment is born with behind its header, and resolves to where they end. */
export type Endowment = (file: RuntimeFile, checksum: FrameChecksum) => Promise<number>;

/** Gives a file back. What was read was checked, and what is to last is synced: an error here says nothing. */
export async function release(file: RuntimeFile): Promise<void> {
  await file.close().catch(() => {});
}

/** Opens a segment by its name. A header that cannot be used is returned as such, and the file is closed again. */
export async function openSegmentFile(
  place: Place,
  name: string,
  mode: "read" | "write",
): Promise<OpenSegmentFile | HeaderFault> {
  const { runtime, directory, crc32 } = place;
  const file = await runtime.open(runtime.join(directory, name), mode);
  try {
    const block = new Uint8Array(HEADER_BYTES);
    const count = await file.read(block, 0);
    const header = decodeHeader(block.subarray(0, count), crc32);
    if (!("fault" in header)) {
      const checksum = new FrameChecksum(crc32, header.salt, header.id);
      return { file, header, checksum, sizeBytes: await file.size() };
    }
    await release(file);
    return header;
  } catch (error) {
    await release(file);
    throw error;
  }
}

/** How much room there must be again on a disk that was full. */
const PROBE_ZEROS: Uint8Array = new Uint8Array(4096);

/** The segment that takes frames. */
export class Segment {
  readonly name: string;
  readonly header: SegmentHeader;
  readonly file: RuntimeFile;
  readonly checksum: FrameChecksum;
  readonly index: SparseIndex = new SparseIndex();
  /** Where the next frame goes. */
  endOffset: number;
  /** Up to here a returned sync covers all. */
  syncedOffset: number;
  /** The size of the file: from the end to here it is prepared. */
  sizeBytes: number;
  /** It ends in a footer: no frame may follow. */
  isFull = false;
  #extension: Promise<void> | null = null;
  #extensionError: unknown = null;

  /** @param opened The file. @param endOffset Where its last good frame ends. */
  constructor(opened: OpenSegmentFile, endOffset: number) {
    this.name = segmentName(opened.header.id, opened.header.predecessor.id, opened.header.baseLsn);
    this.header = opened.header;
    this.file = opened.file;
    this.checksum = opened.checksum;
    this.endOffset = this.syncedOffset = endOffset;
    this.sizeBytes = opened.sizeBytes;
  }

  /**
   * Makes a spare a segment: the header is written and synced under the spare's name, so that whatever bears a segment's
   * name is one; the rename makes it a segment; the directory is synced before anyone can put a frame into it. Frames that it
   * is to begin with are there before its name is. Throws a {@linkcode WalDiskFullError}, and leaves nothing behind, where there
   * is no room for that.
   */
  static async born(
    place: Place,
    spareName: string,
    header: SegmentHeader,
    endow: Endowment | null,
  ): Promise<Segment> {
    const { runtime, directory, crc32 } = place;
    const name = segmentName(header.id, header.predecessor.id, header.baseLsn);
    const sparePath = runtime.join(directory, spareName);
    const file = await runtime.open(sparePath, "write");
    const checksum = new FrameChecksum(crc32, header.salt, header.id);
    let endOffset = HEADER_BYTES;
    try {
      try {
        if (endow !== null) endOffset = await endow(file, checksum);
        await file.write(encodeHeader(header, crc32), 0);
        await file.syncData();
        await runtime.rename(sparePath, runtime.join(directory, name));
      } catch (error) {
        if (!isNoRoom(error)) throw error;
        await runtime.unlink(sparePath); // what its sync left of it is in doubt, and nobody needs it
        throw new WalDiskFullError(`begin ${runtime.join(directory, name)}`, error);
      }
      await runtime.syncDirectory(directory); // only now may a frame follow
      return new Segment({ file, header, checksum, sizeBytes: await file.size() }, endOffset);
    } catch (error) {
      await release(file);
      throw error;
    }
  }

  /** Whether a write of so many bytes at the end would make the file larger: only such a write may find the disk full. */
  grows(lengthBytes: number): boolean {
    return this.endOffset + lengthBytes > this.sizeBytes;
  }

  /**
   * Whole frames, `lengthBytes` in all and sealed for this place, behind the last one; each part is asked for while the one
   * before is written. A file that is to grow waits for the zeros before.
   */
  async append(parts: Iterable<Uint8Array>, lengthBytes: number): Promise<void> {
    if (this.#extension !== null && this.grows(lengthBytes)) await this.#extension;
    this.#throwIfExtensionFailed();
    let offset = this.endOffset;
    let written = Promise.resolve();
    for (const part of parts) {
      await written;
      written = this.file.write(part, offset);
      offset += part.length;
    }
    await written;
    this.#appended(lengthBytes);
  }

  /** The same in one, on the calling thread. No zeros may be on their way to where they end. */
  appendSync(frames: Uint8Array): void {
    if (this.isExtending && this.grows(frames.length)) {
      throw new Error("zeros are being written where frames are to go");
    }
    this.#throwIfExtensionFailed();
    this.file.writeSync(frames, this.endOffset);
    this.#appended(frames.length);
  }

  #appended(lengthBytes: number): void {
    this.endOffset += lengthBytes;
    if (this.endOffset > this.sizeBytes) this.sizeBytes = this.endOffset;
  }

  /** Everything appended so far will be there after a power loss. */
  async sync(): Promise<void> {
    this.#throwIfExtensionFailed();
    const { endOffset } = this;
    await this.file.syncData();
    this.syncedOffset = endOffset;
  }

  /** The same on the calling thread. */
  syncSync(): void {
    this.#throwIfExtensionFailed();
    this.file.syncDataSync();
    this.syncedOffset = this.endOffset;
  }

  /**
   * Writes zeros behind the end of the file, where no frame goes before they are written: their place is taken at once. None
   * may be on their way already. They are not synced: the next flush carries them. A second sync in flight could swallow
   * the error that a flush must see.
   */
  extend(zeros: Uint8Array): Promise<void> {
    if (this.#extensionError !== null) return Promise.reject(this.#extensionError);
    const start = this.sizeBytes;
    const written = this.file.write(zeros, start);
    const ended = written.then(() => {
      this.sizeBytes = start + zeros.length;
    }).catch((error: unknown) => {
      if (!isNoRoom(error)) this.#extensionError = error;
    });
    this.#extension = ended.then(() => {
      this.#extension = null;
    });
    return this.#extension.then(() => written);
  }

  /** Whether the file could grow; rejects where it could not. */
  async probe(): Promise<void> {
    await this.settleExtension();
    if (this.grows(PROBE_ZEROS.length)) await this.extend(PROBE_ZEROS);
  }

  /** A write of zeros that failed has failed the file: nothing more is written to it, and nothing synced. */
  #throwIfExtensionFailed(): void {
    if (this.#extensionError !== null) throw this.#extensionError;
  }

  /** True while zeros are being written. */
  get isExtending(): boolean {
    return this.#extension !== null;
  }

  /** Waits until no zeros are being written. */
  async settleExtension(): Promise<void> {
    while (this.#extension !== null) await this.#extension;
  }

  /** After a write that found no room: the file ends where that write began, synced, so that nothing of it is ever read. */
  async cutBack(): Promise<void> {
    await this.settleExtension();
    this.#throwIfExtensionFailed();
    await this.file.truncate(this.endOffset);
    await this.file.syncData();
    this.sizeBytes = this.syncedOffset = this.endOffset;
  }

  /** Overwrites the last frame, which stands at `offset`, by another of equal length, and syncs it. */
  async replaceFrame(frame: Uint8Array, offset: number): Promise<void> {
    this.#throwIfExtensionFailed();
    this.syncedOffset = offset; // until the sync returns nobody knows which of the two stands there
    await this.file.write(frame, offset);
    await this.file.syncData();
    this.syncedOffset = this.endOffset;
  }

  /**
   * Ends the segment with a footer where the file has room for it; a footer is a comfort and never worth a full disk. The
   * end stays where it is: a successor states it, and the footer begins just there. Returns how long the footer is, or 0.
   */
  async seal(nextLsn: number, syncedLsn: number, time: number): Promise<number> {
    await this.settleExtension();
    this.#throwIfExtensionFailed();
    const lengthBytes = footerBytes(this.index.points.length);
    if (this.isFull || this.grows(lengthBytes)) return 0;
    const bytes = new Uint8Array(lengthBytes);
    const view = viewOf(bytes);
    const header = { kind: FrameKind.FOOTER, lengthBytes, firstLsn: nextLsn, count: 0, syncedLsn, time };
    encodeFrameHeader(view, 0, header);
    encodeIndex(view, 0, this.index.points);
    this.checksum.seal(bytes, view, 0, lengthBytes, this.endOffset);
    await this.file.write(bytes, this.endOffset).catch((error: unknown) => {
      if (!isNoRoom(error)) throw error; // some file systems need room even for what lies there already
    });
    this.isFull = true;
    return lengthBytes;
  }

  /** Gives the file back once no zeros are being written to it. */
  async close(): Promise<void> {
    await this.settleExtension();
    await release(this.file);
  }
}
