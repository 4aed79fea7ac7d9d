/**
 * THE format of a log on disk, version 1. Everything that a writer and a reader must agree on stands in this file.
 *
 * ## Grammar
 *
 * ```text
 * directory := lock, segment*, spare*
 * segment   := header block (4,096 bytes), frame*, zeros or leftovers of an earlier life
 * frame     := frame header (48 bytes), body, zeros up to a multiple of 8
 * body      := entry* (kinds ENTRIES, BATCH) | control payload (all other kinds)
 * entry     := u32 length, u8 kind, `length` bytes
 * ```
 *
 * Numbers are little-endian. A u64 holds at most 2^53 - 1; one that holds more is damage. A checksum is CRC-32 (IEEE). Both
 * checksums of a frame are computed over 24 bytes that are not stored there, the *place* (the segment's salt, its id, the
 * frame's own offset), followed by the bytes named below: a frame is valid only in the file and at the offset for which
 * it was written, in this life of the file.
 *
 * A segment is named `<id>-<predecessor's id>-<base LSN>.wal`, a spare `spare-<number>.wal`, in decimal digits, padded
 * with zeros to 10, 10 and 16 of them, and 10 for a spare. `torn-<id>-<offset>.bin` keeps what a crash tore, `aside-<segment>` what
 * damage has put out of the log, for a person.
 *
 * ## Which files are the log
 *
 * The last segment is the one with the highest id; one whose header names a set (`set` is not 0) may be the last one only
 * if it is the one that completes it (`set` is its own id). From it the log is the *chain*: each segment's header names its predecessor, up to the offset and
 * the LSN where that one ends, down to the segment that holds *head*, the greatest LSN in any header's `head` or HEAD frame
 * on the chain. A base LSN is the predecessor's last LSN + 1. Entries below head are not in the log any more; files that are
 * not on the chain never were, or are no more. A `time` is milliseconds since 1970, and never goes back along the chain.
 *
 * ## Where the log ends
 *
 * At the first place of the last segment where no valid frame with the next LSN begins. What follows was *torn* by a crash,
 * unless something *vouches* that it had been synced, and is gone all the same: then the log is damaged. What vouches is a
 * frame header of this life further on whose synced LSN is the missing one or above it (its checksum holds by itself, so its
 * body may be torn), a MARK further on, or the mark in the lock file, which vouches for what is strictly before its offset;
 * a lock file's mark with an id above the last segment's says that a segment has vanished. A reader that does not have the
 * lock may still see what a crash can take: it believes only what later bytes vouch for, or a successor's header.
 *
 * ## Awkward cases
 *
 * - LSNs rise by one from the base LSN; only a SKIP leaves LSNs out. A frame whose first LSN is not the next one ends the
 *   log, however valid it is.
 * - A control frame has count 0 and bears the next LSN as its first. It holds no LSN, but for a SKIP, which holds those it
 *   leaves out. HEAD, SKIP, MARK and IDLE are equally long, so that an IDLE can take the place of a MARK.
 * - A frame never spans two segments. A batch that no segment can hold gets a file of its own, as long as it takes.
 * - What follows the last frame may be zeros, torn frames, or frames of an earlier life of the file. Zeros are never a
 *   frame (the magic number is not zero) and prove nothing: whoever looks for the end of a log searches on.
 * - Behind a successor's stated end nothing counts, whatever it is; a FOOTER begins just there.
 * - A frame of a kind that is not listed here is not valid. A later version that adds one sets a required feature bit.
 *
 * ## A worked example
 *
 * The first frame of segment 1 with salt `a0a1a2a3a4a5a6a7`, at offset 4,096, written at time 1,000 when nothing had been
 * synced: one entry of kind 7, `hi`. It is 56 bytes long, 1 of them padding:
 *
 * ```text
 * 00  fc b5 7f c7  header checksum       of bytes 04 to 2f
 * 04  63 67 89 d7  frame checksum        of bytes 08 to 37
 * 08  66 72 6d 31  magic                 "frm1"
 * 0c  38 00 00 00  length                56
 * 10  01 00 00 00 00 00 00 00  first LSN   1
 * 18  00 00 00 00 00 00 00 00  synced LSN  0
 * 20  e8 03 00 00 00 00 00 00  time        1,000
 * 28  01 00 00 00  count                 1
 * 2c  01 00 00 00  kind, zeros           ENTRIES
 * 30  02 00 00 00 07 68 69     entry       2 bytes of kind 7: "hi"
 * 37  00           padding
 * ```
 *
 * ## Downsides
 *
 * An entry costs 5 bytes and a lone one 53 and padding, more than a format with variable-length numbers. There is no
 * compression. An entry cannot be read without its whole frame: up to 64 KiB, or the entry or batch that is
 * larger.
 *
 * @module
 */

import { getHex, getU64, putHex, putU64, viewOf } from "./bytes.ts";
import type { Crc32 } from "./runtime/port.ts";

/** The version this file describes. */
export const FORMAT_VERSION = 1;
/** Feature bits that a reader must know; none are defined yet. */
export const KNOWN_REQUIRED_FEATURES = 0;

// -- limits

/** The highest LSN, segment id and offset: what a number holds exactly. */
export const MAX_NUMBER: number = Number.MAX_SAFE_INTEGER;
/** The longest frame, and so the largest batch. */
export const MAX_FRAME_BYTES: number = 1024 * 1024 * 1024;
/** Entries that are no batch are framed together up to this size. */
export const FRAME_TARGET_BYTES: number = 64 * 1024;
/** A user's entries have kinds up to 127, a layer's up to this; higher ones are the log's own. */
export const MAX_APPEND_KIND = 191;

// -- sizes

/** The block that a segment's header has to itself; the first frame begins behind it. */
export const HEADER_BYTES = 4096;
/** What each segment keeps behind its entries for control frames, footer and mark. */
export const CONTROL_RESERVE_BYTES = 8192;
/** A frame without its body. */
export const FRAME_HEADER_BYTES = 48;
/** An entry without its bytes. */
export const ENTRY_HEADER_BYTES = 5;
/** HEAD, SKIP, MARK and IDLE. */
export const CONTROL_FRAME_BYTES = 56;
/** Frames begin at multiples of this. */
export const FRAME_ALIGNMENT = 8;
/** The most points that a footer's index has. */
export const MAX_INDEX_POINTS = 128;
/** What the log keeps at the start of the lock file; the owner's record follows. */
export const LOCK_MARK_BYTES = 512;
/** A file with less cannot be made a segment. */
export const SMALLEST_SEGMENT_BYTES: number = HEADER_BYTES + CONTROL_RESERVE_BYTES;

/** `bytes` rounded up to where the next frame may begin. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / FRAME_ALIGNMENT) * FRAME_ALIGNMENT;
}

// -- names

/** The lock file's name. */
export const LOCK_NAME = "lock";

/** What a segment's name carries. */
export interface SegmentName {
  readonly name: string;
  readonly id: number;
  readonly predecessorId: number;
  readonly baseLsn: number;
}

/** The name of a segment. */
export function segmentName(id: number, predecessorId: number, baseLsn: number): string {
  return `${digits(id, 10)}-${digits(predecessorId, 10)}-${digits(baseLsn, 16)}.wal`;
}

/** What a name says, or null where it is no segment's. */
export function parseSegmentName(name: string): SegmentName | null {
  const match = /^(\d{10,16})-(\d{10,16})-(\d{16})\.wal$/.exec(name);
  if (match === null) return null;
  const [id, predecessorId, baseLsn] = match.slice(1).map(Number) as [number, number, number];
  const isInRange = id >= 1 && id <= MAX_NUMBER && predecessorId < id && baseLsn >= 1 && baseLsn <= MAX_NUMBER;
  const isCanonical = isInRange && segmentName(id, predecessorId, baseLsn) === name;
  return isCanonical ? { name, id, predecessorId, baseLsn } : null;
}

/** The segments among these names, the newest first. Of two with the same id one is a stray: which comes first does not change. */
export function segmentsOf(names: readonly string[]): SegmentName[] {
  const segments = names.map(parseSegmentName).filter((name) => name !== null);
  return segments.sort((a, b) => b.id - a.id || (a.name < b.name ? -1 : 1));
}

/** The name of a spare. */
export function spareName(number: number): string {
  return `spare-${digits(number, 10)}.wal`;
}

/** A spare's number, or null where the name is no spare's. */
export function parseSpareName(name: string): number | null {
  const match = /^spare-(\d{10,16})\.wal$/.exec(name);
  const number = Number(match?.[1] ?? NaN);
  return number < MAX_NUMBER && spareName(number) === name ? number : null;
}

/** The name under which the torn bytes of a segment are kept when its file goes. */
export function tornName(segmentId: number, offset: number): string {
  return `torn-${digits(segmentId, 10)}-${offset}.bin`;
}

/** What such a name says, or null where it is none. */
export function parseTornName(name: string): { readonly segmentId: number; readonly offset: number } | null {
  const [, id, offset] = /^torn-(\d{10,16})-(\d{1,16})\.bin$/.exec(name) ?? [];
  return id === undefined ? null : { segmentId: Number(id), offset: Number(offset) };
}

/** The name under which a segment is kept that damage, or what is behind it, has put out of the log. */
export function asideName(segment: string): string {
  return `aside-${segment}`;
}

/** What such a name says, or null: of a second such file it has a number behind it. */
export function parseAsideName(name: string): SegmentName | null {
  const [, segment = ""] = /^aside-(.*\.wal)(\.\d+)?$/.exec(name) ?? [];
  return parseSegmentName(segment);
}

/** The ids of segments that were set aside, as the names in a directory say. */
export function asideIdsIn(names: readonly string[]): Set<number> {
  return new Set(names.map(parseAsideName).filter((name) => name !== null).map(({ id }) => id));
}

function digits(value: number, least: number): string {
  return String(value).padStart(least, "0");
}

// -- the header block

/** Where a segment's predecessor ends. `id` 0: there is none, and `lastLsn` is what the log left out before its head. */
export interface Predecessor {
  readonly id: number;
  readonly endOffset: number;
  readonly lastLsn: number;
}

/** A line of history: restore and truncateAfter begin a new one. Ids are 16 hexadecimal digits. */
export interface Epoch {
  readonly id: string;
  readonly parentId: string;
  /** The last LSN that this line has in common with its parent. */
  readonly lsn: number;
}

/** What a segment says of itself. */
export interface SegmentHeader {
  /** 32 hexadecimal digits, the same in every segment of a log. */
  readonly logId: string;
  readonly epoch: Epoch;
  readonly id: number;
  readonly baseLsn: number;
  /** 16 hexadecimal digits, new in each life of a file. */
  readonly salt: string;
  readonly predecessor: Predecessor;
  /** Where the log began when this segment was born. */
  readonly headLsn: number;
  /** The id that completes the set this segment belongs to, or 0: without that id, this segment does not exist. */
  readonly setId: number;
  /** No frame in here is older. */
  readonly time: number;
  /** How many bytes of frames the log has had before this segment. */
  readonly precedingBytes: number;
}

/** Why a header block cannot be used. */
export type HeaderFault =
  /** Nothing says that it ever was a header of this format. */
  | { readonly fault: "no-segment" }
  /** It was one. */
  | { readonly fault: "damaged" }
  /** It is one of a later version. */
  | { readonly fault: "future"; readonly what: string };

const HEADER_MAGIC = 0x6d72_7473_6c61_7700n; // read as below: 00 "walstrm"
const HEADER_CHECKSUM_AT = HEADER_BYTES - 4;

/**
 * ```text
 *   0  8 magic 00 "walstrm"        64  8 segment id
 *   8  4 version                   72  8 base LSN
 *  12  4 required features         80  8 salt
 *  16  4 ignorable features        88  8 predecessor's id
 *  20  4 zero                      96  8 predecessor's end offset
 *  24 16 log id                   104  8 predecessor's last LSN
 *  40  8 epoch                    112  8 head
 *  48  8 parent epoch             120  8 set
 *  56  8 epoch's LSN              128  8 time
 * 136  8 preceding bytes         4092  4 checksum of bytes 8 to 4091
 * ```
 */
export function encodeHeader(header: SegmentHeader, crc32: Crc32): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, HEADER_MAGIC, true);
  view.setUint32(8, FORMAT_VERSION, true);
  putHex(bytes, 24, header.logId);
  putHex(bytes, 40, header.epoch.id);
  putHex(bytes, 48, header.epoch.parentId);
  putU64(view, 56, header.epoch.lsn);
  putU64(view, 64, header.id);
  putU64(view, 72, header.baseLsn);
  putHex(bytes, 80, header.salt);
  putU64(view, 88, header.predecessor.id);
  putU64(view, 96, header.predecessor.endOffset);
  putU64(view, 104, header.predecessor.lastLsn);
  putU64(view, 112, header.headLsn);
  putU64(view, 120, header.setId);
  putU64(view, 128, header.time);
  putU64(view, 136, header.precedingBytes);
  view.setUint32(HEADER_CHECKSUM_AT, crc32(bytes.subarray(8, HEADER_CHECKSUM_AT), 0), true);
  return bytes;
}

/** The header in a block, or what is wrong with it. A block whose magic alone is wrong was a header: it is damaged. */
export function decodeHeader(bytes: Uint8Array, crc32: Crc32): SegmentHeader | HeaderFault {
  if (bytes.length < HEADER_BYTES) return { fault: "damaged" };
  const view = viewOf(bytes);
  const isOurs = view.getBigUint64(0, true) === HEADER_MAGIC;
  const isWhole = view.getUint32(HEADER_CHECKSUM_AT, true) === crc32(bytes.subarray(8, HEADER_CHECKSUM_AT), 0);
  const isBlank = bytes.subarray(0, 8).every((byte) => byte === 0);
  if (!isOurs || !isWhole) return { fault: isOurs || isWhole || isBlank ? "damaged" : "no-segment" };
  const version = view.getUint32(8, true);
  if (version !== FORMAT_VERSION) return { fault: "future", what: `it has format version ${version}` };
  const unknown = view.getUint32(12, true) & ~KNOWN_REQUIRED_FEATURES;
  if (unknown !== 0) {
    return { fault: "future", what: `it requires the unknown feature bits 0x${(unknown >>> 0).toString(16)}` };
  }
  const header: SegmentHeader = {
    logId: getHex(bytes, 24, 16),
    epoch: { id: getHex(bytes, 40, 8), parentId: getHex(bytes, 48, 8), lsn: getU64(view, 56) },
    id: getU64(view, 64),
    baseLsn: getU64(view, 72),
    salt: getHex(bytes, 80, 8),
    predecessor: { id: getU64(view, 88), endOffset: getU64(view, 96), lastLsn: getU64(view, 104) },
    headLsn: getU64(view, 112),
    setId: getU64(view, 120),
    time: getU64(view, 128),
    precedingBytes: getU64(view, 136),
  };
  const { epoch, id, baseLsn, predecessor, headLsn, setId, time, precedingBytes } = header;
  const numbers = [
    epoch.lsn,
    id,
    baseLsn,
    predecessor.id,
    predecessor.endOffset,
    predecessor.lastLsn,
    headLsn,
    setId,
    time,
    precedingBytes,
  ];
  const isInRange = numbers.every((number) => number <= MAX_NUMBER);
  return isInRange && isConsistent(header) ? header : { fault: "damaged" };
}

/** What every header satisfies that a log has written. */
function isConsistent({ id, baseLsn, predecessor, headLsn, precedingBytes }: SegmentHeader): boolean {
  if (id < 1 || headLsn < 1 || baseLsn !== predecessor.lastLsn + 1 || precedingBytes > MAX_NUMBER / 2) return false;
  if (predecessor.id === 0) return predecessor.endOffset === 0 && headLsn >= baseLsn;
  return predecessor.id < id && predecessor.endOffset > HEADER_BYTES && headLsn <= baseLsn;
}

// -- frames

/** What a frame is: entries that happen to be written together, a batch, or a control frame. */
export const FrameKind = {
  ENTRIES: 1,
  BATCH: 2,
  /** The log begins with the LSN in the payload. */
  HEAD: 16,
  /** The LSNs from the frame's first to the one in the payload were given out and will never be. */
  SKIP: 17,
  /** The log was closed here, and everything before this frame is synced. Payload 0. */
  MARK: 18,
  /** Nothing, but a voucher for what is synced. Payload 0. */
  IDLE: 19,
  /** The segment is sealed. The payload is an index. */
  FOOTER: 20,
} as const;

/** One of the values of {@linkcode FrameKind}. */
export type FrameKind = typeof FrameKind[keyof typeof FrameKind];

const FRAME_KINDS: ReadonlySet<number> = new Set(Object.values(FrameKind));

/** What a frame's header says. */
export interface FrameHeader {
  readonly kind: FrameKind;
  /** With its padding: the next frame begins this many bytes on. */
  readonly lengthBytes: number;
  readonly firstLsn: number;
  readonly count: number;
  /** The last LSN that a returned sync covered when this frame went out. */
  readonly syncedLsn: number;
  readonly time: number;
}

const FRAME_MAGIC = 0x316d7266; // "frm1"

/** The checksums of the frames of one segment, in one life of its file. */
export class FrameChecksum {
  readonly #crc32: Crc32;
  readonly #place: Uint8Array = new Uint8Array(24);
  readonly #view: DataView = viewOf(this.#place);

  /** @param salt The segment's salt. @param id Its id. */
  constructor(crc32: Crc32, salt: string, id: number) {
    this.#crc32 = crc32;
    putHex(this.#place, 0, salt);
    putU64(this.#view, 8, id);
  }

  /** Fills in both checksums of the frame at `at` of `bytes`, which goes to `offset` of the file. */
  seal(bytes: Uint8Array, view: DataView, at: number, lengthBytes: number, offset: number): void {
    const seed = this.#seed(offset);
    view.setUint32(at + 4, this.#crc32(bytes.subarray(at + 8, at + lengthBytes), seed), true);
    view.setUint32(at, this.#crc32(bytes.subarray(at + 4, at + FRAME_HEADER_BYTES), seed), true);
  }

  /** Whether the 48 bytes at `at` are the header of a frame that belongs to `offset` of the file. */
  headerHolds(bytes: Uint8Array, view: DataView, at: number, offset: number): boolean {
    if (view.getUint32(at + 8, true) !== FRAME_MAGIC) return false;
    return view.getUint32(at, true) ===
      this.#crc32(bytes.subarray(at + 4, at + FRAME_HEADER_BYTES), this.#seed(offset));
  }

  /** Whether all of the frame is as it was written. */
  frameHolds(bytes: Uint8Array, view: DataView, at: number, lengthBytes: number, offset: number): boolean {
    return view.getUint32(at + 4, true) === this.#crc32(bytes.subarray(at + 8, at + lengthBytes), this.#seed(offset));
  }

  #seed(offset: number): number {
    putU64(this.#view, 16, offset);
    return this.#crc32(this.#place, 0);
  }
}

/**
 * ```text
 *  0 4 header checksum, of bytes 4 to 47      24 8 synced LSN
 *  4 4 frame checksum, of bytes 8 to the end  32 8 time
 *  8 4 magic "frm1"                           40 4 count
 * 12 4 length, a multiple of 8                44 1 kind
 * 16 8 first LSN                              45 3 zeros
 * ```
 *
 * The checksums are left to {@linkcode FrameChecksum.seal}.
 */
export function encodeFrameHeader(view: DataView, at: number, header: FrameHeader): void {
  view.setUint32(at + 8, FRAME_MAGIC, true);
  view.setUint32(at + 12, header.lengthBytes, true);
  putU64(view, at + 16, header.firstLsn);
  putU64(view, at + 24, header.syncedLsn);
  putU64(view, at + 32, header.time);
  view.setUint32(at + 40, header.count, true);
  view.setUint32(at + 44, header.kind, true);
}

/** The frame header at `at`, or null where there is none that belongs to `offset` of the file. The body is not looked at. */
export function decodeFrameHeader(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  offset: number,
  checksum: FrameChecksum,
): FrameHeader | null {
  if (at + FRAME_HEADER_BYTES > bytes.length || !checksum.headerHolds(bytes, view, at, offset)) return null;
  const kind = view.getUint32(at + 44, true);
  const lengthBytes = view.getUint32(at + 12, true);
  const firstLsn = getU64(view, at + 16);
  if (!isFrameKind(kind) || lengthBytes < FRAME_HEADER_BYTES || lengthBytes % FRAME_ALIGNMENT !== 0) return null;
  const syncedLsn = getU64(view, at + 24);
  const time = getU64(view, at + 32);
  const count = view.getUint32(at + 40, true);
  if (lengthBytes > MAX_FRAME_BYTES || firstLsn < 1 || Math.max(firstLsn, syncedLsn, time) > MAX_NUMBER) return null;
  if (syncedLsn >= firstLsn) return null; // no frame vouches for itself
  const holdsEntries = kind === FrameKind.ENTRIES || kind === FrameKind.BATCH;
  if (!holdsEntries && count > 0) return null;
  const hasPayloadOfOneLsn = !holdsEntries && kind !== FrameKind.FOOTER;
  if (hasPayloadOfOneLsn && lengthBytes !== CONTROL_FRAME_BYTES) return null;
  return { kind, lengthBytes, firstLsn, syncedLsn, time, count };
}

/** The checksum over all that a frame is, where one stands at `at`: it tells two frames apart. */
export function frameSumOf(view: DataView, at: number): number {
  return view.getUint32(at, true);
}

function isFrameKind(kind: number): kind is FrameKind {
  return FRAME_KINDS.has(kind);
}

/** A control frame, but for a footer. */
export interface ControlFrame {
  readonly kind: typeof FrameKind.HEAD | typeof FrameKind.SKIP | typeof FrameKind.MARK | typeof FrameKind.IDLE;
  readonly firstLsn: number;
  /** The LSN of a HEAD or a SKIP; 0 of a MARK or an IDLE. */
  readonly payload: number;
  readonly syncedLsn: number;
  readonly time: number;
}

/** `u64 payload` behind a frame's header. The checksums are left to {@linkcode FrameChecksum.seal}. */
export function encodeControlFrame(view: DataView, at: number, frame: ControlFrame): void {
  encodeFrameHeader(view, at, { ...frame, lengthBytes: CONTROL_FRAME_BYTES, count: 0 });
  putU64(view, at + FRAME_HEADER_BYTES, frame.payload);
}

/** The payload of a control frame. */
export function decodeControlPayload(view: DataView, at: number): number {
  return getU64(view, at + FRAME_HEADER_BYTES);
}

// -- the footer's index

/** A frame that a reader may begin with: its first LSN, where it stands, and its time. */
export interface IndexPoint {
  readonly lsn: number;
  readonly offset: number;
  readonly time: number;
}

/** The length of a footer with so many points. */
export function footerBytes(points: number): number {
  return FRAME_HEADER_BYTES + 8 + 24 * points;
}

/** `u32 count, u32 zero, (u64 LSN, u64 offset, u64 time)*` behind the frame's header. */
export function encodeIndex(view: DataView, at: number, points: readonly IndexPoint[]): void {
  view.setUint32(at + FRAME_HEADER_BYTES, points.length, true);
  points.forEach((point, nth) => {
    const pointAt = at + footerBytes(nth);
    putU64(view, pointAt, point.lsn);
    putU64(view, pointAt + 8, point.offset);
    putU64(view, pointAt + 16, point.time);
  });
}

/** The index of a whole and checked footer. */
export function decodeIndex(view: DataView, at: number): IndexPoint[] {
  const count = view.getUint32(at + FRAME_HEADER_BYTES, true);
  return Array.from({ length: Math.min(count, MAX_INDEX_POINTS) }, (_, nth) => {
    const pointAt = at + footerBytes(nth);
    return { lsn: getU64(view, pointAt), offset: getU64(view, pointAt + 8), time: getU64(view, pointAt + 16) };
  });
}

// -- the lock file's mark

/** Where a log was closed: it vouches for what is strictly before `offset`. */
export interface LockMark {
  readonly segmentId: number;
  readonly offset: number;
  readonly lsn: number;
}

const LOCK_MARK_MAGIC = 0x6b72616d; // "mark"

/** `u32 checksum of bytes 4 to 31, u32 magic "mark", u64 segment id, u64 offset, u64 LSN`, zeros up to 512. */
export function encodeLockMark(mark: LockMark, crc32: Crc32): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(LOCK_MARK_BYTES);
  const view = viewOf(bytes);
  view.setUint32(4, LOCK_MARK_MAGIC, true);
  putU64(view, 8, mark.segmentId);
  putU64(view, 16, mark.offset);
  putU64(view, 24, mark.lsn);
  view.setUint32(0, crc32(bytes.subarray(4, 32), 0), true);
  return bytes;
}

/** The mark, or null: there is none, or it was torn, and then it vouches for nothing. */
export function decodeLockMark(bytes: Uint8Array, crc32: Crc32): LockMark | null {
  if (bytes.length < 32) return null;
  const view = viewOf(bytes);
  const isWhole = view.getUint32(4, true) === LOCK_MARK_MAGIC &&
    view.getUint32(0, true) === crc32(bytes.subarray(4, 32), 0);
  const mark = { segmentId: getU64(view, 8), offset: getU64(view, 16), lsn: getU64(view, 24) };
  return isWhole && Math.max(mark.segmentId, mark.offset, mark.lsn) <= MAX_NUMBER ? mark : null;
}
