// When a flush blocks the thread: only on a disk that has proved fast, never for long, and never against the user's word.

import { test } from "node:test";
import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { Pace } from "../src/pace.ts";
import { Random } from "../src/runtime/random.ts";

const smallBytes = 100;

/** Flushes so many times on a disk that takes `elapsedMs` each; which of them blocked. */
function flush(pace: Pace, times: number, elapsedMs: number): boolean[] {
  return Array.from({ length: times }, () => {
    const isBlocking = pace.next(smallBytes);
    pace.observe(elapsedMs, isBlocking, true);
    return isBlocking;
  });
}

/** How many fast flushes it takes until one blocks. */
function trial(pace: Pace): number {
  for (let count = 0; count < 5000; count++) {
    if (pace.next(smallBytes)) return count;
    pace.observe(0.1, false, true);
  }
  return Infinity;
}

test("auto begins in the pool, and blocks after some fast syncs in a row", () => {
  const pace = new Pace("auto");
  const blocked = flush(pace, 20, 0.1);
  assertEquals(blocked.indexOf(true), 8);
  assert(blocked.slice(8).every((each) => each));
});

test("on a disk that is slow now and then, auto stays in the pool", () => {
  const pace = new Pace("auto");
  for (let round = 0; round < 100; round++) {
    assert(flush(pace, 7, 0.1).every((each) => !each));
    assert(flush(pace, 1, 1.5).every((each) => !each));
  }
});

test("one slow sync sends auto back to the pool at once", () => {
  const pace = new Pace("auto");
  assertLess(trial(pace), Infinity);
  assertEquals(flush(pace, 4, 5), [true, false, false, false]);
});

test("each slow sync makes auto twice as hard to convince, up to a bound", () => {
  const pace = new Pace("auto");
  const trials: number[] = [];
  for (let round = 0; round < 10; round++) {
    trials.push(trial(pace));
    pace.observe(50, true, true);
  }
  assertEquals(trials, [8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024]);
});

test("a sync that is neither fast nor slow changes nothing while auto blocks", () => {
  const pace = new Pace("auto");
  assertLess(trial(pace), Infinity);
  const blocked = flush(pace, 300, 1.5);
  assertGreater(blocked.filter((each) => each).length, 150); // it yields now and then, and comes back at once
});

test("the loop is never held long: whatever the disk does, a flush yields after two milliseconds of blocking", () => {
  for (const mode of ["auto", "blocking"] as const) {
    const pace = new Pace(mode);
    const random = new Random(5);
    let heldMs = 0;
    for (let nth = 0; nth < 20_000; nth++) {
      const elapsedMs = random.integer(1, 200) / 100;
      const isBlocking = pace.next(smallBytes);
      if (isBlocking) assertLess(heldMs, 2);
      heldMs = isBlocking ? heldMs + elapsedMs : 0;
      pace.observe(elapsedMs, isBlocking, true);
      assertLessOrEqual(heldMs, 4);
    }
  }
});

test("on a fast disk yielding is the exception", () => {
  const blocked = flush(new Pace("blocking"), 1000, 0.1);
  assertGreater(blocked.filter((each) => each).length, 900);
});

test("what blocks without a sync holds the loop as well, and says nothing of the disk", () => {
  const pace = new Pace("blocking");
  const blocked = Array.from({ length: 100 }, () => {
    const isBlocking = pace.next(smallBytes);
    pace.observe(0.5, isBlocking, false);
    return isBlocking;
  });
  assertGreater(blocked.filter((each) => !each).length, 10);
  const auto = new Pace("auto");
  for (let count = 0; count < 100; count++) auto.observe(0.01, false, false);
  assert(!auto.next(smallBytes));
});

test("auto does not hold the thread for a large flush, however fast the disk is", () => {
  const pace = new Pace("auto");
  assertLess(trial(pace), Infinity);
  assertEquals([pace.next(256 * 1024), pace.next(256 * 1024 + 1), pace.next(smallBytes)], [true, false, true]);
});

test("pool never blocks, and blocking does from the first flush, whatever the disk does and however large it is", () => {
  const pool = new Pace("pool");
  assert([...flush(pool, 100, 0.01), ...flush(pool, 100, 50)].every((each) => !each));
  const blocking = new Pace("blocking");
  assert(blocking.next(64 * 1024 * 1024));
  blocking.observe(50, true, true);
  assertEquals([blocking.next(smallBytes), blocking.next(smallBytes)], [false, true]);
});
