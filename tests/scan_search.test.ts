// The search behind the end of a log: every header of this life of the file, wherever it stands, and nothing else.

import { test } from "node:test";
import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { CONTROL_FRAME_BYTES, FRAME_HEADER_BYTES, FrameKind, HEADER_BYTES } from "../src/format.ts";
import { Random } from "../src/runtime/random.ts";
import { searchHeaders } from "../src/scan.ts";
import { faults } from "./support/faults.ts";
import {
  checksumOf,
  fileWith,
  frameAt,
  framesFrom,
  framesOf,
  type FrameWish,
  joined,
  withBitFlipped,
} from "./support/frames.ts";
import { assertRejectsWithCode } from "./support/system_code.ts";

const zeros = (length: number): Uint8Array => new Uint8Array(length);

interface SearchOptions {
  readonly offset?: number;
  readonly endOffset?: number;
}

/** The LSNs of all headers that are found from an offset on, and where. A search that does not come to an end fails. */
async function search(bytes: Uint8Array, { offset = HEADER_BYTES, endOffset }: SearchOptions = {}): Promise<string[]> {
  let reads = 0;
  const file = await fileWith(bytes, ({ name }) => name === "read" && ++reads > 20 ? { code: "EIO" } : undefined);
  const found: string[] = [];
  for await (const each of searchHeaders(file, checksumOf(), offset, endOffset ?? HEADER_BYTES + bytes.length)) {
    found.push(`${each.header.firstLsn} at ${each.offset - HEADER_BYTES}`);
  }
  return found;
}

test("the search comes to an end for every distance between its two offsets, wherever the file really ends", async () => {
  for (let distance = 0; distance <= 200; distance++) {
    for (const sizeBytes of [0, 1, 40, 47, 48, 49, 55, 56, 96, distance, 200]) {
      const endOffset = HEADER_BYTES + distance;
      assertEquals(await search(zeros(sizeBytes), { endOffset }), [], `${distance} bytes of a file of ${sizeBytes}`);
      assertEquals(await search(zeros(sizeBytes).fill(0xff), { endOffset }), []);
    }
  }
  assertEquals(await search(zeros(100), { offset: HEADER_BYTES + 100, endOffset: HEADER_BYTES }), []);
});

test("a header is found in every place that is a multiple of 8, up to the last one that has room for it", async () => {
  for (let at = 0; at <= 200; at += 8) {
    for (let behind = 0; behind <= 16; behind++) {
      const frame = frameAt(HEADER_BYTES + at, { firstLsn: 7, entries: [] });
      const bytes = joined(zeros(at), frame, zeros(behind));
      assertEquals(await search(bytes), [`7 at ${at}`], `${behind} bytes behind it`);
      assertEquals(await search(bytes, { endOffset: HEADER_BYTES + at + FRAME_HEADER_BYTES - 1 }), []);
      if (at > 0) assertEquals(await search(bytes, { offset: HEADER_BYTES + 8 }), [`7 at ${at}`]);
    }
  }
});

test("a header across the border of two chunks is found once, wherever the border cuts it", async () => {
  const chunkBytes = 1024 * 1024;
  for (let at = chunkBytes - 2 * CONTROL_FRAME_BYTES; at <= chunkBytes + 16; at += 8) {
    const frame = frameAt(HEADER_BYTES + at, { firstLsn: 7, entries: [] });
    for (const behind of [0, 1, 100]) {
      const bytes = joined(zeros(at), frame, zeros(behind));
      assertEquals(await search(bytes), [`7 at ${at}`]);
      assertEquals(await search(bytes, { endOffset: HEADER_BYTES + at + FRAME_HEADER_BYTES - 1 }), []);
    }
  }
});

test("headers that follow each other closely are all found, in their order", async () => {
  const wishes = [1, 2, 2, 5].map((firstLsn): FrameWish => ({ firstLsn, kind: FrameKind.IDLE, payload: 0 }));
  assertEquals(await search(framesOf(...wishes)), ["1 at 0", "2 at 56", "2 at 112", "5 at 168"]);
});

test("a header whose body is torn is found, and so is one that stands in another frame's body", async () => {
  const torn = frameAt(HEADER_BYTES, { firstLsn: 3, entries: ["x".repeat(200)] });
  torn.fill(0, 60);
  torn.set(frameAt(HEADER_BYTES + 96, { firstLsn: 4, entries: [] }), 96);
  assertEquals(await search(torn), ["3 at 0", "4 at 96"]);
});

test("leftovers of an earlier life, zeros and damage are passed over, and what is behind them is found", async () => {
  const random = new Random(2);
  const noise = zeros(104);
  random.fill(noise);
  const old = framesFrom(HEADER_BYTES + noise.length, 1, [["old"], ["older"]], checksumOf("ff".repeat(8)));
  const at = noise.length + old.bytes.length + 512;
  const young = frameAt(HEADER_BYTES + at, { firstLsn: 9, entries: ["young"] });
  const moved = frameAt(HEADER_BYTES, { firstLsn: 8, entries: ["of this life, from another place"] });
  assertEquals(await search(joined(noise, old.bytes, zeros(512), young, moved)), [`9 at ${at}`]);
});

test("a header between the places where one may stand is none", async () => {
  for (let shift = 1; shift < 8; shift++) {
    const frame = frameAt(HEADER_BYTES + shift, { firstLsn: 7, entries: [] });
    assertEquals(await search(joined(zeros(shift), frame, zeros(16))), []);
  }
});

test("a header with any one bit turned over is not found", async () => {
  const frame = frameAt(HEADER_BYTES, { firstLsn: 7, entries: [] });
  for (let bit = 0; bit < FRAME_HEADER_BYTES * 8; bit++) assertEquals(await search(withBitFlipped(frame, bit)), []);
});

test("a long file is searched in few reads of bounded size, and a read that fails reaches whoever searches", async () => {
  const plan = faults();
  plan.onEvery(() => plan.countCalls("read") > 20 ? { code: "EIO" } : undefined);
  const sizeBytes = 3 * 1024 * 1024;
  const file = await fileWith(zeros(sizeBytes), plan.onCall);
  for await (const found of searchHeaders(file, checksumOf(), HEADER_BYTES, HEADER_BYTES + sizeBytes)) {
    assert(found === null);
  }
  assertLess(plan.countCalls("read"), 6);
  for (const { length } of plan.calls) assertLessOrEqual(length, 1024 * 1024);
  plan.fail("read");
  const again = searchHeaders(file, checksumOf(), HEADER_BYTES, HEADER_BYTES + sizeBytes);
  await assertRejectsWithCode(() => again.next(), "EIO");
});
