// Where a reader without the lock may begin: at the next LSN at the latest. What lies beyond is no log that it knows, and is told
// at once; a log that is being born, cut or written on meanwhile is not taken for a short one.

import { crc32 } from "node:zlib";
import { test } from "node:test";
import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { Wal, WalCorruptionError, WalDiskFullError, WalRangeError } from "../mod.ts";
import { MemoryDisk, MemoryRuntime } from "../src/runtime/memory.ts";
import type { Runtime } from "../src/runtime/port.ts";
import { DelegatingRuntime } from "./support/delegating_runtime.ts";
import { EVEN, evenText, frameAt, openEvenLog } from "./support/even_log.ts";
import { faults } from "./support/faults.ts";
import { DIRECTORY, LogFixture, openLog, pathOf, quiet, SEGMENT, soon, unheard } from "./support/log_fixture.ts";

/** What another process reads from `from` on: the LSNs, until nothing more is vouched for. */
async function read(disk: MemoryDisk, from: number, runtime: Runtime = processOn(disk)): Promise<number[]> {
  const lsns: number[] = [];
  for await (const entry of Wal.read(DIRECTORY, { from, runtime })) lsns.push(entry.lsn);
  return lsns;
}

function processOn(disk: MemoryDisk): MemoryRuntime {
  return new MemoryRuntime({ disk, crc32 });
}

/** Somebody who follows from `from` on: what becomes of his first read. */
async function firstOf(disk: MemoryDisk, from: number): Promise<string> {
  const runtime = new MemoryRuntime({ disk, crc32, manualTime: true });
  const reader = Wal.read(DIRECTORY, { from, follow: true, pollMs: 10, runtime }).getReader();
  let told = "waits";
  reader.read().then(({ value }) => told = `${value?.lsn}`, (error: Error) => told = error.name);
  for (let turn = 0; turn < 3; turn++) await runtime.clock.advance(10);
  await quiet();
  const toldInTime = told;
  await soon(reader.cancel().catch(() => {}));
  assertEquals(runtime.openFiles, []);
  return toldInTime;
}

/** The next LSN is the last one that may be asked for, by a reader and by a follower. */
async function assertEndsAt(disk: MemoryDisk, lastLsn: number, what: string): Promise<void> {
  assertEquals(await read(disk, lastLsn + 1), [], what);
  assertEquals(await firstOf(disk, lastLsn + 1), "waits", what);
  for (const from of [lastLsn + 2, lastLsn + 100]) {
    const { message } = await assertRejects(() => read(disk, from), WalRangeError, undefined, what);
    assertEquals(message, `cannot read from LSN ${from} in ${DIRECTORY}: the last one in its files is ${lastLsn}`);
    assertEquals(await firstOf(disk, from), "WalRangeError", what);
  }
}

test("beyond the next LSN there is nothing to wait for, whatever the last frame of the log is", async () => {
  for (
    const [entries, what] of [[3, "entries"], [4, "entries that fill the file"], [5, "one in a second file"]] as const
  ) {
    const log = await openEvenLog(entries);
    await assertEndsAt(log.disk, entries, what);
    await log.wal.close();
    await assertEndsAt(log.disk, entries, `a mark behind ${what}`);
  }
  const idle = await openEvenLog(3, { ...EVEN, idleMs: 10 });
  await idle.advance(20);
  await assertEndsAt(idle.disk, 3, "an idle frame");
  await idle.wal.truncateBefore(4);
  await assertEndsAt(idle.disk, 3, "a head frame, and no entry is left");
});

test("an entry that nothing vouches for yet is there all the same: who follows from the next one waits", async () => {
  const log = await openLog({ durability: "write", idleMs: 3_600_000 });
  await log.commit("a");
  await log.commit("b");
  assertEquals(await read(log.disk, 1), []);
  await assertEndsAt(log.disk, 2, "written, and not synced");
});

test("LSNs that a full disk has taken are not lacking: who has read up to them goes on behind them", async () => {
  const log = await openLog({ segmentBytes: 0 });
  await log.commit("a");
  await quiet();
  log.fillDisk();
  const rejected = ["x", "y"].map((text) => log.wal.commit(text.repeat(2_000_000)));
  for (const each of rejected) await assertRejects(() => each, WalDiskFullError);
  await assertEndsAt(log.disk, 1, "rejected, and nothing says so yet");
  log.freeDisk();
  await log.wal.close();
  await assertEndsAt(log.disk, 3, "a skip, and a mark");
});

test("a follower that is started again on a log that was replaced is told so, and skips none of its entries", async () => {
  const log = await openEvenLog(8);
  await log.wal.close();
  const handledLsn = (await read(log.disk, 1)).at(-1) ?? 0;
  assertEquals(handledLsn, 8);
  const other = await openEvenLog(3);
  await other.wal.close();
  for (const from of [handledLsn + 1, handledLsn]) assertEquals(await firstOf(other.disk, from), "WalRangeError");
  for (const name of log.names()) log.disk.remove(pathOf(name));
  assertEquals(await firstOf(log.disk, handledLsn + 1), "WalRangeError"); // and not even an empty one
});

test("in a log that is being born the first LSN is the only one to wait for", async () => {
  const empty = new LogFixture(EVEN);
  await empty.open();
  await assertEndsAt(empty.disk, 0, "no file yet");
  for (const [name, where] of [["rename", {}], ["syncDirectory", { path: DIRECTORY, nth: 1 }]] as const) {
    const log = new LogFixture(EVEN);
    await log.open();
    log.faults.stop(name, "after", where);
    unheard(log.commit(evenText(1)));
    await log.runtime.stopped;
    assertEquals(log.segments().length, 1, name);
    await assertEndsAt(log.disk, 0, `a header, stopped after ${name}`);
  }
  const torn = await openEvenLog(0);
  torn.faults.stopInWrite(500, { path: SEGMENT });
  await torn.commit(evenText(1));
  torn.faults.stopInWrite(500, { path: /\.wal$/ });
  unheard(torn.commit(evenText(2)));
  await torn.runtime.stopped;
  await assertEndsAt(torn.disk, 1, "half an entry");
});

/** The files of a log, by their names. */
function filesOf(log: LogFixture): Map<string, Uint8Array<ArrayBuffer>> {
  return new Map(log.names().map((name) => [name, log.file(name)]));
}

test("a file that is freed and used again while its end is looked for does not end the log", async () => {
  const log = await openEvenLog(8);
  const before = filesOf(log);
  for (let lsn = 9; lsn <= 22; lsn++) await log.commit(evenText(lsn));
  await log.wal.truncateBefore(9);
  await quiet();
  const after = filesOf(log);
  const used = [...after].find(([name]) => name === log.lastSegment())?.[1] ?? new Uint8Array();
  let calls = 1;
  for (let nth = 1; nth <= calls; nth++) {
    const files = Object.fromEntries([...before].map(([name, bytes]) => [pathOf(name), bytes]));
    const disk = new MemoryDisk({ files });
    const plan = faults();
    plan.onEvery(({ number }) => {
      if (number !== nth) return undefined;
      for (const name of before.keys()) {
        disk.write(pathOf(name), used); // whoever has it open sees another life of it
        disk.remove(pathOf(name));
      }
      for (const [name, bytes] of after) disk.write(pathOf(name), bytes);
      return undefined;
    });
    const runtime = new MemoryRuntime({ disk, crc32, onCall: plan.onCall });
    // LSN 9 is the next one of the old files, and the first of the new ones.
    const lsns = await read(disk, 9, runtime);
    assertEquals(lsns, Array.from({ length: lsns.length }, (_, index) => 9 + index), `at call ${nth}`);
    calls = plan.calls.length;
  }
  assertGreater(calls, 8);
});

/** A process whose listing misses the names that come and go while it is made. */
class HastyRuntime extends DelegatingRuntime {
  misses = 0;

  override async list(path: string): Promise<string[]> {
    const names = await super.list(path);
    return this.misses-- > 0 ? names.filter((name) => !SEGMENT.test(`/${name}`)) : names;
  }
}

test("a listing that misses the only file while that gives way to the next one is no empty log", async () => {
  const log = await openEvenLog(3);
  await log.wal.close();
  const runtime = new HastyRuntime(processOn(log.disk));
  runtime.misses = 1;
  assertEquals(await read(log.disk, 3, runtime), [3]);
  const reader = Wal.read(DIRECTORY, { follow: true, runtime }).getReader();
  assertEquals((await reader.read()).value?.lsn, 1);
  runtime.misses = 1; // also for one who has a place in the log
  assertEquals((await reader.read()).value?.lsn, 2);
  await reader.cancel();
  runtime.misses = Infinity;
  await assertRejects(() => read(log.disk, 3, runtime), WalRangeError, "is 0");
});

test("damage before what is asked for is damage, and no short log; behind what is vouched for it is the end", async () => {
  const log = await openLog({ segmentBytes: 0 });
  for (let lsn = 1; lsn <= 6; lsn++) await log.commit(evenText(lsn));
  const flip = (nth: number): void => log.disk.flipBit(pathOf(log.lastSegment()), frameAt(nth) + 100, 0);
  flip(3);
  for (const from of [4, 5]) {
    const error = await assertRejects(() => read(log.disk, from), WalCorruptionError);
    assertEquals([error.offset, await firstOf(log.disk, from)], [frameAt(3), "WalCorruptionError"]);
  }
  await assertRejects(() => read(log.disk, 7), WalRangeError, "is 5"); // what the sixth says of those before it
  flip(3);
  flip(6);
  await assertEndsAt(log.disk, 5, "a torn entry");
});
