// The header block of a segment: read as it was written, or refused for what is wrong with it.

import { test } from "node:test";
import { crc32 } from "node:zlib";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { viewOf } from "../src/bytes.ts";
import { decodeHeader, encodeHeader, FORMAT_VERSION, HEADER_BYTES, MAX_NUMBER } from "../src/format.ts";
import { headerWith, joined, withBitFlipped } from "./support/frames.ts";

/** The block of a header that was written by somebody else: changed, with a checksum that is right again. */
function changedHeader(change: (view: DataView) => void): Uint8Array {
  const bytes = encodeHeader(headerWith(), crc32);
  change(viewOf(bytes));
  viewOf(bytes).setUint32(HEADER_BYTES - 4, crc32(bytes.subarray(8, HEADER_BYTES - 4), 0), true);
  return bytes;
}

test("a header is read as it was written, with the smallest numbers and with the largest", () => {
  const least = headerWith({
    ...{
      logId: "00".repeat(16),
      epoch: { id: "00".repeat(8), parentId: "00".repeat(8), lsn: 0 },
      salt: "00".repeat(8),
    },
    ...{ id: 1, baseLsn: 1, predecessor: { id: 0, endOffset: 0, lastLsn: 0 }, headLsn: 1, setId: 0, time: 0 },
  });
  const most = headerWith({
    ...{ logId: "ff".repeat(16), salt: "ff".repeat(8), id: MAX_NUMBER, baseLsn: MAX_NUMBER, headLsn: MAX_NUMBER },
    epoch: { id: "ff".repeat(8), parentId: "ff".repeat(8), lsn: MAX_NUMBER },
    ...{
      predecessor: { id: MAX_NUMBER - 1, endOffset: MAX_NUMBER, lastLsn: MAX_NUMBER - 1 },
      setId: MAX_NUMBER,
      time: MAX_NUMBER,
    },
  });
  for (const header of [headerWith(), least, most]) {
    assertEquals(decodeHeader(encodeHeader(header, crc32), crc32), header);
  }
});

test("a header that contradicts itself is damaged, however right its checksum is", () => {
  const { predecessor } = headerWith();
  const none = { id: 0, endOffset: 0, lastLsn: 1000 };
  for (
    const changes of [
      { baseLsn: 1002 },
      { headLsn: 0 },
      { predecessor: { ...predecessor, id: 7 } },
      { predecessor: { ...predecessor, endOffset: HEADER_BYTES } },
      { predecessor: none, headLsn: 1000 },
      { predecessor: { ...none, endOffset: 5000 }, headLsn: 1001 },
    ]
  ) {
    assertEquals(decodeHeader(encodeHeader(headerWith(changes), crc32), crc32), { fault: "damaged" });
  }
});

test("a header with any one bit turned over is damaged, never accepted and never taken for a later version", () => {
  const bytes = encodeHeader(headerWith(), crc32);
  for (let bit = 0; bit < HEADER_BYTES * 8; bit++) {
    assertEquals(decodeHeader(withBitFlipped(bytes, bit), crc32), { fault: "damaged" }, `bit ${bit}`);
  }
});

test("a header of which one sector is lost is damaged, whichever it is", () => {
  const bytes = encodeHeader(headerWith(), crc32);
  for (const sector of [0, HEADER_BYTES / 512 - 1]) { // the others hold nothing
    const torn = bytes.slice().fill(0, sector * 512, (sector + 1) * 512);
    assertEquals(decodeHeader(torn, crc32), { fault: "damaged" }, `sector ${sector}`);
  }
});

test("a block of zeros, a file that is too short and an overwritten magic number were headers once", () => {
  const bytes = encodeHeader(headerWith(), crc32);
  assertEquals(decodeHeader(new Uint8Array(HEADER_BYTES), crc32), { fault: "damaged" });
  for (const length of [0, 1, 512, HEADER_BYTES - 1]) {
    assertEquals(decodeHeader(bytes.subarray(0, length), crc32), { fault: "damaged" }, `${length} bytes`);
  }
  assertEquals(decodeHeader(joined(new TextEncoder().encode("SQLite 3"), bytes.subarray(8)), crc32), {
    fault: "damaged",
  });
});

test("a file of something else is no segment, however much it looks like a log from afar", () => {
  const text = new Uint8Array(HEADER_BYTES).fill(0x61);
  const shifted = joined(new TextEncoder().encode("walstrm"), encodeHeader(headerWith(), crc32)).subarray(
    0,
    HEADER_BYTES,
  );
  for (const bytes of [text, shifted]) assertEquals(decodeHeader(bytes, crc32), { fault: "no-segment" });
});

test("a header of a later version, or of version 0, is refused by its number", () => {
  for (const version of [0, FORMAT_VERSION + 1, 0xffff_ffff]) {
    const fault = decodeHeader(changedHeader((view) => view.setUint32(8, version, true)), crc32);
    assertEquals(fault, { fault: "future", what: `it has format version ${version}` });
  }
});

test("each feature bit that is required and not known is refused by name", () => {
  for (let bit = 0; bit < 32; bit++) {
    const fault = decodeHeader(changedHeader((view) => view.setUint32(12, (1 << bit) >>> 0, true)), crc32);
    assert("fault" in fault && fault.fault === "future");
    assertStringIncludes(fault.what, `0x${(2 ** bit).toString(16)}`);
  }
});

test("feature bits that may be ignored are, and so are bytes that a later version may use", () => {
  for (let bit = 0; bit < 32; bit++) {
    const bytes = changedHeader((view) => view.setUint32(16, (1 << bit) >>> 0, true));
    assertEquals(decodeHeader(bytes, crc32), headerWith());
  }
  assertEquals(decodeHeader(changedHeader((view) => view.setUint32(144, 1, true)), crc32), headerWith());
});

test("a number above 2^53 - 1 in a header is damage", () => {
  const numbers = [56, 64, 72, 88, 96, 104, 112, 120, 128, 136];
  const faults = numbers.map((at) =>
    decodeHeader(changedHeader((view) => view.setBigUint64(at, 2n ** 53n, true)), crc32)
  );
  assertEquals(faults, numbers.map(() => ({ fault: "damaged" })));
});
