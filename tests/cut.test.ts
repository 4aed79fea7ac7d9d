// Cutting from below: the head moves on the disk before any file goes, and whoever reads keeps his.

import { test } from "node:test";
import { assert, assertEquals, assertGreater, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { segmentName } from "../src/format.ts";
import { WalClosedError, WalFailedError, WalInputError, WalRangeError, WalTruncatedError } from "../mod.ts";
import { evenText, openEvenLog } from "./support/even_log.ts";
import {
  ANY_WAL,
  LogFixture,
  outcomeOf,
  pathOf,
  quiet,
  SMALL_SEGMENT_BYTES,
  soon,
  unheard,
} from "./support/log_fixture.ts";

function evenEntries(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, nth) => `${from + nth} ${evenText(from + nth)}`);
}

test("the log begins with the LSN exactly, now and after a crash, and files wholly below it are gone", async () => {
  for (let lsn = 1; lsn <= 14; lsn++) {
    const log = await openEvenLog(13, { segmentBytes: SMALL_SEGMENT_BYTES, spares: 0 });
    const before = log.segments().length;
    const { firstLsn, freedSegments, freedBytes, heldBy } = await log.wal.truncateBefore(lsn);
    assertEquals([firstLsn, log.wal.firstLsn, freedSegments, heldBy], [lsn, lsn, Math.floor((lsn - 1) / 4), []]);
    assertEquals(log.segments().length, before - freedSegments);
    assertEquals(freedBytes, freedSegments * 16_384);
    const check = async (): Promise<void> => {
      assertEquals([log.wal.firstLsn, log.wal.lastLsn], [lsn, 13]);
      assertEquals(await log.readAll(), evenEntries(lsn, 13));
      if (lsn === 1) return;
      assertEquals(assertThrows(() => log.wal.readable({ from: lsn - 1 }), WalTruncatedError).firstLsn, lsn);
    };
    await check();
    await log.crashAndReopen();
    await check();
    assertEquals(await log.wal.waitFor(lsn - 1), lsn - 1); // where the log begins, nothing is left to wait for
    if (lsn > 2) await assertRejects(() => log.wal.waitFor(lsn - 2), WalTruncatedError);
    await log.commit("after");
    await log.reopen();
    assertEquals([log.wal.firstLsn, log.wal.lastLsn, log.wal.recovery.end], [lsn, 14, "clean"]);
  }
});

test("no file goes before the head is on the disk", async () => {
  const log = await openEvenLog(13);
  const from = log.faults.calls.length;
  await log.wal.truncateBefore(9);
  await quiet();
  const calls = log.faults.calls.slice(from).filter(({ name }) =>
    ["write", "syncData", "rename", "unlink"].includes(name)
  );
  const names = calls.map(({ name }) => name);
  assertEquals(names.slice(0, 2), ["write", "syncData"]);
  assertGreater(names.indexOf("rename"), 1);
  const crashed = await openEvenLog(13);
  crashed.faults.stop("syncData", "before", { path: ANY_WAL });
  void crashed.wal.truncateBefore(9);
  await crashed.runtime.stopped;
  await crashed.crashAndReopen();
  assertEquals(crashed.wal.firstLsn, 1);
  assertEquals(await crashed.readAll(), evenEntries(1, 13));
});

test("the oldest file goes first, so that whoever lists meanwhile finds no gap", async () => {
  for (const spares of [0, 4]) {
    const log = await openEvenLog(17, { segmentBytes: SMALL_SEGMENT_BYTES, spares });
    await log.reopen(); // from now on each file bears the name that it has
    const old = log.segments().slice(0, 3).map(pathOf);
    const from = log.faults.calls.length;
    await log.wal.truncateBefore(13);
    await quiet();
    const gone = [...log.calls("rename", ANY_WAL, from), ...log.calls("unlink", ANY_WAL, from)].map(({ path }) => path);
    assertEquals(gone.filter((path) => old.includes(path)), old, `${spares} spares`);
  }
});

test("freed files lie ready for the next segments, a bounded number of them", async () => {
  const log = await openEvenLog(40, { segmentBytes: SMALL_SEGMENT_BYTES, spares: 2 });
  await log.wal.truncateBefore(37);
  await quiet();
  assertEquals([log.segments().length, log.spares().length], [1, 3]);
  const ready = log.spares().map(pathOf);
  const from = log.faults.calls.length;
  for (let lsn = 41; lsn <= 48; lsn++) await log.commit(evenText(lsn));
  const born = log.calls("rename", ANY_WAL, from).map(({ path }) => path);
  assertEquals([born.length, born.every((path) => ready.includes(path))], [2, true]);
  await log.crashAndReopen();
  assertEquals(await log.readAll(), evenEntries(37, 48));
});

test("what the log holds is known after a cut, also where a reader was the first to see where a file ends", async () => {
  for (const reads of [false, true]) {
    const log = await openEvenLog(21);
    await log.reopen();
    if (reads) await log.readAll();
    await log.wal.truncateBefore(5);
    assertGreater(log.wal.stats().retainedBytes, 16 * 960);
  }
});

test("everything is synced first, also at none", async () => {
  const log = new LogFixture({ durability: "none" });
  await log.open();
  for (const text of ["a", "b", "c"]) log.wal.append(text);
  await log.wal.truncateBefore(4);
  assertEquals([log.wal.syncedLsn, log.wal.firstLsn, ...await log.readAll()], [3, 4]);
  await log.crashAndReopen();
  assertEquals([log.wal.firstLsn, log.wal.lastLsn], [4, 3]);
  assertEquals(await log.commit("d"), [4]);
});

test("an LSN that is none, or beyond the end, is refused; one before the head moves nothing", async () => {
  const log = await openEvenLog(5);
  for (const lsn of [-1, 1.5, NaN, "3", null]) {
    await assertRejects(() => log.wal.truncateBefore(lsn as number), WalInputError);
  }
  await assertRejects(() => log.wal.truncateBefore(7), WalRangeError, "5");
  await log.wal.truncateBefore(4);
  const from = log.faults.calls.length;
  assertEquals((await log.wal.truncateBefore(2)).firstLsn, 4);
  assertEquals(log.calls("write", ANY_WAL, from), []);
});

test("a log that is cut and written for long stays small, its control frames too", async () => {
  const log = new LogFixture({ segmentBytes: SMALL_SEGMENT_BYTES });
  await log.open();
  for (let round = 0; round < 400; round++) {
    await log.commit("x");
    await log.wal.truncateBefore(log.wal.lastLsn);
  }
  await quiet();
  assertEquals(log.segments().length <= 2, true);
  await log.crashAndReopen();
  assertEquals([log.wal.firstLsn, log.wal.lastLsn], [400, 400]);
});

// -- who reads

test("a reader keeps the files that it has yet to read, is named, and they go when it has read them", async () => {
  const log = await openEvenLog(13);
  const reader = log.wal.readable({ from: 2 }).getReader();
  assertEquals((await reader.read()).value?.lsn, 2);
  const { freedSegments, heldBy } = await log.wal.truncateBefore(13);
  assertEquals([freedSegments, heldBy, log.wal.firstLsn], [0, ["a reader from LSN 2"], 13]);
  for (let lsn = 3; lsn <= 9; lsn++) assertEquals((await reader.read()).value?.text(), evenText(lsn));
  await quiet();
  assertEquals(log.segments().length, 2); // the first two are read and gone
  assertEquals((await log.wal.truncateBefore(13)).heldBy, ["a reader from LSN 2"]);
  await reader.cancel();
  await quiet();
  assertEquals(log.segments().length, 1);
});

test("a reader that has not begun keeps nothing, and learns where the log begins by now", async () => {
  const log = await openEvenLog(13);
  const reader = log.wal.readable().getReader();
  assertEquals((await log.wal.truncateBefore(10)).heldBy, []);
  const error = await assertRejects(() => reader.read(), WalTruncatedError);
  assertEquals(error.firstLsn, 10);
});

test("a follower at the end keeps nothing that was cut", async () => {
  const log = await openEvenLog(13);
  const reader = log.wal.readable({ follow: true, from: 13 }).getReader();
  assertEquals((await reader.read()).value?.lsn, 13);
  assertEquals((await log.wal.truncateBefore(14)).heldBy, []);
  await log.commit(evenText(14));
  assertEquals((await soon(reader.read())).value?.lsn, 14);
});

test("after a log was closed a reader that ends frees nothing: the files may be another owner's", async () => {
  const log = await openEvenLog(13);
  const reader = log.wal.readable().getReader();
  await reader.read();
  await log.wal.truncateBefore(13);
  await log.wal.close();
  const before = log.names();
  await reader.cancel();
  await quiet();
  assertEquals(log.names(), before);
});

// -- when it goes wrong

test("a full disk can be cut, with no free byte, and is then written again", async () => {
  const log = await openEvenLog(13, { segmentBytes: SMALL_SEGMENT_BYTES, spares: 0 });
  log.fillDisk();
  const rejected: number[] = [];
  for (let nth = 0; nth < 4; nth++) {
    const outcome = await outcomeOf(log.wal.commit(evenText(0)));
    if (outcome.state === "rejected") rejected.push(nth);
  }
  assert(rejected.length > 0);
  const { firstLsn, freedSegments } = await log.wal.truncateBefore(log.wal.syncedLsn + 1);
  assertGreater(freedSegments, 1);
  assertEquals(firstLsn, log.wal.firstLsn);
  await log.advance(300);
  const [lsn = 0] = await log.commit("after");
  assertEquals(await log.readAll(), [`${lsn} after`]);
  await log.crashAndReopen();
  assertEquals([log.wal.firstLsn, ...await log.readAll()], [firstLsn, `${lsn} after`]);
});

test("LSNs that were rejected at the end may be cut too, and are never given again", async () => {
  const log = await openEvenLog(3, { segmentBytes: SMALL_SEGMENT_BYTES, spares: 0 });
  log.fillDisk();
  assertEquals((await outcomeOf(log.wal.commit("x".repeat(5000)))).state, "rejected");
  assertEquals((await log.wal.truncateBefore(5)).firstLsn, 5);
  log.freeDisk();
  await log.advance(200);
  await log.crashAndReopen();
  assertEquals([log.wal.firstLsn, log.wal.lastLsn], [5, 4]);
  assertEquals(await log.commit("after"), [5]);
});

test("a failed sync of the head fails the log, and nothing is freed", async () => {
  const log = await openEvenLog(13);
  const before = log.segments();
  log.faults.fail("syncData", { path: ANY_WAL });
  await assertRejects(() => log.wal.truncateBefore(9), WalFailedError);
  assertEquals([log.wal.state, log.wal.firstLsn, log.segments()], ["failed", 1, before]);
  await assertRejects(() => log.wal.truncateBefore(9), WalFailedError);
});

test("a file that cannot be freed is told of, and goes at the next opening", async () => {
  const log = await openEvenLog(13, { segmentBytes: SMALL_SEGMENT_BYTES, spares: 0 });
  log.faults.fail("rename", { path: ANY_WAL }).fail("unlink", { path: ANY_WAL });
  const { freedSegments } = await log.wal.truncateBefore(13);
  assertEquals(freedSegments, 2);
  assertEquals(log.events.filter(({ type }) => type === "cleanup-failed").length, 1);
  await log.reopen();
  await quiet();
  assertEquals([log.segments().length, ...await log.readAll()], [1, `13 ${evenText(13)}`]);
});

/** A crash tears the next write after so many bytes; then the segment in which it was is cut. */
async function checkTornIsKept(entries: number, keptBytes: number): Promise<void> {
  const log = await openEvenLog(entries);
  log.faults.stopInWrite(keptBytes, { path: ANY_WAL });
  unheard(log.commit(evenText(entries + 1)));
  await log.runtime.stopped;
  log.crash({ keep: "all" });
  await log.open();
  const { torn } = log.wal.recovery;
  assert(torn !== null);
  for (let lsn = entries + 1; lsn <= 8; lsn++) await log.commit(evenText(lsn));
  await log.wal.truncateBefore(8);
  assert(log.names().includes(`torn-0000000001-${torn.offset}.bin`));
}

test("torn bytes in a segment that is cut are copied aside before it goes", () => checkTornIsKept(2, 600));

// The fifth entry rotates, and the footer comes first.
test("a footer that a crash tore is torn as anything else, and is copied aside", () => checkTornIsKept(4, 60));

test("torn bytes outlive a cut on a full disk: no footer goes over them", async () => {
  const log = new LogFixture({ segmentBytes: SMALL_SEGMENT_BYTES, spares: 0 });
  await log.open();
  await log.commit("a");
  await quiet();
  log.commit("b".repeat(3000)).catch(() => {});
  log.faults.stopInWrite(1024, { path: ANY_WAL });
  await log.runtime.stopped;
  log.kill();
  for (const name of log.spares()) log.disk.remove(pathOf(name));
  log.fillDisk();
  await log.open();
  await quiet();
  const { torn } = log.wal.recovery;
  assert(torn !== null);
  const lost = log.file(torn.segment).slice(torn.offset);
  await log.wal.truncateBefore(2).catch(() => {});
  assertEquals(log.file(torn.segment).slice(torn.offset), lost);
});

test("a file that bears a segment's name and is not this log's stays, and is told of", async () => {
  const log = await openEvenLog(21);
  const other = new LogFixture({ segmentBytes: SMALL_SEGMENT_BYTES }, { seed: 9 });
  await other.open();
  await other.commit("theirs");
  await log.wal.truncateBefore(17);
  await log.wal.close();
  log.kill();
  const stray = segmentName(1, 0, 1);
  log.plant(stray, other.file(other.lastSegment()));
  await log.open();
  await quiet();
  assert(log.names().includes(stray));
  assertEquals(log.events.filter(({ type }) => type === "cleanup-failed").length, 1);
});

test("a stream that was made before a cut, and is read after it, learns of the cut also within one segment", async () => {
  const log = await openEvenLog(3);
  const reader = log.wal.readable({ from: 1 }).getReader();
  await log.wal.truncateBefore(3);
  await assertRejects(() => reader.read(), WalTruncatedError);
});

test("truncating a log that is closed, or closing, says so and writes nothing behind the mark", async () => {
  const log = await openEvenLog(5);
  const truncated = outcomeOf(log.wal.truncateBefore(3));
  await log.wal.close();
  const outcome = await truncated;
  assert(outcome.state !== "pending");
  if (outcome.state === "rejected") assertInstanceOf(outcome.error, WalClosedError);
  await assertRejects(() => log.wal.truncateBefore(3), WalClosedError);
  await log.crashAndReopen();
  assertEquals(log.wal.recovery.end, "clean");
});

test("an event tells what was cut", async () => {
  const log = await openEvenLog(13);
  await log.wal.truncateBefore(9);
  const truncated = log.events.find((event) => event.type === "truncated");
  assertEquals([truncated?.level, truncated?.firstLsn], ["info", 9]);
  assertEquals(log.events.find((event) => event.type === "freed")?.segments, 2);
});
