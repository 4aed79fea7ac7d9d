// Reading in the process that writes: ranges, seeks, gaps, damage, and how much of the log is in memory at once.

import { test } from "node:test";
import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertLess,
  assertLessOrEqual,
  assertRejects,
} from "@std/assert";
import { type Entry, WalCorruptionError, WalDiskFullError, WalError, WalFormatError, WalIoError } from "../mod.ts";
import { EVEN, evenText, frameAt, openEvenLog } from "./support/even_log.ts";
import { LogFixture, outcomeOf, pathOf, quiet, SEGMENT, soon } from "./support/log_fixture.ts";

function numbers(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, nth) => from + nth);
}

async function lsnsOf(log: LogFixture, from: number, to: number): Promise<number[]> {
  const lsns: number[] = [];
  for await (const entry of log.wal.readable({ from, to })) {
    assertEquals(entry.text(), evenText(entry.lsn));
    lsns.push(entry.lsn);
  }
  return lsns;
}

/** Reads until the error, and gives the LSNs before it. */
async function readToError(log: LogFixture, from = 1): Promise<{ lsns: number[]; error: unknown }> {
  const lsns: number[] = [];
  try {
    for await (const entry of log.wal.readable({ from })) lsns.push(entry.lsn);
  } catch (error) {
    return { lsns, error };
  }
  return { lsns, error: null };
}

// -- ranges

test("every range of a log of several segments is read just so, now and after it was opened again", async () => {
  const log = await openEvenLog(11);
  assertEquals(log.segments().length, 3);
  for (const isAgain of [false, true]) {
    if (isAgain) await log.reopen();
    for (const from of numbers(1, 12)) {
      for (const to of numbers(0, 11)) assertEquals(await lsnsOf(log, from, to), numbers(from, to));
    }
  }
});

test("a range begins and ends within frames and batches", async () => {
  const log = new LogFixture(EVEN);
  await log.open();
  await log.commit(...numbers(1, 3).map(evenText)); // one frame
  await log.wal.commitBatch(numbers(4, 6).map(evenText));
  await log.commit(evenText(7));
  for (const from of numbers(1, 7)) {
    for (const to of numbers(1, 7)) assertEquals(await lsnsOf(log, from, to), numbers(from, to));
  }
  const batches: Entry[][] = [];
  for await (const batch of log.wal.readable({ from: 2, to: 5, batches: true })) batches.push(batch);
  assertEquals(batches.map((batch) => batch.map(({ lsn }) => lsn)), [[2, 3], [4, 5]]);
});

test("LSNs that were rejected are gaps, at the start of a range, in it and at its end", async () => {
  const log = await openEvenLog(2, { ...EVEN, spares: 0 });
  log.fillDisk();
  const outcome = await outcomeOf(log.wal.commitBatch(["x".repeat(3000), "y".repeat(3000)])); // LSN 3 and 4
  assertInstanceOf(outcome.state === "rejected" ? outcome.error : null, WalDiskFullError);
  log.freeDisk();
  await log.commit(evenText(5), evenText(6));
  for (const isAgain of [false, true]) {
    if (isAgain) await log.crashAndReopen();
    assertEquals(await lsnsOf(log, 1, 6), [1, 2, 5, 6]);
    assertEquals(await lsnsOf(log, 3, 6), [5, 6]);
    assertEquals(await lsnsOf(log, 4, 5), [5]);
    assertEquals(await lsnsOf(log, 2, 4), [2]);
    assertEquals(await lsnsOf(log, 3, 4), []);
  }
});

test("a stream goes on over the rotations that happen while it is read", async () => {
  const log = await openEvenLog(3);
  const reader = log.wal.readable().getReader();
  assertEquals((await reader.read()).value?.lsn, 1);
  for (const lsn of numbers(4, 14)) await log.commit(evenText(lsn));
  assertEquals([(await reader.read()).value?.lsn, (await reader.read()).value?.lsn], [2, 3]);
  assertEquals((await reader.read()).done, true);
});

test("many streams at once, while the log is written and rotated, each see what was durable when they were made", async () => {
  const log = await openEvenLog(2);
  const streams: Promise<number[]>[] = [];
  for (const lsn of numbers(3, 30)) {
    streams.push(lsnsOf(log, 1, lsn - 1));
    await log.commit(evenText(lsn));
  }
  assertEquals((await Promise.all(streams)).map((lsns) => lsns.length), numbers(2, 29));
});

// -- how much is read

test("nothing is read before somebody asks, and then no more than one chunk ahead", async () => {
  const log = new LogFixture({ segmentBytes: 0 });
  await log.open();
  for (let i = 0; i < 120; i++) await log.commit("x".repeat(60_000));
  await log.advance(1000);
  const from = log.faults.calls.length;
  const readBytes = (): number => log.calls("read", undefined, from).reduce((sum, { length }) => sum + length, 0);
  const reader = log.wal.readable().getReader();
  await quiet();
  assertEquals(readBytes(), 0);
  await reader.read();
  await quiet();
  assertLessOrEqual(readBytes(), 1_100_000); // a header and one chunk
  for (let i = 0; i < 40; i++) await reader.read();
  assertLess(readBytes(), 4_300_000); // 2.4 MB were asked for: three chunks, and one that is read ahead
  await reader.cancel();
});

test("a reader holds one frame or one chunk in one piece, whatever the log's size", async () => {
  const log = new LogFixture({ segmentBytes: 0 });
  await log.open();
  for (let i = 0; i < 60; i++) await log.commit("x".repeat(60_000));
  await log.wal.commitBatch([new Uint8Array(1_500_000), new Uint8Array(1_500_000)]);
  const from = log.faults.calls.length;
  const buffers = new Set<ArrayBufferLike>();
  for await (const { data } of log.wal.readable()) buffers.add(data.buffer);
  const longest = Math.max(...[...buffers].map(({ byteLength }) => byteLength));
  assertGreater(longest, 3_000_000);
  assertLess(longest, 3_001_000); // the batch; all else in chunks of 1 MiB
  assertGreaterOrEqual(buffers.size, 5);
  assertEquals(Math.max(...log.calls("read", undefined, from).map(({ length }) => length)), longest);
});

test("a seek in the last segment begins near its LSN, also after the log was opened again", async () => {
  const log = new LogFixture({ segmentBytes: 0 });
  await log.open();
  for (let i = 0; i < 60; i++) await log.commit("x".repeat(60_000));
  for (const isAgain of [false, true]) {
    if (isAgain) await log.reopen();
    const from = log.faults.calls.length;
    assertEquals((await log.readAll({ from: 50, to: 50 })).length, 1);
    const [first] = log.calls("read", undefined, from).filter(({ position }) => position > 0);
    assertGreater(first?.position ?? 0, 46 * 60_000);
    assertLessOrEqual(first?.position ?? 0, 50 * 60_000 + 4096);
  }
});

// -- damage

test("damage in a sealed segment ends the stream at its place, with the entries before it", async () => {
  const log = await openEvenLog(7);
  const [segment = ""] = log.segments();
  log.disk.flipBit(pathOf(segment), frameAt(3) + 200, 5);
  for (const isAgain of [false, true]) {
    if (isAgain) await log.reopen(); // opening looks at the last two headers and the last segment alone
    const { lsns, error } = await readToError(log);
    assertEquals(lsns, [1, 2]);
    assertInstanceOf(error, WalCorruptionError);
    const { segment: name, offset, lsn, evidence } = error;
    assertEquals({ name, offset, lsn, evidence }, { name: segment, offset: frameAt(3), lsn: 3, evidence: "successor" });
    assertEquals(await lsnsOf(log, 5, 7), [5, 6, 7]);
    assertEquals((await outcomeOf(lsnsOf(log, 4, 4))).state, "rejected");
  }
  assertEquals(await log.commit(evenText(8)), [8]);
});

test("damage in the last segment, while it is open, ends the stream at its place", async () => {
  const log = await openEvenLog(3);
  log.disk.flipBit(pathOf(log.lastSegment()), frameAt(2) + 10, 5);
  const { lsns, error } = await readToError(log);
  assertEquals(lsns, [1]);
  assertInstanceOf(error, WalCorruptionError);
  assertEquals([error.segment, error.offset, error.lsn, error.evidence], [log.lastSegment(), frameAt(2), 2, "frame"]);
});

test("a sealed segment that has shrunk, vanished, or lost its header is damage with its name", async () => {
  const accidents: ((log: LogFixture, name: string) => void)[] = [
    (log, name) => log.damage(name, (bytes) => bytes.slice(0, frameAt(2) + 100)),
    (log, name) => log.damage(name, (bytes) => void bytes.fill(0, frameAt(2), frameAt(3))),
    (log, name) => log.disk.flipBit(pathOf(name), 70, 0),
    (log, name) => log.disk.remove(pathOf(name)),
  ];
  for (const accident of accidents) {
    const log = await openEvenLog(13);
    const name = log.segments()[1] ?? "";
    accident(log, name);
    const { lsns, error } = await readToError(log);
    assertLessOrEqual(lsns.at(-1) ?? 0, 5);
    assertGreaterOrEqual(lsns.length, 4);
    assertInstanceOf(error, WalError);
    assert(error instanceof WalCorruptionError || error instanceof WalIoError);
    assert(error.message.includes(name));
  }
});

test("a segment of another log in the place of ours is never shown, however alike it is", async () => {
  const ours = await openEvenLog(13);
  const theirs = new LogFixture(EVEN, { seed: 2 });
  await theirs.open();
  for (const lsn of numbers(1, 13)) await theirs.commit(evenText(lsn).replace(/\./g, "!"));
  const [name = ""] = ours.segments();
  assertEquals(theirs.segments()[0], name);
  ours.plant(name, theirs.file(name));
  for (const isAgain of [false, true]) {
    if (isAgain) await ours.reopen();
    const { lsns, error } = await readToError(ours);
    assertEquals(lsns, []);
    assertInstanceOf(error, WalFormatError);
  }
});

test("a segment that became one of a later format, or none at all, is refused when it is read", async () => {
  const log = await openEvenLog(13);
  const [name = ""] = log.segments();
  const before = log.file(name);
  log.damage(name, (bytes) => void bytes.fill(0x41));
  await assertRejects(() => log.readAll(), WalFormatError, name);
  log.plant(name, before);
  log.changeHeader(name, {});
  assertEquals((await log.readAll()).length, 13);
  const version = new Uint8Array(before);
  version[8] = 9; // the checksum does not hold any more: damaged, and no version
  log.plant(name, version);
  await assertRejects(() => log.readAll(), WalCorruptionError, name);
});

test("a read that fails ends the stream with its error; what is damaged only for one reader is not damaged for the next", async () => {
  const log = await openEvenLog(7);
  const cannotRead = [true, false, false, true];
  for (const [nth, isRefused] of cannotRead.entries()) { // a header, a footer, the frame that it names, and frames
    log.faults.fail("read", { path: /\.wal$/, nth: nth + 1 });
    const { lsns, error } = await readToError(log, 2);
    if (isRefused) assertInstanceOf(error, WalIoError);
    else assertEquals([lsns, error], [numbers(2, 7), null]); // without a footer all is read from the start
    log.faults.clear();
  }
  log.faults.fail("open", { path: SEGMENT, code: "EMFILE" });
  assertInstanceOf((await readToError(log)).error, WalIoError);
  log.faults.clear();
  log.faults.misread(SEGMENT, frameAt(2) + 100);
  assertInstanceOf((await readToError(log)).error, WalCorruptionError);
  log.faults.clear();
  assertEquals(await lsnsOf(log, 1, 7), numbers(1, 7));
});

test("a stream that ends in an error gives its file back", async () => {
  const log = await openEvenLog(7);
  const open = log.runtime.openFiles.length;
  log.disk.flipBit(pathOf(log.segments()[0] ?? ""), frameAt(2), 1);
  assertInstanceOf((await readToError(log)).error, WalCorruptionError);
  assertEquals(log.runtime.openFiles.length, open);
  await soon(log.wal.close());
  assertEquals(log.runtime.openFiles, []);
});
