// The end of a log: what close promises, what is refused after it, and what nobody looks at.

import process from "node:process";
import { test } from "node:test";
import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { WalClosedError, WalFailedError } from "../mod.ts";
import { openEvenLog } from "./support/even_log.ts";
import { openLog, outcomeOf, pathOf, quiet, soon } from "./support/log_fixture.ts";

test("close makes everything durable, marks the end, unlocks, and closing twice is closing once", async () => {
  const log = await openLog({ windowMs: 1000, durability: "none", lossMs: 5000 });
  const { wal } = log;
  wal.append("a");
  wal.append("b");
  const closing = wal.close();
  assertStrictEquals(wal.close(), closing);
  assertStrictEquals(wal[Symbol.asyncDispose](), closing);
  assertEquals(wal.state, "closed");
  await soon(closing);
  await soon(wal.closed);
  assertEquals([wal.syncedLsn, wal.durableLsn, wal.error], [2, 2, null]);
  assertEquals(log.runtime.openFiles, []);
  await log.crashAndReopen();
  assertEquals([log.wal.recovery.end, ...await log.readAll()], ["clean", "1 a", "2 b"]);
});

test("closed settles when the log is closed, and not before", async () => {
  const log = await openLog();
  await log.commit("a");
  assertEquals((await outcomeOf(log.wal.closed)).state, "pending");
  log.wal.close();
  assertEquals((await outcomeOf(log.wal.closed)).state, "resolved");
});

test("after close every call says so, and changes nothing", async () => {
  const log = await openLog();
  await log.commit("a");
  await log.wal.close();
  const before = log.contents();
  for (const call of [() => log.wal.append("b"), () => log.wal.appendBatch(["b"])]) assertThrows(call, WalClosedError);
  for (const call of [() => log.wal.commit("b"), () => log.wal.commitBatch(["b"]), () => log.wal.flush()]) {
    assertEquals((await assertRejects(call, WalClosedError)).code, "WAL_CLOSED");
  }
  await assertRejects(() => log.wal.ready, WalClosedError);
  assertThrows(() => log.wal.readable(), WalClosedError, "cannot read");
  await soon(log.wal.waitFor(1)); // it was acknowledged, and that stays true
  assertEquals([log.wal.desiredSize, log.wal.state, log.wal.lastLsn], [0, "closed", 1]);
  await log.advance(10_000);
  assertEquals(log.contents(), before);
});

test("who waits for room when the log is closed is turned away, who was accepted is not", async () => {
  const log = await openLog({ maxBufferedBytes: 100 });
  const accepted = log.wal.commit("a".repeat(200));
  const waiting = outcomeOf(log.wal.commit("b"));
  const ready = outcomeOf(log.wal.ready);
  await log.wal.close();
  assertEquals(await accepted, 1);
  for (const outcome of [await waiting, await ready]) {
    assert(outcome.state === "rejected");
    assertInstanceOf(outcome.error, WalClosedError);
  }
  await log.crashAndReopen();
  assertEquals(log.wal.lastLsn, 1);
});

test("a closed log does not look into files that may be another's by now", async () => {
  const log = await openLog();
  await log.commit("a");
  await log.reopen();
  await log.wal.close();
  await assertRejects(() => log.wal.waitFor(1), WalClosedError, "LSN 1");
});

test("a stream that is open when the log is closed goes on, until another owner frees its files", async () => {
  const log = await openEvenLog(7);
  const readers = [1, 2].map(() => log.wal.readable().getReader());
  for (const reader of readers) assertEquals((await reader.read()).value?.lsn, 1);
  await log.wal.close();
  const [first, second] = readers;
  for (let lsn = 2; lsn <= 7; lsn++) assertEquals((await first?.read())?.value?.lsn, lsn);
  assertEquals((await first?.read())?.done, true);
  for (const name of log.segments().slice(1)) log.disk.remove(pathOf(name));
  const readOn = async (): Promise<void> => {
    while (!(await second?.read())?.done);
  };
  await assertRejects(readOn, WalClosedError, "read on");
});

test("an entry that closes the log while it is being appended was accepted, and is there", async () => {
  const log = await openLog();
  await log.commit("first");
  let closing: Promise<void> = Promise.resolve();
  const entry = {
    get data(): string {
      closing = log.wal.close();
      return "last";
    },
  };
  assertEquals(await soon(log.wal.commit(entry)), 2);
  await soon(closing);
  await log.crashAndReopen();
  assertEquals([log.wal.recovery.end, ...await log.readAll()], ["clean", "1 first", "2 last"]);
});

// -- events and what nobody looks at

test("events come in their order with time and level, and a listener that throws is told once", async () => {
  const heard: string[] = [];
  const log = await openLog({
    onEvent: (event) => {
      assertGreater(event.time, 1_700_000_000_000);
      assertMatch(event.level, /^(debug|info|warning|critical)$/);
      heard.push(event.type);
      throw new Error("not now");
    },
  });
  await log.commit("a");
  await log.crashAndReopen();
  await log.commit("b");
  // Each life tells of the first throw, and goes on.
  assertEquals(heard, ["recovered", "listener-threw", "rotated", "recovered", "listener-threw", "rotated"]);
});

test("no promise that nobody looks at is ever an unhandled rejection", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  const log = await openLog({ maxBufferedBytes: 100 });
  await log.commit("a");
  log.faults.fail("syncData", { path: /\.wal$/ });
  log.wal.append("b".repeat(200));
  void log.wal.ready;
  void log.wal.closed;
  await quiet();
  assertInstanceOf(log.wal.error, WalFailedError);
  void log.wal.ready;
  const stream = log.wal.readable();
  await assertRejects(() => log.wal.close(), WalFailedError);
  void log.wal.ready;
  await stream.cancel();
  await quiet();
  await new Promise((resolve) => setTimeout(resolve, 1));
  process.off("unhandledRejection", note);
  assertEquals(unhandled, []);
});
