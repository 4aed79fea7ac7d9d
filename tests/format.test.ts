// The format on disk: what its head comment and its rulers say is what the code does, and nothing that is not just so passes.

import { readFileSync } from "node:fs";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { getHex, putHex, viewOf } from "../src/bytes.ts";
import { decodeEntries } from "../src/entry.ts";
import {
  aligned,
  CONTROL_FRAME_BYTES,
  CONTROL_RESERVE_BYTES,
  encodeFrameHeader,
  encodeHeader,
  encodeIndex,
  encodeLockMark,
  ENTRY_HEADER_BYTES,
  footerBytes,
  FORMAT_VERSION,
  FRAME_HEADER_BYTES,
  FrameKind,
  HEADER_BYTES,
  LOCK_MARK_BYTES,
  MAX_FRAME_BYTES,
  MAX_INDEX_POINTS,
  MAX_NUMBER,
  parseSegmentName,
  parseSpareName,
  segmentName,
  SMALLEST_SEGMENT_BYTES,
  spareName,
  tornName,
} from "../src/format.ts";
import { settle } from "../src/options.ts";
import { checksumOf, frameAt, headerWith, joined, readFrame } from "./support/frames.ts";

const source = readFileSync("src/format.ts", "utf8");

function bytesOfU64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setBigUint64(0, value, true);
  return bytes;
}

function bytesOfHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  putHex(bytes, 0, hex);
  return bytes;
}

// -- the worked example

/** The example as it stands in the head comment of the format. */
function workedExample(): { readonly bytes: Uint8Array<ArrayBuffer>; readonly salt: string; readonly offset: number } {
  const text = source.slice(source.indexOf("## A worked example"), source.indexOf("## Downsides"));
  const bytes: number[] = [];
  for (const [, address, pairs = ""] of text.matchAll(/^ \* ([0-9a-f]{2}) {2}((?:[0-9a-f]{2} )+) /gm)) {
    assertEquals(address, bytes.length.toString(16).padStart(2, "0"));
    bytes.push(...pairs.trim().split(" ").map((pair) => Number.parseInt(pair, 16)));
  }
  const offset = Number(/at offset (\d[\d,]*\d)/.exec(text)?.[1]?.replace(",", ""));
  return { bytes: new Uint8Array(bytes), salt: /with salt `([0-9a-f]+)`/.exec(text)?.[1] ?? "", offset };
}

test("the worked example is what the code writes, byte for byte", () => {
  const example = workedExample();
  const bytes = new Uint8Array(56);
  const view = viewOf(bytes);
  const kind = FrameKind.ENTRIES;
  encodeFrameHeader(view, 0, { kind, lengthBytes: 56, firstLsn: 1, count: 1, syncedLsn: 0, time: 1000 });
  bytes.set([2, 0, 0, 0, 7, ...new TextEncoder().encode("hi")], FRAME_HEADER_BYTES);
  checksumOf(example.salt, 1).seal(bytes, view, 0, 56, example.offset);
  assertEquals(getHex(bytes, 0, 56), getHex(example.bytes, 0, example.bytes.length));
});

test("the worked example is read back as what it says that it is", () => {
  const { bytes, salt, offset } = workedExample();
  assertEquals(offset, HEADER_BYTES);
  const header = readFrame(bytes, offset, checksumOf(salt, 1));
  assert(header !== null);
  assertEquals(header, { kind: 1, lengthBytes: 56, firstLsn: 1, count: 1, syncedLsn: 0, time: 1000 });
  const entries = decodeEntries(bytes, viewOf(bytes), 0, header, 1, 1) ?? [];
  assertEquals(entries.map(({ lsn, kind, time, data }) => [lsn, kind, time, ...data]), [[1, 7, 1000, 0x68, 0x69]]);
});

test("a stranger finds the two checksums by the grammar alone: one CRC-32 over the place and the bytes", () => {
  const { bytes, salt, offset } = workedExample();
  const place = joined(bytesOfHex(salt), bytesOfU64(1n), bytesOfU64(BigInt(offset)));
  const view = viewOf(bytes);
  assertEquals(view.getUint32(4, true), crc32(joined(place, bytes.subarray(8))));
  assertEquals(view.getUint32(0, true), crc32(joined(place, bytes.subarray(4, FRAME_HEADER_BYTES))));
});

// -- the rulers

/** The fields of the ruler above a function: where each lies, how long it is, and what it is. */
function rulerAbove(code: string): { at: number; length: number; name: string }[] {
  const before = source.slice(0, source.indexOf(`export function ${code}(`));
  const lines = before.slice(before.lastIndexOf("```text") + 7, before.lastIndexOf("```")).split("\n");
  const columns = lines.flatMap((line) => line.replace(/^ \* ?/, "").split(/ {2,}(?=\d+ +\d+ )/));
  return columns.flatMap((column) => {
    const [, at, length, name] = /^ *(\d+) +(\d+) (.*?) *$/.exec(column) ?? [];
    return name === undefined ? [] : [{ at: Number(at), length: Number(length), name }];
  });
}

/** Asserts that `bytes` are zeros but for the fields of the ruler, and that these hold what their names stand for. */
function assertRuled(
  bytes: Uint8Array,
  ruler: ReturnType<typeof rulerAbove>,
  values: Readonly<Record<string, string | number | Uint8Array>>,
): void {
  const expected = new Uint8Array(bytes.length);
  for (const { at, length, name } of ruler) {
    const value = values[name];
    assert(value !== undefined, `the ruler has a field "${name}" that the test does not know`);
    const field = typeof value === "string" ? bytesOfHex(value) : value;
    expected.set(typeof field === "number" ? bytesOfU64(BigInt(field)).subarray(0, length) : field, at);
  }
  assertEquals(ruler.map(({ name }) => name).sort(), Object.keys(values).sort());
  assertEquals(getHex(bytes, 0, bytes.length), getHex(expected, 0, expected.length));
}

test("each field of a segment's header lies where the ruler says, and nothing else lies there", () => {
  const header = headerWith();
  const bytes = encodeHeader(header, crc32);
  const checksum = crc32(bytes.subarray(8, 4092));
  assertRuled(bytes, rulerAbove("encodeHeader"), {
    'magic 00 "walstrm"': joined(new Uint8Array(1), new TextEncoder().encode("walstrm")),
    "version": FORMAT_VERSION,
    "required features": 0,
    "ignorable features": 0,
    "zero": 0,
    "log id": header.logId,
    "epoch": header.epoch.id,
    "parent epoch": header.epoch.parentId,
    "epoch's LSN": header.epoch.lsn,
    "segment id": header.id,
    "base LSN": header.baseLsn,
    "salt": header.salt,
    "predecessor's id": header.predecessor.id,
    "predecessor's end offset": header.predecessor.endOffset,
    "predecessor's last LSN": header.predecessor.lastLsn,
    "head": header.headLsn,
    "set": header.setId,
    "time": header.time,
    "preceding bytes": header.precedingBytes,
    "checksum of bytes 8 to 4091": checksum,
  });
});

test("each field of a frame's header lies where the ruler says", () => {
  const header = { kind: FrameKind.BATCH, lengthBytes: 48, firstLsn: 11, count: 12, syncedLsn: 13, time: 14 };
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  encodeFrameHeader(viewOf(bytes), 0, header);
  assertRuled(bytes, rulerAbove("encodeFrameHeader"), {
    "header checksum, of bytes 4 to 47": 0,
    "frame checksum, of bytes 8 to the end": 0,
    'magic "frm1"': new TextEncoder().encode("frm1"),
    "length, a multiple of 8": 48,
    "first LSN": 11,
    "synced LSN": 13,
    "time": 14,
    "count": 12,
    "kind": FrameKind.BATCH,
    "zeros": 0,
  });
});

test("a footer's index, a control frame's payload and the lock file's mark lie where their comments say", () => {
  const points = [{ lsn: 1, offset: 4096, time: 5 }, { lsn: 9, offset: 70_000, time: 6 }];
  const footer = new Uint8Array(footerBytes(points.length));
  encodeIndex(viewOf(footer), 0, points);
  const numbers = [2n, 1n, 4096n, 5n, 9n, 70_000n, 6n].map(bytesOfU64);
  assertEquals(footer, joined(new Uint8Array(FRAME_HEADER_BYTES), ...numbers));

  const skip = frameAt(HEADER_BYTES, { kind: FrameKind.SKIP, firstLsn: 5, payload: 77 });
  assertEquals(skip.subarray(FRAME_HEADER_BYTES), bytesOfU64(77n));

  const mark = encodeLockMark({ segmentId: 3, offset: 5000, lsn: 8 }, crc32);
  const body = joined(new TextEncoder().encode("mark"), ...[3n, 5000n, 8n].map(bytesOfU64));
  const checksum = bytesOfU64(BigInt(crc32(body))).subarray(0, 4);
  assertEquals(mark, joined(checksum, body, new Uint8Array(LOCK_MARK_BYTES - 32)));
});

// -- limits

test("what a segment keeps back holds a skip, a mark, another skip and frame, and the largest footer", () => {
  assertLessOrEqual(4 * CONTROL_FRAME_BYTES + footerBytes(MAX_INDEX_POINTS), CONTROL_RESERVE_BYTES);
  assertEquals(SMALLEST_SEGMENT_BYTES, HEADER_BYTES + CONTROL_RESERVE_BYTES);
  assertEquals(CONTROL_FRAME_BYTES, frameAt(0, { kind: FrameKind.MARK, firstLsn: 1, payload: 0 }).length);
});

test("the largest entry that the options allow fits into the longest frame, and its length into 32 bits", () => {
  const { maxEntryBytes } = settle({ maxEntryBytes: MAX_FRAME_BYTES / 2 });
  assertLessOrEqual(aligned(FRAME_HEADER_BYTES + ENTRY_HEADER_BYTES + maxEntryBytes), MAX_FRAME_BYTES);
  assertLessOrEqual(MAX_FRAME_BYTES, 0xffff_ffff);
});

test("frames begin at multiples of 8, whatever they hold", () => {
  assertEquals([0, 1, 7, 8, 9, MAX_FRAME_BYTES - 1].map(aligned), [0, 8, 8, 8, 16, MAX_FRAME_BYTES]);
  for (let length = 0; length < 20; length++) {
    assertEquals(frameAt(0, { firstLsn: 1, entries: ["x".repeat(length)] }).length % 8, 0);
  }
});

// -- names

test("a segment's name says what it was made of, up to the largest numbers", () => {
  const numbers = [[1, 0, 1], [12, 3, 4567], [9_999_999_999, 9_999_999_998, 1], [
    MAX_NUMBER,
    MAX_NUMBER - 1,
    MAX_NUMBER,
  ]];
  for (const [id = 0, predecessorId = 0, baseLsn = 0] of numbers) {
    const name = segmentName(id, predecessorId, baseLsn);
    assertEquals(parseSegmentName(name), { name, id, predecessorId, baseLsn });
  }
  assertEquals(segmentName(12, 3, 4567), "0000000012-0000000003-0000000000004567.wal");
  assertEquals(spareName(4), "spare-0000000004.wal");
  assertEquals(parseSpareName("spare-0000000004.wal"), 4);
  assertEquals(tornName(12, 4152), "torn-0000000012-4152.bin");
});

test("segments in the order of their names are in the order of their ids, as long as ten digits do", () => {
  const ids = [1, 9, 10, 99, 100, 1_000_000_000, 9_999_999_999];
  const names = ids.map((id) => segmentName(id, id - 1, 1));
  assertEquals([...names].sort(), names);
});

test("a name that is nearly a segment's is none", () => {
  const names = [
    "",
    "lock",
    "0000000001-0000000000-0000000000000001",
    "0000000001-0000000000-0000000000000001.WAL",
    "0000000001-0000000000-0000000000000001.wal ",
    "0000000001-0000000000-0000000000000001.wal\n",
    "0000000001-0000000000-0000000000000001.wal.bak",
    "copy of 0000000001-0000000000-0000000000000001.wal",
    "./0000000001-0000000000-0000000000000001.wal",
    "000000001-0000000000-0000000000000001.wal", // a digit is missing
    "0000000001-000000000-0000000000000001.wal",
    "0000000001-0000000000-000000000000001.wal",
    "00000000001-0000000000-0000000000000001.wal", // a zero too many
    "0000000001-00000000000-0000000000000001.wal",
    "0000000001-0000000000-00000000000000001.wal",
    "0000000001_0000000000_0000000000000001.wal",
    "000000000a-0000000000-0000000000000001.wal",
    "+000000001-0000000000-0000000000000001.wal",
    "٠٠٠٠٠٠٠٠٠١-0000000000-0000000000000001.wal",
    "0000000000-0000000000-0000000000000001.wal", // ids begin with 1
    "0000000001-0000000000-0000000000000000.wal", // and so do LSNs
    "spare-0000000001.wal",
  ];
  for (const name of names) assertEquals(parseSegmentName(name), null, name);
});

test("a segment's name with a number that is not exact, or with a predecessor that came after it, is none", () => {
  const names = [
    "9007199254740992-0000000000-0000000000000001.wal", // 2^53
    "9007199254740993-0000000000-0000000000000001.wal",
    "9999999999999999-0000000000-0000000000000001.wal",
    "0000000001-0000000000-9007199254740992.wal",
    "0000000002-9007199254740992-0000000000000001.wal",
    "0000000002-0000000002-0000000000000001.wal",
    "0000000001-0000000002-0000000000000001.wal", // with the other way round: whoever walks down goes in a circle
  ];
  for (const name of names) assertEquals(parseSegmentName(name), null, name);
});

test("a name that is nearly a spare's is none", () => {
  const names = [
    "spare-000000001.wal",
    "spare-0000000001",
    "spare-0000000001.wal\n",
    "Spare-0000000001.wal",
    "spare-000000000x.wal",
    "spare--000000001.wal",
    "xspare-0000000001.wal",
    "0000000001-0000000000-0000000000000001.wal",
  ];
  for (const name of names) assertEquals(parseSpareName(name), null, name);
});

test("a spare's name that no log gives is none: the next number after it must be one", () => {
  for (const digits of ["00000000001", "9007199254740992", "9007199254740993", "9999999999999999"]) {
    assertEquals(parseSpareName(`spare-${digits}.wal`), null, digits);
  }
});
