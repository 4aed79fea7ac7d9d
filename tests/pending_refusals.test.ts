// What is no entry, or too large, is refused, alone and in a batch, and leaves nothing behind.

import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import type { EntryInput } from "../src/entry.ts";
import { WalInputError, WalLimitError } from "../src/errors.ts";
import { MAX_APPEND_KIND } from "../src/format.ts";
import type { Pending } from "../src/pending.ts";
import { bytesOf, entriesIn, framesIn, loose, newPending } from "./support/pending_entries.ts";

/** A buffer with an open frame, what it holds, and the assertion that it holds just that, and takes more. */
function untouched(
  limits: { maxEntryBytes?: number; maxBatchBytes?: number } = {},
): { pending: Pending; check: () => void } {
  const pending = newPending(limits);
  pending.addBatch(["batch"], 1);
  pending.add("open", 2);
  const { pendingBytes } = pending;
  const check = (): void => {
    assertEquals(pending.pendingBytes, pendingBytes);
    pending.add("next", 3);
    assertEquals(entriesIn(pending), [[1, 0, "batch"], [2, 0, "open"], [3, 0, "next"]]);
    assertEquals(pending.frameCount, 2); // the open frame was not closed
  };
  return { pending, check };
}

/** Asserts that the input is refused, by itself and as the last one of a batch, and that nothing is left of it. */
function assertLeavesNothing(
  input: EntryInput,
  ErrorClass: new (...values: never[]) => Error,
  limits?: { maxEntryBytes?: number; maxBatchBytes?: number },
): void {
  const adds: ((pending: Pending) => void)[] = [
    (pending) => pending.add(input, 3),
    (pending) => pending.addBatch(["first of a batch", { kind: 1, data: [bytesOf(10)] }, input], 3),
  ];
  for (const add of adds) {
    const { pending, check } = untouched(limits);
    assertThrows(() => add(pending), ErrorClass);
    check();
  }
}

test("what is no entry is refused as such, and leaves nothing behind", () => {
  const inputs = [
    undefined,
    null,
    5,
    5n,
    true,
    Symbol("s"),
    () => "a",
    [],
    ["a"],
    [new Uint8Array(1)],
    {},
    new Date(0),
  ];
  const buffers = [
    new ArrayBuffer(3),
    new Uint16Array(2),
    new Int8Array(2),
    new DataView(new ArrayBuffer(2)),
    Object("text"),
  ];
  for (const input of [...inputs, ...buffers]) assertLeavesNothing(loose(input), WalInputError);
  for (const data of [...inputs, ...buffers, Object.create(null)]) {
    if (Array.isArray(data) && data.every((part) => part instanceof Uint8Array)) continue;
    assertLeavesNothing(loose({ data }), WalInputError);
    assertLeavesNothing(loose({ data: [new Uint8Array(2), data] }), WalInputError);
  }
  assertLeavesNothing(loose({ data: Array(2) }), WalInputError);
  assertLeavesNothing(loose({ data: [new Uint8Array(1), "text"] }), WalInputError);
});

test("a kind that is none, or the log's own, is refused and leaves nothing behind", () => {
  for (const kind of [-1, MAX_APPEND_KIND + 1, 255, 256, 1.5, NaN, Infinity, "7", true, 7n, Symbol("s"), {}, [7]]) {
    assertLeavesNothing(loose({ kind, data: "a" }), WalInputError);
  }
});

test("a kind of which no text can be made is refused as one that is none", () => {
  assertLeavesNothing(loose({ kind: Object.create(null), data: "a" }), WalInputError);
});

test("an entry that throws while it is looked at is not taken, and its error reaches the caller", () => {
  const thrown = (): never => {
    throw new RangeError("no longer there");
  };
  const parts: unknown[] = [new Uint8Array(5), new Uint8Array(5)];
  Object.defineProperty(parts, 1, { get: thrown });
  const entries = [{
    get data() {
      return thrown();
    },
  }, {
    data: "a",
    get kind() {
      return thrown();
    },
  }, { data: parts }];
  for (const entry of entries) assertLeavesNothing(loose(entry), RangeError);
});

test("a batch whose entries are gone when it is taken leaves nothing behind", () => {
  const batch: EntryInput[] = [];
  const pending = newPending();
  assertThrows(() => pending.addBatch(batch, 1), WalInputError, "without entries");
  assertEquals([pending.count, pending.frameCount], [0, 0]);
});

test("an entry is taken up to maxEntryBytes and refused by one byte more, in every form, and leaves nothing behind", () => {
  const maxEntryBytes = 30;
  const forms: ((length: number) => EntryInput)[] = [
    (length) => bytesOf(length),
    (length) => ({ kind: 3, data: bytesOf(length) }),
    (length) => "x".repeat(length),
    (length) => "€".repeat(9) + "x".repeat(length - 27), // few characters and many bytes
    (length) => ({ data: [bytesOf(length - 1), bytesOf(0), bytesOf(1)] }),
  ];
  for (const form of forms) {
    const pending = newPending({ maxEntryBytes });
    pending.add(form(maxEntryBytes), 1);
    assertEquals(pending.count, 1);
    assertLeavesNothing(form(maxEntryBytes + 1), WalLimitError, { maxEntryBytes });
    const error = assertThrows(() => pending.add(form(maxEntryBytes + 1), 2), WalLimitError);
    assertEquals([error.limit, error.value, error.most], ["maxEntryBytes", 31, 30]);
  }
  assertLeavesNothing("€".repeat(70_000), WalLimitError, { maxEntryBytes: 200_000 });
});

test("a batch is taken up to maxBatchBytes, the bytes of its entries, and refused whole by one byte more", () => {
  const { pending, check } = untouched({ maxBatchBytes: 100 });
  const error = assertThrows(() => pending.addBatch([bytesOf(60), "x".repeat(40), "", "!"], 3), WalLimitError);
  assertEquals([error.limit, error.value, error.most], ["maxBatchBytes", 101, 100]);
  check();
  pending.addBatch([bytesOf(60), "x".repeat(40), "", ""], 4);
  assertEquals(pending.count, 7);
  pending.add(bytesOf(200), 8); // one alone is no batch
  assertEquals(framesIn(pending).length, 4);
});

test("an entry that makes the buffer grow and is then refused leaves nothing behind, nor what it moved away", () => {
  const pending = newPending({ maxEntryBytes: 400_000 });
  pending.add("kept", 1);
  assertThrows(() => pending.add("€".repeat(60_000) + "x".repeat(300_000), 2), WalLimitError);
  assertThrows(() => pending.addBatch([bytesOf(300_000), loose(5)], 2), WalInputError);
  pending.add("next", 2);
  assertEquals(entriesIn(pending), [[1, 0, "kept"], [2, 0, "next"]]);
});
