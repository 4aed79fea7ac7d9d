// Followers: woken by the flush, never shown what can still be lost, and ended by the log's end or by their own.

import { test } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertLess, assertRejects, assertStrictEquals } from "@std/assert";
import { WalAbortedError, WalDiskFullError, WalFailedError, WalOptionsError } from "../mod.ts";
import { EVEN, evenText } from "./support/even_log.ts";
import { Follower } from "./support/follower.ts";
import { ANY_WAL, type LogFixture, openLog, outcomeOf, quiet, SEGMENT, soon } from "./support/log_fixture.ts";

function follow(log: LogFixture, options: { from?: number; to?: number; signal?: AbortSignal } = {}): Follower {
  return new Follower(log.wal.readable({ ...options, follow: true }).getReader());
}

test("a follower sees each entry once it is durable, and ends when the log is closed, after the last one", async () => {
  const log = await openLog();
  await log.commit("a");
  const follower = follow(log);
  assertEquals(await follower.news(), ["1 a"]);
  await log.commit("b", "c");
  assertEquals(await follower.news(), ["2 b", "3 c"]);
  assertEquals(await follower.news(), []);
  log.wal.append("d");
  await log.wal.close();
  assertEquals(await soon(follower.ended), "closed");
  assertEquals(await follower.news(), ["4 d"]);
  assertEquals(log.runtime.openFiles, []);
});

test("a follower of a log that is still empty sees its first entry", async () => {
  const log = await openLog();
  const follower = follow(log);
  assertEquals(await follower.news(), []);
  await log.commit("a");
  assertEquals(await follower.news(), ["1 a"]);
});

test("what is written and not yet synced is not shown, at write it is", async () => {
  for (const durability of ["fsync", "write", "none"] as const) {
    const log = await openLog({ durability });
    await log.commit("a");
    await log.wal.flush();
    log.faults.slow("write", 5);
    await log.commit("from now on writes go through the pool");
    await log.wal.flush();
    const follower = follow(log, { from: 3 });
    log.faults.slow("syncData", 50);
    log.wal.append("b");
    const flushed = log.wal.flush();
    assertEquals(await follower.news(), []);
    await log.advance(10);
    assertEquals(await follower.news(), durability === "fsync" ? [] : ["3 b"]);
    await log.advance(100);
    await flushed;
    assertEquals(await follower.news(), durability === "fsync" ? ["3 b"] : []);
  }
});

test("where entries of one frame ask for different levels, each is shown when it and all before it are durable", async () => {
  const log = await openLog();
  await log.commit("a");
  const follower = follow(log, { from: 2 });
  log.faults.slow("syncData", 50);
  log.wal.append({ data: "written", durability: "write" });
  log.wal.append("synced");
  log.wal.append({ data: "written too", durability: "write" });
  await log.advance(10);
  assertEquals([log.wal.durableLsn, ...await follower.news()], [2, "2 written"]);
  await log.advance(50);
  assertEquals([log.wal.durableLsn, ...await follower.news()], [4, "3 synced", "4 written too"]);
});

test("a follower goes from segment to segment, however far behind it begins", async () => {
  const log = await openLog(EVEN);
  for (let lsn = 1; lsn <= 9; lsn++) await log.commit(evenText(lsn));
  for (const from of [1, 4, 9, 10]) {
    const follower = follow(log, { from });
    const expected = Array.from({ length: 10 - from }, (_, nth) => `${from + nth} ${evenText(from + nth)}`);
    assertEquals(await follower.news(), expected);
    await follower.cancel();
  }
  const follower = follow(log, { from: 10 });
  for (let lsn = 10; lsn <= 30; lsn++) {
    await log.commit(evenText(lsn));
    assertEquals(await follower.news(), [`${lsn} ${evenText(lsn)}`]);
  }
});

test("a follower that was asked up to an LSN to come ends with it, in the middle of a frame", async () => {
  const log = await openLog();
  const follower = follow(log, { to: 3 });
  await log.commit("a");
  assertEquals(await follower.news(), ["1 a"]);
  await log.commit("b", "c", "d");
  assertEquals(await soon(follower.ended), "closed");
  assertEquals(await follower.news(), ["2 b", "3 c"]);
});

test("followers by batches get one array a frame", async () => {
  const log = await openLog();
  const reader = log.wal.readable({ follow: true, batches: true }).getReader();
  await log.wal.commitBatch(["a", "b"]);
  assertEquals((await soon(reader.read())).value?.map(({ lsn }) => lsn), [1, 2]);
  await log.commit("c", "d");
  assertEquals((await soon(reader.read())).value?.map((entry) => entry.text()), ["c", "d"]);
  await reader.cancel();
});

test("a follower that commits what it sees goes on as long as there is something to see", async () => {
  const log = await openLog();
  await log.commit("3");
  const seen: string[] = [];
  for await (const entry of log.wal.readable({ follow: true })) {
    seen.push(entry.text());
    if (entry.text() === "0") break;
    await log.wal.commit(String(Number(entry.text()) - 1));
  }
  assertEquals(seen, ["3", "2", "1", "0"]);
});

// -- the end of a follower

test("cancelling an idle follower, and one that is reading, gives its file back", async () => {
  const log = await openLog();
  await log.commit("a");
  await quiet();
  const open = log.runtime.openFiles.length;
  const idle = follow(log);
  await idle.news();
  await soon(idle.cancel());
  log.faults.slow("read", 5);
  const busy = follow(log);
  const cancelled = busy.cancel();
  await log.advance(100);
  await soon(cancelled);
  assertEquals(log.runtime.openFiles.length, open);
});

test("a signal ends a follower with its reason, also one that nobody reads from, and gives its file back", async () => {
  const log = await openLog();
  await log.commit("a", "b");
  await quiet();
  const open = log.runtime.openFiles.length;
  const control = new AbortController();
  const idle = follow(log, { signal: control.signal });
  const unread = log.wal.readable({ follow: true, signal: control.signal }).getReader();
  assertEquals((await unread.read()).value?.lsn, 1);
  assertEquals(await idle.news(), ["1 a", "2 b"]);
  control.abort(new Error("enough"));
  const error = await soon(idle.ended);
  assertInstanceOf(error, WalAbortedError);
  assertEquals((error.cause as Error).message, "enough");
  await quiet();
  assertEquals(log.runtime.openFiles.length, open);
  assertEquals((await unread.read()).value?.lsn, 2); // it was in the stream already
  await assertRejects(() => unread.read(), WalAbortedError);
  await assertRejects(() => log.wal.readable({ signal: AbortSignal.abort() }).getReader().read(), WalAbortedError);
});

test("a log that fails ends its followers with the one cause, after what was durable", async () => {
  const log = await openLog();
  await log.commit("a");
  const follower = follow(log);
  log.faults.fail("syncData", { path: ANY_WAL });
  log.wal.append("b");
  const error = await soon(follower.ended);
  assertInstanceOf(error, WalFailedError);
  assertStrictEquals(error, log.wal.error);
  assertEquals(await follower.news(), ["1 a"]);
});

test("a consumer that stops reading holds up neither the log nor its end", async () => {
  const log = await openLog();
  await log.commit("a");
  const reader = log.wal.readable({ follow: true }).getReader();
  await reader.read();
  for (let nth = 0; nth < 100; nth++) await log.commit("x".repeat(1000));
  await soon(log.wal.close());
  let count = 1;
  while (!(await soon(reader.read())).done) count++;
  assertEquals(count, 101);
});

// -- a full disk

test("what a full disk cuts back is never shown, though it had been written in part where a follower reads on", async () => {
  const log = await openLog({ segmentBytes: 0 });
  await log.commit("a");
  const follower = follow(log);
  assertEquals(await follower.news(), ["1 a"]);
  log.fillDisk(40_000);
  const lost = [1, 2, 3].map((nth) => outcomeOf(log.wal.commitBatch([`${nth}`.repeat(700_000)])));
  for (const outcome of await Promise.all(lost)) {
    assert(outcome.state === "rejected");
    assertInstanceOf(outcome.error, WalDiskFullError);
  }
  assertEquals(await follower.news(), []);
  log.freeDisk();
  await log.advance(200);
  await log.commit("after");
  assertEquals(await follower.news(), ["5 after"]);
});

// -- many

test("a thousand followers that one flush wakes read it once", async () => {
  const log = await openLog({ segmentBytes: 0 });
  await log.commit("a");
  const followers = Array.from({ length: 1000 }, () => follow(log, { from: 2 }));
  await quiet();
  await log.commit("b");
  for (const follower of followers) assertEquals(await follower.news(), ["2 b"]);
  const from = log.faults.calls.length;
  await log.commit("c");
  for (const follower of followers) assertEquals(await follower.news(), ["3 c"]);
  assertEquals(log.calls("read", ANY_WAL, from).length, 1);
  assertLess(log.calls("open", SEGMENT).length + log.calls("open", ANY_WAL).length, 20);
  await soon(log.wal.close());
  for (const follower of followers) assertEquals(await soon(follower.ended), "closed");
  assertEquals(log.runtime.openFiles, []);
});

test("a follower reads no further than what is written, not the zeros behind it", async () => {
  const log = await openLog({ segmentBytes: 0 });
  await log.commit("a");
  const follower = follow(log);
  await follower.news();
  await log.commit("b");
  await follower.news();
  const lengths = log.calls("read", ANY_WAL).map(({ length }) => length);
  assertLess(Math.max(...lengths), 5000);
});

test("options of reading that are wrong are refused by name", async () => {
  const log = await openLog();
  const wrong: [unknown, string][] = [
    [null, "object"],
    [5, "object"],
    [{ form: 5 }, "no option form"],
    [{ signal: "stop" }, "AbortSignal"],
  ];
  for (const [options, named] of wrong) {
    await assertRejects(
      () => Promise.resolve().then(() => log.wal.readable(options as object)),
      WalOptionsError,
      named,
    );
    await assertRejects(() => log.wal.waitFor(0, options as object), WalOptionsError, named);
  }
});
