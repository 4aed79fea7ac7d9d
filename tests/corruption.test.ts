// Damage that no crash explains: opening refuses, says where and why it knows, and changes not one byte.

import { crc32 } from "node:zlib";
import { test } from "node:test";
import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import {
  WalCorruptionError,
  WalDirectoryError,
  type WalError,
  type WalEvidence,
  WalFormatError,
  WalIoError,
  WalVersionError,
} from "../mod.ts";
import { viewOf } from "../src/bytes.ts";
import { HEADER_BYTES, LOCK_MARK_BYTES, parseSegmentName } from "../src/format.ts";
import { EVEN_FRAME_BYTES, frameAt, openEvenLog } from "./support/even_log.ts";
import { type LogFixture, pathOf, quiet, SEGMENT } from "./support/log_fixture.ts";

/** Opening refuses with this error, and neither it nor a second try has changed one byte or left a file open. */
async function assertRefuses<E extends WalError>(
  log: LogFixture,
  ErrorClass: new (...args: never[]) => E,
  how: { readonly arm?: () => void } = {},
): Promise<E> {
  log.kill();
  const before = log.contents();
  for (let nth = 0; nth < 2; nth++) {
    how.arm?.();
    const error = await assertRejects(() => log.open(), ErrorClass);
    await quiet();
    assertEquals([log.contents(), log.runtime.openFiles], [before, []]);
    assertEquals(log.calls("write").filter(({ path }) => !path.endsWith("/lock")), []);
    log.faults.clear();
    if (nth === 1) return error;
  }
  throw new Error("not reached");
}

async function assertCorrupt(
  log: LogFixture,
  damage: { segment: string; offset: number; lsn: number; evidence: WalEvidence },
): Promise<void> {
  const error = await assertRefuses(log, WalCorruptionError);
  const { segment, offset, lsn, evidence, code } = error;
  assertEquals({ segment, offset, lsn, evidence, code }, { ...damage, code: "WAL_CORRUPT" });
  for (const value of [segment, `${offset}`, `${lsn}`, evidence]) assertStringIncludes(error.message, value);
}

// -- corrupt, by each kind of evidence

test("evidence frame: a later frame knows that what is damaged had been synced", async () => {
  for (const [byte, bit] of [[0, 1], [20, 0], [45, 7], [60, 3], [EVEN_FRAME_BYTES - 1, 7]] as const) {
    const log = await openEvenLog(3);
    log.disk.flipBit(pathOf(log.lastSegment()), frameAt(2) + byte, bit);
    await assertCorrupt(log, { segment: log.lastSegment(), offset: frameAt(2), lsn: 2, evidence: "frame" });
  }
});

test("evidence frame: also when only the header of the later frame is left", async () => {
  const log = await openEvenLog(3);
  log.disk.flipBit(pathOf(log.lastSegment()), frameAt(2) + 100, 0);
  log.damage(log.lastSegment(), (bytes) => bytes.fill(0, frameAt(3) + 48));
  await assertCorrupt(log, { segment: log.lastSegment(), offset: frameAt(2), lsn: 2, evidence: "frame" });
});

test("evidence mark: the log had been closed behind what is damaged, be it no entry", async () => {
  const log = await openEvenLog(2);
  await log.advance(1000);
  await log.wal.close();
  log.disk.flipBit(pathOf(log.lastSegment()), frameAt(3) + 20, 0); // an idle frame; the mark is behind it
  log.damage("lock", (bytes) => bytes.fill(0));
  await assertCorrupt(log, { segment: log.lastSegment(), offset: frameAt(3), lsn: 3, evidence: "mark" });
});

test("evidence lock mark: the lock file remembers an end behind what is gone", async () => {
  const log = await openEvenLog(2);
  await log.wal.close();
  log.damage(log.lastSegment(), (bytes) => bytes.fill(0, frameAt(2)));
  await assertCorrupt(log, { segment: log.lastSegment(), offset: frameAt(2), lsn: 2, evidence: "lock-mark" });
  log.damage("lock", (bytes) => bytes.fill(0, 0, LOCK_MARK_BYTES)); // without it nobody can know
  await log.open();
  assertEquals(log.wal.lastLsn, 1);
});

test("a mark that is torn itself proves nothing, and the lock file's mark vouches for what is before it", async () => {
  const log = await openEvenLog(2);
  await log.wal.close();
  log.disk.flipBit(pathOf(log.lastSegment()), frameAt(3) + 50, 0);
  log.kill();
  await log.open();
  assertEquals([log.wal.recovery.end, log.wal.lastLsn], ["torn", 2]);
});

test("evidence lock mark: the last segment has vanished whole, and so has the only one", async () => {
  for (const entries of [2, 7]) {
    const log = await openEvenLog(entries);
    await log.wal.close();
    const gone = log.lastSegment();
    const { id = 0 } = parseSegmentName(gone) ?? {};
    log.disk.remove(pathOf(gone));
    const mark = viewOf(log.file("lock")).getUint32(16, true);
    const lsn = entries === 2 ? 1 : 5; // the first one that is lost
    await assertCorrupt(log, { segment: `number ${id}`, offset: mark, lsn, evidence: "lock-mark" });
  }
});

test("evidence name: a segment's header was synced before it got its name", async () => {
  for (const [byte, bit] of [[0, 0], [8, 3], [70, 0], [200, 7], [4095, 1]] as const) {
    for (const back of [1, 2]) { // the last one, and the one before it
      const log = await openEvenLog(7);
      const segment = log.segments().at(-back) ?? "";
      const { baseLsn: lsn = 0 } = parseSegmentName(segment) ?? {};
      log.disk.flipBit(pathOf(segment), byte, bit);
      await assertCorrupt(log, { segment, offset: 0, lsn, evidence: back === 1 ? "name" : "successor" });
    }
  }
});

test("a segment that is empty, or bears another's name, is damaged", async () => {
  const empty = await openEvenLog(2);
  const segment = empty.lastSegment();
  empty.damage(segment, () => new Uint8Array(0));
  await assertCorrupt(empty, { segment, offset: 0, lsn: 1, evidence: "name" });
  const misnamed = await openEvenLog(7);
  const [first = "", second = ""] = misnamed.segments();
  misnamed.plant(second, misnamed.file(first));
  await assertCorrupt(misnamed, { segment: second, offset: 0, lsn: 5, evidence: "name" });
});

test("evidence successor: the predecessor is missing, near or far", async () => {
  for (const nth of [0, 1, 2]) {
    const log = await openEvenLog(13);
    assertEquals(log.segments().length, 4);
    log.disk.remove(pathOf(log.segments()[nth] ?? ""));
    await assertCorrupt(log, { segment: `number ${nth + 1}`, offset: 0, lsn: 4 * nth + 1, evidence: "successor" });
  }
});

test("evidence successor: the predecessor has shrunk", async () => {
  const log = await openEvenLog(7);
  const [first = "", second = ""] = log.segments();
  const { endOffset } = log.header(second).predecessor;
  log.damage(first, (bytes) => bytes.slice(0, endOffset - 1));
  await assertCorrupt(log, { segment: first, offset: frameAt(4), lsn: 4, evidence: "successor" });
  log.damage(first, (bytes) => {
    const longer = new Uint8Array(endOffset); // the footer is a comfort: without it the log is whole
    longer.set(bytes);
    return longer;
  });
});

// -- not ours, or not yet

test("a predecessor of another log is refused by name, and so is one that is no segment at all", async () => {
  const foreign = await openEvenLog(7);
  const [first = ""] = foreign.segments();
  foreign.changeHeader(first, { logId: "ab".repeat(16) });
  const error = await assertRefuses(foreign, WalFormatError);
  assertEquals(error.code, "WAL_FORMAT");
  assertStringIncludes(error.message, pathOf(first));
  for (const back of [1, 2]) {
    const noise = await openEvenLog(7);
    const name = noise.segments().at(-back) ?? "";
    noise.damage(name, (bytes) => new TextEncoder().encode("somebody's letter ".repeat(500)).subarray(0, bytes.length));
    assertStringIncludes((await assertRefuses(noise, WalFormatError)).message, name);
  }
});

test("a segment from the future is refused by name, whatever else there is", async () => {
  const changes: [number, number, string][] = [[8, 2, "version 2"], [12, 0x40, "feature bits 0x40"]];
  for (const [at, value, told] of changes) {
    for (const back of [1, 2]) {
      const log = await openEvenLog(7);
      const name = log.segments().at(-back) ?? "";
      log.damage(name, (bytes) => {
        viewOf(bytes).setUint32(at, value, true);
        viewOf(bytes).setUint32(HEADER_BYTES - 4, crc32(bytes.subarray(8, HEADER_BYTES - 4)), true);
      });
      const error = await assertRefuses(log, WalVersionError);
      assertEquals(error.code, "WAL_VERSION");
      for (const part of [name, told]) assertStringIncludes(error.message, part);
    }
  }
});

test("ignorable feature bits are ignored", async () => {
  const log = await openEvenLog(2);
  log.damage(log.lastSegment(), (bytes) => {
    viewOf(bytes).setUint32(16, 0xff, true);
    viewOf(bytes).setUint32(HEADER_BYTES - 4, crc32(bytes.subarray(8, HEADER_BYTES - 4)), true);
  });
  await log.crashAndReopen();
  assertEquals(log.wal.lastLsn, 2);
});

test("files with other names are nobody's business", async () => {
  const log = await openEvenLog(2);
  const strangers = [
    "notes.txt",
    "1-0-1.wal",
    "0000000001-0000000000-1.wal",
    "spare-1.wal",
    "0000000000-0000000000-0000000000000001.wal",
  ];
  for (const name of strangers) log.plant(name, new Uint8Array([1, 2, 3]));
  await log.reopen();
  await log.commit("x");
  await log.reopen();
  assertEquals(log.wal.lastLsn, 3);
  for (const name of strangers) assertEquals(log.file(name), new Uint8Array([1, 2, 3]));
});

// -- what cannot be read or synced

test("a read or a sync that fails refuses with that error, and touches nothing", async () => {
  const arms: ((log: LogFixture) => void)[] = [
    (log) => log.faults.fail("read", { path: SEGMENT, nth: 1 }),
    (log) => log.faults.fail("read", { path: SEGMENT, nth: 2 }),
    (log) => log.faults.fail("read", { path: SEGMENT, nth: 3 }),
    (log) => log.faults.fail("syncData", { path: SEGMENT }),
    (log) => log.faults.fail("open", { path: SEGMENT, code: "EACCES" }),
    (log) => log.faults.fail("open", { path: SEGMENT, nth: 2 }),
    (log) => log.faults.fail("size", { path: SEGMENT }),
  ];
  for (const arm of arms) {
    const log = await openEvenLog(7);
    const error = await assertRefuses(log, WalIoError, { arm: () => arm(log) });
    assertEquals(error.code, "WAL_IO");
    assertStringIncludes(error.message, ".wal");
    await log.open();
    assertEquals(log.wal.lastLsn, 7);
  }
  const log = await openEvenLog(2);
  const lock = await assertRefuses(log, WalDirectoryError, { arm: () => log.faults.fail("read", { path: /lock$/ }) });
  assertInstanceOf(lock.cause, Error);
});
