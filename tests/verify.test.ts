// Looking at all of a log, while somebody writes it or nobody does: every byte is looked at, and none is changed.

import { test } from "node:test";
import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { Wal, WalAbortedError, WalDirectoryError, WalIoError, WalOptionsError } from "../mod.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import { EVEN_FRAME_BYTES, evenText, frameAt, openEvenLog } from "./support/even_log.ts";
import { DIRECTORY, type LogFixture, openLog, pathOf, quiet } from "./support/log_fixture.ts";

/** Somebody in another process. */
function elsewhere(log: LogFixture): MemoryRuntime {
  return new MemoryRuntime({ disk: log.disk });
}

test("a log that is whole is counted, from the first entry to the last, and left as it is", async () => {
  const log = await openEvenLog(10);
  await log.wal.close();
  const before = log.contents();
  const runtime = elsewhere(log);
  const progress: [number, number][] = [];
  const report = await Wal.verify(DIRECTORY, { runtime, onProgress: (done, of) => progress.push([done, of]) });
  const { segments, bytes, ...told } = report;
  assertEquals(told, {
    directory: DIRECTORY,
    state: "clean",
    firstLsn: 1,
    lastLsn: 10,
    entries: 10,
    damage: [],
    setAside: [],
  });
  assertEquals(segments.map(({ name }) => name), log.segments());
  assertEquals(segments.map(({ firstLsn, lastLsn, entries }) => [firstLsn, lastLsn, entries]), [[1, 4, 4], [5, 8, 4], [
    9,
    10,
    2,
  ]]);
  assertGreater(bytes, 10 * EVEN_FRAME_BYTES);
  assertEquals(progress, [[1, 3], [2, 3], [3, 3]]);
  assertEquals(log.contents(), before);
  assertEquals(runtime.openFiles, []);
});

test("an open log, a killed one, an empty directory and none at all", async () => {
  const log = await openEvenLog(5);
  assertEquals((await Wal.verify(DIRECTORY, { runtime: elsewhere(log) })).state, "unclean");
  log.kill();
  assertEquals((await Wal.verify(DIRECTORY, { runtime: elsewhere(log) })).state, "unclean");
  const empty = await openLog();
  const { state, firstLsn, lastLsn, entries } = await Wal.verify(DIRECTORY, { runtime: elsewhere(empty) });
  assertEquals([state, firstLsn, lastLsn, entries], ["empty", 1, 0, 0]);
  await assertRejects(() => Wal.verify("/nowhere", { runtime: elsewhere(empty) }), WalDirectoryError);
});

test("every flaw is told, in every file, with what proves it", async () => {
  const log = await openEvenLog(14);
  const [first = "", second = "", third = "", last = ""] = log.segments();
  log.kill();
  log.disk.flipBit(pathOf(first), frameAt(2) + 100, 0);
  log.disk.flipBit(pathOf(first), frameAt(4) + 100, 0);
  log.damage(second, (bytes) => bytes.fill(0, 0, 64));
  log.damage(third, (bytes) => bytes.slice(0, frameAt(3) + 10));
  log.disk.flipBit(pathOf(last), frameAt(1) + 100, 0);
  const { state, damage, entries } = await Wal.verify(DIRECTORY, { runtime: elsewhere(log) });
  assertEquals(
    damage.map((
      { kind, segment, offset, firstLsn, lastLsn, evidence },
    ) => [kind, segment, offset, firstLsn, lastLsn, evidence]),
    [
      ["corrupt", first, frameAt(2), 2, 2, "successor"],
      ["corrupt", first, frameAt(4), 4, 4, "successor"],
      ["corrupt", second, 0, 5, 8, "successor"],
      ["corrupt", third, frameAt(3), 11, 12, "successor"],
      ["corrupt", last, frameAt(1), 13, 13, "frame"],
    ],
  );
  assertEquals([state, entries], ["corrupt", 5]);
});

test("damage that costs no entry names the LSN behind it, and says that none is lost", async () => {
  const log = await openEvenLog(4);
  await log.wal.truncateBefore(2);
  await log.commit(evenText(5)); // into a second file
  log.kill();
  const [first = ""] = log.segments();
  log.disk.flipBit(pathOf(first), frameAt(5) + 20, 0); // the head frame, which the second file's header bears out
  const { state, damage } = await Wal.verify(DIRECTORY, { runtime: log.runtime });
  assertEquals([state, ...damage.map(({ firstLsn, lastLsn }) => `${firstLsn} to ${lastLsn}`)], ["corrupt", "5 to 4"]);
});

test("what a crash tore is no corruption, and what lies good behind it is none of the log's", async () => {
  const log = await openEvenLog(2);
  await log.wal.configure({ durability: "write" });
  for (const lsn of [3, 4]) await log.wal.commit(evenText(lsn));
  log.kill();
  log.disk.flipBit(pathOf(log.lastSegment()), frameAt(3), 0);
  const { state, lastLsn, entries, damage } = await Wal.verify(DIRECTORY, { runtime: elsewhere(log) });
  assertEquals([state, lastLsn, entries, damage.map(({ kind }) => kind)], ["torn", 2, 2, ["torn"]]);
  await log.open();
  assertEquals([log.wal.lastLsn, log.wal.recovery.end], [2, "torn"]);
});

test("a log that is written, rotated and cut while it is looked at is never called corrupt", async () => {
  const log = await openEvenLog(6, { segmentBytes: 16 * 1024, spares: 1 });
  const runtime = elsewhere(log);
  let isOver = false;
  const writing = (async () => {
    for (let lsn = 7; lsn <= 150; lsn++) {
      await log.wal.commit(evenText(lsn));
      if (lsn % 9 === 0) await log.wal.truncateBefore(lsn - 3);
    }
    isOver = true;
  })();
  let looks = 0;
  while (!isOver) {
    const { state, damage } = await Wal.verify(DIRECTORY, { runtime });
    assert(state !== "corrupt", JSON.stringify(damage));
    looks++;
  }
  await writing;
  assertGreater(looks, 5);
});

test("what was set aside is named", async () => {
  const log = await openEvenLog(10);
  log.kill();
  log.disk.flipBit(pathOf(log.segments()[0] ?? ""), frameAt(2) + 100, 0);
  await log.open({ recovery: "point-in-time" });
  await quiet();
  const { setAside } = await Wal.verify(DIRECTORY, { runtime: elsewhere(log) });
  assertEquals(setAside, [...log.wal.recovery.setAside]);
  assertEquals(setAside.length, 2);
});

test("a disk that cannot be read is told as that, a signal ends the looking, and wrong options are refused", async () => {
  const log = await openEvenLog(10);
  log.kill();
  log.faults.fail("read", { path: /\.wal$/, nth: 3, times: Infinity });
  await assertRejects(() => Wal.verify(DIRECTORY, { runtime: log.runtime }), WalIoError);
  const runtime = elsewhere(log);
  await assertRejects(() => Wal.verify(DIRECTORY, { runtime, signal: AbortSignal.abort("enough") }), WalAbortedError);
  await assertRejects(() => Wal.verify(DIRECTORY, { progress: () => {} } as never), WalOptionsError);
  await assertRejects(() => Wal.verify(DIRECTORY, { onProgress: 1 } as never), WalOptionsError);
});
