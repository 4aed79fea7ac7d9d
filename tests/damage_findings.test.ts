// Accidents that the damage table found something wrong about: each as short as it can be told.

import { test } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Wal, WalCorruptionError, WalError, WalFormatError } from "../mod.ts";
import { HEADER_BYTES } from "../src/format.ts";
import { RECOVERY_MODES } from "../src/options.ts";
import { flip } from "./support/damage.ts";
import { evenText, frameAt, lsnsFrom, openEvenLog } from "./support/even_log.ts";
import {
  ANY_WAL,
  DIRECTORY,
  LogFixture,
  openLogWith,
  pathOf,
  quiet,
  SMALL_SEGMENT_BYTES,
  unheard,
} from "./support/log_fixture.ts";

/** What is shown before the reading ends, however it ends: LSNs, with a word where the text is another's. */
async function shown(entries: AsyncIterable<{ readonly lsn: number; text(): string }>): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const entry of entries) {
      found.push(`${entry.lsn}${entry.text() === evenText(entry.lsn) ? "" : " of another log"}`);
    }
  } catch (error) {
    if (!(error instanceof WalError)) throw error;
  }
  return found;
}

/** Closed well, with four entries to a segment. */
async function closedLog(entries: number): Promise<LogFixture> {
  const log = await openEvenLog(entries);
  await log.wal.close();
  await quiet();
  log.kill();
  return log;
}

/** Another log, whose files bear the same names. */
async function anotherLog(entries: number): Promise<LogFixture> {
  const log = new LogFixture({ segmentBytes: SMALL_SEGMENT_BYTES }, { seed: 99 });
  await log.open();
  for (let lsn = 1; lsn <= entries; lsn++) await log.commit(`another ${lsn}`.padEnd(900, "-"));
  await log.wal.close();
  return log;
}

/** The bytes of each segment, by its name. */
function segmentBytes(log: LogFixture): Map<string, Uint8Array<ArrayBuffer>> {
  return new Map(log.segments().map((name) => [name, log.file(name)]));
}

test("a segment that lies there twice, once under a name that lies, is refused in every mode, and costs no other", async () => {
  for (const copy of ["0000000002-0000000000-0000000000000005.wal", "0000000002-0000000001-0000000000000003.wal"]) {
    const log = await closedLog(14);
    const before = segmentBytes(log);
    log.plant(copy, log.file("0000000002-0000000001-0000000000000005.wal"));
    for (const recovery of RECOVERY_MODES) await assertRejects(() => log.open({ recovery }), WalError, "0000000002");
    await quiet();
    for (const [name, bytes] of before) {
      assertEquals(log.segments().includes(name) && log.file(name), bytes, `${copy}: ${name}`);
    }
  }
});

test("a segment that was renamed costs no other segment", async () => {
  const renames = [
    ["0000000003-0000000002-0000000000000009.wal", "0000000003-0000000001-0000000000000009.wal"],
    ["0000000002-0000000001-0000000000000005.wal", "0000000002-0000000000-0000000000000005.wal"],
  ] as const;
  for (const [from, to] of renames) {
    const log = await closedLog(18);
    const bytes = log.file(from);
    log.disk.remove(pathOf(from));
    const before = segmentBytes(log);
    log.plant(to, bytes);
    await log.open().catch(() => {});
    await quiet();
    for (const [name, kept] of before) {
      assertEquals(log.segments().includes(name) && log.file(name), kept, `${to}: ${name}`);
    }
  }
});

test("a last segment of another log is refused in every mode, and read by nobody", async () => {
  for (const mode of RECOVERY_MODES) {
    const log = await closedLog(10);
    const another = await anotherLog(10);
    log.plant(log.lastSegment(), another.file(another.lastSegment()));
    const before = log.contents();
    await assertRejects(() => log.open({ recovery: mode }), WalFormatError);
    assertEquals(log.contents(), before);
    const seen = await shown(Wal.read(DIRECTORY, { runtime: log.runtime }));
    assertEquals(seen.filter((each) => each.includes("another")), []);
  }
});

test("a reader elsewhere shows no entry of another log", async () => {
  const log = await closedLog(14);
  const another = await anotherLog(14);
  const [first = ""] = log.segments();
  log.plant(first, another.file(first));
  assertEquals(await shown(Wal.read(DIRECTORY, { runtime: log.runtime })), []);
});

test("a reader elsewhere does not begin with a segment whose name lies", async () => {
  const log = await closedLog(18);
  const name = "0000000003-0000000002-0000000000000009.wal";
  log.plant("0000000003-0000000000-0000000000000009.wal", log.file(name));
  log.disk.remove(pathOf(name));
  assertEquals(await shown(Wal.read(DIRECTORY, { runtime: log.runtime })), []);
});

test("a segment of another epoch is none of this log", async () => {
  for (const nth of [0, 1, 2, 3]) {
    const log = await closedLog(14);
    const name = log.segments()[nth] ?? "";
    log.changeHeader(name, { epoch: { id: "ab".repeat(8), parentId: "cd".repeat(8), lsn: 2 } });
    await assertRejects(() => log.open({ recovery: "strict" }), WalError, undefined, name);
  }
});

test("a segment of another epoch that opening does not look at is refused by whoever reads it", async () => {
  for (const nth of [0, 1]) {
    const log = await closedLog(14);
    const name = log.segments()[nth] ?? "";
    log.changeHeader(name, { epoch: { id: "ab".repeat(8), parentId: "cd".repeat(8), lsn: 2 } });
    const before = ["1", "2", "3", "4"].slice(0, 4 * nth);
    await log.open();
    assertEquals(await shown(log.wal.readable()), before, name);
    await log.wal.close();
    assertEquals(await shown(Wal.read(DIRECTORY, { runtime: log.runtime })), before, name);
  }
});

test("entries that were given up stay given up when the segment is gone that says so", async () => {
  const log = await openEvenLog(10);
  log.kill();
  log.damage(log.segments()[1] ?? "", (bytes) => flip(bytes, frameAt(2) + 100, 0)); // LSN 6
  await log.open({ recovery: "point-in-time" });
  for (let lsn = 6; lsn <= 14; lsn++) await log.commit(`once more ${lsn}`.padEnd(900, "-"));
  await log.reopen();
  await quiet(); // the empty one that ended the log then is freed
  log.kill();
  const second = log.segments().findIndex((name) => name.startsWith("0000000002"));
  log.disk.remove(pathOf(log.segments()[second + 1] ?? "")); // LSNs 6 to 9, as they were given again
  await log.open({ recovery: "salvage" });
  const lsns: number[] = [];
  for await (const { lsn } of log.wal.readable()) lsns.push(lsn);
  assertEquals(lsns, [1, 2, 3, 4, 5, 10, 11, 12, 13, 14]);
});

test("what lies before a segment of another log is read in full", async () => {
  const log = await closedLog(18);
  const another = await anotherLog(18);
  const [, , third = ""] = log.segments();
  log.plant(third, another.file(third));
  await log.open();
  assertEquals(await shown(log.wal.readable()), ["1", "2", "3", "4", "5", "6", "7", "8"]);
});

test("a dry run names the files under which they will be set aside", async () => {
  const log = await closedLog(10);
  const [first = "", second = ""] = log.segments();
  log.damage(first, (bytes) => flip(bytes, frameAt(3) + 100, 0));
  log.plant(`aside-${second}`, new Uint8Array(10));
  const options = { mode: "point-in-time", runtime: log.runtime } as const;
  const { setAside } = await Wal.repair(DIRECTORY, { ...options, dryRun: true });
  assertEquals((await Wal.repair(DIRECTORY, options)).setAside, setAside);
});

test("a head in the middle of the first frame that there is vouches for what it had cut away", async () => {
  const log = await openLogWith("cut away", { segmentBytes: SMALL_SEGMENT_BYTES });
  await log.wal.commitBatch(["cut away too", "first"]);
  await log.wal.truncateBefore(3);
  log.faults.stop("rename", "after", { path: ANY_WAL });
  unheard(log.commit("too large for this segment".padEnd(12_000, "-")));
  await log.runtime.stopped;
  log.crash({ keep: "all" });
  const [first = "", second] = log.segments();
  assert(second !== undefined); // its header alone says where the log begins once frames before the head are damaged
  log.damage(first, (bytes) => flip(bytes, HEADER_BYTES + 50, 0)); // LSN 1
  await log.open({ recovery: "salvage" });
  assertEquals([log.segments().length, ...await log.readAll()], [1, "3 first"]);
  log.kill();
  log.damage(log.lastSegment(), (bytes) => flip(bytes, HEADER_BYTES + 50, 0)); // LSNs 2 and 3
  const { lsn, evidence } = await assertRejects(() => log.open(), WalCorruptionError);
  assertEquals([lsn, evidence], [2, "frame"]);
});

/** Closed well, LSNs up to 15; cut to begin at `headLsn`, as a head frame behind LSN 14 says. */
async function cutLog(headLsn: number): Promise<LogFixture> {
  const log = await openEvenLog(14);
  await log.wal.truncateBefore(headLsn);
  await log.commit(evenText(15));
  await log.wal.close();
  await quiet();
  log.kill();
  return log;
}

async function lsnsOf(log: LogFixture): Promise<number[]> {
  return (await log.readAll()).map((text) => Number.parseInt(text));
}

test("damage between the head frame and what is before it: what was cut away is neither missed nor comes back", async () => {
  for (const headLsn of [9, 3]) { // with files that are gone, and without
    for (const recovery of ["point-in-time", "salvage"] as const) {
      const log = await cutLog(headLsn);
      log.damage(log.lastSegment(), (bytes) => flip(bytes, frameAt(2) + 100, 0)); // LSN 14
      const { damage, firstLsn } = await Wal.verify(DIRECTORY, { runtime: log.runtime });
      assertEquals([firstLsn, damage.map((each) => each.firstLsn)], [headLsn, [14]]);
      await log.open({ recovery });
      assertEquals([log.wal.firstLsn, ...await lsnsOf(log)], [
        headLsn,
        ...lsnsFrom(headLsn, 13),
        ...recovery === "salvage" ? [15] : [],
      ]);
    }
  }
});

test("a reader elsewhere names the damage that hides the head frame, not a file that went because of it", async () => {
  const log = await cutLog(9);
  log.damage(log.lastSegment(), (bytes) => flip(bytes, frameAt(2) + 100, 0)); // LSN 14
  const { segment, offset, lsn, evidence } = await assertRejects(
    () => Wal.read(DIRECTORY, { runtime: log.runtime }).getReader().read(),
    WalCorruptionError,
  );
  assertEquals([segment, offset, lsn, evidence], [log.lastSegment(), frameAt(2), 14, "frame"]);
});

test("a head frame at the very end, behind damage, counts where files are gone that it had cut away", async () => {
  const log = await openEvenLog(14);
  await log.wal.truncateBefore(9);
  await quiet();
  log.kill();
  log.damage(log.lastSegment(), (bytes) => flip(bytes, frameAt(2) + 100, 0)); // LSN 14
  const { damage } = await Wal.verify(DIRECTORY, { runtime: log.runtime });
  assertEquals(damage.map(({ firstLsn }) => firstLsn), [14]);
  await log.open({ recovery: "point-in-time" });
  assertEquals([log.wal.firstLsn, ...await lsnsOf(log)], [9, ...lsnsFrom(9, 13)]);
});

test("damage below the head, in the file that holds it, costs nothing that is in the log", async () => {
  for (const recovery of ["point-in-time", "salvage"] as const) {
    const log = await cutLog(3);
    log.damage(log.segments()[0] ?? "", (bytes) => flip(bytes, frameAt(1) + 100, 0)); // LSN 1
    await log.open({ recovery });
    assertEquals([log.wal.firstLsn, ...await lsnsOf(log)], [3, ...lsnsFrom(3, 15)]);
  }
});

test("a head frame in a file that cannot be used: nothing before that damage is given up, and what was cut in the oldest file comes back", async () => {
  const log = await openEvenLog(14);
  await log.wal.truncateBefore(10); // the file with LSNs 9 to 12 is the oldest one left
  await quiet();
  log.kill();
  log.damage(log.lastSegment(), (bytes) => flip(bytes, 100, 0)); // its header
  const { entries, firstLsn, lastLsn } = await Wal.repair(DIRECTORY, { mode: "point-in-time", runtime: log.runtime });
  assertEquals([entries, firstLsn, lastLsn], [4, 9, 12]);
  await log.open({ recovery: "strict" });
  assertEquals(await lsnsOf(log), lsnsFrom(9, 12));
});

test("a head frame in what is damaged at the end, or gone with it: nothing before that is given up either", async () => {
  const accidents: readonly [(log: LogFixture) => void, number][] = [
    [(log) => log.damage(log.lastSegment(), (bytes) => void bytes.fill(0, frameAt(2))), 13],
    [(log) => log.disk.remove(pathOf(log.lastSegment())), 12],
  ];
  for (const [happen, lastLsn] of accidents) {
    const log = await openEvenLog(14);
    await log.wal.truncateBefore(10);
    await log.wal.close(); // the lock file says how far it went
    await quiet();
    log.kill();
    happen(log);
    await log.open({ recovery: "point-in-time" });
    assertEquals(await lsnsOf(log), lsnsFrom(9, lastLsn));
  }
});

test("the oldest file is missing, and nothing says that it was cut away: before that damage there is nothing", async () => {
  const log = await closedLog(14);
  log.disk.remove(pathOf(log.segments()[0] ?? "")); // LSNs 1 to 4
  const { entries, lastLsn } = await Wal.repair(DIRECTORY, { mode: "point-in-time", runtime: log.runtime });
  assertEquals([entries, lastLsn], [0, 4]);
});

test("a head frame lies behind a damaged entry, and the file above cannot be used: what was cut away does not come back", async () => {
  const log = await openEvenLog(8);
  await log.wal.truncateBefore(3); // the head frame is the last of the second file
  await log.commit(evenText(9));
  log.kill();
  const [, second = "", third = ""] = log.segments();
  log.damage(second, (bytes) => flip(bytes, frameAt(4) + 100, 0)); // LSN 8
  log.damage(third, (bytes) => flip(bytes, 100, 0));
  await log.open({ recovery: "salvage" });
  assertEquals([log.wal.firstLsn, ...await lsnsOf(log)], [3, ...lsnsFrom(3, 7)]);
});

test("a crash leaves the head frame of a cut that was never told of, behind the end: it cuts nothing when the next file is damaged", async () => {
  const log = await openEvenLog(7);
  await log.advance(1000); // an idle frame follows LSN 7
  await quiet();
  const last = log.lastSegment();
  log.faults.stop("write", "after", { path: /wal$/ });
  unheard(log.wal.truncateBefore(6));
  await log.runtime.stopped;
  log.kill();
  log.damage(last, (bytes) => void bytes.fill(0, frameAt(4), frameAt(4) + 56)); // the idle frame was not synced, and is lost
  await log.open();
  assertEquals([log.wal.recovery.end, log.wal.firstLsn], ["torn", 1]);
  for (const lsn of [8, 9]) await log.commit(evenText(lsn));
  await quiet();
  log.kill();
  log.damage(log.lastSegment(), (bytes) => flip(bytes, 100, 0));
  await log.open({ recovery: "salvage" });
  assertEquals([log.wal.firstLsn, ...await lsnsOf(log)], [1, ...lsnsFrom(1, 7)]);
});

test("the head frame of a log that is one file is damaged, and little or nothing follows it: point-in-time gives up nothing before it", async () => {
  for (const entriesBehind of [0, 1, 5]) {
    for (const byte of [20, 50]) { // in its header, in its payload
      const log = await openEvenLog(14);
      await log.wal.truncateBefore(13);
      for (let nth = 0; nth < entriesBehind; nth++) await log.commit(`${nth}`);
      await quiet();
      log.kill();
      assertEquals(log.segments().length, 1);
      log.damage(log.lastSegment(), (bytes) => flip(bytes, frameAt(3) + byte, 0));
      await log.open({ recovery: "point-in-time" });
      assertEquals(await lsnsOf(log), [13, 14], `${entriesBehind} behind, byte ${byte}`);
    }
  }
});

test("a stray lies below a cut log, and the file with its head frame has vanished: nothing before that is given up", async () => {
  const log = await openEvenLog(14);
  await log.wal.truncateBefore(10);
  await log.wal.close();
  await quiet();
  log.kill();
  log.disk.remove(pathOf(log.lastSegment()));
  log.plant("0000000001-0000000000-0000000000000001.wal", new Uint8Array(8192));
  await log.open({ recovery: "point-in-time" });
  assertEquals(await lsnsOf(log), lsnsFrom(9, 12));
});

test("a head frame that nothing bears out yet counts where a log is mended: what was cut away does not come back", async () => {
  for (const recovery of ["point-in-time", "salvage"] as const) {
    const log = await openEvenLog(4);
    await log.wal.truncateBefore(3);
    log.crash({ keep: "none" });
    log.damage(log.lastSegment(), (bytes) => flip(bytes, frameAt(1) + 100, 0)); // LSN 1
    await log.open({ recovery });
    assertEquals([log.wal.firstLsn, ...await lsnsOf(log)], [3, 3, 4]);
  }
});
