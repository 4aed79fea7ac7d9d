// A file above the newest segment whose name lies, or that is another log's, costs no good segment and gives no LSN or id out again;
// and files left behind do not come back when the header above them is damaged.

import { test } from "node:test";
import { assert, assertEquals, assertGreater, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { Wal, WalError, type WalReport } from "../mod.ts";
import { EVEN, evenText, flip, frameAt, lsnsFrom, nthSegment, openEvenLog } from "./support/even_log.ts";
import { DIRECTORY, LogFixture, pathOf, quiet, unheard } from "./support/log_fixture.ts";

const LAST_LSN = 26;
const ALL = lsnsFrom(1, LAST_LSN);

/**
 * Names with an id that no segment has had: of the third one with all else right, with a wrong base LSN, with a wrong predecessor; and
 * of the first one.
 */
const STRAYS = [
  { of: 3, name: "0000000099-0000000002-0000000000000009.wal" },
  { of: 3, name: "0000000099-0000000002-0000000000000011.wal" },
  { of: 3, name: "0000000099-0000000098-0000000000000009.wal" },
  { of: 1, name: "0000000099-0000000000-0000000000000001.wal" },
] as const;

/** Seven segments of four entries, the last one of two. */
async function closedLog(): Promise<LogFixture> {
  const log = await openEvenLog(LAST_LSN);
  await log.wal.close();
  await quiet();
  log.kill();
  return log;
}

/** The LSNs of the log when it was repaired, and the next one that it gives out. */
async function repaired(log: LogFixture, mode: "point-in-time" | "salvage"): Promise<{ lsns: number[]; next: number }> {
  await Wal.repair(DIRECTORY, { mode, runtime: log.runtime });
  log.kill();
  await log.open();
  const lsns = (await log.readAll()).map((line) => Number(line.split(" ")[0]));
  const next = await log.wal.commit("one more");
  log.kill();
  return { lsns, next };
}

/** Stops before the `nth` call. Whether there was one. */
async function killSalvage(log: LogFixture, nth: number): Promise<boolean> {
  log.faults.stopAt(log.runtime.calls + nth);
  let isDone = false;
  const salvage = Wal.repair(DIRECTORY, { mode: "salvage", runtime: log.runtime }).then(() => isDone = true);
  unheard(salvage);
  await Promise.race([salvage, log.runtime.stopped]);
  log.kill();
  return !isDone;
}

function rangesOf({ damage }: WalReport): string[] {
  return damage.map(({ firstLsn, lastLsn }) => `${firstLsn} to ${lastLsn}`);
}

test("a copy of a segment lies above the log under a name that lies: nothing of the log is given up", async () => {
  for (const mode of ["point-in-time", "salvage"] as const) {
    for (const { of, name } of STRAYS) {
      for (const isHeaderGood of [true, false]) {
        const log = await closedLog();
        log.plant(name, log.file(nthSegment(log, of)));
        if (!isHeaderGood) flip(log, name, 100);
        const { lsns, next } = await repaired(log, mode);
        assertEquals(lsns, ALL, `${name}, ${mode}`);
        assertGreater(next, LAST_LSN);
        assert(log.names().includes(`aside-${name}`));
      }
    }
  }
});

test("a segment was renamed to one above the log: salvage gives up no other", async () => {
  for (const { of, name } of STRAYS) {
    const log = await closedLog();
    const lost = lsnsFrom(4 * of - 3, 4 * of);
    const from = nthSegment(log, of);
    log.plant(name, log.file(from));
    log.disk.remove(pathOf(from));
    const { lsns, next } = await repaired(log, "salvage");
    assertEquals(lsns, ALL.filter((lsn) => !lost.includes(lsn)), name);
    assertGreater(next, LAST_LSN);
  }
});

test("a salvage of a log that a stray lies above is killed at any call: the next one takes the log for the log", async () => {
  for (const { of, name } of STRAYS) {
    const expected = ALL.filter((lsn) => lsn < 17 || lsn > 20);
    let isKilled = true;
    for (let nth = 1; isKilled; nth++) {
      const log = await closedLog();
      log.plant(name, log.file(nthSegment(log, of)));
      log.disk.remove(pathOf("0000000005-0000000004-0000000000000017.wal"));
      isKilled = await killSalvage(log, nth);
      const { lsns, next } = await repaired(log, "salvage");
      assertEquals(lsns, expected, `${name}, killed at call ${nth}`);
      assertGreater(next, LAST_LSN);
    }
  }
});

test("a stray lies above what a killed salvage had begun to copy: those copies are none of the log", async () => {
  for (const { of, name } of STRAYS) {
    const log = await closedLog();
    flip(log, nthSegment(log, 2), frameAt(2) + 100); // LSN 6
    log.faults.stop("rename", "after", { path: /\.wal$/, nth: 3 });
    unheard(Wal.repair(DIRECTORY, { mode: "salvage", runtime: log.runtime }));
    await log.runtime.stopped;
    log.kill();
    log.plant(name, log.file(nthSegment(log, of)));
    const { lsns, next } = await repaired(log, "salvage");
    assertEquals(lsns, ALL.filter((lsn) => lsn !== 6), name);
    assertGreater(next, LAST_LSN);
  }
});

test("what is told of a stray above the log names no LSN of the log, and no range that ends before it begins", async () => {
  for (const { of, name } of STRAYS) {
    const log = await closedLog();
    log.plant(name, log.file(nthSegment(log, of)));
    assertEquals(rangesOf(await Wal.verify(DIRECTORY, { runtime: log.runtime })), [`${LAST_LSN + 1} to 0`], name);
  }
});

test("a file that had failed was left behind, and the header above it is damaged: what was rejected does not come back", async () => {
  const log = await openEvenLog(5);
  log.kill();
  const failed = log.lastSegment();
  const last = "0000000003-0000000001-0000000000000005.wal";
  log.plant(last, log.file(failed)); // it was made when the log was reopened, and goes on from the first one too
  flip(log, last, 100);
  const { lsns } = await repaired(log, "salvage");
  assertEquals(lsns, [1, 2, 3, 4]);
});

test("an empty or meaningless file names what the last segment names: it is no reason to give that one up", async () => {
  const garbage = new Uint8Array(5000).map((_, at) => at * 37 + 11);
  for (const bytes of [new Uint8Array(8192), garbage, garbage.slice(0, 100)]) {
    for (const mode of ["point-in-time", "salvage"] as const) {
      const log = await openEvenLog(5);
      log.kill();
      log.plant("0000000099-0000000001-0000000000000005.wal", bytes);
      const { lsns } = await repaired(log, mode);
      assertEquals(lsns, lsnsFrom(1, 5), `${mode}, ${bytes.length} bytes`);
    }
  }
});

test("a file that goes on from the same place as one whose header is damaged had been synced: it is the log's", async () => {
  const log = await openEvenLog(6); // LSN 6 tells that LSN 5 had been synced
  log.kill();
  const stray = "0000000003-0000000001-0000000000000005.wal";
  log.plant(stray, log.file(log.lastSegment()));
  flip(log, stray, 100);
  const { lsns } = await repaired(log, "salvage");
  assertEquals(lsns, lsnsFrom(1, 6));
});

test("strays lie one above the other: what the upper one says ends nothing below the lower one", async () => {
  for (const isHeaderGood of [true, false]) {
    const log = await closedLog();
    const upper = "0000000099-0000000002-0000000000000009.wal";
    log.plant("0000000098-0000000000-0000000000000001.wal", log.file(nthSegment(log, 1)));
    log.plant(upper, log.file(nthSegment(log, 3)));
    if (!isHeaderGood) flip(log, upper, 100);
    const { lsns, next } = await repaired(log, "salvage");
    assertEquals(lsns, ALL);
    assertGreater(next, LAST_LSN);
  }
});

test("strays alone are left of a closed log: no LSN is given out twice that the lock file knows of", async () => {
  const log = await openEvenLog(3);
  await log.wal.close();
  log.kill();
  const first = log.lastSegment();
  log.plant("0000000099-0000000000-0000000000000001.wal", log.file(first).slice(0, 3000));
  log.plant("0000000100-0000000015-0000000000000013.wal", log.file(first).slice(0, 3000));
  log.disk.remove(pathOf(first));
  const { lsns, next } = await repaired(log, "salvage");
  assertEquals(lsns, []);
  assertGreater(next, 3);
});

test("the first segment is gone and the other one renamed: what is lost is told from the first LSN on", async () => {
  const log = await openEvenLog(6);
  log.kill();
  const [first = "", second = ""] = log.segments();
  log.plant("0000000099-0000000002-0000000000000007.wal", log.file(second));
  log.disk.remove(pathOf(first));
  log.disk.remove(pathOf(second));
  assertEquals(rangesOf(await Wal.verify(DIRECTORY, { runtime: log.runtime })), ["1 to 6"]);
});

test("the last segment of a closed log was renamed: no LSN is given out twice that the lock file knows of", async () => {
  for (const name of ["0000000099-0000000000-0000000000000001.wal", "0000000099-0000000006-0000000000000025.wal"]) {
    const log = await closedLog();
    const last = log.lastSegment();
    log.plant(name, log.file(last));
    log.disk.remove(pathOf(last));
    assertEquals(rangesOf(await Wal.verify(DIRECTORY, { runtime: log.runtime })), ["25 to 26"]);
    const { lsns, next } = await repaired(log, "salvage");
    assertEquals([...lsns, next], [...lsnsFrom(1, 24), 27]);
  }
});

test("the last segment of a log that was not closed was renamed: no LSN is given out twice that is in it", async () => {
  for (const name of ["0000000099-0000000000-0000000000000001.wal", "0000000099-0000000006-0000000000000025.wal"]) {
    const log = await openEvenLog(LAST_LSN);
    log.kill();
    const last = log.lastSegment();
    log.plant(name, log.file(last));
    log.disk.remove(pathOf(last));
    assertEquals(rangesOf(await Wal.verify(DIRECTORY, { runtime: log.runtime })), ["25 to 26"]);
    const { lsns, next } = await repaired(log, "salvage");
    assertEquals([...lsns, next], [...lsnsFrom(1, 24), 27]);
  }
});

test("the only segment was renamed to one that begins later: what it held is told from the first LSN on", async () => {
  const log = await openEvenLog(3);
  await log.wal.close();
  log.kill();
  const first = log.lastSegment();
  log.plant("0000000099-0000000001-0000000000000002.wal", log.file(first));
  log.disk.remove(pathOf(first));
  assertEquals(rangesOf(await Wal.verify(DIRECTORY, { runtime: log.runtime })), ["1 to 3"]);
});

test("a segment of another log lies above, and names one that is not there: it does not take the log over", async () => {
  for (const mode of ["point-in-time", "salvage"] as const) {
    for (const isStrayBelow of [false, true]) {
      const log = await closedLog();
      const another = new LogFixture(EVEN, { seed: 99 });
      await another.open();
      for (let lsn = 1; lsn <= 40; lsn++) await another.commit(evenText(lsn));
      const stranger = another.lastSegment();
      log.plant(stranger, another.file(stranger));
      const [, predecessorId = ""] = stranger.split("-");
      if (isStrayBelow) log.plant(`${predecessorId}-0000000000-0000000000000001.wal`, log.file(nthSegment(log, 1)));
      const before = log.contents();
      const { outcome, refusal } = await Wal.repair(DIRECTORY, { mode, runtime: log.runtime });
      assertEquals(outcome, "refused");
      assertStringIncludes(refusal ?? "", stranger);
      assertEquals(log.contents(), before);
    }
  }
});

test("segments of another log lie below one that was cut: they are none of it, and it is whole", async () => {
  const log = await openEvenLog(14);
  await log.wal.truncateBefore(13); // the one file that is left names one that went
  await log.wal.close();
  log.kill();
  const another = new LogFixture(EVEN, { seed: 99 });
  await another.open();
  for (let lsn = 1; lsn <= 8; lsn++) await another.commit(evenText(lsn));
  for (const name of another.segments()) log.plant(name, another.file(name));
  assertEquals((await Wal.verify(DIRECTORY, { runtime: log.runtime })).state, "clean");
});

test("what completed a set has vanished, and another log's segment lies below: the others of the set are the log's", async () => {
  const log = await openEvenLog(10);
  log.kill();
  flip(log, nthSegment(log, 1), frameAt(1) + 100); // LSN 1: all the others are copied
  await Wal.repair(DIRECTORY, { mode: "salvage", runtime: log.runtime });
  log.kill();
  for (const name of log.names()) if (name.startsWith("aside-")) log.disk.remove(pathOf(name)); // nobody misses anything
  log.disk.remove(pathOf(log.lastSegment())); // LSNs 9 and 10
  const another = new LogFixture(EVEN, { seed: 99 });
  await another.open();
  for (let lsn = 1; lsn <= 6; lsn++) await another.commit(evenText(lsn));
  log.plant(another.lastSegment(), another.file(another.lastSegment()));
  const { lsns } = await repaired(log, "salvage");
  assertEquals(lsns, lsnsFrom(2, 8));
});

test("of three segments the first is another log's and the last one damaged: nobody can say whose log it is", async () => {
  const log = await openEvenLog(9);
  log.kill();
  const another = new LogFixture(EVEN, { seed: 99 });
  await another.open();
  for (let lsn = 1; lsn <= 9; lsn++) await another.commit(evenText(lsn));
  const [first = "", , last = ""] = log.segments();
  log.plant(first, another.file(first));
  flip(log, last, 100);
  for (const mode of ["point-in-time", "salvage"] as const) {
    assertEquals((await Wal.repair(DIRECTORY, { mode, runtime: log.runtime })).outcome, "refused");
  }
});

test("a salvage gives no id again that a file bears which was set aside", async () => {
  const log = await closedLog();
  log.plant("aside-0000000020-0000000007-0000000000000027.wal", log.file(nthSegment(log, 7)));
  flip(log, nthSegment(log, 2), frameAt(2) + 100);
  await Wal.repair(DIRECTORY, { mode: "salvage", runtime: log.runtime });
  const ids = log.segments().map((name) => Number(name.split("-")[0]));
  assertGreater(Math.min(...ids.filter((id) => id > 7)), 20);
});

test("a log that was cut to one file, and the file was renamed: no LSN before it is given out again", async () => {
  for (const mode of ["point-in-time", "salvage"] as const) {
    for (const rest of ["99-0000000003", "05-0000000003", "99-0000000000"]) {
      const log = await openEvenLog(14);
      await log.wal.truncateBefore(13);
      log.kill();
      const only = log.lastSegment();
      log.plant(`00000000${rest}-0000000000000013.wal`, log.file(only));
      log.disk.remove(pathOf(only));
      assertGreater((await repaired(log, mode)).next, 12, `${rest}, ${mode}`);
    }
  }
});

test("a disk fails while it is asked which log this is, or what is below a damaged file: that is told as its error", async () => {
  const cut = await openEvenLog(14);
  await cut.wal.truncateBefore(13);
  cut.kill();
  const another = new LogFixture(EVEN, { seed: 99 });
  await another.open();
  await another.commit(evenText(1));
  cut.plant(another.lastSegment(), another.file(another.lastSegment()));
  const damaged = await openEvenLog(6);
  damaged.kill();
  const stray = "0000000003-0000000001-0000000000000005.wal";
  damaged.plant(stray, damaged.file(damaged.lastSegment()));
  flip(damaged, stray, 100);
  for (const log of [cut, damaged]) {
    const { calls } = log.runtime;
    await Wal.verify(DIRECTORY, { runtime: log.runtime });
    const most = log.runtime.calls - calls;
    for (let nth = 1; nth <= most; nth++) {
      log.kill();
      log.faults.failAt(log.runtime.calls + nth);
      await Wal.verify(DIRECTORY, { runtime: log.runtime }).catch((error: unknown) =>
        assertInstanceOf(error, WalError)
      );
    }
  }
});

test("files that were replaced are still there, and the header above them is damaged: what was given up does not come back", async () => {
  const log = await openEvenLog(18);
  await log.wal.close();
  log.kill();
  flip(log, nthSegment(log, 2), frameAt(2) + 100); // LSN 6
  log.faults.stop("rename", "before", { path: /\/aside-/ });
  unheard(Wal.repair(DIRECTORY, { mode: "point-in-time", runtime: log.runtime }));
  await log.runtime.stopped;
  log.kill();
  log.faults.fail("rename", { path: /\/aside-/, code: "EMFILE", times: Infinity });
  await log.open();
  for (let lsn = 6; lsn <= 16; lsn++) await log.commit(`another ${lsn}`.padEnd(900, "-"));
  await log.wal.close();
  await quiet();
  log.kill();
  const first = log.segments().findLast((name) => /-0000000002-0+6\.wal/.test(name)) ?? "";
  flip(log, first, 100);
  const { lsns } = await repaired(log, "salvage");
  assertEquals(lsns, [1, 2, 3, 4, 5, ...lsnsFrom(10, 16)]);
});
