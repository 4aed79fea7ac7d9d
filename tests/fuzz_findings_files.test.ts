// What the fuzzer of files found: accidents and forgeries, each as short as it can be told.

import { crc32 } from "node:zlib";
import { test } from "node:test";
import { assertEquals, assertGreater } from "@std/assert";
import { type RecoveryMode, Wal, type WalRepair } from "../mod.ts";
import { viewOf } from "../src/bytes.ts";
import {
  encodeLockMark,
  FRAME_HEADER_BYTES,
  FrameChecksum,
  FrameKind,
  HEADER_BYTES,
  MAX_NUMBER,
  type SegmentHeader,
} from "../src/format.ts";
import { RECOVERY_MODES } from "../src/options.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import { EVEN_FRAME_BYTES, evenText, frameAt, openEvenLog } from "./support/even_log.ts";
import { frameAt as frameFor, type FrameWish } from "./support/frames.ts";
import { DIRECTORY, type LogFixture, pathOf, quiet } from "./support/log_fixture.ts";

const FIRST = "0000000001-0000000000-0000000000000001.wal";
const SECOND = "0000000002-0000000001-0000000000000005.wal";
const THIRD = "0000000003-0000000002-0000000000000009.wal";
const MENDING: readonly RecoveryMode[] = ["point-in-time", "salvage"];

/** Closed well, four entries to a segment: fourteen are in four. */
async function closedLog(entries = 14): Promise<LogFixture> {
  const log = await openEvenLog(entries);
  await log.wal.close();
  await quiet();
  log.kill();
  return log;
}

/** The same, and nobody knows where it ends. */
async function unmarkedLog(entries = 14): Promise<LogFixture> {
  const log = await openEvenLog(entries);
  log.kill();
  return log;
}

function rename(log: LogFixture, from: string, to: string): void {
  const bytes = log.file(from);
  log.disk.remove(pathOf(from));
  log.plant(to, bytes);
}

/** Puts a frame with right checksums into a segment, so many frames behind its start. */
function putFrame(log: LogFixture, nth: number, wish: FrameWish, name: string = log.lastSegment()): void {
  const { salt, id } = log.header(name);
  log.damage(
    name,
    (bytes) => bytes.set(frameFor(frameAt(nth), wish, new FrameChecksum(crc32, salt, id)), frameAt(nth)),
  );
}

async function lsnsOf(wal: Wal): Promise<number[]> {
  const lsns: number[] = [];
  for await (const { lsn, text } of textsOf(wal)) {
    assertEquals(text, evenText(lsn));
    lsns.push(lsn);
  }
  return lsns;
}

async function* textsOf(wal: Wal): AsyncGenerator<{ lsn: number; text: string }> {
  for await (const entry of wal.readable()) yield { lsn: entry.lsn, text: entry.text() };
}

/**
 * What a dry run tells is done; where it is not refused, the log is whole afterwards, and opens in the strictest mode. Resolves to
 * the LSNs that are there then, null where it was refused and nothing was changed.
 */
async function repairAsTold(log: LogFixture, mode: RecoveryMode): Promise<number[] | null> {
  const before = log.contents();
  const { dryRun: _, ...told } = await Wal.repair(DIRECTORY, { mode, dryRun: true, runtime: log.runtime });
  const { dryRun: __, ...done }: WalRepair = await Wal.repair(DIRECTORY, { mode, runtime: log.runtime });
  assertEquals(done, told, mode);
  if (done.outcome === "refused") {
    assertEquals(log.contents(), before, mode);
    return null;
  }
  const { damage, firstLsn, lastLsn } = await Wal.verify(DIRECTORY, { runtime: log.runtime });
  assertEquals([damage, firstLsn, lastLsn], [[], done.firstLsn, done.lastLsn], mode);
  const wal = await log.open({ recovery: "strict" });
  const lsns = await lsnsOf(wal);
  await wal.close();
  return lsns;
}

// -- names that lie

test("two files that claim the same segment get the same answer, however the directory is listed", async () => {
  for (const stray of ["0000000003-0000000000-0000000000000001.wal", "0000000004-0000000000-0000000000000001.wal"]) {
    const log = await closedLog();
    log.plant(stray, new Uint8Array(1));
    const answers = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const runtime = new MemoryRuntime({ disk: log.disk.kill(), crc32, seed });
      const { damage, entries } = await Wal.verify(DIRECTORY, { runtime });
      const opened = await Wal.open(DIRECTORY, { runtime }).then((wal) => wal.lastLsn, (error) => String(error));
      answers.add(JSON.stringify([damage, entries, opened]));
    }
    assertEquals(answers.size, 1, [...answers].join("\n"));
  }
});

test("a segment whose name skips others, or says that it is the first, costs no entry but its own", async () => {
  const own = [9, 10, 11, 12];
  const others = [1, 2, 3, 4, 5, 6, 7, 8, 13, 14];
  for (const name of ["0000000003-0000000000-0000000000000009.wal", "0000000003-0000000001-0000000000000009.wal"]) {
    for (const mode of MENDING) {
      const log = await closedLog();
      rename(log, THIRD, name);
      const lsns = await repairAsTold(log, mode);
      if (lsns === null) continue; // refused, and nothing was changed
      assertEquals(lsns.filter((lsn) => !own.includes(lsn)), mode === "salvage" ? others : others.slice(0, 8), name);
    }
  }
});

test("a first segment that is renamed costs its own entries alone, also where the next one is damaged", async () => {
  for (const base of [5, 55, 2 ** 31, 2 ** 50]) {
    for (const isNextDamaged of [false, true]) {
      const log = await closedLog();
      rename(log, FIRST, FIRST.replace("0000000000000001.", `${String(base).padStart(16, "0")}.`));
      if (isNextDamaged) log.damage(SECOND, (bytes) => bytes.fill(0, 0, 512));
      const kept = [5, 6, 7, 8, 9, 10, 11, 12, 13, 14].slice(isNextDamaged ? 4 : 0);
      assertEquals(await repairAsTold(log, "salvage"), kept, `base ${base}, ${isNextDamaged}`);
    }
  }
});

test("a prepared file that is named like a segment far away does not take all LSNs", async () => {
  const log = await unmarkedLog();
  log.plant("0000004104-0000000004-9007199254740990.wal", new Uint8Array(12_288));
  if (await repairAsTold(log, "salvage") === null) return;
  await log.open();
  assertGreater(100, await log.wal.commit("more"));
});

// -- a torn tail, and costs

test("a head frame behind torn bytes moves no head: what is damaged below is found all the same", async () => {
  for (const mode of RECOVERY_MODES) {
    const log = await unmarkedLog();
    putFrame(log, 4, { firstLsn: 15, kind: FrameKind.HEAD, payload: 14 }); // the third frame is torn: zeros
    log.damage(SECOND, (bytes) => bytes.fill(0, 0, 512));
    const { state, firstLsn } = await Wal.verify(DIRECTORY, { runtime: log.runtime });
    assertEquals([state, firstLsn], ["corrupt", 1]);
    await repairAsTold(log, mode);
  }
});

test("damage in many places costs reading in proportion to the file", async () => {
  const log = await closedLog(1);
  const { runtime } = log;
  const wal = await Wal.open("/large", { runtime });
  for (let nth = 0; nth < 1000; nth++) wal.appendBatch([new Uint8Array(1500)]);
  await wal.close();
  const name = log.disk.names("/large").find((each) => /^\d/.test(each)) ?? "";
  const { length } = log.disk.read(`/large/${name}`);
  for (let at = HEADER_BYTES + 700; at < 1_400_000; at += 5000) log.disk.flipBit(`/large/${name}`, at, 0);
  const from = log.faults.calls.length;
  const { damage } = await Wal.verify("/large", { runtime });
  const readBytes = log.calls("read", /large/, from).reduce((sum, call) => sum + Math.min(call.length, length), 0);
  assertGreater(damage.length, 100);
  assertGreater(10 * length, readBytes); // each was read again from its place up to the end: 100 times
});

test("a lock file that ends in its mark means the same to who looks and to who opens", async () => {
  for (const length of [8, 27, 28, 31, 32]) {
    const log = await closedLog(2);
    log.damage("lock", (bytes) => bytes.slice(0, length));
    log.disk.remove(pathOf(log.lastSegment()));
    const { state } = await Wal.verify(DIRECTORY, { runtime: log.runtime });
    const isOpened = await log.open().then(() => true, () => false);
    assertEquals(isOpened, state !== "corrupt", `${length} bytes: ${state}`);
  }
});

// -- forged: every checksum is right

test("a lock file's mark at the end of all numbers means the same to who looks, to who opens, and to who mends", async () => {
  for (const lsn of [MAX_NUMBER - 1, MAX_NUMBER]) {
    for (const segmentId of [4, 5, MAX_NUMBER]) {
      for (const mode of MENDING) {
        const log = await closedLog();
        log.damage("lock", (bytes) => bytes.set(encodeLockMark({ segmentId, offset: 9000, lsn }, crc32)));
        await repairAsTold(log, mode);
      }
    }
  }
});

test("a header that says what no log writes is damage, or means the same to everybody", async () => {
  const forgeries: [name: string, changes: Partial<SegmentHeader>][] = [
    [THIRD, { headLsn: 5560 }],
    ["last", { headLsn: 5560 }],
    [THIRD, { precedingBytes: MAX_NUMBER }],
    [THIRD, { predecessor: { id: 2, endOffset: frameAt(5), lastLsn: 20 } }],
    [FIRST, { headLsn: 0 }],
    ["last", { headLsn: 0 }],
    ["only", { headLsn: 2 }],
    ["last", { setId: 77 }],
  ];
  for (const [name, changes] of forgeries) {
    for (const mode of RECOVERY_MODES) {
      const log = name === "only" ? await unmarkedLog(1) : await closedLog();
      if (name === "only") log.damage(log.lastSegment(), (bytes) => bytes.subarray(0, HEADER_BYTES));
      log.changeHeader(name === "last" || name === "only" ? log.lastSegment() : name, changes);
      await repairAsTold(log, mode);
    }
  }
});

test("a head that goes back means the same to everybody", async () => {
  const log = await openEvenLog(10);
  await log.wal.truncateBefore(10);
  await log.commit(evenText(11), evenText(12), evenText(13));
  await log.wal.close();
  log.kill();
  log.changeHeader(log.lastSegment(), { headLsn: 1 });
  for (const mode of RECOVERY_MODES) await repairAsTold(log, mode);
});

test("a frame that says what no log writes ends the log, or means the same to everybody", async () => {
  const next = 15;
  const wishes: FrameWish[] = [
    { firstLsn: next, kind: FrameKind.IDLE, payload: 0, statedCount: 3 },
    { firstLsn: next, kind: FrameKind.HEAD, payload: 5000 },
    { firstLsn: next, kind: FrameKind.SKIP, payload: MAX_NUMBER },
    { firstLsn: next, kind: FrameKind.SKIP, payload: next - 2 },
    { firstLsn: next, kind: FrameKind.FOOTER, payload: 0 },
    { firstLsn: next, entries: ["too short"], statedCount: 7 },
    { firstLsn: next, entries: ["vouches for itself"], syncedLsn: next },
    { firstLsn: MAX_NUMBER, entries: ["the last"] },
    { firstLsn: next, entries: [] },
  ];
  for (const wish of wishes) {
    for (const nth of [3, 4]) { // where the next frame must be, and behind something torn
      for (const mode of RECOVERY_MODES) {
        const log = await unmarkedLog();
        putFrame(log, nth, wish);
        await repairAsTold(log, mode);
      }
    }
  }
});

test("a skip over more than its segment holds hides nothing of the next one", async () => {
  for (const mode of RECOVERY_MODES) {
    const log = await closedLog();
    putFrame(log, 4, { firstLsn: 8, kind: FrameKind.SKIP, payload: 1_000_000 }, SECOND);
    const wal = await log.open();
    assertEquals(await lsnsOf(wal), [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14]);
    await wal.close();
    const kept = await repairAsTold(log, mode);
    if (kept !== null) assertEquals(kept.slice(0, 7), [1, 2, 3, 4, 5, 6, 7]);
    if (mode === "salvage") assertEquals(kept?.slice(7), [9, 10, 11, 12, 13, 14]);
  }
});

test("entries that do not fill their frame are none: to who looks, to who opens, and to who mends", async () => {
  for (const mode of RECOVERY_MODES) {
    const log = await unmarkedLog();
    const name = log.lastSegment();
    const { salt, id } = log.header(name);
    log.damage(name, (bytes) => {
      const view = viewOf(bytes);
      view.setUint32(frameAt(2) + FRAME_HEADER_BYTES, 7, true);
      new FrameChecksum(crc32, salt, id).seal(bytes, view, frameAt(2), EVEN_FRAME_BYTES, frameAt(2));
    });
    const lsns = await repairAsTold(log, mode);
    assertEquals(lsns, mode === "strict" ? null : [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  }
});
