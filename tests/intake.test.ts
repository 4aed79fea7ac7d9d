// Taking entries in: each has its number and no two the same, and what waits to be written has a bound.

import { test } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertLess, assertLessOrEqual, assertThrows } from "@std/assert";
import type { EntryInput } from "../src/entry.ts";
import { WalInputError, WalLimitError } from "../src/errors.ts";
import { MAX_NUMBER } from "../src/format.ts";
import { Intake } from "../src/intake.ts";
import { settle, type WalOptions } from "../src/options.ts";
import { entriesIn } from "./support/pending_entries.ts";

function newIntake(options: WalOptions = {}, lastLsn = 0): Intake {
  return new Intake(settle(options), lastLsn);
}

/** LSNs and texts of what has arrived. */
function arrivedIn(intake: Intake): string[] {
  return entriesIn(intake.pending).map(([lsn, , text]) => `${lsn} ${text}`);
}

/** What the committer does when a flush has written all that was taken. */
function written({ taken }: Intake): void {
  taken.drop(taken.frameCount);
}

// -- numbers

test("entries and batches are numbered one after the other, from the last one that was given out before", () => {
  const intake = newIntake({}, 41);
  assertEquals([intake.add("a"), intake.addBatch(["b", "c", "d"]), intake.add("e")], [42, 45, 46]);
  assertEquals(arrivedIn(intake), ["42 a", "43 b", "44 c", "45 d", "46 e"]);
  assertEquals([intake.lastLsn, intake.firstUnwrittenLsn], [46, 42]);
});

test("bytes that append while their length is asked for are refused, and what they appended has nothing of theirs", () => {
  const intake = newIntake();
  intake.add("a");
  class Sly extends Uint8Array {
    override get length(): number {
      assertThrows(() => intake.addBatch(["inner"]), WalInputError);
      return super.length;
    }
  }
  intake.add(new Sly([66]));
  intake.add("c");
  assertEquals(arrivedIn(intake), ["1 a", "2 B", "3 c"]);
});

test("what is refused has no number: the next entry gets it", () => {
  const intake = newIntake({ maxEntryBytes: 3, maxBatchBytes: 5 });
  intake.add("a");
  const bad = 5 as unknown as EntryInput;
  const refused: (() => unknown)[] = [
    () => intake.add(bad),
    () => intake.add("long"),
    () => intake.addBatch(["b", bad]),
    () => intake.checkBatch(["bbb", "ccc"]),
    () => intake.checkBatch([]),
    () => intake.checkBatch("text" as unknown as EntryInput[]),
    () => intake.checkBatch(new Set(["a"]) as unknown as EntryInput[]),
    () => intake.checkBatch(undefined as unknown as EntryInput[]),
  ];
  for (const add of refused) assertThrows(add);
  assertEquals(intake.add("b"), 2);
  assertEquals(arrivedIn(intake), ["1 a", "2 b"]);
});

test("the last LSN is one less than the largest number: there is always a next one, and at the end nothing is taken", () => {
  const last = MAX_NUMBER - 1;
  const intake = newIntake({}, last - 3);
  const error = assertThrows(() => intake.addBatch(["a", "b", "c", "d"]), WalLimitError);
  assertEquals([error.limit, error.value, error.most], ["lsn", last + 1, last]);
  assertEquals(intake.addBatch(["a", "b"]), last - 1);
  assertEquals(intake.add("c"), last);
  assertThrows(() => intake.add("d"), WalLimitError);
  assertThrows(() => intake.addBatch(["d"]), WalLimitError);
  assertEquals(arrivedIn(intake), [`${last - 2} a`, `${last - 1} b`, `${last} c`]);
  assertThrows(() => newIntake({}, MAX_NUMBER).add("a"), WalLimitError);
});

test("an entry that appends another one while it is looked at loses neither, and no number is given twice", () => {
  const intake = newIntake();
  const taken: string[] = [];
  const add = (name: string, input: EntryInput): void => {
    try {
      taken.push(`${intake.add(input)} ${name}`);
    } catch (error) {
      assertInstanceOf(error, WalInputError); // to refuse it is as good
    }
  };
  const appending = (name: string): EntryInput => ({
    get data() {
      add(`inner of ${name}`, `inner of ${name}`);
      return name;
    },
  });
  add("a", "a");
  add("outer", appending("outer"));
  add("b", "b");
  add("last", { kind: 1, data: "last" });
  assertEquals(arrivedIn(intake), taken.sort());
});

test("a batch that appends while it is looked at loses nothing either", () => {
  const intake = newIntake();
  const taken: string[] = [];
  const nosy = {
    get data() {
      try {
        taken.push(`${intake.add("inner")} inner`);
      } catch (error) {
        assertInstanceOf(error, WalInputError);
      }
      return "nosy";
    },
  };
  try {
    const last = intake.addBatch(["first", nosy]);
    taken.push(`${last - 1} first`, `${last} nosy`);
  } catch (error) {
    assertInstanceOf(error, WalInputError);
  }
  assertEquals(arrivedIn(intake), taken.sort());
});

// -- the bound

test("entries are taken as long as there is any room; the last one may be larger than it, and then there is none", () => {
  const intake = newIntake({ maxBufferedBytes: 1000 });
  assertEquals([intake.roomBytes, intake.bufferedBytes], [1000, 0]);
  let count = 0;
  while (intake.add("x".repeat(100)) !== 0) count++;
  assertEquals([count, intake.lastLsn], [10, 10]);
  assertLessOrEqual(intake.roomBytes, 0);
  assertEquals([intake.addBatch(["a"]), intake.add(""), intake.lastLsn], [0, 0, 10]);
});

test("an entry or batch that is larger than the whole buffer is taken when nothing waits", () => {
  for (const add of [(i: Intake) => i.add("x".repeat(5000)), (i: Intake) => i.addBatch(["x".repeat(5000)])]) {
    const intake = newIntake({ maxBufferedBytes: 1000 });
    assertEquals(add(intake), 1);
    assertLess(intake.roomBytes, 0);
    assertEquals(add(intake), 0);
  }
});

test("what is being written counts until it is written, in one buffer and the other", () => {
  const intake = newIntake({ maxBufferedBytes: 1000 });
  intake.add("x".repeat(600));
  intake.take();
  assertEquals(intake.pending.frameCount, 0);
  intake.add("x".repeat(600));
  assertEquals(intake.add("no room"), 0);
  written(intake);
  assertEquals(intake.add("room"), 3);
});

test("room is what its name says: as much as it says may be added, and all of it comes back", () => {
  const intake = newIntake({ maxBufferedBytes: 10_000 });
  for (let round = 0; round < 5; round++) {
    intake.add("x".repeat(10 * round));
    intake.addBatch(["a", "b"]);
    intake.take();
    intake.add("y");
    assertEquals(intake.bufferedBytes, intake.pending.pendingBytes + intake.taken.pendingBytes);
    assertEquals(intake.roomBytes, 10_000 - intake.bufferedBytes);
    written(intake);
    intake.take();
    written(intake);
    assertEquals(intake.roomBytes, 10_000);
  }
});

// -- two buffers

test("what arrives during a flush goes into the other buffer, and the rest of what was taken is written before it", () => {
  const intake = newIntake();
  intake.addBatch(["a"]);
  intake.addBatch(["b"]);
  intake.take();
  const { taken } = intake;
  intake.add("c");
  taken.drop(1); // a segment ended in the middle
  assertEquals(intake.next, taken);
  assertEquals(intake.firstUnwrittenLsn, 2);
  taken.drop(1);
  assertEquals(intake.next, intake.pending);
  assertEquals(intake.firstUnwrittenLsn, 3);
  intake.take();
  assertEquals(entriesIn(intake.taken), [[3, 0, "c"]]);
});

test("a frame that was taken away is closed: what arrives later cannot come into it", () => {
  const intake = newIntake();
  intake.add("a");
  intake.take();
  assert(intake.taken.frame(0).lengthBytes > 0);
});

test("what a full disk took is forgotten, but its numbers are not given again", () => {
  const intake = newIntake();
  intake.add("a");
  intake.take();
  intake.add("b");
  intake.clear();
  assertEquals([intake.bufferedBytes, intake.firstUnwrittenLsn, intake.lastLsn], [0, null, 2]);
  assertEquals(intake.add("c"), 3);
  assertEquals(arrivedIn(intake), ["3 c"]);
});
