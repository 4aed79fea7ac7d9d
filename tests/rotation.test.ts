// From one segment to the next: sizes, spares, footers and predecessors.

import { crc32 } from "node:zlib";
import { test } from "node:test";
import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLess, assertLessOrEqual } from "@std/assert";
import { viewOf } from "../src/bytes.ts";
import {
  CONTROL_RESERVE_BYTES,
  decodeFrameHeader,
  decodeIndex,
  encodeIndex,
  footerBytes,
  FRAME_HEADER_BYTES,
  FrameChecksum,
  FrameKind,
  HEADER_BYTES,
  type IndexPoint,
  MAX_NUMBER,
  parseSegmentName,
  segmentName,
  SMALLEST_SEGMENT_BYTES,
  spareName,
} from "../src/format.ts";
import { ANY_WAL, LogFixture, openLog, pathOf, quiet, SEGMENT, SMALL_SEGMENT_BYTES } from "./support/log_fixture.ts";

/** Text of so many bytes that tells its number. */
function text(number: number, length: number): string {
  return `${number} `.padEnd(length, ".");
}

/** Commits one entry after the other. */
async function fill(log: LogFixture, count: number, length: number): Promise<string[]> {
  const texts = Array.from({ length: count }, (_, nth) => text(nth, length));
  for (const each of texts) await log.commit(each);
  return texts;
}

/** The footer's index that begins where the successor says that the segment ends; null where there is none. */
function footerOf(log: LogFixture, name: string, endOffset: number): { lsn: number; offset: number }[] | null {
  const header = log.header(name);
  const bytes = log.file(name);
  const checksum = new FrameChecksum(crc32, header.salt, header.id);
  const frame = decodeFrameHeader(bytes, viewOf(bytes), endOffset, endOffset, checksum);
  if (frame?.kind !== FrameKind.FOOTER) return null;
  return decodeIndex(viewOf(bytes), endOffset).map(({ lsn, offset }) => ({ lsn, offset }));
}

/** Every point of a footer gets these numbers, and the footer checksums that hold: a writer made a mistake. */
function changeIndex(log: LogFixture, name: string, endOffset: number, wrong: Partial<IndexPoint>): void {
  const header = log.header(name);
  log.damage(name, (bytes) => {
    const view = viewOf(bytes);
    encodeIndex(view, endOffset, decodeIndex(view, endOffset).map((point) => ({ ...point, ...wrong })));
    const lengthBytes = view.getUint32(endOffset + 12, true);
    new FrameChecksum(crc32, header.salt, header.id).seal(bytes, view, endOffset, lengthBytes, endOffset);
  });
}

// -- sizes and the chain

test("a segment is full where it was said, each names its predecessor and its end, and all entries are there", async () => {
  const log = await openLog();
  const texts = await fill(log, 40, 1500);
  const names = log.segments();
  assertEquals(names.length, 20); // two of them fit into 16 KiB less header and reserve
  names.forEach((name, nth) => {
    const header = log.header(name);
    const parsed = parseSegmentName(name);
    assertEquals([header.id, header.baseLsn], [nth + 1, 2 * nth + 1]);
    assertEquals([parsed?.id, parsed?.predecessorId, parsed?.baseLsn], [header.id, nth, header.baseLsn]);
    assertEquals([header.predecessor.id, header.predecessor.lastLsn], [nth, 2 * nth]);
    assertEquals([header.headLsn, header.setId, header.logId], [1, 0, log.header(names[0] ?? "").logId]);
    assertEquals(log.file(name).length, SMALL_SEGMENT_BYTES);
    const before = names[nth - 1];
    if (before === undefined) return assertEquals(header.predecessor.endOffset, 0);
    assertLessOrEqual(header.predecessor.endOffset, SMALL_SEGMENT_BYTES - CONTROL_RESERVE_BYTES);
    assert(footerOf(log, before, header.predecessor.endOffset) !== null, `${before} has no footer where it ends`);
  });
  assertEquals(new Set(names.map((name) => log.header(name).salt)).size, names.length);
  await log.crashAndReopen();
  assertEquals(await log.readAll(), texts.map((each, nth) => `${nth + 1} ${each}`));
  assertEquals([log.wal.recovery.segments, log.wal.recovery.torn], [20, null]);
});

test("with segmentBytes 0 a log never rotates by size", async () => {
  const log = await openLog({ segmentBytes: 0 });
  await fill(log, 30, 100_000);
  assertEquals(log.segments().length, 1);
  await log.crashAndReopen();
  assertEquals((await log.readAll()).length, 30);
});

test("an entry or a batch larger than a segment gets a file of its own, and the next ones do not go into it", async () => {
  const log = await openLog();
  await log.commit("small");
  await log.wal.commitBatch([text(1, 20_000), text(2, 20_000)]);
  await log.commit(text(3, 50_000));
  await log.commit("small again");
  assertEquals(log.segments().length, 4);
  assertGreater(log.file(log.segments()[1] ?? "").length, 40_000);
  await log.crashAndReopen();
  assertEquals((await log.readAll()).map((entry) => entry.slice(0, 7)), [
    "1 small",
    "2 1 ...",
    "3 2 ...",
    "4 3 ...",
    "5 small",
  ]);
});

test("what is taken for one flush goes into two segments, frame by frame, and into none by half", async () => {
  const log = await openLog();
  await log.commit(text(0, 1000));
  const batches = [1, 2, 3].map((nth) => log.wal.commitBatch([text(nth, 1300), text(nth, 0)]));
  assertEquals(await Promise.all(batches), [3, 5, 7]);
  assertEquals(log.segments().length, 2);
  await log.crashAndReopen();
  assertEquals(log.wal.lastLsn, 7);
});

test("all of a segment is synced before its successor has a name, at every durability level", async () => {
  for (const durability of ["fsync", "write", "none"] as const) {
    const log = await openLog({ durability });
    for (let nth = 0; nth < 3; nth++) {
      await log.commit(text(nth, 2100));
      await quiet();
    }
    const births = log.calls("rename", ANY_WAL);
    assertGreaterOrEqual(births.length, 2);
    for (const { number } of births.slice(1)) {
      // Before a rename come: the header's sync, the header's write, the sync of the old one.
      const before = log.faults.calls.slice(0, number - 1).filter(({ name }) => /write|syncData/.test(name)).reverse();
      assertEquals(before.slice(0, 3).map(({ name, length }) => [name, length]), [
        ["syncData", 0],
        ["write", HEADER_BYTES],
        ["syncData", 0],
      ]);
      assertEquals(log.faults.calls[number]?.name, "syncDirectory");
    }
  }
});

test("a segment that never got a frame is no predecessor: its own is named", async () => {
  const log = await openLog();
  await log.commit(text(0, 1000));
  for (let accident = 0; accident < 3; accident++) {
    log.faults.stop("syncDirectory", "after", { path: "/data/wal" });
    log.wal.append(text(1, 3500));
    await log.runtime.stopped;
    log.crash({ keep: "all" });
    await log.open();
    assertEquals(log.wal.lastLsn, 1);
  }
  await log.commit("after");
  const header = log.header(log.lastSegment());
  assertEquals([header.predecessor.id, header.predecessor.lastLsn, header.baseLsn], [1, 1, 2]);
  await log.crashAndReopen();
  assertEquals((await log.readAll()).at(-1), "2 after");
  await log.advance(100);
  assertEquals(log.segments().map((name) => parseSegmentName(name)?.predecessorId), [0, 1]); // the others were freed
});

// -- spares

test("spares lie ready before they are needed: a rotation makes no file", async () => {
  const log = await openLog();
  await log.commit(text(0, 3000));
  await quiet();
  assertEquals(log.spares().map((name) => log.file(name).length), [SMALLEST_SEGMENT_BYTES, SMALL_SEGMENT_BYTES]);
  const from = log.faults.calls.length;
  await log.commit(text(1, 3000));
  const calls = log.calls(undefined, ANY_WAL, from);
  const untilBirth = calls.slice(0, calls.findIndex(({ name }) => name === "rename"));
  assertEquals(untilBirth.map(({ name, length }) => [name, length]), [
    ["write", footerBytes(1)],
    ["syncData", 0],
    ["open", 0],
    ["write", HEADER_BYTES],
    ["syncData", 0],
  ]);
});

test("the small spare is kept back: no rotation takes it while another can be made", async () => {
  const log = await openLog();
  for (let i = 0; i < 10; i++) {
    await log.commit(text(i, 3500));
    await quiet();
    assertEquals(log.file(log.spares()[0] ?? "").length, SMALLEST_SEGMENT_BYTES);
  }
  assertEquals(log.segments().map((name) => log.file(name).length), Array(10).fill(SMALL_SEGMENT_BYTES));
});

test("spares that lie about are used, too many and too short ones are removed, and nothing of them shines through", async () => {
  const old = await openLog();
  await fill(old, 12, 1500);
  await old.wal.close();
  const log = new LogFixture({ segmentBytes: SMALL_SEGMENT_BYTES, spares: 2 });
  old.segments().forEach((name, nth) => log.plant(spareName(100 + nth), old.file(name)));
  log.plant(spareName(200), new Uint8Array(SMALLEST_SEGMENT_BYTES - 1));
  log.plant(spareName(201), new Uint8Array(0));
  await log.open();
  await quiet();
  assertEquals(log.spares().length, 3);
  assert(log.spares().every((name) => log.file(name).length === SMALL_SEGMENT_BYTES));
  await log.commit("new");
  await quiet();
  assertEquals(log.calls("rename", ANY_WAL).map(({ path }) => log.spares().includes(path)), [false]);
  await log.crashAndReopen();
  assertEquals([log.wal.lastLsn, log.wal.recovery.torn, ...await log.readAll()], [1, null, "1 new"]);
});

test("a spare that cannot be prepared is dropped with an event, and the log goes on", async () => {
  const log = await openLog();
  log.faults.fail("syncData", { path: /spare-0000000002/ }).fail("write", { path: /spare-0000000003/ });
  await fill(log, 4, 3000);
  await quiet();
  assertEquals(log.events.filter(({ type }) => type === "spare-dropped").length, 2);
  assert(!log.names().includes(spareName(2)) && !log.names().includes(spareName(3)));
  await log.crashAndReopen();
  assertEquals(log.wal.lastLsn, 4);
});

test("a spare that cannot be prepared is dropped with an event also when a rotation waits for it", async () => {
  const log = await openLog({ spares: 0 }); // none lies ready but the one kept back
  await log.commit("first");
  await quiet();
  log.faults.fail("write", { path: /spare-0000000003/ });
  assertEquals(await log.commit(text(1, 4000)), [2]);
  assertEquals(log.events.filter(({ type }) => type === "spare-dropped").length, 1);
});

test("a spare that cannot be looked at ends the adoption of no other", async () => {
  const log = await openLog();
  await log.commit("first");
  await log.wal.close();
  for (const number of [7, 8, 9]) log.plant(spareName(number), new Uint8Array(SMALLEST_SEGMENT_BYTES + number));
  log.kill();
  const there = log.spares().map(pathOf);
  log.faults.fail("open", { path: /spare-/ });
  await log.open();
  await quiet();
  assertEquals(log.events.filter(({ type }) => type === "spare-dropped").length, 1);
  assertEquals(log.calls("open", /spare-/).map(({ path }) => path).sort(), there);
});

test("a file off the chain that cannot be freed stays, is told of, and ends the freeing of no other", async () => {
  const log = await openLog();
  await log.commit("first");
  await log.wal.close();
  const name = log.lastSegment();
  const strays = [1, 2, 3].map((nth) => segmentName(100 + nth, 0, 1));
  for (const [nth, stray] of strays.entries()) {
    log.plant(stray, log.file(name));
    log.changeHeader(stray, { id: 101 + nth, setId: 1000 }); // of a set that was never completed
  }
  log.kill();
  for (const call of ["rename", "unlink"] as const) log.faults.fail(call, { path: pathOf(strays[1] ?? "") });
  await log.open();
  await quiet();
  assertEquals(log.segments(), [name, strays[1]]);
  assertEquals(log.events.filter(({ type }) => type === "cleanup-failed").length, 1);
});

// -- footers

test("a reader goes to the middle of a sealed segment by its footer, and without one it reads from the start", async () => {
  const log = await openLog({ segmentBytes: 2 * 1024 * 1024 });
  await fill(log, 45, 60_000);
  const [first = "", second = ""] = log.segments();
  const { endOffset } = log.header(second).predecessor;
  const points = footerOf(log, first, endOffset) ?? [];
  assertGreater(points.length, 10);
  const firstRead = async (): Promise<number> => {
    await log.reopen();
    const from = log.faults.calls.length;
    assertEquals((await log.readAll({ from: 25, to: 25 })).map((entry) => entry.slice(0, 5)), ["25 24"]);
    const reads = log.calls("read", SEGMENT, from).filter(({ path, position, length }) =>
      path === pathOf(first) && position !== 0 && position !== endOffset && length > FRAME_HEADER_BYTES
    );
    return reads[0]?.position ?? 0;
  };
  const point = points.filter(({ lsn }) => lsn <= 25).at(-1);
  assertEquals(await firstRead(), point?.offset);
  for (const [byte, wanted] of [[endOffset + 20, HEADER_BYTES], [endOffset + 60, HEADER_BYTES]] as const) {
    log.disk.flipBit(pathOf(first), byte, 3);
    assertEquals(await firstRead(), wanted);
    log.disk.flipBit(pathOf(first), byte, 3);
  }
  const whole = log.file(first);
  for (const wrong of [{ lsn: 24 }, { offset: 8 }, { offset: MAX_NUMBER }]) {
    log.plant(first, whole);
    changeIndex(log, first, endOffset, wrong);
    assertEquals(await firstRead(), HEADER_BYTES);
  }
  log.damage(first, (bytes) => bytes.slice(0, endOffset));
  assertEquals(await firstRead(), HEADER_BYTES);
});

test("a footer that was written before a crash lies where the successor says that the segment ends", async () => {
  const log = await openLog({ segmentBytes: 2 * 1024 * 1024 });
  await fill(log, 30, 60_000);
  log.faults.stop("rename", "before");
  void log.commit(text(30, 400_000));
  await log.runtime.stopped;
  log.crash();
  await log.open();
  await log.commit("after");
  const [first = "", second = ""] = log.segments();
  assertGreater(footerOf(log, first, log.header(second).predecessor.endOffset)?.length ?? 0, 10);
  assertEquals((await log.readAll()).length, 31);
});

test("the rotation after an unclean end writes no footer, and touches nothing of what the crash left", async () => {
  const log = await openLog();
  await log.commit(text(0, 1000));
  await log.crashAndReopen();
  const before = log.contents().get(log.lastSegment());
  await log.commit("after");
  const [first = "", second = ""] = log.segments();
  assertEquals(log.contents().get(first), before);
  assertEquals(footerOf(log, first, log.header(second).predecessor.endOffset), null);
});

// -- a thousand segments

test("a thousand segments are opened by reading three headers: the last two, and the first to weigh the log", async () => {
  const log = await openLog();
  await fill(log, 1000, 3500);
  assertEquals(log.segments().length, 1000);
  await log.reopen();
  assertEquals(log.wal.recovery.segments, 1000);
  assertEquals(log.calls("read", SEGMENT).filter(({ position }) => position === 0).length, 3);
  assertEquals(log.calls("open", SEGMENT).length, 3);
  assertLess(log.runtime.calls, 50);
  assertEquals(await log.readAll({ from: 500, to: 501 }), [`500 ${text(499, 3500)}`, `501 ${text(500, 3500)}`]);
  assertEquals((await log.readAll()).length, 1000);
});
