// Entries as they come out of a frame, and frames that hold none of the kind.

import { test } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { viewOf } from "../src/bytes.ts";
import { decodeEntries, Entry } from "../src/entry.ts";
import { WalInputError } from "../src/errors.ts";
import { ENTRY_HEADER_BYTES, FRAME_HEADER_BYTES, FrameKind } from "../src/format.ts";
import { frameAt, joined } from "./support/frames.ts";

function entryOf(text: string | readonly number[]): Entry {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : new Uint8Array(text);
  return new Entry(1, 0, 0, joined(new Uint8Array(3), bytes, new Uint8Array(3)), 3, 3 + bytes.length);
}

/** The entries of a frame of these texts, beginning with LSN 10, of which `count` are stated, behind `change`. */
function entriesOf(
  texts: readonly string[],
  { count = texts.length, from = 0, to = Infinity, change = (_: DataView): void => {} } = {},
): string[] | null {
  const before = new Uint8Array(24).fill(0xee); // the frame is not the first in its chunk
  const bytes = joined(before, frameAt(4096, { firstLsn: 10, entries: texts })); // and it is the last
  const view = viewOf(bytes);
  change(new DataView(bytes.buffer, before.length + FRAME_HEADER_BYTES));
  const lengthBytes = bytes.length - before.length;
  const frame = { kind: FrameKind.ENTRIES, lengthBytes, firstLsn: 10, count, syncedLsn: 0, time: 5 };
  const entries = decodeEntries(bytes, view, before.length, frame, from, to);
  return entries?.map((entry) => `${entry.lsn} ${entry.text()}`) ?? null;
}

test("the entries of a frame come out in order, each with its LSN, those of no bytes too", () => {
  assertEquals(entriesOf(["a", "", "", "bcd"]), ["10 a", "11 ", "12 ", "13 bcd"]);
  assertEquals(entriesOf([]), []);
});

test("a range cuts a frame at any two entries, both included", () => {
  const texts = ["a", "b", "c"];
  const all = texts.map((text, nth) => `${10 + nth} ${text}`);
  for (let from = 9; from <= 14; from++) {
    for (let to = 8; to <= 14; to++) {
      const expected = all.filter((_, nth) => 10 + nth >= from && 10 + nth <= to);
      assertEquals(entriesOf(texts, { from, to }), expected, `${from} to ${to}`);
    }
  }
});

test("entries that do not fill their frame just so are refused: one too many, one too few, a length that is wrong", () => {
  const texts = ["a".repeat(8), "b".repeat(14)]; // with their headers four times 8 bytes: there is no padding
  assertEquals(entriesOf(texts, { count: 3 }), null);
  assertEquals(entriesOf(texts, { count: 1 }), null);
  assertEquals(entriesOf(texts, { count: 0xffff_ffff }), null);
  const setLength = (at: number, length: number) => (body: DataView) => body.setUint32(at, length, true);
  const second = ENTRY_HEADER_BYTES + 8;
  for (const length of [0, 100, 0xffff_ffff]) {
    assertEquals(entriesOf(texts, { change: setLength(0, length) }), null, `the first has ${length}`);
    assertEquals(entriesOf(texts, { change: setLength(second, length) }), null, `the second has ${length}`);
  }
});

test("an entry that ends behind its frame, or begins where there is no room for one, is refused", () => {
  const change = (body: DataView): void => body.setUint32(0, 12, true);
  assertEquals(entriesOf(["123456789"], { change }), null); // two bytes of padding, and it wants three
  for (const text of ["1234567", "12345678", "1234567890", "12345678901"]) { // four, three, one and none
    assertEquals(entriesOf([text], { count: 2 }), null); // no entry is so short
  }
});

test("data is a view of the frame's buffer, not a copy, and of that entry alone", () => {
  const bytes = joined(new Uint8Array(8), frameAt(4096, { firstLsn: 1, entries: ["one", "two"] }));
  const frame = { kind: FrameKind.BATCH, lengthBytes: 64, firstLsn: 1, count: 2, syncedLsn: 0, time: 7 };
  const [one, two] = decodeEntries(bytes, viewOf(bytes), 8, frame, 1, 2) ?? [];
  assert(one !== undefined && two !== undefined);
  assertStrictEquals(one.data.buffer, bytes.buffer);
  assertEquals([one.data.length, two.data.length], [3, 3]);
  one.data.fill(0x78);
  assertEquals([one.text(), two.text(), two.kind, two.time], ["xxx", "two", 0, 7]);
});

test("text that went in comes out, of every length of UTF-8", () => {
  for (const text of ["", "plain", "ä", "€", "😀", "a\u0000b", "line\r\n", "\u2028", "e\u0301"]) {
    assertEquals(entryOf(text).text(), text);
  }
});

test("a byte order mark is a character like any other: it comes out as it went in", () => {
  assertEquals(entryOf("\ufeffhello").text(), "\ufeffhello");
  assertEquals(entryOf("a\ufeff").text(), "a\ufeff");
});

test("bytes that are no UTF-8 are shown as such in text, and untouched in data", () => {
  const entry = entryOf([0x61, 0xff, 0xc3, 0x62]);
  assertEquals(entry.text(), "a\ufffd\ufffdb");
  assertEquals([...entry.data], [0x61, 0xff, 0xc3, 0x62]);
});

test("json is what was written, and where that is none an error of the log that names the LSN", () => {
  assertEquals(entryOf('{"a":[1,null,"ä"]}').json(), { a: [1, null, "ä"] });
  for (const text of ["", "{", "undefined"]) {
    const { cause } = assertThrows(() => entryOf(text).json(), WalInputError, "LSN 1 is no JSON: ");
    assertInstanceOf(cause, SyntaxError);
  }
});
