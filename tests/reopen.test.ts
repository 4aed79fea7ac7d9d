// A log that has failed comes back in place: what was acknowledged is there, every other LSN is skipped, and none is given twice.

import { test } from "node:test";
import { assertEquals, assertMatch, assertNotEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type EntryInput, WalClosedError, WalError, WalFailedError, WalIoError, WalRangeError } from "../mod.ts";
import { ANY_WAL, type LogFixture, openLog, openLogWith, outcomeOf, quiet, soon } from "./support/log_fixture.ts";

/** Its entries are rejected with the failure, which this resolves to. */
async function failNextSync(log: LogFixture, ...entries: readonly EntryInput[]): Promise<unknown> {
  log.faults.fail("syncData", { path: ANY_WAL });
  const commits = entries.map((entry) => log.wal.commit(entry));
  const outcomes = await Promise.all(commits.map((commit) => outcomeOf(commit)));
  assertEquals(outcomes.map(({ state }) => state), entries.map(() => "rejected"));
  assertEquals(log.wal.state, "failed");
  log.faults.clear();
  return log.wal.error;
}

test("after a failed sync the log goes on behind what was synced, and gives no LSN twice", async () => {
  const log = await openLogWith("kept");
  const { wal } = log;
  const failure = await failNextSync(log, "lost", "lost too");
  await soon(wal.reopen());
  assertEquals([wal.state, wal.error, wal.lastLsn, wal.syncedLsn, wal.durableLsn], ["open", null, 3, 3, 1]);
  const skipped = await assertRejects(() => wal.waitFor(3), WalRangeError, "skipped");
  assertStrictEquals(skipped.cause, failure);
  assertEquals(await soon(wal.commit("new")), 4);
  assertEquals(await log.readAll(), ["1 kept", "4 new"]);
  const { firstSkippedLsn, lastSkippedLsn } = log.events.find(({ type }) => type === "reopened") as never;
  assertEquals([firstSkippedLsn, lastSkippedLsn], [2, 3]);

  await log.crashAndReopen();
  assertEquals(await log.readAll(), ["1 kept", "4 new"]);
  await assertRejects(() => log.wal.waitFor(2), WalError);
});

test("the failed file is neither written nor synced again, and what it holds behind the stated end is no entry", async () => {
  const log = await openLogWith("kept");
  const failed = log.lastSegment();
  await failNextSync(log, "lost");
  const from = log.faults.calls.length;
  await soon(log.wal.reopen());
  await log.commit("new");
  const isFailed = new RegExp(`${failed}$|spare-0000000001`); // it was born as that spare
  const calls = [...log.calls("write", isFailed, from), ...log.calls("syncData", isFailed, from)];
  assertEquals(calls, []);
  log.kill(); // the page cache still has it
  await log.open();
  assertEquals(await log.readAll(), ["1 kept", "3 new"]);
  assertEquals(log.header(log.lastSegment()).predecessor.lastLsn, 1);
});

test("what was acknowledged as written is copied and synced; what asked for a sync is not", async () => {
  const log = await openLogWith("kept", { durability: "write" });
  const { wal } = log;
  assertEquals(await soon(wal.commit("written")), 2);
  assertEquals(await soon(wal.commitBatch(["a", "b"])), 4);
  log.faults.fail("syncData", { path: ANY_WAL });
  const [weak, strong, behind] = [
    wal.commit("weak"),
    wal.commit({ data: "strong", durability: "fsync" }),
    wal.commit("behind"),
  ];
  const outcomes = await Promise.all([weak, strong, behind].map((each) => outcomeOf(each)));
  assertEquals(outcomes.map(({ state }) => state), ["resolved", "rejected", "rejected"]); // it was told of the write
  log.faults.clear();
  await soon(wal.reopen());
  assertEquals([wal.syncedLsn, wal.durableLsn], [7, 5]);
  assertEquals(await soon(wal.commit("new")), 8);
  const expected = ["1 kept", "2 written", "3 a", "4 b", "5 weak", "8 new"];
  assertEquals(await log.readAll(), expected);
  await log.wal.flush();
  await log.crashAndReopen();
  assertEquals(await log.readAll(), expected);
});

test("an entry that somebody was told is written survives, whatever else it had asked for", async () => {
  const log = await openLogWith("kept");
  const { wal } = log;
  log.faults.fail("syncData", { path: ANY_WAL });
  const lsn = wal.append("told");
  wal.append("and in the same frame");
  await soon(wal.waitFor(lsn, { durability: "write" }));
  await quiet();
  assertEquals(wal.state, "failed");
  log.faults.clear();
  await soon(wal.reopen());
  await soon(wal.waitFor(lsn));
  assertEquals(await log.readAll(), ["1 kept", "2 told"]);
});

test("entries that the page cache has dropped since are skipped", async () => {
  const log = await openLogWith("kept", { durability: "write" });
  const { wal } = log;
  await soon(wal.commit("first"));
  await soon(wal.commit("second"));
  const name = log.lastSegment();
  const file = log.file(name);
  const at = new TextDecoder("latin1").decode(file).indexOf("second");
  log.faults.fail("syncData", { path: ANY_WAL });
  await outcomeOf(wal.flush());
  log.faults.clear();
  log.damage(name, (bytes) => bytes.fill(0, at - 53, at + 16));
  await soon(wal.reopen());
  assertEquals(await log.readAll(), ["1 kept", "2 first"]);
  assertEquals((await outcomeOf(wal.waitFor(3))).state, "rejected");
});

test("a reopening that fails leaves the log failed, with its first cause, and may be tried again", async () => {
  for (
    const [call, path] of [["write", ANY_WAL], ["syncData", ANY_WAL], ["rename", undefined], [
      "syncDirectory",
      undefined,
    ]] as const
  ) {
    const log = await openLogWith("kept");
    const { wal } = log;
    const failure = await failNextSync(log, "lost");
    log.faults.fail(call, path === undefined ? {} : { path });
    const error = await assertRejects(() => soon(wal.reopen()), WalIoError);
    assertMatch(error.message, /cannot reopen the log in \/data\/wal, which stays failed: EIO/);
    assertStrictEquals(wal.error, failure);
    assertEquals([wal.lastLsn, wal.syncedLsn], [2, 1]);
    await assertRejects(() => wal.commit("x"), WalFailedError);
    await soon(wal.reopen());
    assertEquals(await soon(wal.commit("new")), 3);
    await log.crashAndReopen();
    assertEquals(await log.readAll(), ["1 kept", "3 new"]);
  }
});

test("a log that failed before its first segment was there begins with a skip", async () => {
  const log = await openLog();
  log.faults.fail("syncDirectory");
  assertEquals((await outcomeOf(log.wal.commit("lost"))).state, "rejected");
  log.faults.clear();
  await soon(log.wal.reopen());
  assertEquals(await soon(log.wal.commit("new")), 2);
  await log.crashAndReopen();
  assertEquals(await log.readAll(), ["2 new"]);
  assertEquals(log.wal.firstLsn, 1);
});

test("with no byte free a log comes back in the spare that is kept back, and goes on when there is room", async () => {
  const log = await openLogWith("kept");
  log.fillDisk();
  await failNextSync(log, "lost");
  await soon(log.wal.reopen());
  assertEquals(await soon(log.wal.commit("small")), 3);
  log.freeDisk();
  await soon(log.wal.commit("r".repeat(9000)));
  await log.crashAndReopen();
  assertEquals((await log.readAll()).map((line) => line.slice(0, 7)), ["1 kept", "3 small", "4 rrrrr"]);
});

test("who reads a weak log while it fails and comes back sees each entry once", async () => {
  const log = await openLogWith("kept", { durability: "write" });
  const { wal } = log;
  for (const text of ["a", "b", "c"]) await soon(wal.commit(text));
  const reader = wal.readable().getReader();
  const seen = [(await reader.read()).value?.text(), (await reader.read()).value?.text()];
  await failNextSync(log, { data: "lost", durability: "fsync" });
  await soon(wal.reopen());
  for (let next = await soon(reader.read()); !next.done; next = await soon(reader.read())) seen.push(next.value.text());
  assertEquals(seen, ["kept", "a", "b", "c"]);
});

test("the mark of a log that failed while it was taken away vouches for nothing any more", async () => {
  const log = await openLogWith("kept");
  await log.reopen();
  await failNextSync(log, "lost");
  await soon(log.wal.reopen());
  await log.commit("new");
  log.kill();
  await log.open();
  assertEquals(await log.readAll(), ["1 kept", "3 new"]);
});

test("what was torn off a failed segment is kept aside when its file goes", async () => {
  const log = await openLogWith("kept");
  await failNextSync(log, "lost evidence");
  await soon(log.wal.reopen());
  await log.commit("new");
  await soon(log.wal.truncateBefore(3));
  const [aside] = log.names().filter((name) => name.startsWith("torn-"));
  assertNotEquals(aside, undefined);
  assertMatch(new TextDecoder().decode(log.file(aside ?? "")), /lost evidence/);
});

test("a failed segment of which nothing is kept is set aside whole by the next open", async () => {
  const log = await openLog();
  log.faults.fail("syncData", { path: ANY_WAL, nth: 3 }); // after the spare's and the header's
  assertEquals((await outcomeOf(log.wal.commit("lost evidence"))).state, "rejected");
  log.faults.clear();
  await soon(log.wal.reopen());
  await log.commit("new");
  log.kill();
  await log.open();
  await quiet();
  const [aside] = log.names().filter((name) => name.startsWith("torn-"));
  assertMatch(new TextDecoder().decode(log.file(aside ?? "lock")), /lost evidence/);
  assertEquals(log.segments().length, 1);
});

test("an open log is left alone, two reopenings at once are one, and a closed log stays closed", async () => {
  const log = await openLogWith("kept");
  const { wal } = log;
  const { calls } = log.runtime;
  await soon(wal.reopen());
  assertEquals(log.runtime.calls, calls);
  await failNextSync(log, "lost");
  const before = log.segments().length;
  await soon(Promise.all([wal.reopen(), wal.reopen()]));
  assertEquals(log.segments().length, before + 1);
  await wal.close();
  await assertRejects(() => wal.reopen(), WalClosedError);
});

test("a log that is closed while it comes back is closed well", async () => {
  const log = await openLogWith("kept");
  await failNextSync(log, "lost");
  const reopened = log.wal.reopen();
  const closed = log.wal.close();
  await outcomeOf(reopened);
  assertNotEquals((await outcomeOf(closed)).state, "pending");
  log.kill();
  await log.open();
  assertEquals((await log.readAll())[0], "1 kept");
});
