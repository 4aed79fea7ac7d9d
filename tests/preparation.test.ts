// The zeros that are written ahead of the frames: never where frames go, and a file that they failed is left alone.

import { test } from "node:test";
import { crc32 } from "node:zlib";
import { assertEquals, assertGreater, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import type { IoMode } from "../mod.ts";
import { ENTRY_HEADER_BYTES, FRAME_HEADER_BYTES } from "../src/format.ts";
import { type MemoryCall, MemoryDisk, MemoryRuntime } from "../src/runtime/memory.ts";
import { Segment } from "../src/segment.ts";
import { headerWith } from "./support/frames.ts";
import { ANY_WAL, openLog, outcomeOf, quiet } from "./support/log_fixture.ts";

/** Text of so many bytes that tells its number. */
function text(number: number, length: number): string {
  return `${number} `.padEnd(length, ".");
}

/** Tells a write of zeros: it begins behind the place where the next frame goes. */
function zeroWrites(): (call: MemoryCall) => boolean {
  const ends = new Map<string, number>();
  return ({ name, path, position, length }) => {
    if (name !== "write" || !ANY_WAL.test(path)) return false;
    if (position > (ends.get(path) ?? 0)) return true;
    ends.set(path, position + length);
    return false;
  };
}

test("after zeros have failed no more are tried, though a flush that was on its way goes well", async () => {
  const log = await openLog({ segmentBytes: 4 * 1024 * 1024, durability: "write", io: "pool" });
  const isZeros = zeroWrites();
  let zeros = 0;
  log.faults.onEvery((call) => {
    if (!isZeros(call)) return call.name === "write" && call.position > 0 ? { delayMs: 5 } : undefined;
    return zeros++ === 0 ? { code: "EIO", delayMs: 1 } : undefined;
  });
  for (let nth = 0; zeros === 0; nth++) {
    log.commit(text(nth, 20_000)).catch(() => {});
    await log.advance(1);
  }
  await log.advance(100);
  assertEquals(zeros, 1);
});

test("zeros are written ahead and never where frames go, and no two syncs of a file are in flight", async () => {
  for (const io of ["pool", "blocking"] satisfies IoMode[]) {
    for (const delayMs of [0, 7]) {
      const log = await openLog({ segmentBytes: 4 * 1024 * 1024, io });
      const isZeros = zeroWrites();
      let zeros = 0;
      log.faults.onEvery((call) => isZeros(call) ? (zeros++, { delayMs }) : undefined);
      const commits: Promise<unknown>[] = [];
      for (let nth = 0; nth < 120; nth++) {
        commits.push(log.commit(text(nth, [100, 30_000, 60_000, 90_000][nth % 4] ?? 0)));
        await log.advance(nth % 3);
      }
      await log.advance(1000);
      await Promise.all(commits);
      assertGreater(zeros, 2);
      log.checkManners();
      await log.crashAndReopen();
      assertEquals(log.wal.lastLsn, 120);
    }
  }
});

test("a write that waited for zeros was not slow: the next ones are done on the thread as before", async () => {
  const log = await openLog({ segmentBytes: 4 * 1024 * 1024, io: "pool" });
  const isZeros = zeroWrites();
  log.faults.onEvery((call) => isZeros(call) ? { delayMs: 10 } : undefined);
  await log.commit(text(0, 700_000));
  await log.commit(text(1, 100_000)); // and zeros are on their way
  const waiting = log.commit(text(2, 400_000));
  await log.advance(20);
  await waiting;
  const from = log.faults.calls.length;
  await log.commit("after");
  assertEquals(log.calls("write", ANY_WAL, from).map(({ blocking }) => blocking), [true]);
});

test("a flush that fits before zeros that are on their way, but for its padding, waits for them", async () => {
  for (let short = 0; short < 8; short++) {
    const log = await openLog({ segmentBytes: 0, io: "blocking" });
    await log.commit(text(0, 9_000_000)); // from here on steps of zeros are no multiples of 8
    await log.commit("and now the first of them are written");
    await log.advance(10);
    let zeros = 0;
    log.faults.onEvery((call) =>
      call.name === "write" && !call.blocking && ANY_WAL.test(call.path) ? (zeros++, { delayMs: 10 }) : undefined
    );
    for (let nth = 0; zeros === 0; nth++) await log.commit(text(nth, 60_000));
    const last = log.calls("write", ANY_WAL).filter((call) => call.length > 60_000 && call.length < 61_000).at(-1);
    const room = log.file(log.lastSegment()).length - (last?.position ?? 0) - (last?.length ?? 0);
    const commit = log.commit(text(99, room - FRAME_HEADER_BYTES - ENTRY_HEADER_BYTES - short));
    await log.advance(20);
    await commit;
    log.checkManners();
  }
});

test("a flush in the pool goes behind zeros that were begun in the same moment", async () => {
  const disk = new MemoryDisk();
  const runtime = new MemoryRuntime({ disk });
  const place = { runtime, directory: "/", crc32 };
  await (await runtime.open("/spare", "create")).close();
  const segment = await Segment.born(place, "spare", headerWith(), null);
  const zeros = segment.extend(new Uint8Array(8192));
  const frames = new Uint8Array(4096).fill(7);
  await Promise.all([zeros, segment.append([frames.subarray(0, 1024), frames.subarray(1024)], frames.length)]);
  assertEquals(disk.violations, []);
  const bytes = new Uint8Array(frames.length);
  await segment.file.read(bytes, segment.endOffset - frames.length);
  assertEquals(bytes, frames);
  await segment.close();
});

test("what gathers while zeros are waited for makes no segment larger than it may be", async () => {
  const MIB = 1024 * 1024;
  const segmentBytes = MIB + 40 * 1024;
  const log = await openLog({ segmentBytes });
  const isZeros = zeroWrites();
  log.faults.onEvery((call) => isZeros(call) ? { delayMs: 10 } : undefined);
  for (let nth = 0; nth < 13; nth++) await log.commit(text(nth, 80_000)); // in the end they are just below 1 MiB
  const waiting = log.commit(text(13, 9000)); // this one grows the file
  await quiet();
  log.wal.append(text(14, 50_000));
  await log.advance(20);
  await waiting;
  await log.wal.flush();
  for (const name of log.segments()) assertLessOrEqual(log.file(name).length, segmentBytes);
  assertEquals(log.segments().length, 2);
});

for (
  const [where, next] of [
    ["into what is prepared", 100],
    ["beyond what is prepared", 700_000],
    ["into the next segment", 2_000_000],
  ] as const
) {
  test(`zeros that fail have failed the file: nothing is written to it or synced, when the next flush goes ${where}`, async () => {
    const log = await openLog({ segmentBytes: 2 * 1024 * 1024 });
    const isZeros = zeroWrites();
    log.faults.onEvery((call) => isZeros(call) ? { code: "EIO", delayMs: 10 } : undefined);
    await log.commit(text(0, 700_000));
    assertEquals(await log.commit(text(1, 100_000)), [2]); // synced while the zeros are under way
    const flush = outcomeOf(log.commit(text(2, next)));
    await log.advance(20);
    await flush;
    const after = outcomeOf(log.commit("after"));
    await log.advance(20);
    assertEquals([(await after).state, log.wal.state], ["rejected", "failed"]);
    log.checkManners();
    await log.crashAndReopen();
    assertGreaterOrEqual(log.wal.lastLsn, 2);
  });
}

test("zeros that fail have failed the file: what was written before is not synced any more", async () => {
  const log = await openLog({ segmentBytes: 2 * 1024 * 1024, durability: "write" });
  const isZeros = zeroWrites();
  log.faults.onEvery((call) => isZeros(call) ? { code: "EIO" } : undefined);
  for (const nth of [0, 1, 2, 3]) await log.commit(text(nth, 200_000 - nth));
  await quiet();
  const syncs = log.calls("syncData", ANY_WAL).length;
  assertEquals((await outcomeOf(log.wal.flush())).state, "rejected");
  assertEquals([log.wal.state, log.calls("syncData", ANY_WAL).length], ["failed", syncs]);
  log.checkManners();
});
