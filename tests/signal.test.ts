// One promise wakes all who wait, once, and never one who came later.

import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Signal } from "../src/signal.ts";

const microtasks = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await null;
};

test("one resolution wakes all who wait, in their order; who comes after it waits for the next", async () => {
  const signal = new Signal();
  const woken: string[] = [];
  const wait = (name: string): Promise<number> => signal.wait().then(() => woken.push(name));
  void wait("a");
  void wait("b");
  assertStrictEquals(signal.wait(), signal.wait());
  signal.notify();
  void wait("c");
  await microtasks();
  assertEquals(woken, ["a", "b"]);
  signal.notify();
  await microtasks();
  assertEquals(woken, ["a", "b", "c"]);
});

test("a call that nobody waited for is not kept for those who come later", async () => {
  const signal = new Signal();
  signal.notify();
  signal.notify();
  let isWoken = false;
  void signal.wait().then(() => isWoken = true);
  await microtasks();
  assertEquals(isWoken, false);
});

test("who waits again as soon as he is woken is not woken twice by one call", async () => {
  const signal = new Signal();
  let times = 0;
  void (async () => {
    while (times < 10) {
      await signal.wait();
      times++;
    }
  })();
  for (const expected of [1, 2, 3]) {
    signal.notify();
    await microtasks();
    assertEquals(times, expected);
  }
});
