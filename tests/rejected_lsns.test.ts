// LSNs that a full disk took back: each knows why, and no other LSN is thought to be one of them.

import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { RejectedLsns } from "../src/rejected_lsns.ts";

test("each rejected LSN, and only such a one, has the reason of the time when it was rejected", () => {
  const rejected = new RejectedLsns();
  assertStrictEquals(rejected.reasonOf(1), null);
  const [first, second] = [new Error("first"), new Error("second")];
  rejected.add(3, 5, first);
  rejected.add(9, 9, second);
  const expected = [null, null, null, first, first, first, null, null, null, second, null];
  expected.forEach((reason, lsn) => assertStrictEquals(rejected.reasonOf(lsn), reason));
});

test("the last LSN that was kept lies before all that were rejected up to there, however they lie side by side", () => {
  const rejected = new RejectedLsns();
  assertEquals(rejected.highestKept(7), 7);
  for (const [first, last] of [[1, 2], [5, 6], [7, 9], [12, 12]] as const) rejected.add(first, last, new Error());
  const kept = Array.from({ length: 15 }, (_, lsn) => rejected.highestKept(lsn));
  assertEquals(kept, [0, 0, 0, 3, 4, 4, 4, 4, 4, 4, 10, 11, 11, 13, 14]);
});
