// What happens to the bytes of an entry on their way through memory: how often they are copied, and what buffers are
// made for them. There is no clock in it. An entry is copied once, into the buffer that is written as it is: that
// lets its owner have it back at once, and whatever gathers go out in one write. From there on nothing is copied,
// neither for the frame nor for the checksum, which are put around the bytes where they lie. On the way out a chunk
// is read, and entries are views of it. Where it is more than that, the test says why.
//
// The two buffers of a log grow to the largest flush and stay so; they are warm here, but where something else is
// said.

import { test } from "node:test";
import { assertEquals, assertLess } from "@std/assert";
import { type EntryInput, splitLines, Wal } from "../mod.ts";
import { copiesOf, type CopyCounts } from "./support/copies.ts";
import { appendAll, commitInTurn, exhaust } from "./support/log_use.ts";
import { PlainRuntime } from "./support/plain_runtime.ts";
import { repeatingSource } from "./support/repeating_source.ts";

const KIB = 1024;
const MIB: number = 1024 * KIB;
const NOTHING: CopyCounts = { copies: 0, copiedBytes: 0, buffers: 0, bufferBytes: 0 };

const small: Uint8Array = new Uint8Array(100);
const array: readonly Uint8Array[] = Array.from({ length: 64 }, () => small);

/** On a disk whose own copies are not counted. */
function open(): Promise<Wal> {
  return Wal.open("/wal", { runtime: new PlainRuntime(), segmentBytes: 0 });
}

/** What a workload copies when it is done for the third time: either buffer has had its turn. */
async function copiesWarm(workload: (wal: Wal) => Promise<unknown>): Promise<CopyCounts> {
  const wal = await open();
  for (let turn = 0; turn < 2; turn++) await workload(wal);
  const copies = await copiesOf(() => workload(wal));
  await wal.close();
  return copies;
}

function appending(input: EntryInput, count: number): (wal: Wal) => Promise<unknown> {
  return (wal) => appendAll(wal, input, count);
}

test("copies: bytes that are appended are copied once, small and large ones, and no buffer is made", async () => {
  assertEquals(await copiesWarm(appending(small, 10_000)), { ...NOTHING, copies: 10_000, copiedBytes: 1_000_000 });
  const of40Kib = appending(new Uint8Array(40 * KIB), 100);
  assertEquals(await copiesWarm(of40Kib), { ...NOTHING, copies: 100, copiedBytes: 100 * 40 * KIB });
  const of1Mib = appending(new Uint8Array(MIB), 16);
  assertEquals(await copiesWarm(of1Mib), { ...NOTHING, copies: 16, copiedBytes: 16 * MIB });
});

test("copies: a commit copies its bytes once, in whatever company", async () => {
  const inTurn = (wal: Wal): Promise<void> => commitInTurn(wal, small, 1000);
  assertEquals(await copiesWarm(inTurn), { ...NOTHING, copies: 1000, copiedBytes: 100_000 });
  const together = (wal: Wal): Promise<unknown> => Promise.all(array.map((entry) => wal.commit(entry)));
  assertEquals(await copiesWarm(together), { ...NOTHING, copies: 64, copiedBytes: 6400 });
  const batch = (wal: Wal): Promise<unknown> => wal.commitBatch(array);
  assertEquals(await copiesWarm(batch), { ...NOTHING, copies: 64, copiedBytes: 6400 });
});

test("copies: a stream copies its entries once, in arrays and one by one", async () => {
  const arrays = (wal: Wal): Promise<unknown> => repeatingSource(array, 100).pipeTo(wal.writable());
  assertEquals(await copiesWarm(arrays), { ...NOTHING, copies: 6400, copiedBytes: 640_000 });
  const oneByOne = (wal: Wal): Promise<unknown> => repeatingSource(small, 1000).pipeTo(wal.writable());
  assertEquals(await copiesWarm(oneByOne), { ...NOTHING, copies: 1000, copiedBytes: 100_000 });
});

test("copies: an array of parts is copied once, each part by itself", async () => {
  const parts = appending({ data: [small, small] }, 300); // all of them in one frame
  assertEquals(await copiesWarm(parts), { ...NOTHING, copies: 600, copiedBytes: 60_000 });
});

// How long it is, is known only when it lies behind the open frame: what then does not fit in there moves on. Of
// entries of 100 bytes that is one in 624.
test("copies: text is encoded where it will be written", async () => {
  const expected = { ...NOTHING, copies: 10_000, copiedBytes: 1_000_000 };
  assertEquals(await copiesWarm(appending("a".repeat(100), 10_000)), expected);
});

test("copies: text of more than 64 KiB is encoded outside, because it might take three times the room", async () => {
  const expected = { copies: 20, copiedBytes: 2 * 1_000_000, buffers: 10, bufferBytes: 1_000_000 };
  assertEquals(await copiesWarm(appending("a".repeat(100_000), 10)), expected);
});

test("copies: what goes through acknowledge() is copied once more, because it is kept until it comes out", async () => {
  const through = (wal: Wal): Promise<void> =>
    exhaust(repeatingSource(array, 100).pipeThrough(wal.acknowledge({ batches: true })));
  const expected = { copies: 12_800, copiedBytes: 1_280_000, buffers: 6400, bufferBytes: 640_000 };
  assertEquals(await copiesWarm(through), expected);
});

test("copies: what is large and says its kind is put where it stays", async () => {
  const of40Kib = appending({ kind: 7, data: new Uint8Array(40 * KIB) }, 10);
  assertEquals(await copiesWarm(of40Kib), { ...NOTHING, copies: 10, copiedBytes: 10 * 40 * KIB });
});

// Of text only the least that it may take is known before it is encoded.
test("copies: text that turns out longer than its frame has room for moves on", async () => {
  const of30Kib = appending("\u20ac".repeat(15 * KIB), 2);
  assertEquals(await copiesWarm(of30Kib), { ...NOTHING, copies: 3, copiedBytes: 3 * 45 * KIB + 5 });
});

test("copies: lines are views of the chunk in which they came, and are copied once, into the log", async () => {
  const chunk = new TextEncoder().encode(`${"a".repeat(99)}\n`.repeat(64));
  const lines = (wal: Wal): Promise<void> =>
    repeatingSource(chunk, 10).pipeThrough(splitLines()).pipeTo(wal.writable());
  assertEquals(await copiesWarm(lines), { ...NOTHING, copies: 640, copiedBytes: 640 * 99 });
});

// From 64 KiB on a buffer doubles, and what it holds goes along.
test("copies: in a new log the growth of a buffer copies less, all in all, than it holds in the end", async () => {
  const wal = await open();
  await wal.commit(small);
  const { copies, copiedBytes } = await copiesOf(() => appendAll(wal, small, 10_000));
  const doubledBytes = [64, 128, 256, 512, 1024].map((kib) => kib * KIB);
  const grownBytes = doubledBytes.reduce((sum, bytes) => sum + bytes);
  assertEquals([copies, copiedBytes], [10_000 + doubledBytes.length, 1_000_000 + grownBytes]);
  assertLess(grownBytes, 2 * MIB);
  await wal.close();
});

/** What reading all of it by batches copies. */
async function copiesOfReading(input: EntryInput, count: number): Promise<CopyCounts> {
  const wal = await open();
  await appendAll(wal, input, count);
  let entries = 0;
  const copies = await copiesOf(async () => {
    for await (const batch of wal.readable({ batches: true })) {
      entries += batch.filter(({ data }) => data.length > 0).length;
    }
  });
  assertEquals(entries, count);
  await wal.close();
  return copies;
}

/** A reader reads the block of the header, and keeps the 24 bytes of a frame's place; its first chunk is empty. */
const BEGINNING: CopyCounts = { ...NOTHING, buffers: 3, bufferBytes: 4096 + 24 };

test("copies: what is read by batches is read into one buffer a chunk, and copied no more", async () => {
  const { buffers, bufferBytes } = BEGINNING;
  // Frames of all but 64 KiB; of the 17th only the beginning lies in the first chunk, and that is read again.
  const [framesBytes, againBytes] = [1_050_832, 1152];
  const expected = { ...BEGINNING, buffers: buffers + 2, bufferBytes: bufferBytes + framesBytes + againBytes };
  assertEquals(await copiesOfReading(small, 10_000), expected);
});

// How long it is stands in its beginning.
test("copies: of what is larger than a chunk only the first is read twice: those behind it are taken to be as large", async () => {
  const { buffers, bufferBytes } = BEGINNING;
  const expected = { ...BEGINNING, buffers: buffers + 17, bufferBytes: bufferBytes + MIB + 16 * (MIB + 56) };
  assertEquals(await copiesOfReading(new Uint8Array(MIB), 16), expected);
});
