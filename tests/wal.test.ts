// What a user holds: the contract of the log, promise by promise.

import { test } from "node:test";
import { inspect } from "node:util";
import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  type Entry,
  Wal,
  WalAbortedError,
  WalBufferFullError,
  WalIoError,
  WalLockedError,
  WalRangeError,
} from "../mod.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import { LogFixture, openLog, outcomeOf, quiet, soon } from "./support/log_fixture.ts";

async function collect<T>(stream: ReadableStream<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of stream) found.push(each);
  return found;
}

// -- open and where the log stands

test("a new log is empty, open, and says so", async () => {
  const { wal, events } = await openLog();
  assertEquals([wal.firstLsn, wal.lastLsn, wal.durableLsn, wal.syncedLsn], [1, 0, 0, 0]);
  assertEquals([wal.state, wal.error], ["open", null]);
  const { durationMs: _, ...found } = wal.recovery;
  const nothing = { entries: 0, bytes: 0, segments: 0, torn: null, damage: [], setAside: [], rewrittenBytes: 0 };
  assertEquals(found, { mode: "tolerate-tail", end: "new", firstLsn: 1, lastLsn: 0, ...nothing });
  assertEquals(events.map(({ type }) => type), ["recovered"]);
  assertEquals(await wal.flush(), 0);
  assertEquals(await collect(wal.readable()), []);
});

test("opening makes the directory and all above it, given as a path or as a URL", async () => {
  const runtime = new MemoryRuntime();
  await (await Wal.open("/a/b/c", { runtime })).close();
  await (await Wal.open(new URL("file:///d/e%20f"), { runtime })).close();
  assertEquals(runtime.disk.names("/a/b/c"), ["lock"]);
  assertEquals(runtime.disk.names("/d/e f"), ["lock"]);
});

test("a new directory is synced into all that hold it, by every open until there is a segment", async () => {
  const log = new LogFixture();
  const synced = (): string[] => log.calls("syncDirectory").map(({ path }) => path);
  await log.open();
  assertEquals(synced(), ["/data", "/", "/data/wal"]);
  await log.reopen();
  assertEquals(synced(), ["/data", "/", "/data/wal"]);
  await log.commit("a");
  await log.reopen();
  assertEquals(synced(), ["/data/wal"]);
});

test("who may not sync the directories above is told so and goes on; a disk that fails there is refused", async () => {
  const log = new LogFixture();
  log.faults.fail("syncDirectory", { path: "/data", code: "EACCES" });
  await log.open();
  const [told] = log.events.filter((event) => event.type === "capability-missing");
  assertEquals([told?.name, told?.level], ["directory-sync", "warning"]);
  await log.reopen();
  await log.wal.close();
  log.faults.fail("syncDirectory", { path: "/data" });
  assertEquals((await assertRejects(() => log.open(), WalIoError)).code, "WAL_IO");
});

test("a log that was closed is found clean, one that was not is found unclean, and both whole", async () => {
  const log = await openLog();
  await log.commit("a", "b");
  await log.reopen();
  assertEquals([log.wal.recovery.end, log.wal.recovery.lastLsn, log.wal.recovery.segments], ["clean", 2, 1]);
  await log.commit("c");
  await log.crashAndReopen();
  assertEquals([log.wal.recovery.end, log.wal.firstLsn, log.wal.lastLsn], ["unclean", 1, 3]);
  assertEquals([log.wal.durableLsn, log.wal.syncedLsn], [3, 3]);
  assertEquals(await log.readAll(), ["1 a", "2 b", "3 c"]);
});

test("a signal ends the opening, and leaves no lock and no open file behind", async () => {
  const log = new LogFixture();
  const reason = new Error("enough");
  const aborted = await assertRejects(() => log.open({ signal: AbortSignal.abort(reason) }), WalAbortedError);
  assertEquals([aborted.code, aborted.cause], ["WAL_ABORTED", reason]);
  const late = new AbortController();
  log.faults.onEvery(({ name }) => void (name === "tryLock" && late.abort(reason)));
  await assertRejects(() => log.open({ signal: late.signal }), WalAbortedError);
  assertEquals(log.runtime.openFiles, []);
  await log.open();
});

test("a second opener is turned away, and told who holds the log, until it is closed", async () => {
  const log = await openLog();
  const refused = await assertRejects(() => Wal.open("/data/wal", { runtime: log.runtime }), WalLockedError);
  assertEquals([refused.code, refused.owner?.pid, refused.owner?.runtime], ["WAL_LOCKED", 1000, "memory"]);
  await log.wal.close();
  await log.open();
});

// -- append

test("append numbers at once, and an entry of no bytes is an entry", async () => {
  const log = await openLog();
  const { wal } = log;
  const inputs = ["text", "", new Uint8Array([1, 2]), { kind: 191, data: "kind" }, { data: [] }, {
    kind: 3,
    data: [new Uint8Array([65]), new Uint8Array(0), new Uint8Array([66, 67])],
  }];
  assertEquals(inputs.map((input) => wal.append(input)), [1, 2, 3, 4, 5, 6]);
  assertEquals([wal.lastLsn, wal.durableLsn], [6, 0]);
  await wal.flush();
  const entries = await collect(wal.readable());
  assertEquals(entries.map(({ lsn, kind }) => [lsn, kind]), [[1, 0], [2, 0], [3, 0], [4, 191], [5, 0], [6, 3]]);
  assertEquals(entries.map((entry) => entry.text()), ["text", "", "\x01\x02", "kind", "", "ABC"]);
});

test("what is handed to append may be changed as soon as it returns", async () => {
  const log = await openLog();
  const data = new TextEncoder().encode("before");
  const part = new TextEncoder().encode("part");
  log.wal.append(data);
  log.wal.append({ data: [part, part] });
  log.wal.appendBatch([data]);
  data.fill(0);
  part.fill(0);
  await log.wal.flush();
  assertEquals(await log.readAll(), ["1 before", "2 partpart", "3 before"]);
});

test("text of any length and any script comes back as it was", async () => {
  const log = await openLog();
  const texts = ["ä€😀".repeat(5), "x".repeat(70_000), "😀".repeat(40_000), "€".repeat(21_000), "a".repeat(65_536)];
  for (const text of texts) log.wal.append(text);
  await log.wal.flush();
  assertEquals((await collect(log.wal.readable())).map((entry) => entry.text()), texts);
});

test("an entry has its time, which never goes back, also when the clock does and the log is opened again", async () => {
  const log = await openLog();
  const times = async (): Promise<number[]> => (await collect(log.wal.readable())).map(({ time }) => time);
  await log.commit("a");
  await log.advance(1000);
  await log.commit("b");
  log.runtime.clock.jump(-3_600_000);
  await log.commit("c");
  const [a = 0, b = 0, c = 0] = await times();
  assertEquals([b - a, c - b], [1000, 0]);
  await log.crashAndReopen(); // the clock of the new process is behind as well
  await log.commit("d");
  assertEquals((await times()).at(-1), b);
});

test("a batch is one array of a batch reader, and lies whole between its neighbours", async () => {
  const log = await openLog();
  log.wal.append("a");
  assertEquals(log.wal.appendBatch(["b", { kind: 9, data: "c" }, ""]), 4);
  log.wal.append("d");
  assertEquals(await log.wal.commitBatch(["e", "f"]), 7);
  const batches = await collect(log.wal.readable({ batches: true }));
  assertEquals(batches.map((batch) => batch.map((entry) => entry.text())), [["a"], ["b", "c", ""], ["d"], ["e", "f"]]);
  assertEquals(batches[1]?.map(({ lsn, kind }) => [lsn, kind]), [[2, 0], [3, 9], [4, 0]]);
});

// -- wait, commit, flush

test("commit resolves to its LSN when the entry outlives a power loss", async () => {
  const log = await openLog();
  assertEquals(await log.commit("a", "b"), [1, 2]);
  assertEquals(await log.wal.commitBatch(["c", "d"]), 4);
  assertEquals([log.wal.durableLsn, log.wal.syncedLsn], [4, 4]);
  await log.crashAndReopen();
  assertEquals(await log.readAll(), ["1 a", "2 b", "3 c", "4 d"]);
});

test("waitFor resolves for what is durable, and rejects above the last LSN", async () => {
  const log = await openLog();
  const lsn = log.wal.append("a");
  assertEquals((await outcomeOf(log.wal.waitFor(0))).state, "resolved");
  await soon(log.wal.waitFor(lsn));
  await soon(log.wal.waitFor(lsn));
  const error = await assertRejects(() => log.wal.waitFor(2), WalRangeError);
  assertEquals(error.code, "WAL_RANGE");
  await log.reopen();
  await soon(log.wal.waitFor(lsn));
});

test("a signal ends the waiting and leaves the entry in the log", async () => {
  const log = await openLog({ windowMs: 10 });
  const lsn = log.wal.append("a");
  const controller = new AbortController();
  const waiting = outcomeOf(log.wal.waitFor(lsn, { signal: controller.signal }));
  controller.abort("changed my mind");
  const outcome = await waiting;
  assert(outcome.state === "rejected");
  assertInstanceOf(outcome.error, WalAbortedError);
  assertEquals(outcome.error.cause, "changed my mind");
  const before = await outcomeOf(log.wal.waitFor(lsn, { signal: AbortSignal.abort() }));
  assertEquals(before.state, "rejected");
  await log.advance(10);
  await soon(log.wal.waitFor(lsn, { signal: new AbortController().signal }));
  assertEquals(await log.readAll(), ["1 a"]);
});

test("flush syncs everything accepted before the call, and resolves to its LSN", async () => {
  for (const durability of ["fsync", "write", "none"] as const) {
    const log = await openLog({ durability, windowMs: 500 });
    log.wal.append("a");
    log.wal.append("b");
    assertEquals(await soon(log.wal.flush()), 2);
    assertEquals(log.wal.syncedLsn, 2);
    await log.crashAndReopen();
    assertEquals(await log.readAll(), ["1 a", "2 b"]);
  }
});

// -- room

test("append takes entries until the buffer is full, then throws, and takes them again after ready", async () => {
  const log = await openLog({ maxBufferedBytes: 1000 });
  const { wal } = log;
  assertEquals(wal.desiredSize, 1000);
  wal.append("a".repeat(600));
  assertLess(wal.desiredSize, 400);
  wal.append("b".repeat(600));
  assertLess(wal.desiredSize, 1);
  const error = assertThrows(() => wal.append("c"), WalBufferFullError);
  assertThrows(() => wal.appendBatch(["c"]), WalBufferFullError);
  assertEquals(error.code, "WAL_BUFFER_FULL");
  assertGreater(error.bufferedBytes, 1000);
  await soon(wal.ready);
  assertGreater(wal.desiredSize, 0);
  assertEquals(wal.append("d"), 3);
  await wal.flush();
  assertEquals(wal.desiredSize, 1000);
});

test("commits wait for room in their order, and append does not pass them", async () => {
  const log = await openLog({ maxBufferedBytes: 500 });
  const { wal } = log;
  const settled: number[] = [];
  const note = (lsn: number): void => void settled.push(lsn);
  const texts = ["a", "b", "c", "d", "e"].map((letter) => letter.repeat(400));
  const commits = texts.map((text) => wal.commit(text).then(note));
  commits.push(wal.commitBatch(["x", "y"]).then(note));
  assertLess(wal.lastLsn, 5);
  assertThrows(() => wal.append("before its turn"), WalBufferFullError);
  await soon(Promise.all(commits));
  assertEquals(settled, [1, 2, 3, 4, 5, 7]);
  assertEquals((await collect(wal.readable())).map((entry) => entry.text()), [...texts, "x", "y"]);
});

test("as long as somebody stands in line for room no window is waited for", async () => {
  const log = await openLog({ maxBufferedBytes: 500, windowMs: 60_000 });
  const commits = ["a", "b", "c", "d", "e", "f", "g"].map((letter) => log.wal.commit(letter.repeat(400)));
  await soon(Promise.all(commits.slice(0, 6)));
  await log.advance(60_000);
  await soon(Promise.all(commits));
});

// -- read

test("reading shows what was durable at the call, from one LSN to another", async () => {
  const log = await openLog({ windowMs: 10 });
  await Promise.all([log.commit("a", "b", "c", "d"), log.advance(10)]);
  log.wal.append("not yet durable");
  assertEquals(await log.readAll(), ["1 a", "2 b", "3 c", "4 d"]);
  assertEquals(await log.readAll({ from: 2, to: 3 }), ["2 b", "3 c"]);
  assertEquals(await log.readAll({ from: 4 }), ["4 d"]);
  assertEquals(await log.readAll({ from: 3, to: 5 }), ["3 c", "4 d"]);
  assertEquals(await log.readAll({ from: 6 }), []);
  assertEquals(await log.readAll({ from: 3, to: 2 }), []);
  const stream = log.wal.readable();
  await Promise.all([log.wal.flush(), log.commit("e")]);
  assertEquals((await collect(stream)).length, 4);
});

test("a stream that is cancelled, before, during or after, gives its file back", async () => {
  const log = await openLog({ segmentBytes: 0 });
  await log.commit("a".repeat(60_000), "b".repeat(60_000), "c");
  await quiet(); // a spare may be in the making
  const open = log.runtime.openFiles.length;
  await log.wal.readable().cancel();
  const reader = log.wal.readable().getReader();
  assertEquals((await reader.read()).value?.lsn, 1);
  assertEquals(log.runtime.openFiles.length, open + 1);
  await reader.cancel();
  const hasty = log.wal.readable().getReader();
  const first = hasty.read();
  await hasty.cancel();
  await first;
  for await (const entry of log.wal.readable()) if (entry.lsn === 2) break;
  await collect(log.wal.readable());
  assertEquals(log.runtime.openFiles.length, open);
});

test("a log and its entries can be printed", async () => {
  const log = await openLog();
  await log.commit("hello");
  assertMatch(inspect(log.wal), /directory: "\/data\/wal"|directory: '\/data\/wal'/);
  assertMatch(inspect(log.wal), /lastLsn: 1/);
  for await (const entry of log.wal.readable()) assertMatch(inspect(entry), /lsn: 1[^]*104, +101, +108/);
});

test("the bytes of an entry stay as they are, whatever the log does afterwards", async () => {
  const log = await openLog();
  await log.commit("first", "second");
  const kept: Entry[] = await collect(log.wal.readable());
  for (let i = 0; i < 50; i++) await log.commit(String(i).repeat(2000));
  await collect(log.wal.readable());
  assertEquals(kept.map((entry) => entry.text()), ["first", "second"]);
  assertEquals(kept[0]?.data.length, 5);
  await log.commit('{"hello":"world"}');
  for await (const entry of log.wal.readable({ from: log.wal.lastLsn })) assertEquals(entry.json(), { hello: "world" });
});
