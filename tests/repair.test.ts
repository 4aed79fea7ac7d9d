// Repairing: what a dry run tells is what a repair does, what is whole is left alone, and no byte of what was damaged is lost.

import { test } from "node:test";
import {
  assertEquals,
  assertGreater,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  Wal,
  WalAbortedError,
  WalCorruptionError,
  WalDirectoryError,
  WalDiskFullError,
  type WalEvent,
  WalLockedError,
  WalOptionsError,
  type WalProgress,
} from "../mod.ts";
import { SMALLEST_SEGMENT_BYTES } from "../src/format.ts";
import { RECOVERY_MODES } from "../src/options.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import { evenText, frameAt, lsnsFrom, openEvenLog } from "./support/even_log.ts";
import {
  ANY_WAL,
  DIRECTORY,
  type LogFixture,
  openLog,
  pathOf,
  quiet,
  SEGMENT,
  unheard,
} from "./support/log_fixture.ts";

/** Ten entries in three segments, the first of which has a bad frame; nobody has it open. */
async function damagedLog(): Promise<LogFixture> {
  const log = await openEvenLog(10);
  log.kill();
  log.disk.flipBit(pathOf(log.segments()[0] ?? ""), frameAt(3) + 100, 0);
  return log;
}

async function tornLog(): Promise<LogFixture> {
  const log = await openEvenLog(2);
  await log.wal.configure({ durability: "write" });
  await log.wal.commit(evenText(3));
  log.kill();
  log.disk.flipBit(pathOf(log.lastSegment()), frameAt(3) + 100, 0);
  return log;
}

test("a log that is whole is left alone, in every mode", async () => {
  for (const mode of ["strict", "tolerate-tail", "point-in-time", "salvage"] as const) {
    const log = await openEvenLog(10);
    await log.wal.close();
    await quiet();
    const segments = log.segments().map((name) => [name, ...log.file(name)]);
    const { outcome, refusal, found, lastLsn } = await Wal.repair(DIRECTORY, { mode, runtime: log.runtime });
    assertEquals([outcome, refusal, found.state, lastLsn], ["clean", null, "clean", 10]);
    assertEquals(log.segments().map((name) => [name, ...log.file(name)]), segments);
  }
});

test("a torn tail is mended for good: the next one who looks finds a clean log, and the torn bytes are where they were", async () => {
  const log = await tornLog();
  const torn = log.file(log.lastSegment());
  const { outcome, found, firstLsn, lastLsn } = await Wal.repair(DIRECTORY, { runtime: log.runtime });
  assertEquals([outcome, found.state, firstLsn, lastLsn], ["mended", "torn", 1, 2]);
  assertEquals(log.file(log.segments()[0] ?? ""), torn);
  log.crash({ keep: "none" });
  assertEquals((await Wal.verify(DIRECTORY, { runtime: log.runtime })).state, "clean");
  await log.open({ recovery: "strict" });
  assertEquals(log.wal.lastLsn, 2);
});

test("a mode that does not mend what was found says so, and why, and changes nothing", async () => {
  for (const mode of ["strict", "tolerate-tail"] as const) {
    for (const dryRun of [true, false]) {
      const log = await damagedLog();
      const before = log.contents();
      const { outcome, refusal, found } = await Wal.repair(DIRECTORY, { mode, dryRun, runtime: log.runtime });
      assertEquals([outcome, found.state], ["refused", "corrupt"]);
      assertStringIncludes(refusal ?? "", "Wal.repair");
      if (dryRun) assertEquals(log.contents(), before);
      else {assertEquals(
          log.segments().map((name) => log.contents().get(name)),
          log.segments().map((name) => before.get(name)),
        );}
    }
  }
});

test("what a dry run tells is what the repair does", async () => {
  for (const damaged of [damagedLog, tornLog]) {
    for (const mode of ["point-in-time", "salvage"] as const) {
      const log = await damaged();
      const before = log.contents();
      const { dryRun: _, ...told } = await Wal.repair(DIRECTORY, { mode, dryRun: true, runtime: log.runtime });
      assertEquals(log.contents(), before);
      const { dryRun: __, ...done } = await Wal.repair(DIRECTORY, { mode, runtime: log.runtime });
      assertEquals(done, told);
      assertEquals(done.outcome, "mended");
      const after = await Wal.verify(DIRECTORY, { runtime: log.runtime });
      assertEquals([after.damage, after.firstLsn, after.lastLsn], [[], done.firstLsn, done.lastLsn]);
      assertNotEquals(after.state, "torn");
    }
  }
});

test("no byte of what was put out of the log is another", async () => {
  const log = await damagedLog();
  const before = new Map(log.segments().map((name) => [name, log.file(name)]));
  const { setAside } = await Wal.repair(DIRECTORY, { mode: "salvage", runtime: log.runtime });
  assertEquals(setAside.length, 2);
  for (const name of setAside) assertEquals(log.file(name), before.get(name.replace("aside-", "")));
  for (const [name, bytes] of before) if (!setAside.includes(`aside-${name}`)) assertEquals(log.file(name), bytes);
});

test("a log that is open is locked, a directory that is none is refused, and one without a log stays as it is", async () => {
  const log = await openEvenLog(2);
  const runtime = new MemoryRuntime({ disk: log.disk });
  await assertRejects(() => Wal.repair(DIRECTORY, { runtime }), WalLockedError);
  assertEquals((await Wal.repair(DIRECTORY, { runtime, dryRun: true })).outcome, "clean");
  await assertRejects(() => Wal.repair("/nowhere", { runtime }), WalDirectoryError);
  const empty = await openLog();
  await empty.wal.close();
  const before = empty.names();
  assertEquals((await Wal.repair(DIRECTORY, { runtime: empty.runtime })).found.state, "empty");
  assertEquals(empty.names(), before);
});

test("a torn log on a full disk is told in words for who has no log open, opens as before, and is mended with the room named", async () => {
  for (const mode of RECOVERY_MODES.filter((each) => each !== "strict")) {
    for (const spares of [0, 1]) { // two would do: the next segment, and the one that is kept back for a cut
      const log = await tornLog();
      for (const spare of log.spares().slice(spares)) log.disk.remove(pathOf(spare));
      const before = log.contents();
      log.fillDisk();
      const error = await assertRejects(() => Wal.repair(DIRECTORY, { mode, runtime: log.runtime }), WalDiskFullError);
      const { message } = error;
      assertMatch(message, /^cannot end what a crash tore in \/data\/wal: the disk is full \(ENOSPC: .*\); /);
      assertMatch(message, /; the log opens as before, .*; see that there is room for \d+ bytes and repair it again$/);
      assertEquals(/waited|by itself|reopen/.test(message), false, message);
      assertEquals(log.contents(), before);
      assertEquals((await Wal.verify(DIRECTORY, { runtime: log.runtime })).state, "torn");
      await log.open({ recovery: mode });
      assertEquals((await log.readAll()).length, 2);
      await log.wal.close();
      log.kill();
      const roomBytes = Number(/room for (\d+) bytes/.exec(message)?.[1]);
      log.fillDisk(roomBytes);
      assertEquals((await Wal.repair(DIRECTORY, { mode, runtime: log.runtime })).outcome, "mended");
      log.freeDisk();
      await log.open({ recovery: "strict" });
      assertEquals(await log.commit("goes on"), [3]);
    }
  }
});

test("a sync that finds the disk full fails no repair in words of a log that is open", async () => {
  const log = await tornLog();
  log.faults.fail("syncData", { code: "ENOSPC", path: SEGMENT, nth: 3 }); // those before are recovery's
  const error = await assertRejects(() => Wal.repair(DIRECTORY, { runtime: log.runtime }), WalDiskFullError);
  assertMatch(error.message, /^cannot end what a crash tore in \/data\/wal: .*; the log opens as before/);
  assertEquals((await Wal.repair(DIRECTORY, { runtime: log.runtime })).outcome, "mended");
});

test("a mending that finds no room for new names says to try again, and the next one ends what it has begun", async () => {
  const log = await damagedLog();
  log.faults.fail("rename", { code: "ENOSPC", path: /\/aside-/ }); // what is to be put out of the log
  const segments = log.segments();
  const repair = () => Wal.repair(DIRECTORY, { mode: "salvage", runtime: log.runtime });
  const error = await assertRejects(repair, WalDiskFullError);
  assertMatch(
    error.message,
    /^cannot mend the log in \/data\/wal: .*; what was done of it is whole; see that there is room, and try again$/,
  );
  log.kill();
  await log.open();
  assertEquals((await log.readAll()).length, 9);
  assertEquals(
    log.names().filter((name) => name.startsWith("aside-")),
    segments.slice(1).map((name) => `aside-${name}`),
  );
});

test("copies that a salvage left which did not come to its end are nothing to keep: the next one clears them away", async () => {
  for (const stop of ["killed", "aborted", "full disk"] as const) {
    const log = await damagedLog();
    for (const spare of log.spares()) log.disk.remove(pathOf(spare));
    const segments = log.segments();
    if (stop === "full disk") log.fillDisk(20_000); // for one of the copies
    if (stop === "killed") log.faults.stop("rename", "after", { path: ANY_WAL });
    const controller = new AbortController();
    const onProgress: WalProgress = (done, _, what) =>
      stop === "aborted" && what === "copied" && done === 1 && controller.abort();
    const given = { mode: "salvage", runtime: log.runtime, onProgress, signal: controller.signal } as const;
    const salvage = Wal.repair(DIRECTORY, given);
    if (stop === "killed") {
      unheard(salvage);
      await log.runtime.stopped;
      assertEquals(log.segments().length, segments.length + 1);
    } else {
      const error = await assertRejects(() => salvage, stop === "aborted" ? WalAbortedError : WalDiskFullError);
      if (stop === "full disk") {
        assertMatch(
          error.message,
          /the log was not changed; see that there is room for \d+ bytes, or take the mode point-in-time/,
        );
      }
      assertEquals(log.segments(), segments);
    }
    log.kill();
    log.freeDisk();
    const { outcome, setAside, entries } = await Wal.repair(DIRECTORY, { mode: "salvage", runtime: log.runtime });
    assertEquals([outcome, setAside, entries], ["mended", segments.slice(1).map((name) => `aside-${name}`), 9], stop);
    assertEquals(log.segments().length, segments.length + 1); // of the damaged one what is before the damage, and a copy of the rest
  }
});

test("where the last of the segments that a salvage made has vanished, the others are still the log's", async () => {
  const log = await damagedLog();
  await Wal.repair(DIRECTORY, { mode: "salvage", runtime: log.runtime });
  log.disk.remove(pathOf(log.lastSegment()));
  log.kill();
  const { message } = await assertRejects(() => log.open(), WalCorruptionError);
  assertStringIncludes(message, "segment number 6 has vanished");
  const { found, entries } = await Wal.repair(DIRECTORY, { mode: "salvage", runtime: log.runtime });
  assertEquals([found.damage.length, entries], [1, 7]);
  await log.open({ recovery: "strict" });
  assertEquals(await lsnsOf(log), [1, 2, 4, 5, 6, 7, 8]);
});

async function lsnsOf(log: LogFixture): Promise<number[]> {
  return (await log.readAll()).map((text) => Number.parseInt(text));
}

/** A salvage that is killed behind a rename: the segments it makes come first, then the files that it sets aside. */
async function killSalvage(log: LogFixture, nthRename: number): Promise<void> {
  log.faults.stop("rename", "after", { nth: nthRename });
  unheard(log.open({ recovery: "salvage" }));
  await log.runtime.stopped;
  log.kill();
}

test("copies of a salvage that was killed are no evidence either for who opens the log as it is", async () => {
  const log = await damagedLog();
  const segments = log.segments();
  await killSalvage(log, 1);
  assertEquals(log.segments().length, segments.length + 1);
  await log.open();
  await quiet();
  assertEquals(log.segments(), segments);
  assertEquals(log.names().filter((name) => name.startsWith("torn-")), []);
});

test("a salvage that is killed above a set whose last segment has vanished costs nothing the second time", async () => {
  const expected = [1, 2, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
  for (const nthRename of [1, 2]) {
    const log = await openEvenLog(18);
    log.kill();
    log.disk.flipBit(pathOf(log.segments()[0] ?? ""), frameAt(3) + 100, 0); // LSN 3
    await Wal.repair(DIRECTORY, { mode: "salvage", runtime: log.runtime });
    log.disk.remove(pathOf(log.lastSegment())); // LSNs 17 and 18
    log.disk.flipBit(pathOf(log.segments()[2] ?? ""), frameAt(2) + 100, 0); // LSN 6
    log.kill();
    await killSalvage(log, nthRename);
    const { damage } = await Wal.verify(DIRECTORY, { runtime: log.runtime });
    assertEquals(damage.map(({ firstLsn }) => firstLsn), [6, 17]);
    await log.open({ recovery: "salvage" });
    assertEquals(await lsnsOf(log), expected);
  }
});

test("a salvage is killed while it sets aside what it has copied, then its last copy vanishes: the others are the log's", async () => {
  for (const nthAside of [1, 2, 3]) {
    for (const recovery of ["salvage", "point-in-time"] as const) {
      const log = await openEvenLog(14);
      log.kill();
      log.disk.flipBit(pathOf(log.segments()[0] ?? ""), frameAt(3) + 100, 0); // LSN 3
      await killSalvage(log, 4 + nthAside);
      log.disk.remove(pathOf(log.lastSegment())); // LSNs 13 and 14
      await assertRejects(() => log.open(), WalCorruptionError, "segment number 8 has vanished");
      log.kill();
      await log.open({ recovery });
      assertEquals(await lsnsOf(log), [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    }
  }
});

test("a salvage was complete, and what completed it is damaged while some of the originals lie about: no copy is given up for them", async () => {
  for (const recovery of ["salvage", "point-in-time"] as const) {
    const log = await openEvenLog(18);
    log.kill();
    log.disk.flipBit(pathOf(log.segments()[1] ?? ""), frameAt(1) + 100, 0); // LSN 5
    log.faults.stop("rename", "before", { path: /\/aside-/ });
    unheard(Wal.repair(DIRECTORY, { mode: "salvage", runtime: log.runtime }));
    await log.runtime.stopped;
    log.kill();
    for (const name of log.segments().slice(2, 5)) { // all but the oldest one were set aside
      log.plant(`aside-${name}`, log.file(name));
      log.disk.remove(pathOf(name));
    }
    log.disk.flipBit(pathOf(log.lastSegment()), 100, 0); // LSNs 17 and 18
    await log.open({ recovery });
    assertEquals(await lsnsOf(log), [1, 2, 3, 4, ...lsnsFrom(6, 16)]);
  }
});

test("a salvage tells how much is left, how far it is, and takes no more room than it says", async () => {
  const log = await damagedLog();
  const heard: string[] = [];
  const onProgress: WalProgress = (done, of, what) => heard.push(`${what} ${done} of ${of}`);
  const onEvent = (event: WalEvent): void => void heard.push(`${event.level} ${event.type}`);
  const usedBytes = log.disk.usedBytes;
  const { entries, copiedBytes } = await Wal.repair(DIRECTORY, {
    mode: "salvage",
    runtime: log.runtime,
    onProgress,
    onEvent,
  });
  assertEquals(entries, 9);
  assertGreater(usedBytes + copiedBytes + 3 * SMALLEST_SEGMENT_BYTES, log.disk.usedBytes);
  assertEquals((await Wal.verify(DIRECTORY, { runtime: log.runtime })).entries, entries);
  const looked = ["looked at 1 of 3", "looked at 2 of 3", "looked at 3 of 3"];
  assertEquals(heard, [...looked, "copied 0 of 3", "copied 1 of 3", "copied 2 of 3", "critical recovered"]);
});

test("wrong options are refused by name", async () => {
  for (const options of [{ mode: "lenient" }, { dryRun: "yes" }, { force: true }, { onEvent: 1 }]) {
    await assertRejects(() => Wal.repair(DIRECTORY, options as never), WalOptionsError);
  }
});
