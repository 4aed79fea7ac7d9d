// What a mending gives up is evidence. Whatever becomes of the log afterwards, it is kept in files that nobody writes again.

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { type RecoveryMode, Wal } from "../mod.ts";
import { EVEN_FRAME_BYTES, evenText, flip, frameAt, nthSegment, openEvenLog } from "./support/even_log.ts";
import { DIRECTORY, type LogFixture, pathOf, quiet, unheard } from "./support/log_fixture.ts";

/** Those of these LSNs whose texts lie in files that are kept as evidence. */
function keptOf(log: LogFixture, lsns: readonly number[]): number[] {
  const evidence = log.names().filter((name) => /^(aside|torn)-/.test(name));
  const texts = evidence.map((name) => new TextDecoder("latin1").decode(log.file(name)));
  return lsns.filter((lsn) => texts.some((text) => text.includes(evenText(lsn))));
}

/** Somebody has looked at what was set aside, and misses nothing. */
function tidy(log: LogFixture): void {
  for (const name of log.names()) if (name.startsWith("aside-")) log.disk.remove(pathOf(name));
}

async function repair(log: LogFixture, mode: RecoveryMode): Promise<void> {
  await Wal.repair(DIRECTORY, { mode, runtime: log.runtime });
  await quiet();
  log.kill();
}

/** It is killed before it gives the files that it replaces another name. */
async function killRepair(log: LogFixture, mode: RecoveryMode): Promise<void> {
  log.faults.stop("rename", "before", { path: /\/aside-/ });
  unheard(Wal.repair(DIRECTORY, { mode, runtime: log.runtime }));
  await log.runtime.stopped;
  log.kill();
}

async function close(log: LogFixture): Promise<void> {
  await log.wal.close();
  await quiet();
  log.kill();
}

/** Ten entries, of which LSN 3 was lost; the copies lie in three files: LSN 4, LSNs 5 to 8, LSNs 9 and 10. */
async function salvagedLog(): Promise<LogFixture> {
  const log = await openEvenLog(10);
  log.kill();
  flip(log, nthSegment(log, 1), frameAt(3) + 100);
  await repair(log, "salvage");
  return log;
}

/** Ten entries, of which a disk misread LSN 6 once: a mending has given up that one and all behind. */
async function misreadLog(): Promise<LogFixture> {
  const log = await openEvenLog(10);
  await close(log);
  log.faults.misread(new RegExp(nthSegment(log, 2)), frameAt(2) + 100);
  await repair(log, "point-in-time");
  return log;
}

/** Other entries take the place of what was given up. */
async function goOn(log: LogFixture, lastLsn: number): Promise<void> {
  await log.open();
  for (let lsn = 6; lsn <= lastLsn; lsn++) await log.commit(`another ${lsn}`.padEnd(900, "-"));
}

test("a log is cut in the middle of what a salvage has copied, and damaged just there: what is given up behind that is kept", async () => {
  for (const isKilled of [false, true]) {
    const log = await salvagedLog();
    tidy(log);
    await log.open();
    await log.wal.truncateBefore(6);
    await close(log);
    flip(log, nthSegment(log, 1), frameAt(2) + 100); // LSN 6
    await (isKilled ? killRepair(log, "point-in-time") : repair(log, "point-in-time"));
    await log.open();
    await quiet();
    assertEquals(keptOf(log, [7, 8, 9, 10]), [7, 8, 9, 10], isKilled ? "killed" : "in peace");
  }
});

test("the first frame of a log is damaged, header and all, and the last one in a file that has no footer: the file is kept", async () => {
  for (const mode of ["point-in-time", "salvage"] as const) {
    for (const isKilled of [false, true]) {
      const log = await openEvenLog(4);
      log.kill();
      await log.open();
      await log.commit(evenText(5)); // into a second file
      await log.wal.truncateBefore(4);
      await close(log);
      flip(log, nthSegment(log, 1), frameAt(4) + 8);
      flip(log, nthSegment(log, 1), frameAt(4) + 24);
      await (isKilled ? killRepair(log, mode) : repair(log, mode));
      await log.open();
      await quiet();
      assertEquals(keptOf(log, [4]), [4], `${mode}, ${isKilled ? "killed" : "in peace"}`);
    }
  }
});

test("a set is complete also when the log was mended twice since, and what completed it is gone", async () => {
  const log = await salvagedLog();
  flip(log, nthSegment(log, 3), frameAt(2) + 100); // LSN 6: 7 and 8 stay behind the end that the next file states
  await repair(log, "point-in-time");
  tidy(log);
  await log.open();
  for (let lsn = 6; lsn <= 9; lsn++) await log.commit(`another ${lsn}`.padEnd(900, "-"));
  await close(log);
  flip(log, log.lastSegment(), frameAt(2) + 100);
  await repair(log, "point-in-time");
  await log.open();
  const held = log.wal.readable({ from: 5 }).getReader();
  await held.read(); // the file stays when what is in it is cut away
  await log.wal.truncateBefore(log.wal.lastLsn);
  await close(log);
  await log.open();
  await quiet();
  assertEquals(keptOf(log, [7, 8]), [7, 8]);
});

test("a disk misreads a frame once: what a mending has given up for it is kept when the file goes, alone or with the next one", async () => {
  for (const lastLsn of [7, 16]) {
    const log = await misreadLog();
    await goOn(log, lastLsn);
    const held = log.wal.readable({ from: 5 }).getReader();
    await held.read();
    await log.wal.truncateBefore(lastLsn);
    await close(log);
    await log.open();
    await quiet();
    assertEquals(keptOf(log, [6, 7, 8]), [6, 7, 8], `up to LSN ${lastLsn}`);
  }
});

test("files that a mending has replaced cannot be put aside, and the log is cut behind them: they are when they can be", async () => {
  const log = await openEvenLog(10);
  await close(log);
  flip(log, nthSegment(log, 2), frameAt(2) + 100); // LSN 6: the third file, with LSNs 9 and 10, is replaced
  await killRepair(log, "point-in-time");
  log.faults.fail("rename", { path: /\/aside-/, code: "EMFILE" });
  await log.open();
  await quiet();
  assertEquals(keptOf(log, [9, 10]), []);
  for (let lsn = 6; lsn <= 20; lsn++) await log.commit(`another ${lsn}`.padEnd(900, "-"));
  await log.wal.truncateBefore(20);
  await close(log);
  await log.open();
  await quiet();
  assertEquals(keptOf(log, [9, 10]), [9, 10]);
});

test("what a mending gave up finds no room when its file is to go, and the file goes that says where that ended: it is kept", async () => {
  for (const code of ["ENOSPC", "EIO"]) {
    const log = await misreadLog();
    await goOn(log, 16);
    await close(log);
    await log.open(); // nobody else names the second file as the one before it
    await quiet();
    log.faults.fail("open", { path: /\/torn-/, code });
    await log.wal.truncateBefore(16);
    await quiet();
    assertEquals(keptOf(log, [6, 7, 8]), [], code);
    await close(log);
    await log.open();
    await quiet();
    assertEquals(keptOf(log, [6, 7, 8]), [6, 7, 8], code);
  }
});

test("the file is damaged that says where the one before it ended, when both are to go: what a mending gave up there is kept", async () => {
  const log = await misreadLog();
  await goOn(log, 16);
  const held = log.wal.readable({ from: 5 }).getReader();
  await held.read(); // both files stay when they are cut away
  await log.wal.truncateBefore(10);
  await close(log);
  flip(log, "0000000005-0000000002-0000000000000006.wal", 200);
  await log.open();
  await quiet();
  assertEquals(keptOf(log, [6, 7, 8]), [6, 7, 8]);
});

test("a disk misreads the last frame once, and the file that says so is gone before its copy is made: the frame is kept", async () => {
  const log = await openEvenLog(3);
  log.kill();
  log.faults.misread(/\.wal$/, frameAt(3) + 100); // nothing vouches for it: a crash explains that
  await log.open();
  for (let lsn = 3; lsn <= 9; lsn++) await log.commit(`another ${lsn}`.padEnd(900, "-"));
  log.faults.fail("open", { path: /\/torn-/, code: "ENOSPC" });
  await log.wal.truncateBefore(9);
  await quiet();
  assertEquals(keptOf(log, [3]), []);
  await close(log);
  await log.open();
  await quiet();
  assertEquals(keptOf(log, [3]), [3]);
});

test("a bit turns in the header of the last frame, and nothing vouches for it: it is told of, and kept when its file goes", async () => {
  for (const byte of [0, 5, 9, 12, 16, 24, 32, 40, 44, 47]) {
    const log = await openEvenLog(3);
    log.kill();
    flip(log, log.lastSegment(), frameAt(3) + byte);
    const { state, damage } = await Wal.verify(DIRECTORY, { runtime: log.runtime });
    assertEquals([state, ...damage.map(({ firstLsn, lastLsn }) => `${firstLsn} to ${lastLsn}`)], ["torn", "3 to 3"]);
    await log.open();
    const { torn } = log.wal.recovery;
    assertEquals([torn?.offset, torn?.bytes, torn?.firstLsn], [frameAt(3), EVEN_FRAME_BYTES, 3]);
    for (let lsn = 3; lsn <= 9; lsn++) await log.commit(`another ${lsn}`.padEnd(900, "-"));
    await log.wal.truncateBefore(9);
    await quiet();
    assertEquals(keptOf(log, [3]), [3], `byte ${byte}`);
    log.kill();
  }
});

test("a salvage is killed, and an original is damaged of which it had made a copy: the next one keeps the copy", async () => {
  for (const isRemoved of [true, false]) {
    const log = await openEvenLog(18);
    log.kill();
    flip(log, nthSegment(log, 2), frameAt(1) + 100); // LSN 5
    log.faults.stop("rename", "after", { path: /\.wal$/, nth: 2 });
    unheard(Wal.repair(DIRECTORY, { mode: "salvage", runtime: log.runtime }));
    await log.runtime.stopped;
    log.kill();
    const original = "0000000003-0000000002-0000000000000009.wal";
    if (isRemoved) log.disk.remove(pathOf(original));
    else flip(log, original, frameAt(1) + 100); // LSN 9
    const { setAside } = await Wal.repair(DIRECTORY, { mode: "salvage", dryRun: true, runtime: log.runtime });
    await repair(log, "salvage");
    assertEquals(keptOf(log, [9]), [9]);
    assertEquals(setAside.filter((name) => log.names().includes(name)), setAside);
  }
});

test("of files that a mending has replaced the oldest cannot be put aside: the younger ones wait for it", async () => {
  const log = await openEvenLog(18);
  await close(log);
  flip(log, nthSegment(log, 2), frameAt(2) + 100); // LSN 6: three files are replaced
  await killRepair(log, "point-in-time");
  log.faults.fail("rename", { path: /\/aside-/, code: "EIO" });
  await log.open();
  await quiet();
  const asides = (): string[] => log.names().filter((name) => name.startsWith("aside-"));
  assertEquals(asides(), []);
  await close(log);
  await log.open();
  await quiet();
  assertEquals(asides().length, 3);
});
