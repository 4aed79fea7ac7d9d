// What a crash leaves: torn frames are cut off and kept, whole ones that nothing vouches for are written again.

import { crc32 } from "node:zlib";
import { test } from "node:test";
import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { WalIoError } from "../mod.ts";
import { encodeHeader, HEADER_BYTES, segmentName } from "../src/format.ts";
import { EVEN, EVEN_FRAME_BYTES, evenText, frameAt, openEvenLog } from "./support/even_log.ts";
import { ANY_WAL, LogFixture, quiet, SEGMENT, SMALL_SEGMENT_BYTES, unheard } from "./support/log_fixture.ts";

/** A log whose very first frame is torn. */
async function openTorn(): Promise<LogFixture> {
  const log = new LogFixture(EVEN);
  await log.open();
  log.faults.stopInWrite(500, { path: ANY_WAL, nth: 3 }); // after the zeros of the file and its header
  unheard(log.commit(evenText(1)));
  await log.runtime.stopped;
  log.crash({ keep: "all" });
  await log.open();
  assertEquals([log.wal.recovery.end, log.wal.lastLsn], ["torn", 0]);
  return log;
}

// -- torn

test("a torn tail is cut off and reported with its place, its bytes and its LSNs; what comes next is good", async () => {
  const log = await openEvenLog(2);
  log.faults.stopInWrite(1000, { path: ANY_WAL });
  log.wal.appendBatch([evenText(3), evenText(4)]);
  await log.runtime.stopped;
  log.crash({ keep: "all" });
  await log.open();
  const segment = log.lastSegment();
  const length = 1864; // of the batch as its header says: 48 + 2 * 905, aligned
  const torn = { segment, offset: frameAt(3), bytes: length, firstLsn: 3, lastLsn: 4 };
  assertEquals([log.wal.recovery.end, log.wal.recovery.torn], ["torn", torn]);
  assertEquals([log.wal.lastLsn, log.wal.syncedLsn], [2, 2]);
  const told = log.events.filter((event) => event.type === "recovered");
  assertEquals(told.map((event) => [event.level, event.end, event.damages, event.lastLsn]), [["info", "new", 0, 0], [
    "warning",
    "torn",
    1,
    2,
  ]]);
  assertEquals(await log.commit("instead"), [3]);
  await log.crashAndReopen();
  assertEquals([log.wal.recovery.torn, ...await log.readAll({ from: 3 })], [null, "3 instead"]);
});

test("zeros behind the last frame are no tear, and leftovers of an earlier life are none", async () => {
  const log = await openEvenLog(2);
  log.damage(log.lastSegment(), (bytes) => bytes.copyWithin(frameAt(3) + 8, frameAt(1), frameAt(3)));
  await log.crashAndReopen();
  assertEquals([log.wal.recovery.end, log.wal.recovery.torn, log.wal.lastLsn], ["unclean", null, 2]);
});

test("a frame that nothing vouches for may be torn in its middle, with whole ones behind it", async () => {
  const log = await openEvenLog(2, { ...EVEN, durability: "write" });
  await log.wal.flush();
  for (let lsn = 3; lsn <= 4; lsn++) await log.commit(evenText(lsn));
  log.kill();
  log.damage(log.lastSegment(), (bytes) => bytes.fill(0, frameAt(3) + 512, frameAt(3) + 600));
  await log.open();
  assertEquals([log.wal.recovery.torn?.firstLsn, log.wal.recovery.torn?.lastLsn, log.wal.lastLsn], [3, 4, 2]);
});

test("torn bytes are copied aside before their file is freed, byte for byte", async () => {
  const log = await openTorn();
  const { torn } = log.wal.recovery;
  assert(torn !== null);
  const lost = log.file(torn.segment).slice(torn.offset, torn.offset + torn.bytes);
  await log.commit("instead"); // the first segment never got a frame: it is off the chain
  await log.reopen();
  await quiet();
  assertEquals(log.file(`torn-0000000001-${HEADER_BYTES}.bin`), lost);
  assert(!log.names().includes(torn.segment));
  const calls = log.faults.calls.filter(({ path, to }) => /torn-/.test(path) || /spare-/.test(to ?? "")).map((
    { name },
  ) => name);
  assertEquals(calls, ["open", "write", "syncData", "close", "rename"]);
});

test("while there is no room to copy torn bytes aside, their file stays", async () => {
  const log = await openTorn();
  const segment = log.lastSegment();
  await log.commit("instead");
  await log.wal.close();
  log.kill();
  const before = log.file(segment);
  log.fillDisk();
  await log.open();
  await quiet();
  assertEquals(log.file(segment), before);
  assert(!log.names().some((name) => name.startsWith("torn-")));
  const told = log.events.filter(({ type }) => type === "cleanup-failed");
  assertEquals(told.map((event) => "reason" in event && event.reason.startsWith(`${segment} stays: `)), [true]);
  log.freeDisk();
  await log.reopen();
  await quiet();
  assert(!log.names().includes(segment));
  assertEquals(log.names().filter((name) => name.startsWith("torn-")).length, 1);
});

// -- what nothing vouches for

test("frames that nothing vouches for are written again in their place and synced, before anyone is told of them", async () => {
  const log = await openEvenLog(2, { ...EVEN, durability: "write" });
  await log.wal.flush();
  for (let lsn = 3; lsn <= 4; lsn++) await log.commit(evenText(lsn));
  log.kill();
  const before = log.contents();
  await log.open();
  assertEquals(log.wal.recovery.rewrittenBytes, 2 * EVEN_FRAME_BYTES);
  const calls = log.calls(undefined, SEGMENT).filter(({ name }) => name === "write" || name === "syncData");
  assertEquals(calls.map(({ name, position, length }) => [name, position, length]), [
    ["syncData", 0, 0],
    ["write", frameAt(3), 2 * EVEN_FRAME_BYTES],
    ["syncData", 0, 0],
  ]);
  assertEquals(log.contents().get(log.lastSegment()), before.get(log.lastSegment()));
  await log.crashAndReopen();
  assertEquals(log.wal.lastLsn, 4);
});

test("after a clean end nothing but the mark is written again, however long the log", async () => {
  const log = await openEvenLog(4);
  await log.reopen();
  assertEquals([log.wal.recovery.end, log.wal.recovery.rewrittenBytes], ["clean", 56]);
});

test("a log that was written to after a clean end is not clean any more, though a crash left nothing of it", async () => {
  const log = await openEvenLog(2);
  await log.reopen();
  log.faults.stop("syncData", "before", { path: ANY_WAL, nth: 2 }); // the first one is that of the mark's taking away
  unheard(log.commit(evenText(3)));
  await log.runtime.stopped;
  log.crash();
  await log.open();
  assertEquals([log.wal.recovery.end, log.wal.lastLsn], ["unclean", 2]);
  await log.commit(evenText(3)); // not where frames of the same life may still lie
  assertEquals(log.segments().length, 2);
});

test("writing again that fails refuses, and the next opening finds what this one found", async () => {
  for (const [call, nth] of [["write", 1], ["syncData", 2]] as const) {
    const log = await openEvenLog(2, { ...EVEN, durability: "write" });
    await log.wal.flush();
    await log.commit(evenText(3));
    log.kill();
    log.faults.fail(call, { path: SEGMENT, nth });
    await assertRejects(() => log.open(), WalIoError);
    log.kill();
    await log.open();
    assertGreater(log.wal.lastLsn, 1);
  }
});

// -- sets

test("a segment of a set that was never completed does not exist", async () => {
  const log = await openEvenLog(2);
  await log.wal.close();
  const header = log.header(log.lastSegment());
  const name = segmentName(2, 1, 3);
  const incomplete = {
    ...header,
    id: 2,
    baseLsn: 3,
    setId: 3,
    predecessor: { id: 1, endOffset: frameAt(3), lastLsn: 2 },
  };
  const bytes = new Uint8Array(SMALL_SEGMENT_BYTES);
  bytes.set(encodeHeader(incomplete, crc32));
  log.plant(name, bytes);
  log.kill();
  await log.open();
  assertEquals([log.wal.recovery.end, log.wal.lastLsn, log.wal.recovery.segments], ["clean", 2, 1]);
  await log.commit("x");
  await quiet();
  assert(!log.names().includes(name)); // it has been freed
  await log.crashAndReopen();
  assertEquals(log.wal.lastLsn, 3);
});

test("a segment of a complete set counts", async () => {
  const log = await openEvenLog(5);
  log.changeHeader(log.lastSegment(), { setId: log.header(log.lastSegment()).id });
  await log.crashAndReopen();
  assertEquals(log.wal.lastLsn, 5);
});
