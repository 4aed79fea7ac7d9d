// A full disk is no failure: what waits is rejected and skipped, and everything works again by itself once there is room.

import { test } from "node:test";
import { assert, assertEquals, assertGreater, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { WalDiskFullError, WalFailedError, type WalOptions, WalRangeError } from "../mod.ts";
import type { RuntimeTimer } from "../src/runtime/port.ts";
import { DelegatingRuntime } from "./support/delegating_runtime.ts";
import {
  LogFixture,
  openLog,
  openLogWith,
  type Outcome,
  outcomeOf,
  pathOf,
  quiet,
  SMALL_SEGMENT_BYTES,
  soon,
  unheard,
} from "./support/log_fixture.ts";

const small: WalOptions = { segmentBytes: SMALL_SEGMENT_BYTES, spares: 0 };

function isFull(outcome: Outcome<unknown>): boolean {
  return outcome.state === "rejected" && outcome.error instanceof WalDiskFullError;
}

/** Counts the timers that keep the process alive. */
class KeepAliveTimers extends DelegatingRuntime {
  awaited = 0;

  override setTimer(callback: () => void, delayMs: number, keepAlive: boolean): RuntimeTimer {
    const done = (): void => void (this.awaited -= keepAlive ? 1 : 0);
    this.awaited += keepAlive ? 1 : 0;
    const timer = this.inner.setTimer(
      () => {
        done();
        callback();
      },
      delayMs,
      keepAlive,
    );
    return {
      cancel: () => {
        timer.cancel();
        done();
      },
    };
  }
}

/** Waits reject now, after a good end, and after a crash; what is there is `kept`. */
async function checkRejected(log: LogFixture, rejected: readonly number[], kept: readonly string[]): Promise<void> {
  const check = async (): Promise<void> => {
    for (const lsn of rejected) assertEquals((await outcomeOf(log.wal.waitFor(lsn))).state, "rejected", `LSN ${lsn}`);
    assertEquals((await log.readAll()).map((entry) => entry.slice(0, 12).trimEnd()), kept);
    const read = await log.readAll({ from: rejected[0] ?? 1 });
    assertEquals(
      read.map((entry) => entry.slice(0, 12).trimEnd()),
      kept.filter((each) => Number.parseInt(each) >= (rejected[0] ?? 1)),
    );
  };
  await check();
  await log.crashAndReopen();
  await check();
  for (const lsn of rejected) await assertRejects(() => log.wal.waitFor(lsn), WalRangeError, "rejected");
  await log.commit("last");
  await log.reopen();
  assertEquals(log.wal.recovery.end, "clean");
}

// -- where it is met

test("the very first segment finds no room", async () => {
  const log = await openLog(small, { sizeBytes: 4096 });
  const outcomes = await Promise.all([outcomeOf(log.wal.commit("a")), outcomeOf(log.wal.commitBatch(["b", "c"]))]);
  assert(outcomes.every(isFull));
  assertEquals([log.wal.lastLsn, log.wal.durableLsn, log.wal.state], [3, 0, "open"]);
  log.freeDisk();
  assertEquals(await log.commit("d"), [4]);
  assertEquals(log.wal.firstLsn, 1);
  await checkRejected(log, [1, 2, 3], ["4 d"]);
});

test("a rotation finds no room for a spare", async () => {
  const log = await openLogWith("first", small);
  log.fillDisk();
  assertEquals(await log.commit("fits in here"), [2]);
  const outcomes = await Promise.all(["x", "y"].map((each) => outcomeOf(log.wal.commit(each.repeat(5000)))));
  assert(outcomes.every(isFull));
  assertThrows(() => log.wal.append("b"), WalDiskFullError, "the disk is full");
  log.freeDisk();
  assertEquals(await log.commit("after"), [5]);
  await checkRejected(log, [3, 4], ["1 first", "2 fits in he", "5 after"]);
});

test("a segment that is being born finds no room for its header or its name", async () => {
  for (const call of ["write", "syncData", "rename"] as const) {
    const log = await openLogWith("first", small);
    const names = log.segments();
    await log.commit("x".repeat(3000));
    const nth = call === "rename" ? 1 : 2; // the first write and the first sync make a spare of it
    log.faults.fail(call, { path: /spare-0000000003/, code: "ENOSPC", nth });
    assert(isFull(await outcomeOf(log.wal.commit("y".repeat(3000)))), call);
    assertEquals([log.wal.state, ...log.segments()], ["open", ...names]);
    await log.advance(150);
    assertEquals(await log.commit("after"), [4]);
    await checkRejected(log, [3], ["1 first", "2 xxxxxxxxxx", "4 after"]);
  }
});

test("a footer finds no room where the file has some: the rotation goes on without", async () => {
  const log = await openLogWith("first", small);
  log.faults.fail("write", { path: /spare-0000000001/, code: "ENOSPC" });
  assertEquals(await log.commit("x".repeat(5000)), [2]);
  assertEquals(log.segments().length, 2);
  await checkRejected(log, [], ["1 first", "2 xxxxxxxxxx"]);
});

test("a write that grows the file finds no room: it is cut back, and nothing of it is ever read", async () => {
  const log = await openLogWith("first", { segmentBytes: 0 });
  log.fillDisk(300_000);
  const lost = await Promise.all([1, 2, 3].map((nth) => outcomeOf(log.wal.commitBatch([`${nth}`.repeat(500_000)]))));
  assert(lost.every(isFull));
  const end = log.calls("truncate").at(-1)?.position ?? 0;
  assertEquals([end, log.file(log.lastSegment()).length], [4096 + 64, end]);
  assertEquals(await log.commit("small"), [5]); // there is room for this one
  await checkRejected(log, [2, 3, 4], ["1 first", "5 small"]);
});

test("the zeros ahead find no room: frames go on as long as they find some", async () => {
  const log = await openLogWith("first", { segmentBytes: 0 });
  log.fillDisk(50_000);
  const rejected: number[] = [];
  for (let lsn = 2; rejected.length === 0; lsn++) {
    const outcome = await outcomeOf(log.wal.commit("x".repeat(50_000)));
    if (outcome.state === "resolved") continue;
    assert(isFull(outcome));
    rejected.push(lsn);
  }
  assertGreater(rejected[0] ?? 0, 19); // what was prepared is used up
  log.freeDisk();
  await log.advance(200);
  const [after = 0] = await log.commit("after");
  assertEquals(after, (rejected[0] ?? 0) + 1);
  await log.crashAndReopen();
  assertEquals((await log.readAll()).length, after - 1);
});

test("the cut back fails: then the log has failed, and nothing acknowledged is lost", async () => {
  for (const call of ["truncate", "syncData"] as const) {
    const log = await openLogWith("first", { segmentBytes: 0 });
    log.fillDisk(100_000);
    log.faults.fail(call, { path: /\.wal$/ });
    const outcome = await outcomeOf(log.wal.commit("x".repeat(1_500_000)));
    assertInstanceOf(outcome.state === "rejected" ? outcome.error : outcome.state, WalFailedError);
    assertEquals(log.wal.state, "failed");
    await log.crashAndReopen();
    assertEquals((await log.readAll())[0], "1 first");
  }
});

test("a full disk is told to all who wait, and to nobody whose entry is on the disk", async () => {
  const log = await openLogWith("first", small);
  log.faults.slow("syncData", 5);
  const safe = log.wal.commit("on the disk");
  await quiet();
  log.fillDisk();
  const lost = ["x", "y"].map((each) => log.wal.commit(each.repeat(5000)));
  const outcomes = Promise.all(lost.map((each) => each.catch((error: unknown) => error)));
  await log.advance(20);
  assertEquals(await soon(safe), 2);
  for (const error of await soon(outcomes)) assertInstanceOf(error, WalDiskFullError);
  assertEquals(log.events.filter(({ type }) => type === "disk-full").map(({ type, level }) => [type, level]), [
    ["disk-full", "critical"],
  ]);
});

// -- while it is full

test("while the disk is full appends throw, ready waits, commits look for room, and reading goes on", async () => {
  const log = await openLogWith("first", small);
  log.fillDisk();
  assert(isFull(await outcomeOf(log.wal.commit("x".repeat(5000)))));
  const error = assertThrows(() => log.wal.append("b"), WalDiskFullError);
  assertEquals([error.code, log.wal.desiredSize], ["WAL_DISK_FULL", 0]);
  assertThrows(() => log.wal.appendBatch(["b"]), WalDiskFullError);
  assertEquals(await soon(log.wal.flush()), 1);
  const ready = log.wal.ready;
  assertEquals((await outcomeOf(ready)).state, "pending");
  assert(isFull(await outcomeOf(log.wal.commit("y".repeat(5000)))));
  assertEquals(await log.readAll(), ["1 first"]);
  log.freeDisk();
  await log.advance(200);
  await soon(ready);
  assertGreater(log.wal.desiredSize, 0);
  log.wal.append("c");
  await log.wal.flush();
  const told = log.events.map(({ type }) => type).filter((type) => type.startsWith("disk-"));
  assertEquals([told.at(0), told.at(-1)], ["disk-full", "disk-has-room"]);
});

test("a reader at none does not wait for what a full disk has rejected", async () => {
  const log = await openLogWith("first", { ...small, durability: "none" });
  log.fillDisk();
  const lsn = log.wal.append("x".repeat(5000));
  assertEquals(log.wal.durableLsn, lsn); // accepted
  const early = log.readAll();
  assertEquals(await soon(early), ["1 first"]);
  assertEquals([log.wal.lastLsn, log.wal.durableLsn], [lsn, 1]);
  assertEquals(await soon(log.readAll()), ["1 first"]);
  assertEquals(await soon(log.readAll({ to: lsn })), ["1 first"]);
  log.freeDisk();
  await log.advance(200);
  log.wal.append("after");
  assertEquals(await soon(log.readAll()), ["1 first", `${lsn + 1} after`]);
});

test("a log on a full disk that nobody writes to looks now and then, and does not wear the disk", async () => {
  const log = await openLogWith("first", small);
  log.fillDisk();
  assert(isFull(await outcomeOf(log.wal.commit("x".repeat(5000)))));
  const events = log.events.length;
  const { calls } = log.runtime;
  await log.advance(10_000);
  assertEquals(log.events.length, events); // it was said once
  assert(log.runtime.calls - calls < 1000);
});

test("filling up and being freed again and again loses nothing that was acknowledged", async () => {
  const log = await openLogWith("first", small);
  const kept: string[] = ["1 first"];
  for (let round = 0; round < 12; round++) {
    log.fillDisk(round * 2000);
    for (const length of [3000, 10, 5000]) {
      const text = `${round}:${length}`.padEnd(length, ".");
      const outcome = await outcomeOf(log.wal.commit(text));
      if (outcome.state === "resolved") kept.push(`${outcome.value} ${text}`);
      else assert(isFull(outcome));
    }
    log.freeDisk();
    await log.advance(150);
    if (round % 3 === 2) await log.crashAndReopen();
  }
  assertGreater(kept.length, 12);
  assertEquals(await log.readAll(), kept);
  await log.reopen();
  assertEquals(await log.readAll(), kept);
});

test("a flush that found no room leaves no trap for readers of what is written there afterwards", async () => {
  const log = await openLogWith("first", { segmentBytes: 2 * 1024 * 1024 });
  log.fillDisk(300_000);
  // Several frames in one write: each would have been a place to begin reading.
  const lost = Array.from({ length: 8 }, (_, nth) => outcomeOf(log.wal.commitBatch([`${nth}`.repeat(200_000)])));
  assert((await Promise.all(lost)).every(isFull));
  log.freeDisk();
  await log.advance(200);
  const texts = Array.from({ length: 100 }, (_, nth) => `${nth} `.padEnd(30_000, "."));
  const lsns: number[] = [];
  for (const text of texts) lsns.push(...await log.commit(text));
  assertGreater(log.segments().length, 1);
  for (const again of [false, true]) {
    if (again) await log.reopen();
    for (const [nth, lsn] of lsns.entries()) {
      assertEquals(await log.readAll({ from: lsn, to: lsn }), [`${lsn} ${texts[nth]}`]);
    }
  }
});

// -- nobody waited

test("who appends, and flushes when there is room again, hears of what was rejected meanwhile, once", async () => {
  const log = await openLogWith("first", small);
  log.fillDisk();
  assertEquals(log.wal.append("x".repeat(5000)), 2);
  await quiet();
  log.freeDisk();
  await log.advance(200);
  assertEquals(log.wal.append("y"), 3);
  assert(isFull(await outcomeOf(log.wal.flush())));
  assertEquals(log.wal.syncedLsn, 3);
  assertEquals(await soon(log.wal.flush()), 3);
  await checkRejected(log, [2], ["1 first", "3 y"]);
});

test("who flushes a log that fails hears of the failure, whatever was rejected before", async () => {
  const log = await openLogWith("first", small);
  log.fillDisk();
  log.wal.append("x".repeat(5000));
  await quiet();
  log.freeDisk();
  await log.advance(200);
  log.wal.append("y");
  log.faults.fail("syncData", { times: Infinity });
  const outcome = await outcomeOf(log.wal.flush());
  assert(outcome.state === "rejected");
  assertInstanceOf(outcome.error, WalFailedError);
});

test("a change of the level does not swallow what the next flush is to tell", async () => {
  const log = await openLogWith("first", { ...small, durability: "none" });
  log.fillDisk();
  log.wal.append("x".repeat(5000));
  await log.advance(2000);
  log.freeDisk();
  await log.advance(200);
  await soon(log.wal.configure({ durability: "fsync" }));
  assert(isFull(await outcomeOf(log.wal.flush())));
});

test("a cut, and a wait that was given up, do not count as hearing of what is rejected", async () => {
  const stories: ((log: LogFixture, lsn: number) => Promise<unknown>)[] = [
    (log) => log.wal.truncateBefore(1),
    async (log, lsn) => {
      const control = new AbortController();
      const waiting = outcomeOf(log.wal.waitFor(lsn, { signal: control.signal }));
      control.abort();
      assertEquals((await waiting).state, "rejected");
      await log.advance(60);
    },
  ];
  for (const story of stories) {
    const log = await openLogWith("first", { segmentBytes: 0 });
    await log.wal.configure({ windowMs: 50 });
    log.fillDisk();
    await story(log, log.wal.append("x".repeat(2_000_000)));
    log.freeDisk();
    await log.advance(200);
    assert(isFull(await outcomeOf(log.wal.flush())));
    await soon(log.wal.close());
  }
});

test("who appends and closes hears of what was rejected, and the log is closed all the same", async () => {
  for (const durability of ["fsync", "none"] as const) {
    const log = await openLogWith("first", { ...small, durability });
    await log.wal.flush();
    log.fillDisk();
    const lsn = log.wal.append("x".repeat(5000));
    if (durability === "none") assertEquals(await soon(log.wal.waitFor(lsn)), 2); // accepted is all it asked for
    assert(isFull(await outcomeOf(log.wal.close())));
    assertEquals([log.wal.state, log.runtime.openFiles.length], ["closed", 0]);
    log.freeDisk();
    await log.crashAndReopen();
    assertEquals(await log.readAll(), ["1 first"]);
  }
});

test("one entry of several that nobody waited for is enough", async () => {
  const log = await openLogWith("first", small);
  log.fillDisk();
  const commits = [
    outcomeOf(log.wal.commit("a".repeat(5000))),
    outcomeOf(log.wal.commitBatch(["b".repeat(3000), "c"])),
  ];
  log.wal.append("d");
  commits.push(outcomeOf(log.wal.commit("e")));
  assert((await Promise.all(commits)).every(isFull));
  assert(isFull(await outcomeOf(log.wal.flush())));
});

test("a process that waits for room on a full disk stays for it", async () => {
  const log = new LogFixture(small);
  const timers = new KeepAliveTimers(log.runtime);
  await log.open({ runtime: timers });
  log.fillDisk();
  assert(isFull(await outcomeOf(log.wal.commit("a"))));
  assertEquals(timers.awaited, 0);
  const ready = outcomeOf(log.wal.ready);
  assertEquals(timers.awaited, 1);
  await log.advance(1000);
  assertEquals(timers.awaited, 1);
  log.freeDisk();
  await log.advance(200);
  assertEquals([(await ready).state, timers.awaited], ["pending", 0]);
  assertEquals((await outcomeOf(log.wal.ready)).state, "resolved");
});

test("a full share of the disk is a full disk", async () => {
  const log = await openLogWith("first", small);
  log.faults.fail("write", { path: /spare-/, code: "EDQUOT", times: Infinity });
  assert(isFull(await outcomeOf(log.wal.commit("x".repeat(5000)))));
  log.faults.clear();
  await log.advance(200);
  assertEquals(await log.commit("after"), [3]);
});

// -- the end, and the next beginning

test("a log on a full disk is closed well, and what was acknowledged is there", async () => {
  const log = await openLogWith("first", small);
  log.fillDisk();
  const lost = [outcomeOf(log.wal.commit("x".repeat(5000))), outcomeOf(log.wal.commit("y".repeat(5000)))];
  await soon(log.wal.close());
  assert((await Promise.all(lost)).every(isFull));
  assertEquals(log.wal.state, "closed");
  await log.crashAndReopen();
  assertEquals(await log.readAll(), ["1 first"]);
});

test("closed when there is room again behind a segment that was full, what was rejected is not given out again", async () => {
  const log = await openLogWith("a", small);
  log.fillDisk();
  assert(isFull(await outcomeOf(log.wal.commit("x".repeat(100_000)))));
  log.freeDisk();
  await log.reopen();
  assertEquals([log.wal.recovery.end, log.wal.lastLsn], ["clean", 2]);
  assertEquals(await log.commit("b"), [3]);
  assertEquals(await log.readAll(), ["1 a", "3 b"]);
});

test("a disk too full for the lock file's mark does not make closing fail", async () => {
  const log = await openLogWith("first", small);
  log.faults.fail("write", { path: pathOf("lock"), code: "ENOSPC" });
  await soon(log.wal.close());
  await log.crashAndReopen();
  assertEquals([log.wal.recovery.end, log.wal.lastLsn], ["clean", 1]);
});

test("after a log on a full disk was closed, a late commit touches nothing", async () => {
  for (const sizeBytes of [4096, Infinity]) {
    const log = await openLog(small, { sizeBytes });
    if (sizeBytes === Infinity) {
      await log.commit("first");
      await quiet();
      log.fillDisk();
    }
    assert(isFull(await outcomeOf(log.wal.commit("x".repeat(5000)))));
    await log.wal.close();
    log.freeDisk();
    const { calls } = log.runtime;
    const before = log.contents();
    assertEquals((await outcomeOf(log.wal.commit("late"))).state, "rejected");
    await log.advance(1000);
    assertEquals([log.runtime.calls - calls, log.contents()], [0, before]);
  }
});

test("opening, recovering and reading work with no free byte", async () => {
  for (const end of ["clean", "unclean", "torn"] as const) {
    const log = await openLogWith("first", small);
    await log.commit("second");
    if (end === "clean") await log.wal.close();
    if (end === "torn") {
      log.faults.stopInWrite(100, { path: /\.wal$/ });
      unheard(log.commit("t".repeat(2000)));
      await log.runtime.stopped;
    }
    log.crash({ keep: "all" });
    log.fillDisk();
    await log.open();
    assertEquals([log.wal.recovery.end, ...await log.readAll()], [end, "1 first", "2 second"]);
    await log.wal.close();
  }
});

test("a new log can be opened on a full disk, and takes entries when there is room", async () => {
  const log = await openLog(small, { sizeBytes: 0 });
  assert(isFull(await outcomeOf(log.wal.commit("a"))));
  log.freeDisk();
  await log.advance(150);
  assertEquals(log.wal.append("b"), 2);
  await log.wal.flush();
  await log.crashAndReopen();
  assertEquals(await log.readAll(), ["2 b"]);
});
