// How many bytes of heap an entry of 100 bytes allocates, apart from the buffers that hold it, which
// costs_copies.test.ts counts. There is no clock in it: the engine counts, and nothing is collected meanwhile.
// Nothing is compiled either (see support/allocations.ts): machine code makes less, but what the code asks for is the
// same each time.
//
// - An append makes nothing. What V8 counts are two numbers of 16 bytes: `maxEntries` is Infinity unless said, and V8
//   makes a copy of such a number each time it is looked at. With a kind it is the same; text costs a view of the
//   buffer and the answer of `encodeInto`, which is larger on Deno.
// - A commit is one promise with its two functions (217 bytes on V8) and one waiter (72); what the promise is made with
//   is the same for all. Besides there are the caller's own `await` (210) and a look at what is durable (an iterator
//   and its answer, 92). A thousand share a flush.
// - One caller pays a flush for each commit: views, the calls of the checksum, lists that begin anew, and in the pool
//   the promises between the write and its end.
// - An entry of a stream costs what an append does. Of an array the log looks only once at whether it may be written.
// - An entry that is read is one object, with a time in it that is no small number, and a place in an array. There is
//   no view before someone asks for `data`.

import { test } from "node:test";
import { assert, assertGreater } from "@std/assert";
import process from "node:process";
import { allocatedBytes } from "./support/allocations.ts";
import { currentRuntime } from "./support/processes.ts";

type Column = "node20" | "node24" | "deno" | "bun";

/** What was measured, in bytes an entry. V8 counts bytes, and says the same each time; Bun counts blocks of 16 KiB. */
const PER_ENTRY: Readonly<Record<string, Readonly<Record<Column, number>>>> = {
  "append": { node20: 34.6, node24: 34.7, deno: 34.7, bun: 4.9 },
  "append, with a kind": { node20: 34.5, node24: 34.5, deno: 34.5, bun: 3.3 },
  "append of text": { node20: 250.4, node24: 258.4, deno: 530.6, bun: 99.9 },
  "commit, 1,000 callers": { node20: 800.7, node24: 799.0, deno: 683.0, bun: 367.1 },
  // Without what the same stream costs that ends in a sink which does nothing.
  "stream, arrays of 64": { node20: 21.5, node24: 20.9, deno: 19.9, bun: 5.2 },
  "stream, entry by entry": { node20: 39.2, node24: 39.2, deno: 39.2, bun: 8.2 },
  "read by batches": { node20: 167.1, node24: 165.2, deno: 166.6, bun: 208.9 },
};

/** The same where each commit is a flush. */
const PER_FLUSH: typeof PER_ENTRY = {
  "commit, one caller, pool": { node20: 5685, node24: 5718, deno: 5438, bun: 2048 },
  "commit, one caller, blocking": { node20: 5317, node24: 4686, deno: 4566, bun: 1508 },
};

const [major = ""] = process.versions.node.split(".");
const column: Column = currentRuntime !== "node" ? currentRuntime : Number(major) < 24 ? "node20" : "node24";

/** Less than an object of two fields takes: 56 bytes on V8, and 32 on Bun. */
const SLACK_BYTES: number = currentRuntime === "bun" ? 16 : 24;
/** Less than a promise takes, as part of a flush. */
const FLUSH_SLACK = 0.04;

/** Fails where an entry costs more. Where it costs less from now on, that is for the table. */
async function check(name: string, mostBytes: number): Promise<void> {
  const bytes = (await allocatedBytes())[name];
  assert(bytes !== undefined, "nobody measures that");
  assert(bytes <= mostBytes, `an entry costs ${bytes.toFixed(1)} bytes, and ${mostBytes.toFixed(1)} are the most`);
}

for (const [name, measured] of Object.entries(PER_ENTRY)) {
  test(`allocations: ${name}`, () => check(name, measured[column] + SLACK_BYTES));
}

for (const [name, measured] of Object.entries(PER_FLUSH)) {
  test(`allocations: ${name}`, () => check(name, measured[column] * (1 + FLUSH_SLACK)));
}

test("allocations: what is measured is seen, down to one promise an entry", async () => {
  const { "nothing but a promise": bytes = 0 } = await allocatedBytes();
  assertGreater(bytes, 2 * SLACK_BYTES);
});
