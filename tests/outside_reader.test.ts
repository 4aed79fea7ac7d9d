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
  Wal,
  WalAbortedError,
  WalCorruptionError,
  WalDirectoryError,
  WalInputError,
  WalIoError,
  WalOptionsError,
  WalRewoundError,
  WalTruncatedError,
} from "../mod.ts";
import { CONTROL_FRAME_BYTES, segmentName } from "../src/format.ts";
import { OutsideReader } from "../src/outside_reader.ts";
import { MemoryDisk, MemoryRuntime } from "../src/runtime/memory.ts";
import type { Place } from "../src/segment.ts";
import { EVEN, evenText, frameAt, openEvenLog } from "./support/even_log.ts";
import { Follower } from "./support/follower.ts";
import { faults } from "./support/faults.ts";
import { ANY_WAL, DIRECTORY, type LogFixture, openLog, pathOf, soon, unheard } from "./support/log_fixture.ts";
import { exhaust } from "./support/log_use.ts";

/** Another process on the same disk. */
function elsewhere(log: LogFixture): MemoryRuntime {
  return new MemoryRuntime({ disk: log.disk, crc32 });
}

function placeOf(log: LogFixture): Place {
  return { runtime: elsewhere(log), directory: DIRECTORY, crc32 };
}

async function readElsewhere(log: LogFixture, options: { from?: number; to?: number } = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Wal.read(DIRECTORY, { ...options, runtime: elsewhere(log) })) {
    found.push(`${entry.lsn} ${entry.text()}`);
  }
  return found;
}

/** Somebody in another process who follows. */
class Watcher extends Follower {
  readonly runtime: MemoryRuntime;

  constructor(log: LogFixture, options: { from?: number; to?: number; signal?: AbortSignal } = {}) {
    const runtime = new MemoryRuntime({ disk: log.disk, crc32, manualTime: true });
    super(Wal.read(DIRECTORY, { ...options, follow: true, pollMs: 10, runtime }).getReader());
    this.runtime = runtime;
  }

  override async news(): Promise<string[]> {
    for (let turn = 0; turn < 3; turn++) await this.runtime.clock.advance(10);
    return await super.news();
  }
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

test("a cut is seen as soon as something follows it: the next flush, or an idle frame, once", async () => {
  for (const what of ["a flush", "an idle log"]) {
    const log = await openLog({ idleMs: 100 });
    for (const text of ["a", "b", "c"]) await log.commit(text);
    await log.advance(150);
    await log.wal.truncateBefore(3);
    assertEquals(await readElsewhere(log), ["1 a", "2 b", "3 c"], "a head frame at the very end may still be lost");
    if (what === "a flush") await log.commit("d");
    else await log.advance(150);
    assertEquals(await readElsewhere(log), ["3 c"], what);
    await assertRejects(() => readElsewhere(log, { from: 1 }), WalTruncatedError);
    assertEquals((await log.countFlushes(() => log.advance(60_000))).writes, what === "a flush" ? 1 : 0);
  }
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
  assertEquals(seen, Array.from({ length: 40 }, (_, nth) => `${nth + 1} ${evenText(nth + 1)}`));
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
  await late.news();
  const error = await soon(late.ended);
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
  const other = await openLog(EVEN, { seed: 7 });
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

test("a follower elsewhere names the damage that hides the head frame, not a file that went because of it", async () => {
  const log = await openEvenLog(14);
  const reader = new OutsideReader(placeOf(log), null);
  for await (const entries of reader.turn(2)) assertLess(entries[0]?.lsn ?? 0, 3);
  await log.wal.truncateBefore(9);
  await log.commit(evenText(15));
  log.disk.flipBit(pathOf(log.lastSegment()), frameAt(2) + 100, 0); // LSN 14, before the head frame
  const error = await assertRejects(async () => {
    for await (const entries of reader.turn(Infinity)) assertEquals(entries, []);
  }, WalCorruptionError);
  assertEquals([error.segment, error.offset, error.lsn], [log.lastSegment(), frameAt(2), 14]);
});

test("a head frame is believed where what follows it is damaged: a cut that has resolved is one", async () => {
  const log = await openEvenLog(3);
  await log.wal.truncateBefore(3);
  await log.commit(evenText(4));
  await log.wal.close();
  log.disk.flipBit(pathOf(log.lastSegment()), frameAt(4) + CONTROL_FRAME_BYTES + 100, 0);
  const seen: number[] = [];
  const error = await assertRejects(async () => {
    for await (const { lsn } of Wal.read(DIRECTORY, { runtime: elsewhere(log) })) seen.push(lsn);
  }, WalCorruptionError);
  assertEquals([seen, error.lsn], [[3], 4]);
});

test("readers here and elsewhere name damage alike, wherever they begin", async () => {
  const log = await openEvenLog(10);
  log.disk.flipBit(pathOf(log.segments()[0] ?? ""), frameAt(2) + 100, 0);
  for (const from of [1, 3]) {
    const here = await assertRejects(() => exhaust(log.wal.readable({ from })), WalCorruptionError);
    const there = await assertRejects(() => readElsewhere(log, { from }), WalCorruptionError);
    assertEquals([here.offset, here.lsn], [frameAt(2), 2]);
    assertEquals(there.message, here.message);
  }
});

test("a log that a power cut takes before it has begun is not the one that is read afterwards", async () => {
  const log = await openLog();
  log.faults.stop("syncDirectory", "before", { path: DIRECTORY });
  unheard(log.commit("lost"));
  await log.runtime.stopped;
  const first = placeOf(log);
  const reader = new OutsideReader(first, null);
  for await (const _entries of reader.turn(Infinity)) assert(false);
  await log.crashAndReopen();
  await log.commit("a");
  await log.commit("b");
  Object.assign(first, placeOf(log));
  const seen: string[] = [];
  for await (const entries of reader.turn(Infinity)) seen.push(...entries.map((entry) => entry.text()));
  assertEquals(seen, ["a"]);
});

for (const name of ["open", "read", "size"] as const) {
  test(`each ${name} that fails ends the stream with its error, and all files are given back`, async () => {
    const log = await openEvenLog(7);
    for (let nth = 1;; nth++) {
      const plan = faults().fail(name, { nth, path: ANY_WAL });
      const runtime = new MemoryRuntime({ disk: log.disk, crc32, onCall: plan.onCall });
      const error = await exhaust(Wal.read(DIRECTORY, { runtime })).then(() => null, (error: unknown) => error);
      assertEquals(runtime.openFiles, []);
      if (plan.countCalls(name, { path: ANY_WAL }) < nth) break; // it has met every one
      assertInstanceOf(error, WalIoError);
    }
  });
}

test("files that come and go whenever they are looked at are an error in the end, and no empty log", async () => {
  const log = await openEvenLog(3);
  const runtime = new MemoryRuntime({
    disk: log.disk,
    crc32,
    onCall: ({ name, path }) => name === "open" && path.endsWith(".wal") ? { code: "ENOENT" } : undefined,
  });
  await assertRejects(() => Wal.read(DIRECTORY, { runtime }).getReader().read(), WalIoError, "100 times");
});

for (const isSameLine of [true, false]) {
  const what = isSameLine
    ? "the same line of history, is read on"
    : "another line of history, is not the one that was read";
  test(`a log that was cut just behind what was read, on ${what}`, async () => {
    const log = await openEvenLog(7);
    const reader = new OutsideReader(placeOf(log), null);
    for await (const entries of reader.turn(4)) assertLess(entries[0]?.lsn ?? 0, 5);
    await log.wal.truncateBefore(5);
    const [name = "", ...others] = log.segments();
    assertEquals(others, []);
    if (!isSameLine) {
      const epoch = { id: "aa".repeat(8), parentId: "bb".repeat(8), lsn: 0 };
      log.changeHeader(name, { predecessor: { id: 0, endOffset: 0, lastLsn: 4 }, headLsn: 5, epoch });
      log.plant(segmentName(2, 0, 5), log.file(name));
      log.disk.remove(pathOf(name));
    }
    const read = async (): Promise<void> => {
      for await (const entries of reader.turn(6)) assertGreater(entries[0]?.lsn ?? 0, 4);
    };
    if (isSameLine) await read();
    else await assertRejects(read, WalRewoundError);
  });
}

test("a log that is written over in place while it is read is another log, and no damage", async () => {
  const other = await openLog({ segmentBytes: 0 }, { seed: 7 });
  for (let nth = 0; nth < 4; nth++) await other.commit("other".repeat(100_000)); // two are more than is read at once
  const outcomes = new Set<string>();
  for (let nth = 1, reads = 1; nth <= reads; nth++) {
    const log = await openLog({ segmentBytes: 0 });
    for (let commits = 0; commits < 4; commits++) await log.commit("first".repeat(100_000));
    const plan = faults();
    plan.onEvery(({ name }) => {
      if (name === "read" && plan.countCalls("read") === nth) {
        log.plant(log.lastSegment(), other.file(other.lastSegment()));
      }
      return undefined;
    });
    const runtime = new MemoryRuntime({ disk: log.disk, crc32, onCall: plan.onCall });
    const seen: string[] = [];
    const error = await (async (): Promise<void> => {
      for await (const entry of Wal.read(DIRECTORY, { runtime })) seen.push(entry.text().slice(0, 5));
    })().then(() => null, (error: unknown) => error);
    if (error !== null) assertInstanceOf(error, WalRewoundError);
    outcomes.add(`${error === null ? "ended" : "rewound"} after ${[...new Set(seen)].join(" and ") || "nothing"}`);
    reads = plan.countCalls("read");
  }
  assertEquals([...outcomes].sort(), [
    "ended after first", // written over when all of it had been read
    "ended after nothing", // before anything had vouched for any of it
    "ended after other",
    "rewound after first",
  ]);
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
  for (const follow of [false, true]) { // also who would wait for a log: not for a directory that may be misspelt
    const nowhere = Wal.read("/nowhere", { runtime: empty, follow });
    await assertRejects(() => nowhere.getReader().read(), WalDirectoryError, "/nowhere");
  }
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
