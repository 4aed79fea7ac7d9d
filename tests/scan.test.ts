// Reading frames off a file: every good one up to the first bad one, in whatever chunks, and every header behind that.

import { test } from "node:test";
import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { decodeEntries } from "../src/entry.ts";
import { FrameKind, HEADER_BYTES, MAX_FRAME_BYTES, MAX_NUMBER } from "../src/format.ts";
import type { RuntimeFile } from "../src/runtime/port.ts";
import { Random } from "../src/runtime/random.ts";
import { chunksOf, FrameScanner } from "../src/scan.ts";
import { faults } from "./support/faults.ts";
import { checksumOf, fileWith, frameAt, framesFrom, framesOf, joined, withBitFlipped } from "./support/frames.ts";
import { assertRejectsWithCode } from "./support/system_code.ts";

const zeros = (length: number): Uint8Array => new Uint8Array(length);

interface Scanned {
  /** The entries, each as `lsn text`; control frames as the name of their kind. */
  readonly told: string[];
  readonly endOffset: number;
  readonly nextLsn: number;
}

interface ScanOptions {
  readonly firstLsn?: number;
  readonly limitOffset?: number;
  readonly chunkBytes?: number;
  readonly readsAhead?: boolean;
}

/** Walks over a file as everyone does who scans one. */
async function scan(file: RuntimeFile, options: ScanOptions = {}): Promise<Scanned> {
  const { firstLsn = 1, limitOffset = await file.size(), chunkBytes = 1024, readsAhead = false } = options;
  const scanner = new FrameScanner(chunksOf(file), checksumOf(), HEADER_BYTES, firstLsn, limitOffset, chunkBytes);
  scanner.readsAhead = readsAhead;
  const told: string[] = [];
  const frames = [];
  let rounds = 0;
  for (let frame = scanner.take(); frame !== null || await scanner.more(); frame = scanner.take()) {
    if (frame !== null) frames.push(frame);
    assertLess(++rounds, 5000, "the scan does not come to an end");
  }
  for (const { header, bytes, view, at, offset, lastLsn } of frames) { // only now: their buffers are never used again
    assert(checksumOf().frameHolds(bytes, view, at, header.lengthBytes, offset));
    const kind = Object.entries(FrameKind).find(([, value]) => value === header.kind)?.[0] ?? "";
    if (header.count === 0) told.push(`${kind} to ${lastLsn}`);
    else {told.push(...(decodeEntries(bytes, view, at, header, 0, Infinity) ?? []).map((each) =>
        `${each.lsn} ${each.text()}`
      ));}
  }
  assertEquals([scanner.take(), await scanner.more()], [null, false]); // the end stays the end
  return { told, endOffset: scanner.offset, nextLsn: scanner.nextLsn };
}

async function scanBytes(bytes: Uint8Array, options: ScanOptions = {}): Promise<Scanned> {
  const found = await scan(await fileWith(bytes), options);
  assertEquals(await scan(await fileWith(bytes), { ...options, readsAhead: true }), found, "read ahead");
  return found;
}

const three = framesFrom(HEADER_BYTES, 1, [["a", "bc"], ["d".repeat(100)], ["e", "", "f".repeat(30)]]);
const ofThree = ["1 a", "2 bc", `3 ${"d".repeat(100)}`, "4 e", "5 ", `6 ${"f".repeat(30)}`];
const end = HEADER_BYTES + three.bytes.length;
const thirdAt = (three.offsets[2] ?? 0) - HEADER_BYTES;

// -- frames

test("frames are found across every border of chunks, be they smaller than a header or larger than the file", async () => {
  for (let chunkBytes = 1; chunkBytes <= 400; chunkBytes++) {
    for (const rest of [0, 4, 8, 100]) {
      const found = await scanBytes(joined(three.bytes, zeros(rest)), { chunkBytes });
      assertEquals(found, { told: ofThree, endOffset: end, nextLsn: 7 }, `chunks of ${chunkBytes}, ${rest} zeros`);
    }
  }
});

test("a file of many frames is read once, but for what a border of chunks cuts", async () => {
  const random = new Random(1);
  const { bytes } = framesFrom(
    HEADER_BYTES,
    1,
    Array.from({ length: 500 }, () => ["x".repeat(random.integer(0, 900))]),
  );
  const plan = faults();
  const found = await scan(await fileWith(bytes, plan.onCall), { chunkBytes: 64 * 1024 });
  assertEquals([found.told.length, found.endOffset], [500, HEADER_BYTES + bytes.length]);
  const read = plan.calls.reduce((sum, { name, length }) => name === "read" ? sum + length : sum, 0);
  assertLessOrEqual(read, bytes.length * 1.05);
});

test("while the frames of one chunk are looked at, the next one is read, and what is cut off is not read again", async () => {
  const { bytes } = framesFrom(HEADER_BYTES, 1, Array.from({ length: 400 }, () => ["x".repeat(60)]));
  const plan = faults();
  const file = await fileWith(bytes, plan.onCall);
  const chunkBytes = 4096;
  const size = await file.size();
  const scanner = new FrameScanner(chunksOf(file), checksumOf(), HEADER_BYTES, 1, size, chunkBytes);
  scanner.readsAhead = true;
  const reads: number[] = [];
  for (let chunk = 0; chunk < 4; chunk++) {
    assert(await scanner.more());
    reads.push(plan.calls.filter(({ name }) => name === "read").length);
    while (scanner.take() !== null);
  }
  assertEquals(reads, [1, 3, 4, 5]); // who looks something up needs no more than one
  assertEquals((await scan(file, { chunkBytes, readsAhead: true })).told.length, 400);
});

test("a chunk that could not be read ahead is told of when it is wanted, and can be asked for again", async () => {
  const { bytes } = framesFrom(HEADER_BYTES, 1, Array.from({ length: 100 }, () => ["x".repeat(60)]));
  const plan = faults();
  const file = await fileWith(bytes, plan.onCall);
  const scanner = new FrameScanner(chunksOf(file), checksumOf(), HEADER_BYTES, 1, await file.size(), 4096);
  scanner.readsAhead = true;
  plan.fail("read", { nth: 3 });
  let count = 0;
  for (let chunk = 0; chunk < 2; chunk++) {
    assert(await scanner.more());
    while (scanner.take() !== null) count++;
  }
  await assertRejectsWithCode(() => scanner.more(), "EIO");
  while (await scanner.more()) while (scanner.take() !== null) count++;
  assertEquals(count, 100);
});

test("a frame that is larger than a chunk is read in one piece", async () => {
  const { bytes } = framesFrom(HEADER_BYTES, 1, [["a"], ["x".repeat(100_000)], ["b"]]);
  for (const chunkBytes of [64, 1024, 100_000]) {
    const { told } = await scanBytes(bytes, { chunkBytes });
    assertEquals(told.map((each) => each.length), [3, 100_002, 3]);
  }
});

test("a file without a frame ends where it begins, and so does one of zeros", async () => {
  const nothing = { told: [], endOffset: HEADER_BYTES, nextLsn: 9 };
  for (const length of [0, 1, 8, 47, 48, 49, 56, 5000]) {
    assertEquals(await scanBytes(zeros(length), { firstLsn: 9 }), nothing, `${length} zeros`);
  }
});

test("a frame that is cut short at any byte ends the log before it, and those before it are there", async () => {
  const two = { told: ofThree.slice(0, 3), endOffset: HEADER_BYTES + thirdAt, nextLsn: 4 };
  for (let cut = thirdAt; cut < three.bytes.length; cut++) {
    const head = three.bytes.subarray(0, cut);
    assertEquals(await scanBytes(head), two, `the file ends at ${cut}`);
    assertEquals(await scanBytes(head, { limitOffset: end }), two, `the file ends at ${cut}, and should not`);
    const rest = three.bytes.length - cut;
    const isPadding = rest <= 2; // zeros in any case
    if (!isPadding) assertEquals(await scanBytes(joined(head, zeros(rest + 100))), two, `zeros from ${cut}`);
    assertEquals(await scanBytes(joined(head, zeros(rest).fill(0xaa)), { chunkBytes: 48 }), two, `others from ${cut}`);
  }
});

test("a frame with any one bit turned over ends the log just there", async () => {
  const secondAt = (three.offsets[1] ?? 0) - HEADER_BYTES;
  for (let bit = secondAt * 8; bit < thirdAt * 8; bit += 3) {
    const { told, endOffset } = await scanBytes(withBitFlipped(three.bytes, bit));
    assertEquals([told, endOffset], [ofThree.slice(0, 2), HEADER_BYTES + secondAt], `bit ${bit}`);
  }
});

test("behind the stated end nothing counts, however good it is", async () => {
  for (let limit = 0; limit <= three.bytes.length; limit++) {
    const ends = [...three.offsets.slice(1), end];
    const count = ends.filter((each) => each <= HEADER_BYTES + limit).length;
    const { told, endOffset } = await scanBytes(three.bytes, { limitOffset: HEADER_BYTES + limit });
    assertEquals([told.length, endOffset], [[0, 2, 3, 6][count], [HEADER_BYTES, ...ends][count]], `limit ${limit}`);
  }
});

test("a frame whose LSN is not the next one ends the log, however valid it is: an LSN left out, given twice, or of another log", async () => {
  for (const firstLsn of [1, 2, 4, 1000]) {
    const bytes = framesOf({ firstLsn: 1, entries: ["a", "b"] }, { firstLsn, entries: ["c"] });
    assertEquals((await scanBytes(bytes)).told, ["1 a", "2 b"]);
  }
  assertEquals((await scanBytes(three.bytes, { firstLsn: 2 })).told, []);
});

test("a skip leaves out just the LSNs that it names, and control frames take none", async () => {
  const bytes = framesOf(
    { firstLsn: 1, entries: ["a"] },
    { firstLsn: 2, kind: FrameKind.SKIP, payload: 9 },
    { firstLsn: 10, kind: FrameKind.IDLE, payload: 0 },
    { firstLsn: 10, kind: FrameKind.HEAD, payload: 5 },
    { firstLsn: 10, entries: ["b"] },
    { firstLsn: 11, kind: FrameKind.MARK, payload: 0 },
  );
  const { told, nextLsn } = await scanBytes(bytes);
  assertEquals(told, ["1 a", "SKIP to 9", "IDLE to 9", "HEAD to 9", "10 b", "MARK to 10"]);
  assertEquals(nextLsn, 11);
});

test("a skip that goes back, and LSNs that go beyond the last one there is, end the log", async () => {
  for (const payload of [0, 5, 8, MAX_NUMBER]) {
    const bytes = framesOf({ firstLsn: 10, kind: FrameKind.SKIP, payload }, { firstLsn: payload + 1, entries: ["a"] });
    assertEquals((await scanBytes(bytes, { firstLsn: 10 })).told, [], `to ${payload}`);
  }
  const last = MAX_NUMBER - 1;
  const entries = { firstLsn: last, entries: ["a"] };
  assertEquals((await scanBytes(framesOf(entries), { firstLsn: last })).nextLsn, MAX_NUMBER);
  assertEquals((await scanBytes(framesOf({ ...entries, entries: ["a", "b"] }), { firstLsn: last })).told, []);
  assertEquals(
    (await scanBytes(framesOf({ firstLsn: last, kind: FrameKind.SKIP, payload: last }), { firstLsn: last })).nextLsn,
    MAX_NUMBER,
  );
});

test("a head frame that cuts what is not there ends the log", async () => {
  const a = { firstLsn: 1, entries: ["a"] };
  const b = { firstLsn: 2, entries: ["b"] };
  const scanned = (payload: number): Promise<{ nextLsn: number }> =>
    scanBytes(framesOf(a, { firstLsn: 2, kind: FrameKind.HEAD, payload }, b));
  assertEquals([(await scanned(2)).nextLsn, (await scanned(3)).nextLsn], [3, 2]);
});

test("a skip that is too short to say how far it goes ends the log, and is no slip of the reader", async () => {
  const bytes = framesOf({ firstLsn: 1, entries: ["a"] }, { firstLsn: 2, kind: FrameKind.SKIP });
  assertEquals((await scanBytes(bytes)).told, ["1 a"]);
});

test("leftovers of an earlier life of the file end the log, also where they fit in just so", async () => {
  const young = framesFrom(HEADER_BYTES, 1, [["young"]]);
  const end = HEADER_BYTES + young.bytes.length;
  for (const checksum of [checksumOf("ff".repeat(8)), checksumOf(undefined, 2)]) {
    const old = framesFrom(end, 2, [["old"], ["older"]], checksum);
    assertEquals((await scanBytes(joined(young.bytes, old.bytes))).told, ["1 young"]);
  }
  const moved = framesFrom(end + 8, 2, [["of this life, and from another place"]]);
  assertEquals((await scanBytes(joined(young.bytes, moved.bytes))).told, ["1 young"]);
});

// -- what a scan asks of memory and of the disk

test("a checked length that the file cannot hold is a torn frame, and nothing is allocated for it", async () => {
  const whole = framesFrom(HEADER_BYTES, 1, [["a"]]);
  const end = HEADER_BYTES + whole.bytes.length;
  for (const statedBytes of [128 * 1024, 1024 * 1024 + 8, MAX_FRAME_BYTES]) {
    for (const limitOffset of [undefined, end + statedBytes, MAX_NUMBER]) {
      const torn = frameAt(end, { firstLsn: 2, entries: ["b"], statedBytes });
      const plan = faults();
      const file = await fileWith(joined(whole.bytes, torn), plan.onCall);
      const found = await scan(file, limitOffset === undefined ? {} : { limitOffset });
      assertEquals([found.told, found.endOffset], [["1 a"], end]);
      for (const { length } of plan.calls) assertLessOrEqual(length, 1024);
    }
  }
});

test("a length that stays within a chunk, and that the file does not hold, is a torn frame too", async () => {
  const torn = frameAt(HEADER_BYTES, { firstLsn: 1, entries: ["a"], statedBytes: 512 });
  for (const limitOffset of [HEADER_BYTES + 512, MAX_NUMBER]) {
    assertEquals((await scanBytes(torn, { limitOffset })).told, []);
    assertEquals((await scanBytes(joined(torn, zeros(500)), { limitOffset })).told, []);
  }
});

test("a read that fails reaches whoever scans: what cannot be read is not the end", async () => {
  for (const nth of [1, 2, 3]) {
    const plan = faults().fail("read", { nth });
    const file = await fileWith(three.bytes, plan.onCall);
    await assertRejectsWithCode(() => scan(file, { chunkBytes: 64 }), "EIO");
  }
});
