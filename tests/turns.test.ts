// The event loop turns while a log blocks the thread, however the time goes by, and not more often than that takes.

import { test } from "node:test";
import { crc32 } from "node:zlib";
import { assert, assertGreater, assertLess } from "@std/assert";
import { nextHostTask } from "../src/runtime/host_task.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import { Turns } from "../src/turns.ts";
import { Wal } from "../src/wal.ts";
import { DelegatingRuntime } from "./support/delegating_runtime.ts";

test("a turn is due two milliseconds after the first call that blocked, whatever was done in between", () => {
  const turns = new Turns();
  assert(!turns.isDue(1000), "nothing has blocked yet");
  turns.block(1000);
  turns.block(1001.5);
  assert(!turns.isDue(1001.9));
  assert(turns.isDue(1002));
});

test("whenever the loop has turned, by itself or because it was to, the time begins anew", async () => {
  const turns = new Turns();
  turns.block(1000);
  turns.block(1001);
  await nextHostTask();
  await nextHostTask(); // the runtimes differ in which of two comes first
  assert(!turns.isDue(5000));
  turns.block(5000);
  turns.block(5001);
  assert(turns.isDue(5002));
  await turns.next();
  assert(!turns.isDue(9000));
});

test("one call that blocked long ago is no hold: the loop has turned since, and nobody had to ask", () => {
  const turns = new Turns();
  turns.block(1000);
  assert(!turns.isDue(5000));
});

test("a call in the pool lets the loop turn as well", () => {
  const turns = new Turns();
  turns.block(1000);
  turns.block(1001);
  turns.turned();
  assert(!turns.isDue(5000));
});

/** A clock that goes on by so much each time somebody looks at it. */
class SlowLooks extends DelegatingRuntime {
  readonly #stepMs: number;
  #nowMs = 0;

  constructor(stepMs: number) {
    super(new MemoryRuntime({ crc32 }));
    this.#stepMs = stepMs;
  }

  override monotonicMs(): number {
    return this.#nowMs += this.#stepMs;
  }
}

/** How often the loop turns while one commits a thousand times on a disk that blocks. */
async function turnsOf(stepMs: number): Promise<number> {
  const wal = await Wal.open("/wal", { runtime: new SlowLooks(stepMs), io: "blocking" });
  await wal.commit("makes the first segment");
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    if (isOver) return;
    turns++;
    setImmediate(count);
  };
  setImmediate(count);
  for (let nth = 0; nth < 1000; nth++) await wal.commit("entry");
  isOver = true;
  await wal.close();
  return turns;
}

test("a log that blocks lets the loop turn now and then, and on a fast disk that is the exception", async () => {
  assertGreater(await turnsOf(1), 300);
  assertLess(await turnsOf(0.01), 60);
  assertLess(await turnsOf(0), 10);
});
