// The decision table: one line for whatever open may find, and each line says what the design says.

import { test } from "node:test";
import { assert, assertEquals, assertGreater } from "@std/assert";
import {
  CASES,
  decide,
  type Finding,
  FINDINGS,
  type Outcome,
  type Voucher,
  VOUCHERS,
  WHERE,
  type Where,
} from "../src/verdict.ts";

const combinations = WHERE.flatMap((where) =>
  FINDINGS.flatMap((finding) => VOUCHERS.map((voucher): [Where, Finding, Voucher] => [where, finding, voucher]))
);

/** The same decisions in the words of the design, the more certain ones first. */
function expected(where: Where, finding: Finding, voucher: Voucher): Outcome {
  if (finding === "unreadable") return "refuse-unreadable"; // a read fails: refuse with that error, touch nothing
  if (finding === "future") return "refuse-future";
  if (finding === "foreign") return "refuse-foreign";
  if (finding === "damaged-header" || finding === "missing" || finding === "shrunk") return "corrupt";
  if (where === "earlier") return finding === "whole" ? "end" : "corrupt"; // before the end that its successor states
  return voucher === "nothing" ? "end" : "corrupt"; // nothing vouches for what follows: torn
}

test("every combination of where, finding and voucher has exactly one line", () => {
  assertEquals(combinations.length, 2 * 8 * 8);
  for (const [where, finding, voucher] of combinations) {
    const lines = CASES.filter((each) =>
      each.where.includes(where) && each.finding.includes(finding) && each.voucher.includes(voucher)
    );
    assertEquals(lines.length, 1, `${where}, ${finding}, ${voucher}`);
    assertEquals(decide(where, finding, voucher), lines[0]);
  }
});

test("each combination is decided as the design says", () => {
  const table = (outcome: (...each: [Where, Finding, Voucher]) => Outcome): string[] =>
    combinations.map((each) => `${each.join(", ")}: ${outcome(...each)}`);
  assertEquals(table((...each) => decide(...each).outcome), table(expected));
});

test("a log goes on only where nothing proves that there was more, or its successor says that there was not", () => {
  const ends = combinations.filter((each) => decide(...each).outcome === "end");
  for (const [where, finding, voucher] of ends) {
    assert(where === "last" ? voucher === "nothing" : finding === "whole", `${where}, ${finding}, ${voucher}`);
  }
  assertGreater(ends.length, 0);
});

test("every line says why, in words of its own", () => {
  const reasons = CASES.map(({ why }) => why);
  for (const why of reasons) assertGreater(why.length, 15);
  assertEquals(new Set(reasons).size, CASES.length);
});
