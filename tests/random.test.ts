import { assertEquals, assertGreater, assertLess, assertNotEquals } from "@std/assert";
import { test } from "node:test";
import { Random } from "../src/runtime/random.ts";

function row(seed: number, length = 8): number[] {
  const random = new Random(seed);
  return Array.from({ length }, () => random.bits());
}

test("a seed gives the same row on every runtime and in every version", () => {
  assertEquals(row(1, 3), [1348811757, 3428229867, 2634278455]);
});

test("seeds that lie side by side, and those that differ in their high half, give rows that do not overlap", () => {
  const seeds = [...Array(500).keys(), 2 ** 32, 2 ** 32 + 1, 2 ** 40, -1];
  const seen = new Set(seeds.flatMap((seed) => row(seed)));
  assertGreater(seen.size, seeds.length * 8 - 5); // of 4,000 words two may be alike by chance
});

test("whole numbers come from all of their range alike, and chances come true as often as they say", () => {
  const random = new Random(3);
  const counts = new Array<number>(6).fill(0);
  let hits = 0;
  for (let i = 0; i < 6000; i++) {
    const face = random.integer(1, 6);
    counts[face - 1] = (counts[face - 1] ?? 0) + 1;
    if (random.chance(0.25)) hits++;
  }
  for (const count of [...counts, hits * 4 / 6]) {
    assertGreater(count, 880);
    assertLess(count, 1120);
  }
  assertEquals([random.chance(0), random.chance(1), random.integer(7, 7)], [false, true, 7]);
});

test("a shuffled list has the same members, a filled view no byte outside of it, a copy its own way", () => {
  const random = new Random(4);
  const list = [...Array(50).keys()];
  const shuffled = random.shuffle([...list]);
  assertNotEquals(shuffled, list);
  assertEquals([...shuffled].sort((a, b) => a - b), list);
  const bytes = new Uint8Array(23);
  random.fill(bytes.subarray(5, 18));
  assertEquals([...bytes.subarray(0, 5), ...bytes.subarray(18)], new Array(10).fill(0));
  assertGreater(new Set(bytes.subarray(5, 18)).size, 5);
  const copy = random.copy();
  const next = copy.bits();
  assertNotEquals(copy.bits(), next);
  assertEquals(random.bits(), next);
  assertEquals(["a", "b"].includes(random.pick(["a", "b"])), true);
});
