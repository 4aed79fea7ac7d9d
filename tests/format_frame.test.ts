// Frames, the index in a footer and the lock file's mark: valid in their one place, just as they were written, or not at all.

import { test } from "node:test";
import { crc32 } from "node:zlib";
import { assert, assertEquals } from "@std/assert";
import { putU64, viewOf } from "../src/bytes.ts";
import {
  decodeControlPayload,
  decodeFrameHeader,
  decodeIndex,
  decodeLockMark,
  encodeIndex,
  encodeLockMark,
  footerBytes,
  FRAME_HEADER_BYTES,
  type FrameChecksum,
  FrameKind,
  HEADER_BYTES,
  LOCK_MARK_BYTES,
  MAX_FRAME_BYTES,
  MAX_INDEX_POINTS,
  MAX_NUMBER,
} from "../src/format.ts";
import { checksumOf, frameAt, joined, readFrame, salt, withBitFlipped } from "./support/frames.ts";

const controlKinds = [FrameKind.HEAD, FrameKind.SKIP, FrameKind.MARK, FrameKind.IDLE] as const;

test("a frame is read as it was written, with the smallest numbers and with the largest", () => {
  const small = { kind: FrameKind.ENTRIES, firstLsn: 1, syncedLsn: 0, time: 0 };
  const large = { kind: FrameKind.BATCH, firstLsn: MAX_NUMBER, syncedLsn: MAX_NUMBER - 1, time: MAX_NUMBER };
  for (const wish of [small, large]) {
    const bytes = frameAt(MAX_NUMBER - 7, { ...wish, entries: ["a", ""] });
    assertEquals(readFrame(bytes, MAX_NUMBER - 7), { ...wish, lengthBytes: 64, count: 2 });
  }
  for (const kind of controlKinds) {
    const bytes = frameAt(HEADER_BYTES, { kind, firstLsn: 3, payload: MAX_NUMBER });
    assertEquals(readFrame(bytes, HEADER_BYTES)?.kind, kind);
    assertEquals(decodeControlPayload(viewOf(bytes), 0), MAX_NUMBER);
  }
});

test("a frame is valid only at its place: not at another offset, in another life of the file, in another segment", () => {
  const offset = 8192;
  const bytes = frameAt(offset, { firstLsn: 5, entries: ["here"] });
  const view = viewOf(bytes);
  assert(readFrame(bytes, offset) !== null);
  const places: [number, FrameChecksum][] = [
    ...[0, 4096, offset - 8, offset + 8, offset + 2 ** 32, offset + 2 ** 40].map((each): [number, FrameChecksum] => [
      each,
      checksumOf(),
    ]),
    [offset, checksumOf("a0a1a2a3a4a5a6a6")],
    [offset, checksumOf("00".repeat(8))],
    [offset, checksumOf(salt, 2)],
    [offset, checksumOf(salt, 1 + 2 ** 32)],
  ];
  for (const [elsewhere, checksum] of places) {
    assertEquals(decodeFrameHeader(bytes, view, 0, elsewhere, checksum), null);
    assert(
      !checksum.frameHolds(bytes, view, 0, bytes.length, elsewhere),
      "its body passes, though its header does not",
    );
  }
});

test("a frame with any one bit turned over is refused, be it in the header, the body or the padding", () => {
  const frames = [
    frameAt(4096, { firstLsn: 1, entries: ["a".repeat(50), "", "b"] }),
    frameAt(4096, { kind: FrameKind.BATCH, firstLsn: 7, entries: [] }),
    ...controlKinds.map((kind) => frameAt(4096, { kind, firstLsn: 2, payload: 3 })),
  ];
  for (const bytes of frames) {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      assertEquals(readFrame(withBitFlipped(bytes, bit), 4096), null, `bit ${bit} of ${bytes.length * 8}`);
    }
  }
});

test("the header of one frame and the body of another of the same place and length are no frame", () => {
  const a = frameAt(4096, { firstLsn: 1, entries: ["a".repeat(600)] });
  const b = frameAt(4096, { firstLsn: 1, entries: ["b".repeat(600)] });
  for (const cut of [FRAME_HEADER_BYTES, 512]) { // what lies behind the first sector did not come to the disk
    assertEquals(readFrame(joined(a.subarray(0, cut), b.subarray(cut)), 4096), null);
  }
});

test("zeros are never a frame, and half a header is none", () => {
  const zeros = new Uint8Array(64);
  assertEquals(decodeFrameHeader(zeros, viewOf(zeros), 0, 0, checksumOf("00".repeat(8), 0)), null);
  const bytes = frameAt(4096, { firstLsn: 1, entries: [] });
  for (let length = 0; length < FRAME_HEADER_BYTES; length++) {
    const cut = bytes.subarray(0, length);
    assertEquals(decodeFrameHeader(cut, viewOf(cut), 0, 4096, checksumOf()), null);
  }
});

test("a frame of a kind that this version does not know is not valid, however right its checksums are", () => {
  const known: readonly number[] = Object.values(FrameKind);
  for (let kind = 0; kind < 256; kind++) {
    const bytes = frameAt(4096, { firstLsn: 1, kind: FrameKind.IDLE, payload: 0 });
    viewOf(bytes).setUint8(44, kind);
    checksumOf().seal(bytes, viewOf(bytes), 0, bytes.length, 4096);
    assertEquals(readFrame(bytes, 4096) !== null, known.includes(kind), `kind ${kind}`);
  }
});

test("a frame that vouches for itself, and a control frame with entries, are none, however right their checksums are", () => {
  for (const syncedLsn of [5, 6, MAX_NUMBER]) {
    assertEquals(readFrame(frameAt(4096, { firstLsn: 5, syncedLsn, entries: ["a"] }), 4096), null);
  }
  for (const kind of controlKinds) {
    assertEquals(readFrame(frameAt(4096, { firstLsn: 5, kind, payload: 0, statedCount: 1 }), 4096), null);
  }
});

test("a frame without its magic number is none, however right its checksums are", () => {
  const bytes = frameAt(4096, { firstLsn: 1, entries: ["a"] });
  viewOf(bytes).setUint32(8, 0, true);
  checksumOf().seal(bytes, viewOf(bytes), 0, bytes.length, 4096);
  assertEquals(readFrame(bytes, 4096), null);
});

test("a length that no frame has is refused, however right the header's checksum is", () => {
  const lengths = [0, 40, 47, 49, 52, 63, MAX_FRAME_BYTES + 8, 0xffff_fff8, 0xffff_ffff];
  for (const statedBytes of lengths) {
    const bytes = frameAt(4096, { firstLsn: 1, entries: ["a"], statedBytes });
    assertEquals(decodeFrameHeader(bytes, viewOf(bytes), 0, 4096, checksumOf()), null, `${statedBytes} bytes`);
  }
  const longest = frameAt(4096, { firstLsn: 1, entries: ["a"], statedBytes: MAX_FRAME_BYTES });
  assertEquals(decodeFrameHeader(longest, viewOf(longest), 0, 4096, checksumOf())?.lengthBytes, MAX_FRAME_BYTES);
});

/** A frame that bears 2^53 at `at` and is sealed. */
function frameWithTooMuch(at: number): Uint8Array {
  const bytes = frameAt(4096, { firstLsn: 1, entries: ["a"] });
  viewOf(bytes).setBigUint64(at, 2n ** 53n, true);
  checksumOf().seal(bytes, viewOf(bytes), 0, bytes.length, 4096);
  return bytes;
}

test("a first LSN of 0 or above 2^53 - 1 is refused", () => {
  assertEquals(readFrame(frameAt(4096, { firstLsn: 0, entries: ["a"] }), 4096), null);
  assertEquals(readFrame(frameWithTooMuch(16), 4096), null);
});

test("a synced LSN or a time above 2^53 - 1 in a frame is damage", () => {
  assertEquals([24, 32].map((at) => readFrame(frameWithTooMuch(at), 4096)), [null, null]);
});

// -- the footer's index

test("an index is read as it was written, and one that states too many points is read up to the most there are", () => {
  const points = Array.from(
    { length: MAX_INDEX_POINTS },
    (_, nth) => ({ lsn: nth + 1, offset: nth * 8, time: nth * 3 }),
  );
  const bytes = new Uint8Array(footerBytes(MAX_INDEX_POINTS));
  const view = viewOf(bytes);
  encodeIndex(view, 0, points);
  assertEquals(decodeIndex(view, 0), points);
  view.setUint32(FRAME_HEADER_BYTES, 0xffff_ffff, true);
  assertEquals(decodeIndex(view, 0), points);
  encodeIndex(view, 0, []);
  assertEquals(decodeIndex(view, 0), []);
});

// -- the lock file's mark

test("a mark that is torn vouches for nothing: it is the old one, the new one or none", () => {
  const old = { segmentId: 1, offset: 4152, lsn: 3 };
  const young = { segmentId: 2, offset: 70_000, lsn: 4000 };
  const [before, after] = [encodeLockMark(old, crc32), encodeLockMark(young, crc32)];
  assertEquals(decodeLockMark(before, crc32), old);
  for (let cut = 0; cut <= LOCK_MARK_BYTES; cut++) {
    const expected = cut === 0 ? old : cut >= 26 ? young : null; // the last bytes of both LSNs are zeros
    for (
      const [from, to, whole] of [[after, before, expected], [
        after,
        new Uint8Array(512),
        cut === 0 ? null : expected,
      ]] as const
    ) {
      assertEquals(decodeLockMark(joined(from.subarray(0, cut), to.subarray(cut)), crc32), whole, `cut at ${cut}`);
    }
    assertEquals(decodeLockMark(after.subarray(0, cut), crc32), cut < 32 ? null : young);
  }
});

test("a mark with any one bit turned over is none", () => {
  const bytes = encodeLockMark({ segmentId: 1, offset: 4152, lsn: 3 }, crc32);
  for (let bit = 0; bit < 32 * 8; bit++) assertEquals(decodeLockMark(withBitFlipped(bytes, bit), crc32), null);
});

test("a lock file without a mark, as a new one or one of something else is, has none", () => {
  assertEquals(decodeLockMark(new Uint8Array(LOCK_MARK_BYTES), crc32), null);
  assertEquals(decodeLockMark(new TextEncoder().encode("{}".repeat(256)), crc32), null);
});

test("a mark holds numbers up to 2^53 - 1, and one with more is none", () => {
  const most = { segmentId: MAX_NUMBER, offset: MAX_NUMBER, lsn: MAX_NUMBER };
  assertEquals(decodeLockMark(encodeLockMark(most, crc32), crc32), most);
  for (const at of [8, 16, 24]) {
    const bytes = encodeLockMark({ segmentId: 1, offset: 4152, lsn: 3 }, crc32);
    const view = viewOf(bytes);
    putU64(view, at, 2 ** 53);
    view.setUint32(0, crc32(bytes.subarray(4, 32), 0), true);
    assertEquals(decodeLockMark(bytes, crc32), null, `at ${at}`);
  }
});
