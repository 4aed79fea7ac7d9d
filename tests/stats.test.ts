// The figures of a log are what it did: counted against the calls that the disk saw, and timed by the log's own clock.

import { test } from "node:test";
import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { Random } from "../src/runtime/random.ts";
import { Histogram } from "../src/stats.ts";
import { FRAME_HEADER_BYTES, HEADER_BYTES } from "../src/format.ts";
import { ANY_WAL, openLog, outcomeOf, quiet, SMALL_SEGMENT_BYTES } from "./support/log_fixture.ts";

test("a log that has done nothing has done nothing", async () => {
  const log = await openLog();
  const { commit, fsync, loss, ...counts } = log.wal.stats();
  assert(Object.values(counts).every((count) => count === 0));
  for (const latency of [commit, fsync]) assert(Object.values(latency).every((value) => value === 0));
  assertEquals(loss, { entries: 0, bytes: 0, ageMs: 0 });
});

test("entries, frames, bytes, flushes and syncs are those that the disk saw", async () => {
  const log = await openLog({ segmentBytes: SMALL_SEGMENT_BYTES });
  const from = log.faults.calls.length;
  for (let nth = 0; nth < 10; nth++) await log.commit("a".repeat(500), "b", "c");
  await log.wal.commitBatch(["d", "e"]);
  await log.wal.truncateBefore(20);
  await log.advance(1000);
  await quiet();
  const stats = log.wal.stats();
  assertEquals([stats.entries, stats.flushes, stats.entriesPerFlush], [32, 11, 32 / 11]);
  const segments = new Set(log.calls("rename", ANY_WAL, from).map(({ path }) => path));
  const isOfSegment = ({ path }: { path: string }): boolean => segments.has(path) || !/spare-/.test(path);
  const writes = log.calls("write", ANY_WAL, from).filter(isOfSegment);
  // Of a spare that became a segment, the first write and sync made it a spare, and the header is no frame.
  const frames = writes.filter(({ position, length }) => position >= HEADER_BYTES && length < 4000);
  assertEquals(stats.bytes, frames.reduce((sum, { length }) => sum + length, 0));
  const syncs = log.calls("syncData", ANY_WAL, from).filter(isOfSegment).length - segments.size;
  assertEquals(stats.fsyncs, syncs);
  assertEquals(stats.fsync.count <= stats.fsyncs, true);
  assertGreater(stats.frames, 11);
});

test("what waits is counted now and at its most, and is a share of what may", async () => {
  const log = await openLog({ maxBufferedBytes: 1000, windowMs: 50 });
  log.wal.append("a".repeat(400));
  log.wal.append("b".repeat(400));
  const { pendingEntries, pendingBytes, utilisation, loss } = log.wal.stats();
  assertEquals(pendingEntries, 2);
  assertEquals(pendingBytes, FRAME_HEADER_BYTES + 2 * 405);
  assertEquals(utilisation, pendingBytes / 1000);
  assertEquals([loss.entries, loss.bytes], [2, pendingBytes]);
  await log.wal.flush();
  const after = log.wal.stats();
  assertEquals([after.pendingEntries, after.pendingBytes, after.utilisation], [0, 0, 0]);
  assertLessOrEqual(Math.abs(after.mostPendingBytes - pendingBytes), 8); // with its padding
});

test("appends that are refused are counted, and so is what a full disk rejects", async () => {
  const log = await openLog({ maxBufferedBytes: 100, windowMs: 50 });
  log.wal.append("a".repeat(200));
  for (let nth = 0; nth < 3; nth++) {
    assertEquals((await outcomeOf(Promise.resolve().then(() => log.wal.append("b")))).state, "rejected");
  }
  assertEquals(log.wal.stats().refused, 3);
  await log.wal.flush();
  log.fillDisk();
  const lost = outcomeOf(log.wal.commitBatch(["c".repeat(2_000_000), "d"]));
  assertEquals((await lost).state, "rejected");
  assertEquals((await outcomeOf(Promise.resolve().then(() => log.wal.append("e")))).state, "rejected");
  const { refused, rejected } = log.wal.stats();
  assertEquals([refused, rejected], [4, 2]);
});

test("segments and what they hold are counted from the first that is left, also after the log was opened again", async () => {
  const log = await openLog({ segmentBytes: SMALL_SEGMENT_BYTES });
  const retained = (): number => {
    const { segments, retainedBytes } = log.wal.stats();
    assertEquals(segments, log.segments().length);
    return retainedBytes;
  };
  for (let nth = 0; nth < 20; nth++) await log.commit("x".repeat(900));
  const whole = retained();
  assertLess(Math.abs(whole - 20 * 960), 20 * 60);
  await log.wal.truncateBefore(13);
  await quiet();
  const half = retained();
  assertLess(half, whole - 11 * 960);
  await log.crashAndReopen();
  assertEquals(retained(), half);
  await log.wal.truncateBefore(17);
  await quiet();
  assertLess(retained(), half);
});

test("latencies are those of the disk, and a slow sync is told of", async () => {
  const log = await openLog();
  await log.commit("first");
  await quiet();
  log.faults.slow("syncData", 20);
  for (let nth = 0; nth < 9; nth++) {
    const committed = log.commit("x");
    await log.advance(20);
    await committed;
  }
  log.faults.clear().slow("syncData", 300);
  const committed = log.commit("slow");
  await log.advance(300);
  await committed;
  const { commit, fsync } = log.wal.stats();
  for (const { count, p50Ms, p90Ms, p99Ms, maxMs } of [commit, fsync]) {
    assertEquals([count, Math.round(p50Ms), Math.round(maxMs)], [11, 20, 300]);
    assertLess(p90Ms, 21);
    assertGreater(p99Ms, 295);
  }
  const slow = log.events.filter(({ type }) => type === "slow-sync");
  assertEquals(slow.map((event) => event.type === "slow-sync" && Math.round(event.elapsedMs)), [300]);
});

test("the window of what a power cut would take is as old as its oldest entry", async () => {
  const log = await openLog({ durability: "none", lossMs: 1000 });
  log.wal.append("a");
  await log.advance(300);
  log.wal.append("b");
  await log.advance(300);
  const { entries, ageMs } = log.wal.stats().loss;
  assertEquals([entries, Math.round(ageMs)], [2, 600]);
  await log.wal.flush();
  assertEquals(log.wal.stats().loss, { entries: 0, bytes: 0, ageMs: 0 });
  log.fillDisk();
  assertEquals((await outcomeOf(log.wal.commitBatch(["x".repeat(3_000_000)]))).state, "resolved"); // merely accepted
  await log.advance(5000);
  assertEquals(log.wal.stats().loss, { entries: 0, bytes: 0, ageMs: 0 });
});

// -- the histogram

test("a histogram's percentiles are those of the sorted times, to within 3 %", () => {
  const random = new Random(1);
  for (const scale of [0.01, 1, 100, 10_000]) {
    const histogram = new Histogram();
    const times = Array.from({ length: 5000 }, () => scale * (random.bits() / 2 ** 32) ** 3);
    for (const time of times) histogram.record(time);
    times.sort((a, b) => a - b);
    const { count, p50Ms, p90Ms, p99Ms, p999Ms, maxMs } = histogram.read();
    assertEquals([count, maxMs], [5000, times[4999]]);
    for (const [share, found] of [[0.5, p50Ms], [0.9, p90Ms], [0.99, p99Ms], [0.999, p999Ms]] as const) {
      const exact = times[Math.ceil(share * 5000) - 1] ?? 0;
      assertLessOrEqual(Math.abs(found - exact), 0.032 * exact + 0.001, `${share} of ${scale} ms`);
    }
  }
});

test("times that no clock should tell are taken all the same", () => {
  const histogram = new Histogram();
  for (const time of [NaN, -5, 0, 7, 1e12]) histogram.record(time);
  const { count, p50Ms, p90Ms, maxMs } = histogram.read();
  assertEquals([count, Math.floor(p50Ms), maxMs], [4, 0, 1e12]);
  assertGreater(p90Ms, 2_000_000);
});
