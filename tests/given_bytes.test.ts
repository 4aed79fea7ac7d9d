// The bytes of an entry belong to whoever has read it: whatever he does with them, nobody else meets it.

import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { type Entry, WalInputError } from "../mod.ts";
import { openLog, quiet, soon } from "./support/log_fixture.ts";

const TEXTS: readonly string[] = ["one", "two", "three", "four"];

test("what one reader writes into the bytes it got, no other reader sees", async () => {
  const log = await openLog();
  for (const text of TEXTS) await log.commit(text);
  await quiet();
  const readers = [log.wal.readable().getReader(), log.wal.readable({ follow: true }).getReader()];
  const firsts = await Promise.all(readers.map((reader) => soon(reader.read())));
  firsts[0]?.value?.data.fill(0x41);
  assertEquals(firsts[1]?.value?.text(), "one");
  for (const text of TEXTS.slice(1)) {
    for (const reader of readers) {
      const { value } = await soon(reader.read());
      assertEquals(value?.text(), text);
      value?.data.fill(0x41);
    }
  }
  assertEquals((await log.readAll()).map((line) => line.slice(2)), TEXTS);
});

test("who hands the buffer of an entry to somebody else reads on, and so does everybody else", async () => {
  const log = await openLog();
  for (const text of TEXTS) await log.commit(text);
  await quiet();
  const [giving, other] = [log.wal.readable().getReader(), log.wal.readable().getReader()];
  await soon(other.read());
  for (const text of TEXTS) {
    const { value } = await soon(giving.read());
    assertEquals(value?.text(), text);
    giveAway(value);
  }
  for (const text of TEXTS.slice(1)) assertEquals((await soon(other.read())).value?.text(), text);
});

test("who gives away the buffer in which the rest of a batch lies is told that, and that it is no damage", async () => {
  const log = await openLog();
  await log.wal.commitBatch(TEXTS);
  await quiet();
  const reader = log.wal.readable().getReader();
  giveAway((await soon(reader.read())).value);
  const { value } = await soon(reader.read());
  assertThrows(() => value?.text(), WalInputError);
  assertEquals((await log.readAll()).length, 4);
});

function giveAway(entry: Entry | undefined): void {
  if (entry !== undefined) structuredClone(entry.data, { transfer: [entry.data.buffer] });
}
