// What lies about in the directory of a log, and must neither be lost, nor come back, nor stay for good.

import { assert, assertEquals, assertGreater, assertLessOrEqual, assertNotEquals } from "@std/assert";
import { test } from "node:test";
import { EVEN, evenText, openEvenLog } from "./support/even_log.ts";
import { LogFixture, openLogWith, outcomeOf, quiet, SMALL_SEGMENT_BYTES } from "./support/log_fixture.ts";
import { stopBeforeEverySync } from "./support/stopped_everywhere.ts";

test("a freed file is used again, and the power goes: no segment stays that nobody can read or free", async () => {
  const syncs = await stopBeforeEverySync(
    {
      options: { ...EVEN, spares: 2 },
      begin: async (log) => {
        for (let lsn = 1; lsn <= 13; lsn++) await log.commit(evenText(lsn));
        await quiet();
      },
      goOn: async (log) => {
        await log.wal.truncateBefore(12);
        for (let lsn = 14; lsn <= 22; lsn++) await log.commit(evenText(lsn));
      },
    },
    8,
    async (log) => {
      await log.open();
      await quiet();
      await quiet();
      assertEquals(log.events.filter(({ type }) => type === "cleanup-failed"), []);
      assertEquals(log.segments().length, log.wal.recovery.segments);
    },
  );
  assertGreater(syncs, 1);
});

test("torn bytes are copied aside, and the power goes: they are in the one file or in the other", async () => {
  const torn = evenText(1).slice(0, 500);
  const holds = (log: LogFixture): boolean =>
    log.names().some((name) =>
      !name.startsWith("spare") && new TextDecoder("latin1").decode(log.file(name)).includes(torn)
    );
  const syncs = await stopBeforeEverySync(
    {
      options: { ...EVEN, spares: 0 },
      begin: async (log) => {
        log.faults.stopInWrite(700, { path: /\.wal$/, nth: 3 });
        log.wal.append(evenText(1));
        await log.runtime.stopped;
        log.crash({ keep: "all" });
        await log.open();
        await log.commit("instead");
        await log.wal.close();
        assert(holds(log));
        log.kill();
      },
      goOn: async (log) => {
        await log.open();
        await quiet();
        await log.wal.close();
      },
    },
    30,
    (log) => {
      assert(holds(log), `nowhere in ${log.names().join(", ")}`);
      return Promise.resolve();
    },
  );
  assertGreater(syncs, 1);
});

test("a segment that finds no room for its name leaves no file behind that nobody knows of", async () => {
  const log = await openLogWith("first", { segmentBytes: SMALL_SEGMENT_BYTES, spares: 0 });
  const mostSpares = log.spares().length;
  for (let nth = 0; nth < 5; nth++) {
    await log.commit("x".repeat(6000));
    log.faults.fail("rename", { path: /spare-/, code: "ENOSPC" });
    assertEquals((await outcomeOf(log.wal.commit("y".repeat(6000)))).state, "rejected");
    await log.advance(200);
    await quiet();
    log.faults.clear();
  }
  await log.commit("last");
  await quiet();
  assertLessOrEqual(log.spares().length, mostSpares);
});

test("a full disk is cut where the log ends with the last sector of its file: the spare kept back takes the head", async () => {
  const log = new LogFixture({ segmentBytes: 0, spares: 0 });
  await log.open();
  await log.commit("a".repeat(512 * 6000 - 53)); // its frame fills sectors, and the file ends with it
  await quiet();
  const full = log.lastSegment();
  log.fillDisk();
  assertEquals((await log.wal.truncateBefore(2)).firstLsn, 2);
  assertEquals(log.segments().length, 1);
  assertNotEquals(log.lastSegment(), full);
  await log.crashAndReopen();
  assertEquals([log.wal.firstLsn, log.wal.lastLsn], [2, 1]);
});

test("a log that was opened after a crash and is closed again makes no segment only to be closed in", async () => {
  const log = await openEvenLog(2);
  log.kill();
  await log.open();
  const before = log.segments();
  await log.reopen();
  assertEquals([log.wal.recovery.end, ...log.segments()], ["unclean", ...before]);
});

test("a log is cut while what it has accepted is not yet written: what lies behind the cut is there", async () => {
  const log = new LogFixture({ durability: "none" });
  await log.open();
  for (const text of ["a", "b", "c"]) log.wal.append(text);
  await log.wal.truncateBefore(2);
  await log.commit("d");
  await log.wal.flush();
  assertEquals([log.wal.state, ...await log.readAll()], ["open", "2 b", "3 c", "4 d"]);
});

test("a log is cut again and again while others write: no two of its writes meet", async () => {
  const log = await openEvenLog(3, { ...EVEN, io: "pool" });
  log.faults.slow("write", 2, { path: /\.wal$/ });
  const cuts: Promise<unknown>[] = [];
  const commits: Promise<unknown>[] = [];
  for (let lsn = 4; lsn < 40; lsn++) {
    commits.push(log.wal.commit(evenText(lsn)));
    cuts.push(log.wal.truncateBefore(lsn - 2));
    await log.advance(1);
  }
  await log.advance(1000);
  await Promise.all([...cuts, ...commits]);
  log.checkManners();
  assertEquals((await log.readAll()).length, 3);
});
