// The decision table: one line for whatever open may find, in whatever mode, and each line says what the design says.

import { test } from "node:test";
import { assert, assertEquals, assertGreater } from "@std/assert";
import { RECOVERY_MODES } from "../src/options.ts";
import {
  CASES,
  type Circumstances,
  decide,
  ENDINGS,
  FINDINGS,
  holds,
  type Outcome,
  VOUCHERS,
  WHERE,
} from "../src/verdict.ts";

const combinations: readonly Circumstances[] = WHERE.flatMap((where) =>
  FINDINGS.flatMap((finding) =>
    VOUCHERS.flatMap((voucher) =>
      ENDINGS.flatMap((ending) => RECOVERY_MODES.map((mode) => ({ where, finding, voucher, ending, mode })))
    )
  )
);

function inWords(circumstances: Circumstances): string {
  return Object.values(circumstances).join(", ");
}

/** The same decisions in the words of the design, the more certain ones first. */
function expected({ where, finding, voucher, ending, mode }: Circumstances): Outcome {
  if (finding === "unreadable") return "refuse-unreadable"; // a read fails: refuse with that error, touch nothing
  if (finding === "future") return "refuse-future";
  if (finding === "foreign" && where === "last") return "refuse-format"; // nothing else says which log this is
  const isStranger = finding === "foreign" || finding === "no-segment";
  if (isStranger && (mode === "strict" || mode === "tolerate-tail")) return "refuse-format";
  if (where === "earlier" && finding === "whole") return "goes-on"; // up to the end that its successor states
  const isTail = where === "last" && (finding === "whole" || finding === "bad-frame");
  if (isTail && voucher === "nothing") { // nothing vouches for what follows: torn
    if (finding === "whole") return ending;
    if (mode === "strict") return "corrupt"; // any damage refuses
    return mode === "salvage" ? "gap" : "torn";
  }
  if (mode === "point-in-time") return "cut"; // end at the first damage
  return mode === "salvage" ? "gap" : "corrupt"; // every frame that checks
}

test("every combination of where, finding, voucher, ending and mode has exactly one line", () => {
  assertEquals(combinations.length, 2 * 9 * 8 * 2 * 4);
  for (const each of combinations) {
    const lines = CASES.filter((line) => holds(line, each));
    assertEquals(lines.length, 1, inWords(each));
    assertEquals(decide(each), lines[0]);
  }
});

test("each combination is decided as the design says", () => {
  const table = (outcome: (each: Circumstances) => Outcome): string[] =>
    combinations.map((each) => `${inWords(each)}: ${outcome(each)}`);
  assertEquals(table((each) => decide(each).outcome), table(expected));
});

test("unless it was told otherwise, a log goes on only where nothing proves that there was more, or its successor says so", () => {
  const goesOn: readonly Outcome[] = ["goes-on", "clean", "unclean", "torn", "cut", "gap"];
  const ends = combinations.filter((each) => each.mode === "tolerate-tail" && goesOn.includes(decide(each).outcome));
  for (const each of ends) {
    assert(each.where === "last" ? each.voucher === "nothing" : each.finding === "whole", inWords(each));
  }
  assertGreater(ends.length, 0);
});

test("a mode never takes less than a stricter one", () => {
  const refuses = (each: Circumstances): boolean => /^corrupt|^refuse/.test(decide(each).outcome);
  for (const each of combinations) {
    const [strict, tolerant, cutting, salvaging] = RECOVERY_MODES.map((mode) => refuses({ ...each, mode }));
    assert(!tolerant || strict, inWords(each));
    assert(!cutting || tolerant, inWords(each));
    assertEquals(salvaging, cutting, inWords(each));
  }
});

test("every line says why, in words of its own", () => {
  for (const { why } of CASES) assertGreater(why.length, 15);
  const distinct = new Set(CASES.map(({ why }) => why));
  assertEquals(distinct.size, CASES.length);
});
