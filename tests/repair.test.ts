// Repairing: what a dry run tells is what a repair does, what is whole is left alone, and no byte of what was damaged is lost.

import { test } from "node:test";
import { assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Wal, WalDirectoryError, WalLockedError, WalOptionsError } from "../mod.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import { evenText, frameAt, openEvenLog } from "./support/even_log.ts";
import { DIRECTORY, type LogFixture, openLog, pathOf, quiet } from "./support/log_fixture.ts";

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

test("wrong options are refused by name", async () => {
  for (const options of [{ mode: "lenient" }, { dryRun: "yes" }, { force: true }, { onEvent: 1 }]) {
    await assertRejects(() => Wal.repair(DIRECTORY, options as never), WalOptionsError);
  }
});
