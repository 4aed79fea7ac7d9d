// What waits to be written: entries of every form lie as they were handed over, and what is refused leaves nothing behind.

import { test } from "node:test";
import { assert, assertEquals, assertLessOrEqual, assertStrictEquals, assertThrows } from "@std/assert";
import type { EntryInput } from "../src/entry.ts";
import { WalInputError, WalLimitError } from "../src/errors.ts";
import { ENTRY_HEADER_BYTES, FRAME_HEADER_BYTES, FRAME_TARGET_BYTES, MAX_APPEND_KIND } from "../src/format.ts";
import type { Pending } from "../src/pending.ts";
import { Random } from "../src/runtime/random.ts";
import { bytesOf, entriesIn, framesIn, loose, newPending } from "./support/pending_entries.ts";
import { joined } from "./support/frames.ts";

const encoder = new TextEncoder();

/** The data of a single entry that was taken. */
function encoded(input: EntryInput): Uint8Array {
  const pending = newPending();
  pending.add(input, 1);
  const [frame] = framesIn(pending);
  assertEquals(frame?.entries.length, 1);
  return frame?.entries[0]?.[1] ?? new Uint8Array(0);
}

// -- forms

test("an entry lies there as its bytes in whatever form it was handed over: bytes, text, parts, with a kind or without", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(2));
  shared.set([1, 2]);
  const inputs: [EntryInput, number, readonly number[]][] = [
    [new Uint8Array([1, 2]), 0, [1, 2]],
    [new Uint8Array(0), 0, []],
    [new Uint8Array([9, 1, 2, 9]).subarray(1, 3), 0, [1, 2]],
    [new (class Own extends Uint8Array {})([1, 2]), 0, [1, 2]],
    [shared, 0, [1, 2]],
    ["", 0, []],
    ["az", 0, [97, 122]],
    [{ data: new Uint8Array([1]) }, 0, [1]],
    [{ data: "a", kind: 7 }, 7, [97]],
    [{ data: [], kind: 0 }, 0, []],
    [{ data: [new Uint8Array([1]), new Uint8Array(0), new Uint8Array([2, 3])], kind: MAX_APPEND_KIND }, 191, [1, 2, 3]],
    [Object.freeze({ data: Object.freeze([new Uint8Array([5])]) }), 0, [5]],
  ];
  const pending = newPending();
  inputs.forEach(([input], nth) => pending.add(input, 10 + nth));
  const frames = framesIn(pending);
  assertEquals(frames.map(({ isBatch, firstLsn }) => [isBatch, firstLsn]), [[false, 10]]);
  const entries = frames[0]?.entries.map(([kind, data]) => [kind, [...data]]);
  assertEquals(entries, inputs.map(([, kind, data]) => [kind, data]));
});

test("text is stored as UTF-8, of every length, and a lone surrogate as what stands for one", () => {
  const characters = ["a", "é", "€", "😀", "\ud800", "\udfff", "\u0000", "\ufeff"];
  for (const first of characters) {
    for (const last of characters) {
      for (let middle = 0; middle < 10; middle++) {
        const text = first + "x".repeat(middle) + last;
        assertEquals(encoded(text), encoder.encode(text));
      }
    }
  }
});

test("long text is stored as UTF-8 too, whether it is encoded in place or outside", () => {
  for (const length of [64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 200_000]) {
    for (const character of ["a", "€"]) {
      const text = character.repeat(length - 1) + "\ud83d"; // half a character at the end
      const data = encoded(text);
      assertEquals(data.length, (length - 1) * (character === "a" ? 1 : 3) + 3);
      assertStrictEquals(new TextDecoder().decode(data), text.slice(0, -1) + "\ufffd");
    }
  }
});

test("what was handed over may be changed at once: it was copied", () => {
  const pending = newPending();
  const [bytes, part] = [bytesOf(3, 1), bytesOf(3, 2)];
  pending.add(bytes, 1);
  pending.add({ data: [part, part] }, 2);
  pending.addBatch([bytes, { data: [part] }], 3);
  bytes.fill(99);
  part.fill(99);
  const data = framesIn(pending).flatMap(({ entries }) => entries.map(([, data]) => data.join("")));
  assertEquals(data, ["111", "222222", "111", "222"]);
});

// -- frames

test("an entry that does not fit into the open frame begins the next one, whole, at whatever byte the first one ends", () => {
  const forms: ((length: number) => EntryInput)[] = [
    (length) => bytesOf(length, 0x7a),
    (length) => "z".repeat(length),
    (length) => ({ data: [bytesOf(length, 0x7a)] }),
  ];
  for (const form of forms) {
    for (let left = 0; left < 24; left++) { // so much of the frame is not used
      for (const length of [0, 1, 8, 12, 18, 19, 20, 100]) {
        const pending = newPending();
        const room = FRAME_TARGET_BYTES - FRAME_HEADER_BYTES - ENTRY_HEADER_BYTES - left;
        pending.add(bytesOf(room, 1), 1);
        pending.add(form(length), 2);
        pending.add(form(3), 3);
        const frames = framesIn(pending);
        const fits = ENTRY_HEADER_BYTES + length <= left;
        assertEquals(frames[0]?.entries.length, fits ? 2 + Number(13 + length <= left) : 1, `${length} into ${left}`);
        const all = frames.flatMap(({ entries }) =>
          entries.map(([, data]) => `${data.length} of ${data[0] ?? "nothing"}`)
        );
        assertEquals(all, [`${room} of 1`, `${length} of ${length === 0 ? "nothing" : 0x7a}`, `3 of ${0x7a}`]);
        for (const { lengthBytes } of frames) assertLessOrEqual(lengthBytes, FRAME_TARGET_BYTES);
      }
    }
  }
});

test("frames of entries are of at most 64 KiB, but for an entry that is larger itself, and are well filled", () => {
  const pending = newPending();
  const random = new Random(1);
  let dataBytes = 0;
  for (let lsn = 1; lsn <= 2000; lsn++) {
    const length = random.integer(0, 2000);
    dataBytes += ENTRY_HEADER_BYTES + length;
    pending.add(lsn % 2 === 0 ? bytesOf(length) : "x".repeat(length), lsn);
  }
  const frames = framesIn(pending);
  for (const { lengthBytes } of frames) assertLessOrEqual(lengthBytes, FRAME_TARGET_BYTES);
  assertLessOrEqual(frames.length, Math.ceil(dataBytes / (FRAME_TARGET_BYTES - 2100)));
});

test("an entry of more than 64 KiB has a frame of its own, and the entries before and after it have theirs", () => {
  for (
    const big of [bytesOf(100_000), "x".repeat(60_000) + "€".repeat(20_000), {
      data: [bytesOf(50_000), bytesOf(50_000)],
    }]
  ) {
    const pending = newPending();
    pending.add("before", 1);
    pending.add(big, 2);
    pending.add("after", 3);
    const counts = framesIn(pending).map(({ firstLsn, entries }) => [firstLsn, entries.length]);
    assertEquals(counts, [[1, 1], [2, 1], [3, 1]]);
  }
});

test("padding is zeros, also in a buffer that held something else before", () => {
  const pending = newPending();
  for (let length = 1; length <= 16; length++) {
    pending.add(bytesOf(70_000, 0xff), 1);
    pending.add(bytesOf(5000, 0xff), 2);
    pending.drop(2); // dropping all begins anew, in the same buffer
    pending.add(bytesOf(length, 0xee), 3);
    pending.addBatch([bytesOf(length, 0xee)], 4);
    pending.add("x".repeat(length), 5);
    assertEquals(framesIn(pending).length, 3); // which looks at the padding
    pending.clear();
  }
});

test("a batch is one frame, however large, and no other entry comes into it", () => {
  const pending = newPending();
  pending.add("a", 1);
  pending.addBatch(["b", { kind: 5, data: bytesOf(100_000) }, ""], 2);
  pending.addBatch(["c"], 5);
  pending.add("d", 6);
  pending.add("e", 7);
  const frames = framesIn(pending).map(({ isBatch, firstLsn, entries }) => [isBatch, firstLsn, entries.length]);
  assertEquals(frames, [[false, 1, 1], [true, 2, 3], [true, 5, 1], [false, 6, 2]]);
});

test("where each entry is written by itself, each has a frame of its own, and a batch still has one", () => {
  const pending = newPending({ maxEntries: 1 });
  pending.add("a", 1);
  pending.add("b", 2);
  pending.addBatch(["c", "d"], 3);
  pending.add("e", 5);
  const frames = framesIn(pending).map(({ isBatch, firstLsn, entries }) => [isBatch, firstLsn, entries.length]);
  assertEquals(frames, [[false, 1, 1], [false, 2, 1], [true, 3, 2], [false, 5, 1]]);
});

test("from the moment when each entry is to be written by itself, no other comes behind it", () => {
  const settings = { maxEntries: Infinity };
  const pending = newPending(settings);
  pending.add(bytesOf(1), 1);
  Object.assign(settings, { maxEntries: 1 });
  for (let lsn = 2; lsn <= 4; lsn++) pending.add(bytesOf(lsn), lsn);
  assertEquals(framesIn(pending).map(({ entries }) => entries.length), [2, 1, 1]);
});

// -- the buffer

test("the buffer grows and keeps what is there, whatever makes it grow", () => {
  const growers: ((pending: Pending, lsn: number) => number)[] = [
    (pending, lsn) => (pending.add(bytesOf(50_000, lsn), lsn), 1),
    (pending, lsn) => (pending.add(String.fromCharCode(lsn).repeat(30_000), lsn), 1),
    (pending, lsn) => (pending.add({ data: [bytesOf(20_000, lsn), bytesOf(40_000, lsn)] }, lsn), 1),
    (pending, lsn) => (pending.addBatch([bytesOf(50_000, lsn), bytesOf(50_000, lsn + 1)], lsn), 2),
  ];
  for (const grow of growers) {
    const pending = newPending();
    for (let lsn = 1; lsn < 60;) lsn += grow(pending, lsn);
    for (const { firstLsn, entries } of framesIn(pending)) {
      entries.forEach(([, data], nth) => assert(data.every((byte) => byte === firstLsn + nth)));
    }
    assertLessOrEqual(pending.bytes.length, 4 * pending.pendingBytes);
  }
});

test("an entry that moves on into a frame of its own keeps all its bytes, also where they go to the end of the buffer", () => {
  for (let left = 65_400; left < 65_536; left++) {
    const pending = newPending();
    pending.add(bytesOf(65_470, 1), 1);
    pending.add({ data: [bytesOf(left, 2)] }, 2); // it was put behind the first one, and does not fit there
    const [, frame] = framesIn(pending);
    const data = frame?.entries[0]?.[1] ?? new Uint8Array(0);
    assertEquals(data.length, left);
    assert(data.every((byte) => byte === 2), `${left} bytes`);
  }
});

test("what has been written is dropped frame by frame, and the rest is what it was", () => {
  const pending = newPending({ maxEntries: 1 });
  pending.addBatch(["entry 1", "entry 2"], 1);
  for (let lsn = 3; lsn <= 6; lsn++) pending.add(`entry ${lsn}`, lsn);
  const all = entriesIn(pending);
  pending.drop(2); // the batch, and one
  assertEquals(entriesIn(pending), all.slice(3));
  assertEquals(pending.pendingBytes, 3 * pending.frameBytes(0));
  pending.add("entry 7", 7);
  pending.drop(2);
  assertEquals(entriesIn(pending), [[6, 0, "entry 6"], [7, 0, "entry 7"]]);
  pending.drop(2);
  assertEquals([pending.frameCount, pending.count, pending.pendingBytes, pending.firstLsn], [0, 0, 0, null]);
  assertThrows(() => pending.frame(0));
  pending.add("entry 8", 8);
  assertEquals(entriesIn(pending), [[8, 0, "entry 8"]]);
});

test("a frame that is open counts as what it would be if it were closed now", () => {
  const pending = newPending();
  for (let length = 0; length < 20; length++) {
    pending.add(bytesOf(length), length + 1);
    const open = pending.frameBytes(0);
    assertEquals(open % 8, 0);
    assertLessOrEqual(pending.pendingBytes, open);
    assertLessOrEqual(open, pending.pendingBytes + 7);
  }
  const before = pending.frameBytes(0);
  pending.closeFrame();
  assertEquals([pending.frameBytes(0), pending.pendingBytes], [before, before]);
});

test("whatever comes in whatever order, what is held is what was taken", () => {
  const random = new Random(7);
  const pending = newPending({ maxEntryBytes: 150_000, maxBatchBytes: 300_000 });
  for (let round = 0; round < 200; round++) {
    const expected: Uint8Array[] = [];
    let lsn = 1;
    for (let nth = random.integer(1, 12); nth > 0; nth--) {
      const inputs = Array.from({ length: random.chance(0.3) ? random.integer(1, 4) : 1 }, () => randomInput(random));
      const isBatch = inputs.length > 1 || random.chance(0.1);
      const taken = inputs.map(({ data }) => data);
      try {
        if (isBatch) pending.addBatch(inputs.map(({ input }) => input), lsn);
        else pending.add(inputs[0]?.input ?? "", lsn);
        expected.push(...taken);
        lsn += inputs.length;
      } catch (error) {
        assert(error instanceof WalLimitError || error instanceof WalInputError, String(error));
      }
    }
    const held = framesIn(pending).flatMap(({ entries }) => entries.map(([, data]) => data));
    assertEquals(held.length, expected.length);
    held.forEach((data, nth) => assertStrictEquals(digest(data), digest(expected[nth] ?? new Uint8Array(0))));
    pending.clear();
  }
});

/** Bytes as text that is quick to compare. */
function digest(bytes: Uint8Array): string {
  let sum = 0;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0;
  return `${bytes.length} bytes, ${sum}`;
}

function randomInput(random: Random): { input: EntryInput; data: Uint8Array } {
  if (random.chance(0.05)) return { input: loose(null), data: new Uint8Array(0) };
  const length = random.pick([0, 1, 7, 8, 100, 5000, random.integer(0, 66_000), 160_000]);
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  if (random.chance(0.4)) return { input: bytes, data: bytes };
  if (random.chance(0.5)) {
    const text = Array.from(bytes.subarray(0, 30_000), (byte) => String.fromCharCode(byte * 16)).join("");
    return { input: { data: text }, data: encoder.encode(text) };
  }
  const cut = random.integer(0, length);
  return { input: { data: [bytes.subarray(0, cut), bytes.subarray(cut)] }, data: joined(bytes) };
}
