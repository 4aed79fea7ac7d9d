import { assert, assertEquals, assertGreaterOrEqual, assertNotEquals } from "@std/assert";
import { test } from "node:test";
import type { ProcessIdentity, Runtime, RuntimeTimer } from "../../src/runtime/port.ts";
import type { WithSubject } from "./contract_subject.ts";
import { assertRejectsWithCode } from "./system_code.ts";

/** Clock, timers, randomness, checksum, free space, processes. */
export function machineContract(name: string, withSubject: WithSubject): void {
  timers(name, withSubject);
  numbers(name, withSubject);
  processes(name, withSubject);
}

function timers(name: string, withSubject: WithSubject): void {
  test(`${name}: a timer calls back once and never early`, () =>
    withSubject(async ({ runtime }) => {
      // Many, begun at all fractions of a millisecond: some of a runtime's own timers are early by a part of one.
      for (let round = 0; round < 30; round++) {
        await Promise.all([0, 0.4, 1, 3.7, 5].map((delayMs) => callsBackInTime(runtime, delayMs)));
      }
    }));

  test(`${name}: a timer that is taken back does not call, and taking it back late or twice does nothing`, () =>
    withSubject(async ({ runtime }) => {
      let calls = 0;
      const cancelled = runtime.setTimer(() => calls++, 1, true);
      cancelled.cancel();
      cancelled.cancel();
      const timer: RuntimeTimer = runtime.setTimer(() => {}, 1, false);
      await wait(runtime, 10);
      timer.cancel();
      assertEquals(calls, 0);
    }));

  test(`${name}: a delay beyond what the system's timers count is no short delay`, () =>
    withSubject(async ({ runtime }) => {
      let calls = 0;
      const timer = runtime.setTimer(() => calls++, 2 ** 31 + 1000, false);
      await wait(runtime, 20);
      timer.cancel();
      assertEquals(calls, 0);
    }));

  test(`${name}: a timer may take itself back while it calls, and set the next`, () =>
    withSubject(async ({ runtime }) => {
      const second = new Promise<void>((resolve) => {
        const first = runtime.setTimer(
          () => {
            first.cancel();
            runtime.setTimer(resolve, 1, true);
          },
          1,
          true,
        );
      });
      await second;
    }));
}

async function callsBackInTime(runtime: Runtime, delayMs: number): Promise<void> {
  let calls = 0;
  const startMs = runtime.monotonicMs();
  const tookMs = await new Promise<number>((resolve) => {
    runtime.setTimer(
      () => {
        calls++;
        resolve(runtime.monotonicMs() - startMs);
      },
      delayMs,
      true,
    );
    assertEquals(calls, 0);
  });
  // The difference of two fractions may be short of itself by a hair.
  assertGreaterOrEqual(tookMs, delayMs - 1e-6);
  await wait(runtime, 3);
  assertEquals(calls, 1);
}

function numbers(name: string, withSubject: WithSubject): void {
  test(`${name}: the clock has whole milliseconds, and monotonic time does not go back`, () =>
    withSubject(async ({ runtime }) => {
      assert(Number.isSafeInteger(runtime.now()));
      const startMs = runtime.monotonicMs();
      let lastMs = startMs;
      for (let i = 0; i < 1000; i++) {
        const nowMs = runtime.monotonicMs();
        assertGreaterOrEqual(nowMs, lastMs);
        lastMs = nowMs;
      }
      await wait(runtime, 20);
      assertGreaterOrEqual(runtime.monotonicMs(), startMs + 20 - 1e-6);
    }));

  test(`${name}: random bytes fill all that they were asked for, and are others each time`, () =>
    withSubject(({ runtime }) => {
      const [first, second] = [new Uint8Array(200_000), new Uint8Array(200_000)];
      runtime.randomize(first);
      runtime.randomize(second.subarray(0, -8));
      assertNotEquals(first.subarray(0, 16), second.subarray(0, 16));
      for (let start = 0; start < first.length; start += 1000) {
        assert(first.subarray(start, start + 1000).some((byte) => byte !== 0));
      }
      assertEquals(second.subarray(-8), new Uint8Array(8));
      runtime.randomize(new Uint8Array(0));
      return Promise.resolve();
    }));

  test(`${name}: a CRC-32 of its own, if there is one, is the IEEE one and goes on from a seed`, () =>
    withSubject(({ runtime: { crc32 } }) => {
      if (crc32 === null) return Promise.resolve();
      const all = new TextEncoder().encode("123456789");
      assertEquals(crc32(all, 0), 0xcbf43926);
      for (let at = 0; at <= all.length; at++) {
        assertEquals(crc32(all.subarray(at), crc32(all.subarray(0, at), 0)), 0xcbf43926);
      }
      return Promise.resolve();
    }));

  test(`${name}: free space is a number, or said to be missing`, () =>
    withSubject(async ({ runtime, directory }) => {
      const free = await runtime.freeBytes(directory);
      if (free === null) assert(runtime.missing.some((capability) => capability.name === "free-space"));
      else {
        assertGreaterOrEqual(free, 1);
        await assertRejectsWithCode(() => runtime.freeBytes(runtime.join(directory, "missing")), "ENOENT");
      }
    }));

  test(`${name}: what is missing has a reason, and nothing is named twice`, () =>
    withSubject(({ runtime }) => {
      const names = runtime.missing.map((capability) => capability.name);
      assertEquals(new Set(names).size, names.length);
      for (const { reason } of runtime.missing) assert(reason.length > 0);
      return Promise.resolve();
    }));
}

function processes(name: string, withSubject: WithSubject): void {
  test(`${name}: a process knows itself, always as the same, and never thinks itself gone`, () =>
    withSubject(async ({ runtime }) => {
      const self = await runtime.identity();
      assertGreaterOrEqual(self.pid, 1);
      assertEquals(await runtime.identity(), self);
      assertNotEquals(await runtime.isAlive(self), false);
    }));

  test(`${name}: a process of which too little is known is not judged gone`, () =>
    withSubject(async ({ runtime }) => {
      const self = await runtime.identity();
      const unknown: ProcessIdentity = { pid: 4_194_303, startTicks: null, bootId: null, pidNamespace: null };
      const others: ProcessIdentity[] = [
        unknown,
        { ...unknown, pid: self.pid },
        { ...unknown, bootId: self.bootId, startTicks: 1 },
        { ...unknown, bootId: self.bootId, pidNamespace: "of another container" },
        { ...self, bootId: null, startTicks: 1 },
        { ...self, startTicks: null },
      ];
      for (const other of others) assertNotEquals(await runtime.isAlive(other), false);
    }));

  test(`${name}: an earlier boot, and an earlier process of the same number, are known to be gone`, () =>
    withSubject(async ({ runtime }) => {
      const self = await runtime.identity();
      if (self.bootId === null || self.startTicks === null || self.pidNamespace === null) return;
      assertEquals(await runtime.isAlive({ ...self, bootId: "an earlier boot" }), false);
      assertEquals(await runtime.isAlive({ ...self, startTicks: self.startTicks + 1 }), false);
    }));
}

function wait(runtime: Runtime, durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    runtime.setTimer(resolve, durationMs, true);
  });
}
