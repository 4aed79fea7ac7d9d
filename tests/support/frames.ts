/**
 * Headers, frames and files made by hand, to be shown to what reads them.
 */
import { crc32 } from "node:zlib";
import { putU64, viewOf } from "../../src/bytes.ts";
import {
  aligned,
  CONTROL_FRAME_BYTES,
  decodeFrameHeader,
  encodeFrameHeader,
  ENTRY_HEADER_BYTES,
  FRAME_HEADER_BYTES,
  FrameChecksum,
  type FrameHeader,
  FrameKind,
  HEADER_BYTES,
  type SegmentHeader,
} from "../../src/format.ts";
import { type MemoryCall, MemoryDisk, type MemoryFault, MemoryRuntime } from "../../src/runtime/memory.ts";
import type { RuntimeFile } from "../../src/runtime/port.ts";

/** The segment whose frames these are, if nothing else is said. */
export const segmentId = 1;
/** Its salt. */
export const salt = "a0a1a2a3a4a5a6a7";

/** Makes and checks the frames of a segment in one life of its file. */
export function checksumOf(inSalt: string = salt, id: number = segmentId): FrameChecksum {
  return new FrameChecksum(crc32, inSalt, id);
}

/** A header in which no two fields are alike. */
export function headerWith(changes: Partial<SegmentHeader> = {}): SegmentHeader {
  return {
    logId: "101112131415161718191a1b1c1d1e1f",
    epoch: { id: "2021222324252627", parentId: "3031323334353637", lsn: 41 },
    id: 7,
    baseLsn: 1001,
    salt,
    predecessor: { id: 5, endOffset: 123_456, lastLsn: 1000 },
    headLsn: 900,
    setId: 9,
    time: 1_735_689_600_123,
    precedingBytes: 77_000,
    ...changes,
  };
}

/** What a frame shall be. What is not said is 0, and the checksums are right. */
export interface FrameWish {
  readonly firstLsn: number;
  readonly kind?: FrameKind;
  readonly syncedLsn?: number;
  readonly time?: number;
  /** Texts, all of kind 0. */
  readonly entries?: readonly string[];
  /** What a control frame says. */
  readonly payload?: number;
  /** A length that the frame does not have. */
  readonly statedBytes?: number;
  /** A count that the frame does not have. */
  readonly statedCount?: number;
}

/** A frame for `offset` of the file. */
export function frameAt(
  offset: number,
  wish: FrameWish,
  checksum: FrameChecksum = checksumOf(),
): Uint8Array<ArrayBuffer> {
  const { firstLsn, payload, entries = [], kind = FrameKind.ENTRIES, syncedLsn = 0, time = 0 } = wish;
  const body = encodeTexts(entries);
  const length = payload === undefined ? aligned(FRAME_HEADER_BYTES + body.length) : CONTROL_FRAME_BYTES;
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  const lengthBytes = wish.statedBytes ?? length;
  encodeFrameHeader(view, 0, {
    kind,
    lengthBytes,
    firstLsn,
    count: wish.statedCount ?? entries.length,
    syncedLsn,
    time,
  });
  if (payload === undefined) bytes.set(body, FRAME_HEADER_BYTES);
  else putU64(view, FRAME_HEADER_BYTES, payload);
  checksum.seal(bytes, view, 0, length, offset);
  return bytes;
}

/** The header of a frame that is whole and in its place, or null: as a scan asks. */
export function readFrame(
  bytes: Uint8Array,
  offset: number,
  checksum: FrameChecksum = checksumOf(),
): FrameHeader | null {
  const view = viewOf(bytes);
  const header = decodeFrameHeader(bytes, view, 0, offset, checksum);
  if (header === null || header.lengthBytes > bytes.length) return null;
  return checksum.frameHolds(bytes, view, 0, header.lengthBytes, offset) ? header : null;
}

/** Frames of these wishes, one behind the other from the header on. */
export function framesOf(...wishes: readonly FrameWish[]): Uint8Array<ArrayBuffer> {
  let offset = HEADER_BYTES;
  return joined(...wishes.map((wish) => {
    const frame = frameAt(offset, wish);
    offset += frame.length;
    return frame;
  }));
}

/** Frames one behind the other, each with the LSNs that follow those of the one before, and where each begins. */
export function framesFrom(
  offset: number,
  firstLsn: number,
  bodies: readonly (readonly string[])[],
  checksum: FrameChecksum = checksumOf(),
): { readonly bytes: Uint8Array<ArrayBuffer>; readonly offsets: readonly number[] } {
  const frames: Uint8Array[] = [];
  const offsets: number[] = [];
  let at = offset;
  let lsn = firstLsn;
  for (const entries of bodies) {
    const frame = frameAt(at, { firstLsn: lsn, entries }, checksum);
    frames.push(frame);
    offsets.push(at);
    at += frame.length;
    lsn += entries.length;
  }
  return { bytes: joined(...frames), offsets };
}

/** These bytes one behind the other. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A copy with one bit turned over; bit 8 is the lowest one of the second byte. */
export function withBitFlipped<T extends Uint8Array>(bytes: T, bit: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** A file in memory: an empty header block, and these bytes behind it. */
export function fileWith(
  behindHeader: Uint8Array,
  onCall: (call: MemoryCall) => MemoryFault | undefined = () => undefined,
): Promise<RuntimeFile> {
  const disk = new MemoryDisk({ files: { "/file": joined(new Uint8Array(HEADER_BYTES), behindHeader) } });
  return new MemoryRuntime({ disk, crc32, onCall }).open("/file", "read");
}

function encodeTexts(texts: readonly string[]): Uint8Array {
  const encoder = new TextEncoder();
  return joined(...texts.map((text) => {
    const data = encoder.encode(text);
    const entry = new Uint8Array(ENTRY_HEADER_BYTES + data.length);
    viewOf(entry).setUint32(0, data.length, true);
    entry.set(data, ENTRY_HEADER_BYTES);
    return entry;
  }));
}
