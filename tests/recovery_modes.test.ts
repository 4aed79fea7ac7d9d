// What each recovery mode makes of the same accident: what is kept, what is lost, what it says of both, and where the bytes are.

import { crc32 } from "node:zlib";
import { test } from "node:test";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  type RecoveryMode,
  Wal,
  WalCorruptionError,
  WalFormatError,
  WalRewoundError,
  WalVersionError,
} from "../mod.ts";
import { viewOf } from "../src/bytes.ts";
import { HEADER_BYTES, parseSegmentName, segmentName } from "../src/format.ts";
import { evenText, frameAt, nthSegment, openEvenLog } from "./support/even_log.ts";
import { DIRECTORY, type LogFixture, pathOf, quiet } from "./support/log_fixture.ts";

/** Ten entries in three segments of four. */
async function openThreeSegments(): Promise<LogFixture> {
  const log = await openEvenLog(10);
  assertEquals(log.segments().length, 3);
  return log;
}

/** Turns a bit over in the `frame`th frame of the `nth` segment. */
function flip(log: LogFixture, nth: number, frame: number): void {
  log.disk.flipBit(pathOf(nthSegment(log, nth)), frameAt(frame) + 100, 3);
}

/** The LSNs of all entries, whose texts must be their own. */
async function lsns(log: LogFixture, wal: Wal = log.wal): Promise<number[]> {
  const found: number[] = [];
  for await (const entry of wal.readable()) {
    assertEquals(entry.text(), evenText(entry.lsn));
    found.push(entry.lsn);
  }
  return found;
}

/** After a mending the log is one like any other: it takes entries, closes, and opens in the strictest mode. */
async function assertSound(log: LogFixture, expected: readonly number[]): Promise<void> {
  const { lastLsn } = log.wal;
  await log.wal.commit(evenText(lastLsn + 1));
  const all = [...expected, lastLsn + 1];
  assertEquals(await lsns(log), all);
  log.crash({ keep: "none" });
  await log.open({ recovery: "strict" });
  assertEquals(await lsns(log), all);
  await quiet();
  assertEquals((await Wal.verify(DIRECTORY, { runtime: log.runtime })).damage, []);
  const seen: number[] = [];
  await log.wal.commit(evenText(lastLsn + 2));
  await log.wal.close();
  for await (const { lsn } of Wal.read(DIRECTORY, { runtime: log.runtime })) seen.push(lsn);
  assertEquals(seen, [...all, lastLsn + 2]);
}

async function openDamaged(log: LogFixture, recovery: RecoveryMode): Promise<Wal> {
  log.kill();
  return await log.open({ recovery });
}

test("a bit in an earlier segment: strict refuses, the default opens and refuses to read, the others keep what they say", async () => {
  const strict = await openThreeSegments();
  flip(strict, 1, 3);
  const before = strict.contents();
  const error = await assertRejects(() => openDamaged(strict, "strict"), WalCorruptionError);
  assertEquals([error.segment, error.offset, error.lsn, error.evidence], [
    nthSegment(strict, 1),
    frameAt(3),
    3,
    "successor",
  ]);
  assertEquals(strict.contents(), before);

  await strict.open();
  await assertRejects(() => lsns(strict), WalCorruptionError);
  await strict.wal.close();

  const cut = await openThreeSegments();
  flip(cut, 1, 3);
  const [, second = "", third = ""] = cut.segments();
  const { recovery } = await openDamaged(cut, "point-in-time");
  assertEquals([recovery.end, recovery.lastLsn, recovery.segments], ["mended", 2, 2]);
  assertEquals(recovery.setAside, [`aside-${second}`, `aside-${third}`]);
  assertEquals(recovery.damage.map(({ kind, offset, firstLsn, lastLsn }) => [kind, offset, firstLsn, lastLsn]), [
    ["corrupt", frameAt(3), 3, 3],
  ]);
  assertEquals(await lsns(cut), [1, 2]);
  await assertSound(cut, [1, 2]);

  const salvaged = await openThreeSegments();
  flip(salvaged, 1, 3);
  const kept = await openDamaged(salvaged, "salvage");
  assertEquals([kept.recovery.end, kept.lastLsn], ["mended", 10]);
  assertEquals(await lsns(salvaged), [1, 2, 4, 5, 6, 7, 8, 9, 10]);
  await assertRejects(() => kept.waitFor(3));
  await assertSound(salvaged, [1, 2, 4, 5, 6, 7, 8, 9, 10]);
});

test("a bit in the last segment, vouched for: the log ends before it, or goes on behind it", async () => {
  for (
    const [mode, expected] of [["point-in-time", [1, 2, 3, 4, 5, 6, 7, 8]], ["salvage", [
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      10,
    ]]] as const
  ) {
    const log = await openThreeSegments();
    flip(log, 3, 1);
    log.kill();
    await assertRejects(() => log.open(), WalCorruptionError);
    await log.open({ recovery: mode });
    assertEquals(await lsns(log), [...expected]);
    await assertSound(log, expected);
  }
});

test("a header is gone: of its segment nothing can be checked, of the others everything", async () => {
  for (const nth of [1, 2, 3]) {
    const all = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    const first = 4 * nth - 3;
    for (const mode of ["point-in-time", "salvage"] as const) {
      const log = await openThreeSegments();
      const name = nthSegment(log, nth);
      log.damage(name, (bytes) => bytes.fill(0, 0, 512));
      const wal = await openDamaged(log, mode);
      const expected = all.filter((lsn) => lsn < first || mode === "salvage" && lsn >= first + 4);
      assertEquals(await lsns(log), expected, `${mode}, segment ${nth}`);
      const [damage] = wal.recovery.damage;
      assertEquals([damage?.segment, damage?.firstLsn, damage?.lastLsn], [name, first, nth === 3 ? 0 : first + 3]);
      assert(wal.recovery.setAside.includes(`aside-${name}`));
      await assertSound(log, expected);
    }
  }
});

test("a segment is missing: strict and the default name it, the others bridge it", async () => {
  for (const [mode, expected] of [["point-in-time", [1, 2, 3, 4]], ["salvage", [1, 2, 3, 4, 9, 10]]] as const) {
    const log = await openThreeSegments();
    log.disk.remove(pathOf(nthSegment(log, 2)));
    log.kill();
    for (const refusing of ["strict", "tolerate-tail"] as const) {
      const error = await assertRejects(() => log.open({ recovery: refusing }), WalCorruptionError);
      assertEquals(error.segment, "number 2");
    }
    await log.open({ recovery: mode });
    assertEquals(await lsns(log), [...expected]);
    await assertSound(log, expected);
  }
});

test("the last segment has vanished, as the lock file remembers", async () => {
  for (const mode of ["point-in-time", "salvage"] as const) {
    const log = await openThreeSegments();
    await log.wal.close();
    log.disk.remove(pathOf(log.lastSegment()));
    log.kill();
    await assertRejects(() => log.open(), WalCorruptionError);
    const wal = await log.open({ recovery: mode });
    assertEquals(await lsns(log), [1, 2, 3, 4, 5, 6, 7, 8]);
    // What is known to be lost is not given out again by a log that keeps its numbers.
    assertEquals(wal.lastLsn, mode === "salvage" ? 10 : 8);
    await assertSound(log, [1, 2, 3, 4, 5, 6, 7, 8]);
  }
});

test("a torn tail: strict refuses, the others cut it off, and salvage takes what checks behind it", async () => {
  const torn = async (): Promise<LogFixture> => {
    const log = await openEvenLog(2);
    log.faults.stop("syncData", "before", { path: /\.wal$/ });
    for (const lsn of [3, 4]) log.wal.append(evenText(lsn));
    await quiet();
    log.kill();
    // Both are in one frame: what is torn is all of it.
    log.disk.flipBit(pathOf(log.lastSegment()), frameAt(3) + 700, 1);
    return log;
  };
  const strict = await torn();
  const error = await assertRejects(() => strict.open({ recovery: "strict" }), WalCorruptionError);
  assertEquals(error.evidence, "nothing");
  assertStringIncludes(error.message, "strict");
  for (const recovery of ["tolerate-tail", "point-in-time", "salvage"] as const) {
    const log = await torn();
    const wal = await log.open({ recovery });
    assertEquals([wal.recovery.end, wal.lastLsn, wal.recovery.setAside], ["torn", 2, []]);
    const { kind, evidence } = wal.recovery.damage[0] ?? {};
    assertEquals([kind, evidence], ["torn", "nothing"]);
    await assertSound(log, [1, 2]);
  }
});

test("salvage takes a whole frame behind a torn one, which nobody vouches for", async () => {
  const log = await openEvenLog(1);
  await log.wal.configure({ durability: "write" });
  for (const lsn of [2, 3, 4]) await log.wal.commit(evenText(lsn));
  log.kill();
  log.disk.flipBit(pathOf(log.lastSegment()), frameAt(3) + 100, 1);
  const { recovery } = await log.open({ recovery: "salvage" });
  assertEquals([recovery.end, recovery.damage.map(({ kind }) => kind)], ["mended", ["torn"]]);
  assertEquals(await lsns(log), [1, 2, 4]);
  await assertSound(log, [1, 2, 4]);
});

test("garbage over the last header: open refuses, the other modes give up that file, and keep it", async () => {
  for (const recovery of ["strict", "tolerate-tail", "point-in-time", "salvage"] as const) {
    const log = await openThreeSegments();
    const last = log.lastSegment();
    log.damage(last, (bytes) => bytes.fill(0x41, 0, 512));
    const file = log.file(last);
    if (recovery === "strict" || recovery === "tolerate-tail") {
      await assertRejects(() => openDamaged(log, recovery), WalFormatError, last);
      continue;
    }
    const wal = await openDamaged(log, recovery);
    assertEquals([wal.recovery.end, wal.recovery.setAside], ["mended", [`aside-${last}`]]);
    assertEquals(log.file(`aside-${last}`), file);
    const kept = Array.from({ length: (parseSegmentName(last)?.baseLsn ?? 0) - 1 }, (_, nth) => nth + 1);
    await assertSound(log, kept);
  }
});

test("files of another log and of a newer version are never taken apart", async () => {
  for (const recovery of ["point-in-time", "salvage"] as const) {
    const foreign = await openThreeSegments();
    foreign.changeHeader(foreign.lastSegment(), { logId: "ab".repeat(16) });
    await assertRejects(() => openDamaged(foreign, recovery), WalFormatError);
    const future = await openThreeSegments();
    future.damage(nthSegment(future, 1), (bytes) => {
      viewOf(bytes).setUint32(8, 2, true);
      viewOf(bytes).setUint32(HEADER_BYTES - 4, crc32(bytes.subarray(8, HEADER_BYTES - 4)), true);
    });
    future.kill();
    const before = future.contents();
    await assertRejects(() => openDamaged(future, recovery), WalVersionError);
    assertEquals(future.contents(), before);
  }
});

test("a crash in the middle of a mending leaves the log as it was, or as it is to be", async () => {
  const damaged = await openThreeSegments();
  flip(damaged, 1, 3);
  damaged.kill();
  const calls = await (async () => {
    const log = await openThreeSegments();
    flip(log, 1, 3);
    await openDamaged(log, "salvage");
    return log.runtime.calls;
  })();
  for (let at = 1; at <= calls; at++) {
    for (const stop of ["before", "after"] as const) {
      const keep = at % 2 === 0 ? "none" : "any";
      const log = await openThreeSegments();
      flip(log, 1, 3);
      log.kill();
      log.faults.stopAt(at, stop);
      log.open({ recovery: "salvage" }).catch(() => {});
      await Promise.race([log.runtime.stopped, quiet()]);
      log.crash({ keep, seed: at });
      const wal = await log.open({ recovery: "salvage" });
      assertEquals(await lsns(log), [1, 2, 4, 5, 6, 7, 8, 9, 10], `stopped ${stop} call ${at}, ${keep} kept`);
      assertEquals(wal.lastLsn, 10);
    }
  }
});

test("a last segment that never got a frame is nobody's predecessor, also of a mending", async () => {
  for (const recovery of ["point-in-time", "salvage"] as const) {
    const log = await openEvenLog(8);
    log.faults.stop("syncDirectory", "after");
    log.wal.append(evenText(9));
    await quiet();
    log.kill();
    assertEquals(log.segments().length, 3);
    log.plant(segmentName(9, 8, 30), new Uint8Array(16 * 1024)); // one that vanished but for its name
    const wal = await log.open({ recovery });
    assertEquals(await lsns(log), [1, 2, 3, 4, 5, 6, 7, 8]);
    await wal.commit(evenText(wal.lastLsn + 1));
    log.crash({ keep: "none" });
    await log.open({ recovery: "strict" });
    assertEquals((await lsns(log)).length, 9);
  }
});

test("who reads a log meets damage where it is, and not before: in the successor's header it is behind this segment", async () => {
  const log = await openThreeSegments();
  log.damage(nthSegment(log, 2), (bytes) => bytes.fill(0, 0, 512));
  log.kill();
  await assertRejects(() => log.open(), WalCorruptionError);
  const four = await openEvenLog(14);
  four.damage(nthSegment(four, 2), (bytes) => bytes.fill(0, 0, 512));
  four.kill();
  const wal = await four.open();
  const seen: number[] = [];
  await assertRejects(async () => {
    for await (const { lsn } of wal.readable()) seen.push(lsn);
  }, WalCorruptionError);
  assertEquals(seen, [1, 2, 3, 4]);
});

test("a salvage that is killed twice does not complete the set that was given up first", async () => {
  const expected = [1, 2, 4, 5, 6, 7, 8, 9, 10];
  const open = async (log: LogFixture, at: number): Promise<void> => {
    log.kill();
    if (at > 0) log.faults.stop("rename", "after", { nth: at });
    log.open({ recovery: "salvage" }).catch(() => {});
    await Promise.race([log.runtime.stopped, quiet()]);
  };
  for (const [first, second] of [[1, 1], [2, 1], [2, 2], [1, 2], [2, 3]] as const) {
    const log = await openThreeSegments();
    flip(log, 1, 3);
    await open(log, first);
    await open(log, second);
    log.kill();
    await log.open({ recovery: "salvage" });
    assertEquals(await lsns(log), expected, `killed at rename ${first}, then at ${second}`);
  }
});

test("a full disk stops a mending before it has changed anything", async () => {
  const log = await openThreeSegments();
  flip(log, 1, 3);
  log.kill();
  for (const spare of log.spares()) log.disk.remove(pathOf(spare));
  const before = log.contents();
  log.fillDisk();
  await assertRejects(() => log.open({ recovery: "salvage" }));
  assertEquals(log.contents(), before);
  log.freeDisk();
  await log.open({ recovery: "salvage" });
  assertEquals((await lsns(log)).length, 9);
});

test("a reader elsewhere that had seen what is cut off is told that the log was rewound", async () => {
  const log = await openThreeSegments();
  const reader = Wal.read(DIRECTORY, { runtime: log.runtime, follow: true }).getReader();
  for (let lsn = 1; lsn <= 8; lsn++) assertEquals((await reader.read()).value?.lsn, lsn);
  await log.wal.close();
  flip(log, 1, 3);
  await log.open({ recovery: "point-in-time" });
  await log.wal.commit(evenText(3));
  await assertRejects(async () => {
    for (let tries = 0; tries < 20; tries++) await Promise.race([reader.read(), log.advance(100)]);
  }, WalRewoundError);
});

test("the head stays where it was cut to, also where damage lies before it in the same file", async () => {
  for (const recovery of ["point-in-time", "salvage"] as const) {
    const log = await openThreeSegments();
    await log.wal.truncateBefore(7);
    await quiet();
    flip(log, 1, 2); // LSN 6, which is cut away, in the file that holds 7
    log.kill();
    const wal = await log.open({ recovery });
    assertEquals(wal.firstLsn, 7);
    assertEquals(await lsns(log), [7, 8, 9, 10]);
    await assertSound(log, [7, 8, 9, 10]);
  }
});
