// When a flush blocks the thread: only on a disk that has proved fast, never for long, and never against the user's word.

import { test } from "node:test";
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { Pace } from "../src/pace.ts";

const smallBytes = 100;

/** Syncs so many times on a disk that takes `elapsedMs` each; which of them blocked. */
function sync(pace: Pace, times: number, elapsedMs: number): boolean[] {
  return Array.from({ length: times }, () => {
    const isBlocking = pace.blocksSync(smallBytes);
    pace.synced(elapsedMs, isBlocking, smallBytes, 0);
    return isBlocking;
  });
}

/** How many fast syncs it takes until one blocks. */
function trial(pace: Pace): number {
  for (let count = 0; count < 5000; count++) {
    if (pace.blocksSync(smallBytes)) return count;
    pace.synced(0.1, false, smallBytes, 0);
  }
  return Infinity;
}

/** Writes so many times; which of the writes blocked. */
function write(pace: Pace, times: number, elapsedMs: number, lengthBytes: number = smallBytes): boolean[] {
  return Array.from({ length: times }, () => {
    const isBlocking = pace.blocksWrite(lengthBytes);
    pace.wrote(elapsedMs, isBlocking);
    return isBlocking;
  });
}

test("auto begins in the pool, and blocks after some fast syncs in a row", () => {
  const pace = new Pace("auto");
  const blocked = sync(pace, 20, 0.1);
  assertEquals(blocked.indexOf(true), 8);
  assert(blocked.slice(8).every((each) => each));
});

test("on a disk that is slow now and then, auto stays in the pool", () => {
  const pace = new Pace("auto");
  for (let round = 0; round < 100; round++) {
    assert(sync(pace, 7, 0.1).every((each) => !each));
    assert(sync(pace, 1, 1.5).every((each) => !each));
  }
});

test("one slow sync sends auto back to the pool at once", () => {
  const pace = new Pace("auto");
  assertLess(trial(pace), Infinity);
  assertEquals(sync(pace, 4, 5), [true, false, false, false]);
});

test("each slow sync makes auto twice as hard to convince, up to a bound", () => {
  const pace = new Pace("auto");
  const trials: number[] = [];
  for (let round = 0; round < 10; round++) {
    trials.push(trial(pace));
    pace.synced(50, true, smallBytes, 0);
  }
  assertEquals(trials, [8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024]);
});

test("one slow sync after hundreds of good ones is forgiven: every disk is slow now and then", () => {
  const pace = new Pace("auto");
  for (let round = 0; round < 10; round++) {
    assertEquals(trial(pace), 8);
    sync(pace, 400, 0.1);
    while (!pace.blocksSync(smallBytes)) pace.synced(0.1, false, smallBytes, 0);
    pace.synced(50, true, smallBytes, 0);
  }
});

test("a sync that is neither fast nor slow changes nothing while auto blocks", () => {
  const pace = new Pace("auto");
  assertLess(trial(pace), Infinity);
  assert(sync(pace, 300, 1.5).every((each) => each));
});

test("auto does not hold the thread for the sync of a large flush while more is to be done", () => {
  const pace = new Pace("auto");
  assertLess(trial(pace), Infinity);
  const large = 256 * 1024 + 1;
  pace.synced(0.3, false, large, large / 4);
  assertEquals([pace.blocksSync(large - 1), pace.blocksSync(large), pace.blocksSync(smallBytes)], [true, false, true]);
});

test("where nothing comes during the sync of a large flush, the next one blocks, unless it is huge", () => {
  const pace = new Pace("auto");
  assertLess(trial(pace), Infinity);
  const large = 1024 * 1024;
  pace.synced(0.3, false, large, large / 16);
  assertEquals([pace.blocksSync(large), pace.blocksSync(2 * large + 1)], [true, false]);
});

test("a sync is as slow as it is without the bytes that it had to write", () => {
  const pace = new Pace("auto");
  const megabyte = 1024 * 1024;
  for (let nth = 0; nth < 8; nth++) pace.synced(1.9, false, megabyte, 0);
  assert(pace.blocksSync(megabyte));
  pace.synced(2.9, true, megabyte, 0);
  while (!pace.blocksSync(megabyte)) pace.synced(3.1, false, megabyte, 0);
  pace.synced(3.1, true, megabyte, 0);
  pace.synced(0.1, false, megabyte, 0);
  assert(!pace.blocksSync(megabyte));
});

test("no sync blocks where it may not, and each does where it shall, whatever the disk does and however much it is", () => {
  const pool = new Pace("pool");
  assert([...sync(pool, 100, 0.01), ...sync(pool, 100, 50)].every((each) => !each));
  const blocking = new Pace("blocking");
  assert(blocking.blocksSync(64 * 1024 * 1024));
  blocking.synced(50, true, smallBytes, 0);
  assertEquals(sync(blocking, 2, 0.1), [true, true]);
});

// -- writes

test("a write into the page cache blocks, in the pool's mode too, unless it is large", () => {
  for (const mode of ["pool", "auto"] as const) {
    const pace = new Pace(mode);
    assertEquals(write(pace, 3, 0.02), [true, true, true]);
    assertEquals(write(pace, 1, 0.02, 2 * 1024 * 1024 + 1), [false]);
  }
  assertEquals(write(new Pace("blocking"), 1, 0.02, 64 * 1024 * 1024), [true]);
});

test("after a write that took long the next ones go through the pool; twice as many after each that follows, up to a bound", () => {
  const pace = new Pace("auto");
  const wary = Array.from({ length: 10 }, () => {
    write(pace, 1, 3);
    let count = 0;
    for (; !pace.blocksWrite(smallBytes); count++) pace.wrote(0.02, false);
    return count;
  });
  assertEquals(wary, [4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024]);
});

test("where one write of a hundred is slow, most go on blocking; where one of ten is, hardly any", () => {
  const pooled = (every: number): number => {
    const pace = new Pace("auto");
    let count = 0;
    for (let nth = 0; nth < 10_000; nth++) {
      const isBlocking = pace.blocksWrite(smallBytes);
      pace.wrote(nth % every === 0 ? 3 : 0.02, isBlocking);
      if (!isBlocking) count++;
    }
    return count;
  };
  assertLess(pooled(100), 1500);
  assertGreater(pooled(10), 9000);
});

/** Which of so many large flushes go through the pool, where so much comes meanwhile. */
function looks(pace: Pace, flushes: number, arrivedBytes: number): number[] {
  const large = 1024 * 1024;
  const nths: number[] = [];
  for (let nth = 0; nth < flushes; nth++) {
    const isBlocking = pace.blocksSync(large);
    if (!isBlocking) nths.push(nth);
    pace.synced(0.3, isBlocking, large, isBlocking ? 0 : arrivedBytes);
  }
  return nths;
}

test("where large flushes block, one of some goes through the pool, to see whether something comes meanwhile", () => {
  const pace = new Pace("auto");
  assertLess(trial(pace), Infinity);
  assertEquals(looks(pace, 120, 0), [16, 49, 114]);
});

test("where nothing ever came it is looked more and more seldom, and as often as at first once something has", () => {
  const pace = new Pace("auto");
  assertLess(trial(pace), Infinity);
  assertLess(looks(pace, 100_000, 0).length, 400);
  while (pace.blocksSync(1024 * 1024)) pace.synced(0.3, true, 1024 * 1024, 0);
  pace.synced(0.3, false, 1024 * 1024, 1024 * 1024);
  assertEquals(looks(pace, 19, 0), [0, 17]);
});

test("how long writes take says nothing of the disk", () => {
  const pace = new Pace("auto");
  write(pace, 100, 0.01);
  assert(!pace.blocksSync(smallBytes));
});
