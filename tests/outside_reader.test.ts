// Reading without the lock: only what is vouched for is shown, through rotation, reuse, cutting and damage, and nothing is changed.

import { crc32 } from "node:zlib";
import { test } from "node:test";
import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  type Entry,
  Wal,
  WalAbortedError,
  WalCorruptionError,
  WalDirectoryError,
  WalInputError,
  WalIoError,
  type WalOptions,
  WalOptionsError,
  WalRewoundError,
  WalTruncatedError,
} from "../mod.ts";
import { OutsideReader } from "../src/outside_reader.ts";
import { MemoryDisk, MemoryRuntime } from "../src/runtime/memory.ts";
import { EVEN, evenText, frameAt, openEvenLog } from "./support/even_log.ts";
import { DIRECTORY, LogFixture, pathOf, SMALL_SEGMENT_BYTES, soon } from "./support/log_fixture.ts";

/** Another process on the same disk. */
function elsewhere(log: LogFixture): MemoryRuntime {
  return new MemoryRuntime({ disk: log.disk, crc32 });
}

async function readElsewhere(log: LogFixture, options: { from?: number; to?: number } = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Wal.read(DIRECTORY, { ...options, runtime: elsewhere(log) })) {
    found.push(`${entry.lsn} ${entry.text()}`);
  }
  return found;
}

/** Somebody in another process who follows, and can be asked for what he has seen. */
class Watcher {
  readonly runtime: MemoryRuntime;
  readonly seen: string[] = [];
  readonly ended: Promise<unknown>;
  readonly #reader: ReadableStreamDefaultReader<Entry>;

  constructor(log: LogFixture, options: { from?: number; to?: number; signal?: AbortSignal } = {}) {
    this.runtime = new MemoryRuntime({ disk: log.disk, crc32, manualTime: true });
    this.#reader = Wal.read(DIRECTORY, { ...options, follow: true, pollMs: 10, runtime: this.runtime }).getReader();
    this.ended = this.#run().then(() => "closed", (error: unknown) => error);
  }

  async #run(): Promise<void> {
    for (let next = await this.#reader.read(); !next.done; next = await this.#reader.read()) {
      this.seen.push(`${next.value.lsn} ${next.value.text().slice(0, 20).replace(/\.+$/, "")}`);
    }
  }

  async news(): Promise<string[]> {
    for (let turn = 0; turn < 3; turn++) await this.runtime.clock.advance(10);
    return this.seen.splice(0);
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }
}

async function openLog(options: WalOptions = {}): Promise<LogFixture> {
  const log = new LogFixture({ segmentBytes: SMALL_SEGMENT_BYTES, ...options });
  await log.open();
  return log;
}

test("a log that was closed is read whole, in ranges and by batches, and not one byte is changed", async () => {
  const log = await openEvenLog(13);
  await log.wal.close();
  const before = log.contents();
  for (const [from, to] of [[1, 13], [1, 1], [4, 9], [13, 13]] as const) {
    const expected = Array.from({ length: to - from + 1 }, (_, nth) => `${from + nth} ${evenText(from + nth)}`);
    assertEquals(await readElsewhere(log, { from, to }), expected);
  }
  assertEquals((await readElsewhere(log)).length, 13);
  assertEquals(await readElsewhere(log, { from: 14 }), []);
  const sizes: number[] = [];
  for await (const batch of Wal.read(DIRECTORY, { batches: true, runtime: elsewhere(log) })) sizes.push(batch.length);
  assertEquals(sizes, Array.from({ length: 13 }, () => 1));
  assertEquals(log.contents(), before);
});

test("it needs no lock, and shows an entry as soon as something vouches for it: the next flush, or an idle frame", async () => {
  const log = await openLog({ idleMs: 100 });
  const watcher = new Watcher(log);
  assertEquals(await watcher.news(), []);
  await log.commit("a");
  assertEquals(await watcher.news(), []);
  await log.commit("b");
  assertEquals(await watcher.news(), ["1 a"]);
  await log.advance(150);
  assertEquals(await watcher.news(), ["2 b"]);
  await log.wal.close();
  assertEquals(await watcher.news(), []);
  await watcher.cancel();
  assertEquals(watcher.runtime.openFiles, []);
});

test("what is only in the page cache is not shown, and what a power cut takes never was", async () => {
  const log = await openLog({ durability: "write" });
  const watcher = new Watcher(log);
  for (const text of ["a", "b", "c"]) await log.commit(text);
  assertEquals(await watcher.news(), []);
  await log.wal.flush();
  await log.commit("d");
  assertEquals(await watcher.news(), ["1 a", "2 b", "3 c"]);
  await log.crashAndReopen();
  assertEquals((await log.readAll()).length, 3);
});

test("a follower elsewhere goes from segment to segment, into files that were used before", async () => {
  const log = await openLog({ ...EVEN, idleMs: 100 });
  const watcher = new Watcher(log);
  let seen: string[] = [];
  for (let lsn = 1; lsn <= 40; lsn++) {
    await log.commit(evenText(lsn));
    if (lsn % 10 === 0) await log.wal.truncateBefore(lsn - 6);
    seen = [...seen, ...await watcher.news()];
  }
  await log.advance(150);
  seen = [...seen, ...await watcher.news()];
  assertEquals(seen, Array.from({ length: 40 }, (_, nth) => `${nth + 1} ${nth + 1}`));
  assertGreater(log.names().filter((name) => name.startsWith("spare-")).length, 0);
});

test("a follower begins where it is told, and ends where it is told, also in what is still to come", async () => {
  const log = await openLog();
  for (const text of ["a", "b", "c"]) await log.commit(text);
  const watcher = new Watcher(log, { from: 3, to: 5 });
  assertEquals(await watcher.news(), []);
  await log.commit("d", "e", "f");
  await log.commit("g");
  assertEquals(await watcher.news(), ["3 c", "4 d", "5 e"]);
  assertEquals(await soon(watcher.ended), "closed");
});

test("a follower that waits at the end does not read the log again and again", async () => {
  const log = await openLog({ segmentBytes: 0, idleMs: 10 });
  for (let nth = 0; nth < 50; nth++) await log.commit("x".repeat(20_000));
  await log.advance(50);
  for (const from of [1, 51]) {
    const watcher = new Watcher(log, { from });
    await watcher.news();
    const before = watcher.runtime.calls;
    for (let nth = 0; nth < 5; nth++) await watcher.news();
    assertLess(watcher.runtime.calls - before, 15 * 20);
    await watcher.cancel();
  }
});

test("without follow a reader ends, though the log is written faster than it reads", async () => {
  const log = await openLog({ segmentBytes: 0 });
  for (let nth = 0; nth < 6; nth++) await log.commit("x");
  let count = 0;
  for await (const _entry of Wal.read(DIRECTORY, { runtime: elsewhere(log) })) {
    for (let nth = 0; nth < 3; nth++) await log.commit("more");
    if (++count > 100) break;
  }
  assertEquals(count, 5);
});

// -- cut, rewound, damaged

test("a reader whose place has been cut away learns where the log begins", async () => {
  const log = await openEvenLog(13);
  const watcher = new Watcher(log, { to: 2 });
  await watcher.news();
  const late = new Watcher(log, { from: 3, to: 5 });
  await log.wal.truncateBefore(12);
  await log.commit(evenText(14));
  const error = await soon(late.news().then(() => late.ended));
  assertInstanceOf(error, WalTruncatedError);
  assertEquals(error.firstLsn, 12);
  await assertRejects(() => readElsewhere(log, { from: 11 }), WalTruncatedError);
  assertEquals((await readElsewhere(log)).map((entry) => entry.slice(0, 2)), ["12", "13"]);
});

test("a follower that falls behind while its file is used again ends in an error, and never shows what it did not read", async () => {
  const log = await openEvenLog(8, { ...EVEN, spares: 2 });
  const reader = Wal.read(DIRECTORY, { follow: true, runtime: elsewhere(log) }).getReader();
  assertEquals((await reader.read()).value?.lsn, 1);
  for (let lsn = 9; lsn <= 40; lsn++) {
    await log.commit(evenText(lsn));
    await log.wal.truncateBefore(lsn);
  }
  const read = async (): Promise<void> => {
    for (let expected = 2;; expected++) {
      const { value } = await reader.read();
      assertEquals([value?.lsn, value?.text()], [expected, evenText(expected)]);
    }
  };
  await assertRejects(read, WalTruncatedError);
});

test("a log that was replaced by another one is not the log that was read", async () => {
  const log = await openEvenLog(5);
  const watcher = new Watcher(log);
  assertEquals((await watcher.news()).length, 4);
  const other = new LogFixture(EVEN, { seed: 7 });
  await other.open();
  for (let lsn = 1; lsn <= 9; lsn++) await other.commit(evenText(lsn));
  for (const name of log.names()) log.disk.remove(pathOf(name));
  for (const name of other.names()) log.plant(name, other.file(name));
  await watcher.news();
  assertInstanceOf(await soon(watcher.ended), WalRewoundError);
});

test("damage that something vouches behind is told with its place; damage at the end is the end", async () => {
  const log = await openEvenLog(7);
  await log.wal.close();
  const [first = "", second = ""] = log.segments();
  log.disk.flipBit(pathOf(first), frameAt(2) + 100, 0);
  const error = await assertRejects(() => readElsewhere(log), WalCorruptionError);
  assertEquals([error.segment, error.offset, error.lsn, error.evidence], [first, frameAt(2), 2, "successor"]);
  log.disk.flipBit(pathOf(first), frameAt(2) + 100, 0);
  log.disk.flipBit(pathOf(second), frameAt(2) + 100, 0);
  assertEquals((await assertRejects(() => readElsewhere(log), WalCorruptionError)).evidence, "frame");
  const torn = await openEvenLog(3);
  torn.disk.flipBit(pathOf(torn.lastSegment()), frameAt(3) + 100, 0); // nothing is behind it
  assertEquals((await readElsewhere(torn)).length, 2);
});

test("a vanished segment in the middle of a log is damage, and named", async () => {
  const log = await openEvenLog(13);
  await log.wal.close();
  log.disk.remove(pathOf(log.segments()[1] ?? ""));
  await assertRejects(() => readElsewhere(log), WalCorruptionError, "number 2");
});

test("a segment that vanishes before a follower elsewhere is damage, and no cut", async () => {
  const log = await openEvenLog(13);
  const reader = Wal.read(DIRECTORY, { follow: true, runtime: elsewhere(log) }).getReader();
  await reader.read();
  log.disk.remove(pathOf(log.segments()[1] ?? ""));
  const read = async (): Promise<void> => {
    for (;;) await reader.read();
  };
  await assertRejects(read, WalCorruptionError, "number 2");
});

test("a head frame that may still be lost cuts nothing for a reader elsewhere", async () => {
  const log = await openEvenLog(3);
  log.faults.stop("syncData", "before", { path: /\.wal$/ });
  void log.wal.truncateBefore(3);
  await log.runtime.stopped;
  assertEquals((await readElsewhere(log, { from: 2 })).map((entry) => entry.slice(0, 1)), ["2", "3"]);
});

test("a log that a power cut takes before it has begun is not the one that is read afterwards", async () => {
  const log = await openLog();
  log.faults.stop("syncDirectory", "before", { path: DIRECTORY });
  void log.commit("lost");
  await log.runtime.stopped;
  const place = (): { runtime: MemoryRuntime; directory: string; crc32: typeof crc32 } => (
    { runtime: elsewhere(log), directory: DIRECTORY, crc32 }
  );
  const first = place();
  const reader = new OutsideReader(first, null);
  for await (const _entries of reader.turn(Infinity)) assert(false);
  await log.crashAndReopen();
  await log.commit("a");
  await log.commit("b");
  Object.assign(first, place());
  const seen: string[] = [];
  for await (const entries of reader.turn(Infinity)) seen.push(...entries.map((entry) => entry.text()));
  assertEquals(seen, ["a"]);
});

test("a read that fails ends the stream with its error, and gives its files back", async () => {
  const log = await openEvenLog(7);
  let isBroken = false;
  const runtime = new MemoryRuntime({
    disk: log.disk,
    crc32,
    onCall: ({ name }) => isBroken && name === "read" ? { code: "EIO" } : undefined,
  });
  isBroken = true;
  await assertRejects(() => Wal.read(DIRECTORY, { runtime }).getReader().read(), WalIoError);
  assertEquals(runtime.openFiles, []);
});

// -- nothing there, and the ends

test("a directory without a log ends at once, a follower waits for the first entry; none at all is an error", async () => {
  const log = await openLog({ idleMs: 10 });
  assertEquals(await readElsewhere(log), []);
  const watcher = new Watcher(log);
  assertEquals(await watcher.news(), []);
  await log.commit("a");
  await log.advance(20);
  assertEquals(await watcher.news(), ["1 a"]);
  const empty = new MemoryRuntime({ disk: new MemoryDisk() });
  await assertRejects(() => Wal.read("/nowhere", { runtime: empty }).getReader().read(), WalDirectoryError, "/nowhere");
});

test("a signal and a cancel end a follower elsewhere at once", async () => {
  const log = await openLog();
  const control = new AbortController();
  const watcher = new Watcher(log, { signal: control.signal });
  await watcher.news();
  control.abort(new Error("enough"));
  assertInstanceOf(await soon(watcher.ended), WalAbortedError);
  const idle = new Watcher(log);
  await idle.news();
  await soon(idle.cancel());
  assertEquals([watcher.runtime.openFiles, idle.runtime.openFiles], [[], []]);
  const aborted = Wal.read(DIRECTORY, { runtime: elsewhere(log), signal: AbortSignal.abort() });
  await assertRejects(() => aborted.getReader().read(), WalAbortedError);
});

test("what is no option, no LSN and no time is refused by name, before anything is touched", () => {
  for (const options of [{ form: 1 }, { pollMs: 0 }, { pollMs: "5" }, { signal: 1 }, null, 5]) {
    assertThrows(() => Wal.read(DIRECTORY, options as object), WalOptionsError);
  }
  for (const options of [{ from: -1 }, { to: 1.5 }]) assertThrows(() => Wal.read(DIRECTORY, options), WalInputError);
});
