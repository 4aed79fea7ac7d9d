// A timer with an owner: it rings once however often it is set, and never after it was taken back.

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { Alarm } from "../src/alarm.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import type { Runtime, RuntimeTimer } from "../src/runtime/port.ts";

/** A runtime whose clock stands still, and the times at which an alarm of it rang. */
function stopped(): { runtime: MemoryRuntime; rings: number[]; ring: () => void } {
  const runtime = new MemoryRuntime({ manualTime: true, now: 0 });
  const rings: number[] = [];
  return { runtime, rings, ring: () => rings.push(runtime.monotonicMs()) };
}

test("an alarm that is set again while it is set rings once, when it was first set to", async () => {
  const { runtime, rings, ring } = stopped();
  const alarm = new Alarm(runtime, true, ring);
  alarm.set(10);
  await runtime.clock.advance(4);
  alarm.set(10);
  alarm.set(1);
  await runtime.clock.advance(100);
  assertEquals(rings, [10]);
});

test("an alarm that has rung can be set again, even by its own ringing", async () => {
  const { runtime, rings, ring } = stopped();
  const alarm: Alarm = new Alarm(runtime, true, () => {
    ring();
    if (rings.length < 3) alarm.set(5);
  });
  alarm.set(1);
  await runtime.clock.advance(100);
  assertEquals(rings, [1, 6, 11]);
});

test("an alarm that was taken back does not ring, and can be set anew to another time", async () => {
  const { runtime, rings, ring } = stopped();
  const alarm = new Alarm(runtime, true, ring);
  alarm.cancel();
  alarm.set(10);
  await runtime.clock.advance(9);
  alarm.cancel();
  alarm.cancel();
  alarm.set(20);
  await runtime.clock.advance(100);
  assertEquals(rings, [29]);
});

test("the process stays for an alarm that its owner says is worth it, and for no other", () => {
  const asked: boolean[] = [];
  const runtime = new MemoryRuntime();
  const setTimer: Runtime["setTimer"] = (_callback, _delayMs, keepAlive): RuntimeTimer => {
    asked.push(keepAlive);
    return { cancel: () => {} };
  };
  Object.assign(runtime, { setTimer });
  for (const keepAlive of [true, false]) new Alarm(runtime, keepAlive, () => {}).set(1);
  assertEquals(asked, [true, false]);
});
