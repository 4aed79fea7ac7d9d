// Virtual time.

import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { test } from "node:test";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import { currentRuntime, runProgram } from "./support/processes.ts";

/** A turn of the event loop, and one for each thing that it may have set off. */
async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

test("with manual time nothing happens until it is advanced, and then exactly what is due", async () => {
  const runtime = new MemoryRuntime({ manualTime: true });
  const { clock } = runtime;
  const called: string[] = [];
  for (const delayMs of [30, 10, 20, 10]) {
    runtime.setTimer(() => called.push(`${delayMs} at ${clock.monotonicMs()}`), delayMs, true);
  }
  await turns();
  assertEquals(called, []);
  await clock.advance(9.5);
  assertEquals([called.length, clock.monotonicMs()], [0, 9.5]);
  await clock.advance(10.5);
  assertEquals(called, ["10 at 10", "10 at 10", "20 at 20"]);
  await clock.advance(1000);
  assertEquals([called.length, clock.monotonicMs()], [4, 1020]);
});

test("what a timer sets off goes as far as it can before the next timer, also on the disk", async () => {
  const runtime = new MemoryRuntime({ manualTime: true });
  const file = await runtime.open("/f", "create");
  const called: string[] = [];
  const work = async (name: string): Promise<void> => {
    for (let i = 0; i < 20; i++) await file.write(new Uint8Array(8), i * 8);
    called.push(`${name} at ${runtime.monotonicMs()}`);
    if (name === "first") runtime.setTimer(() => called.push(`new at ${runtime.monotonicMs()}`), 5, true);
  };
  runtime.setTimer(() => void work("first"), 10, true);
  runtime.setTimer(() => void work("second"), 20, true);
  await runtime.clock.advance(20);
  assertEquals(called, ["first at 10", "new at 15", "second at 20"]);
});

test("time does not go back, but the time of day may", async () => {
  const runtime = new MemoryRuntime({ manualTime: true, now: 5000 });
  await runtime.clock.advance(10.25);
  assertEquals([runtime.now(), runtime.monotonicMs()], [5010, 10.25]);
  runtime.clock.jump(-2000);
  assertEquals([runtime.now(), runtime.clock.now(), runtime.monotonicMs()], [3010, 3010, 10.25]);
  await assertRejects(() => runtime.clock.advance(-1), RangeError);
  await assertRejects(() => runtime.clock.advance(NaN), RangeError);
});

test("by itself time moves on to the next timer when nothing else goes on, and not before", async () => {
  const runtime = new MemoryRuntime();
  const file = await runtime.open("/f", "create");
  const startMs = performance.now();
  let isOver = false;
  const hour = new Promise<void>((resolve) => runtime.setTimer(resolve, 3_600_000, true)).then(() => isOver = true);
  for (let i = 0; i < 1000; i++) await file.write(new Uint8Array(8), 0);
  assertEquals([isOver, runtime.monotonicMs()], [false, 0]);
  await hour;
  assertEquals(runtime.monotonicMs(), 3_600_000);
  assertLess(performance.now() - startMs, 10_000);
});

test("a timer that keeps nothing alive is called by itself once, and again only after the process has done something", async () => {
  const runtime = new MemoryRuntime();
  const file = await runtime.open("/f", "create");
  let calls = 0;
  const again = (): void => {
    calls++;
    runtime.setTimer(again, 50, false);
  };
  runtime.setTimer(again, 50, false);
  await turns();
  assertEquals(calls, 1);
  await file.size();
  await turns();
  assertEquals(calls, 2);
  await new Promise<void>((resolve) => runtime.setTimer(resolve, 500, true)); // time that passes for another
  await turns();
  assertEquals(calls, 11);
  await runtime.clock.advance(100);
  assertEquals(calls, 14);
});

test("a timer that is taken back is not called, and one that throws does not stop the others", async () => {
  const runtime = new MemoryRuntime({ manualTime: true });
  let calls = 0;
  const timer = runtime.setTimer(() => calls++, 10, true);
  runtime.setTimer(() => timer.cancel(), 5, true);
  runtime.setTimer(
    () => {
      throw new RangeError("of the test");
    },
    6,
    true,
  );
  runtime.setTimer(() => calls += 10, 20, true);
  await assertRejects(() => runtime.clock.advance(30), RangeError);
  await runtime.clock.advance(30);
  assertEquals(calls, 10);
});

test("neither a clock without timers nor a background timer keeps the program, a timer that is to keep it does", async () => {
  const run = (how: string): Promise<{ calls: number }> =>
    runProgram(currentRuntime, "memory_timer_program", { arguments: [how] });
  assertEquals(await run("none"), { calls: 1 });
  assertEquals(await run("keep"), { calls: 1 });
  assertLess((await run("again")).calls, 10_000);
  assertLess((await run("busy")).calls, 10_000);
});
