// Values through a log and back.

import { test } from "node:test";
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { decodeJson, encodeJson, WalInputError } from "../mod.ts";
import { openLog } from "./support/log_fixture.ts";

function streamOf<T>(...values: T[]): ReadableStream<T> {
  return new ReadableStream({
    start: (controller) => {
      for (const value of values) controller.enqueue(value);
      controller.close();
    },
  });
}

test("values come back as they were, with their LSN, kind and time, entry by entry and by batches", async () => {
  const log = await openLog();
  const values = [{ n: 1 }, [1, "zwei"], "text", null, 0, false];
  await streamOf<unknown>(...values).pipeThrough(encodeJson({ kind: 3 })).pipeTo(log.wal.writable());
  await streamOf<unknown>({ plain: true }).pipeThrough(encodeJson()).pipeTo(log.wal.writable());
  const all = [...values, { plain: true }];
  const expected = all.map((value, nth) => ({ lsn: nth + 1, kind: nth < 6 ? 3 : 0, value }));
  for (const stream of [log.wal.readable(), log.wal.readable({ batches: true })]) {
    const found: unknown[] = [];
    const reader = (stream as ReadableStream).pipeThrough(decodeJson()).getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const { lsn, kind, value } = next.value;
      found.push({ lsn, kind, value });
    }
    assertEquals(found, expected);
  }
});

test("a value without JSON ends the stream, and those before it are in the log", async () => {
  const circle: unknown[] = [];
  circle.push(circle);
  for (const [value, named] of [[undefined, "undefined"], [() => 1, "a function"], [circle, "an array"], [5n, "5n"]]) {
    const log = await openLog();
    const piped = streamOf<unknown>("before", value).pipeThrough(encodeJson()).pipeTo(log.wal.writable());
    await assertRejects(() => piped, WalInputError, `cannot make JSON of ${named}`);
    await log.wal.flush();
    assertEquals(await log.readAll(), ['1 "before"']);
  }
});

test("an entry that is no JSON ends the stream with its LSN", async () => {
  const log = await openLog();
  await log.commit("1", "{", "3");
  const reader = log.wal.readable().pipeThrough(decodeJson()).getReader();
  assertEquals((await reader.read()).value?.value, 1);
  const { cause } = await assertRejects(() => reader.read(), WalInputError, "LSN 2");
  assertInstanceOf(cause, SyntaxError);
});
