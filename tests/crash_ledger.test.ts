// Who looks for broken promises must find each kind of them: otherwise all that is checked with it says nothing.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { type Acknowledgement, entryOf, type ReadEntry, type Submission } from "./support/crash_entries.ts";
import { Ledger, type Sight, type Statement } from "./support/crash_ledger.ts";

/** An entry of a life: by one caller unless said. */
function submission(number: number, more: Partial<Submission> = {}): Submission {
  return { life: 1, caller: 0, number, range: [number, number], isBatch: false, fillerBytes: 20, ...more };
}

function entries(firstLsn: number, submissions: readonly Submission[]): ReadEntry[] {
  return submissions.map((each, nth) => ({ lsn: firstLsn + nth, ...entryOf(each) }));
}

function acknowledged(lsn: number, number: number, more: Partial<Acknowledgement> = {}): Acknowledgement {
  return { acknowledged: lsn, caller: 0, number, level: "fsync", accepted: lsn, submitted: number, ...more };
}

const three = entries(1, [submission(1), submission(2), submission(3)]);
const said: readonly Statement[] = [acknowledged(1, 1), acknowledged(2, 2), acknowledged(3, 3)];
const whole: Sight = { firstLsn: 1, lastLsn: 3 };

function check(statements: readonly Statement[], found: readonly ReadEntry[], sight: Sight): number {
  const ledger = new Ledger();
  ledger.hear(1, statements);
  ledger.check(found, sight);
  return ledger.checkedCount;
}

/** The second of three with one bit of its filler changed. */
function flipped(): ReadEntry[] {
  const changed = entries(1, [submission(1), submission(2), submission(3)]);
  const data = changed[1]?.data ?? new Uint8Array();
  data[data.length - 1] = (data.at(-1) ?? 0) ^ 1;
  return changed;
}

const batch = [1, 2, 3].map((number) => submission(number, { range: [1, 3], isBatch: true }));
const [beginning = submission(1), middle = submission(2), ending = submission(3)] = batch;

test("what was acknowledged and is there is true, and counted", () => {
  assertEquals(check(said, three, whole), 3);
  assertEquals(check(said.slice(0, 2), three, whole), 2); // one was in flight
  assertEquals(check([acknowledged(3, 3)], entries(1, batch), whole), 1);
  assertEquals(check([...said, { cutting: 3 }, { cut: 3 }], three.slice(2), { firstLsn: 3, lastLsn: 3 }), 1);
  assertEquals(check([...said, { cutting: 3 }], three, whole), 3);
  assertEquals(
    check([acknowledged(3, 3), { cutting: 2 }], entries(2, [middle, ending]), { firstLsn: 2, lastLsn: 3 }),
    1,
  );
  const weak = [acknowledged(1, 1), acknowledged(2, 2, { level: "none" })];
  assertEquals(check(weak, three.slice(0, 1), { firstLsn: 1, lastLsn: 1 }), 1);
});

test("a reader may show less than there is, and nothing else", () => {
  assertEquals(check(said, three.slice(0, 2), "read"), 2);
  assertEquals(check(said, [], "read"), 0);
  assertThrows(() => check(said, flipped(), "read"), Error, "LSN 2 is not as it was written");
});

const violations:
  readonly (readonly [what: string, statements: readonly Statement[], ReadEntry[], Sight, told: string])[] = [
    ["a flipped bit", said, flipped(), whole, "LSN 2 is not as it was written"],
    ["an end that is gone", said, three.slice(0, 2), { firstLsn: 1, lastLsn: 2 }, "LSN 3 was durable"],
    ["an entry that is not shown", said, three.slice(0, 2), whole, "shows 1 to 2"],
    ["a gap", said, [...three.slice(0, 1), ...three.slice(2)], whole, "LSN 3 follows LSN 1"],
    ["another entry in its place", [acknowledged(1, 1), acknowledged(2, 1, { caller: 1 })], three.slice(0, 2), {
      firstLsn: 1,
      lastLsn: 2,
    }, "LSN 2 was acknowledged to be entry 1 of caller 1"],
    [
      "an entry twice",
      said,
      entries(1, [submission(1), submission(2), submission(2)]),
      whole,
      "entry 2 of caller 0 in life 1 follows number 2",
    ],
    ["an entry too many", said.slice(0, 1), three, whole, "its caller was waiting for number 2"],
    ["half a batch", [], entries(1, [beginning, middle]), { firstLsn: 1, lastLsn: 2 }, "a batch that is not whole"],
    [
      "a batch without its beginning",
      [],
      entries(1, [middle, ending]),
      { firstLsn: 1, lastLsn: 2 },
      "a batch that is not whole",
    ],
    [
      "a batch that was cut in without a cut",
      [{ cutting: 3 }],
      entries(1, [submission(1), middle, ending]),
      whole,
      "a batch",
    ],
    ["a cut that is undone", [...said, { cutting: 3 }, { cut: 3 }], three, whole, "was cut at 3 to 3"],
    ["a cut that nobody asked for", said, three.slice(1), { firstLsn: 2, lastLsn: 3 }, "was cut at 1 to 1"],
    [
      "what was rejected",
      [{ rejected: [1, 3], caller: 0, isWhole: true }],
      entries(1, batch),
      whole,
      "was rejected and is there",
    ],
    ["an earlier life behind a later one", [], entries(1, [submission(1, { life: 2 }), submission(1)]), {
      firstLsn: 1,
      lastLsn: 2,
    }, "of an earlier life"],
    [
      "what was flushed",
      [acknowledged(1, 1), acknowledged(2, 2, { level: "none" }), { flushed: 2 }],
      three.slice(0, 1),
      {
        firstLsn: 1,
        lastLsn: 1,
      },
      "LSN 2 was durable",
    ],
  ];

for (const [what, statements, found, sight, told] of violations) {
  test(`seen and named: ${what}`, () => {
    assertThrows(() => check(statements, found, sight), Error, told);
  });
}

test("seen and named: an LSN that was durable and is given again", () => {
  const ledger = new Ledger();
  ledger.hear(1, said);
  assertThrows(() => ledger.hear(2, [acknowledged(3, 1)]), Error, "LSN 3 of life 1 was given again to life 2");
});

test("seen and named: what was once shown and is there no more, though nobody had said that it is durable", () => {
  for (const first of ["read", whole] as const) {
    const ledger = new Ledger();
    ledger.hear(1, [acknowledged(1, 1), acknowledged(2, 2)]);
    ledger.check(three, first);
    ledger.hear(2, []);
    const other = [...three.slice(0, 2), ...entries(3, [submission(1, { life: 2 })])];
    assertThrows(() => ledger.check(other, whole), Error, "LSN 3 was seen to be entry 3 of caller 0 in life 1");
    assert(ledger.checkedCount >= 2);
  }
});

test("a full disk leaves gaps where nothing was acknowledged, and the beginnings of streams", () => {
  const rejected: Statement[] = [
    acknowledged(1, 1),
    { rejected: [2, 3], caller: 0, isWhole: true },
    acknowledged(4, 4),
  ];
  const found = [...three.slice(0, 1), ...entries(4, [submission(4)])];
  assertEquals(check(rejected, found, { firstLsn: 1, lastLsn: 4 }), 2);
  const stream = [1, 2].map((number) => submission(number, { range: [1, 9] }));
  assertEquals(
    check([{ rejected: [1, 9], caller: 0, isWhole: false }], entries(1, stream), { firstLsn: 1, lastLsn: 9 }),
    0,
  );
});
