import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLessOrEqual,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import process from "node:process";
import { test } from "node:test";
import { WalLockedError } from "../src/errors.ts";
import { DirectoryLock } from "../src/lock.ts";
import { detectRuntime } from "../src/runtime/detect.ts";
import { MemoryDisk, MemoryRuntime } from "../src/runtime/memory.ts";
import type { ProcessIdentity, Runtime } from "../src/runtime/port.ts";
import { DelegatingRuntime } from "./support/delegating_runtime.ts";
import { faults } from "./support/faults.ts";
import { done, type LockAnswer, lockKinds } from "./support/lock_commands.ts";
import { runtimeNames, startProgram } from "./support/processes.ts";
import type { Program, RuntimeName } from "./support/processes.ts";
import { inSandbox } from "./support/sandbox.ts";
import { assertRejectsWithCode } from "./support/system_code.ts";
import { withoutKernelLock } from "./support/without_kernel_lock.ts";

for (const holderName of runtimeNames) {
  for (const kind of lockKinds) {
    test(`${holderName} has a ${kind} lock: who takes numbers, or the kernel's, is refused until that process is killed`, () =>
      inSandbox(async (sandbox) => {
        const detected = await detectRuntime();
        const openers = [withoutKernelLock(detected), detected];
        const holder = startProgram(holderName, "lock_program", { arguments: [sandbox, kind] });
        try {
          const answer = JSON.parse(await holder.ask("acquire")) as LockAnswer;
          assertEquals(answer, done);
          for (const opener of openers) {
            const { owner } = await refusalOf(opener, sandbox);
            assertEquals([owner?.pid, owner?.runtime], [holder.pid, holderName]);
          }
        } finally {
          await holder.kill();
        }
        for (const opener of openers) await (await DirectoryLock.acquire(opener, sandbox)).release();
      }));
  }
}

test("a number keeps out a second open of the same process, and who has a kernel's lock", () =>
  inSandbox(async (sandbox) => {
    const detected = await detectRuntime();
    const runtime = withoutKernelLock(detected);
    const lock = await DirectoryLock.acquire(runtime, sandbox);
    for (const opener of [runtime, detected]) {
      const { owner, message } = await refusalOf(opener, sandbox);
      assertEquals(owner?.pid, process.pid);
      assertStringIncludes(message, "lock.1");
    }
    await lock.release();
    for (const opener of [runtime, detected]) await (await DirectoryLock.acquire(opener, sandbox)).release();
  }));

test("a Node that finds no flock(1) takes a number, and Deno and Bun, which have the kernel's lock, respect it", () =>
  inSandbox(async (sandbox) => {
    const start = (name: RuntimeName, environment: Record<string, string>): Program =>
      startProgram(name, "lock_program", { arguments: [sandbox, "kernel"], environment });
    const programs = [start("node", { PATH: sandbox }), start("deno", {}), start("bun", {})];
    const [node, ...others] = programs;
    try {
      assertEquals(JSON.parse(await node?.ask("acquire") ?? ""), done);
      assertEquals((await (await detectRuntime()).list(sandbox)).sort(), ["lock", "lock.1"]);
      for (const other of others) {
        const { refusal } = JSON.parse(await other.ask("acquire")) as LockAnswer;
        assertEquals([refusal?.owner?.pid, refusal?.owner?.runtime], [node?.pid, "node"]);
      }
      await node?.kill();
      for (const other of others) {
        assertEquals(JSON.parse(await other.ask("acquire")), done);
        assertEquals(JSON.parse(await other.ask("release")), done);
      }
    } finally {
      await Promise.all(programs.map((program) => program.kill()));
    }
  }));

test("the highest number stays when it is given back, and old ones go", async () => {
  const { disk, runtime } = memory();
  let highest = 0;
  for (let round = 1; round <= 12; round++) {
    const lock = await DirectoryLock.acquire(runtime, "/log");
    await Promise.all([lock.release(), lock.release()]);
    const numbers = disk.names("/log").filter((name) => /^lock\.[0-9]/.test(name)).map((name) => Number(name.slice(5)));
    assertLessOrEqual(numbers.length, 2);
    assertEquals(Math.max(...numbers), ++highest);
  }
});

test("an owner that is not proven to be gone keeps the lock, and the error says what to do when one is sure", async () => {
  const { disk, runtime } = memory();
  await DirectoryLock.acquire(runtime, "/log");
  runtime.stop();
  const stranger = new StrangeRuntime(new MemoryRuntime({ disk, kernelLock: false }));
  const { owner, message } = await refusalOf(stranger, "/log");
  assertEquals(owner?.pid, (await runtime.identity()).pid);
  assertStringIncludes(message, "if you are sure that it is gone, remove /log/lock.1");
  await refusalOf(new StrangeRuntime(new MemoryRuntime({ disk })), "/log");
  disk.remove("/log/lock.1");
  await (await DirectoryLock.acquire(stranger, "/log")).release();
});

test("a number without a record has an owner that nobody knows", async () => {
  for (const bytes of [new Uint8Array(0), new Uint8Array(512), new TextEncoder().encode('{"pid":')]) {
    const { disk, runtime } = memory();
    disk.write("/log/lock.41", bytes);
    const { owner, message } = await refusalOf(runtime, "/log");
    assertEquals(owner, null);
    assertStringIncludes(message, "remove /log/lock.41");
    disk.remove("/log/lock.41");
    await (await DirectoryLock.acquire(runtime, "/log")).release();
  }
});

test("a kernel's owner that is not proven to be gone keeps out who takes numbers, and the mark need not go with it", async () => {
  const disk = new MemoryDisk({ files: { "/log/other": new Uint8Array(1) } });
  const killed = new MemoryRuntime({ disk });
  await (await DirectoryLock.acquire(killed, "/log")).file.write(new Uint8Array(512).fill(9), 0);
  killed.stop();
  const stranger = new StrangeRuntime(new MemoryRuntime({ disk, kernelLock: false }));
  const { owner, message } = await refusalOf(stranger, "/log");
  assertEquals(owner?.pid, (await killed.identity()).pid);
  assertStringIncludes(message, "if you are sure that it is gone, cut /log/lock to 512 bytes");
  disk.write("/log/lock", disk.read("/log/lock").subarray(0, 512));
  await (await DirectoryLock.acquire(stranger, "/log")).release();
  assertEquals(disk.read("/log/lock"), new Uint8Array(512).fill(9));
});

test("names that only look like numbers are none", async () => {
  const { disk, runtime } = memory();
  const others = [
    "lock.0",
    "lock.01",
    "lock.-1",
    "lock.1.2",
    "lock.1e3",
    "lock.9999999999999999",
    "xlock.5",
    "lock.new",
  ];
  for (const name of others) disk.write(`/log/${name}`, new Uint8Array(1));
  const lock = await DirectoryLock.acquire(runtime, "/log");
  assertEquals(disk.names("/log").sort(), ["lock", "lock.1", "other", ...others].sort());
  await lock.release();
});

test("what an opener left that was killed before it had a number is tidied up by the next owner", async () => {
  const { disk, runtime } = memory();
  disk.write("/log/lock.new-0123456789abcdef", new Uint8Array(512));
  const lock = await DirectoryLock.acquire(runtime, "/log");
  assertEquals(disk.names("/log"), ["lock", "lock.1", "other"]);
  await lock.release();
});

test("an owner whose file was removed by hand does not give back the lock of the next", async () => {
  const { disk, runtime } = memory();
  const first = await DirectoryLock.acquire(runtime, "/log");
  disk.remove("/log/lock.1");
  const second = await DirectoryLock.acquire(new MemoryRuntime({ disk, kernelLock: false }), "/log");
  await first.release();
  await refusalOf(runtime, "/log");
  await second.release();
  const third = await DirectoryLock.acquire(runtime, "/log");
  disk.remove("/log/lock.2");
  disk.remove("/log/lock.1");
  await third.release();
  assertEquals(disk.names("/log"), ["lock", "other"]);
});

test("a power loss at any time leaves no number without its record: the next boot has the lock", async () => {
  for (let seed = 0; seed < 60; seed++) {
    const { disk, runtime } = memory();
    const lock = await DirectoryLock.acquire(runtime, "/log");
    if (seed % 3 === 0) await lock.release();
    const next = new MemoryRuntime({ disk: disk.powerLoss(seed), kernelLock: false });
    await (await DirectoryLock.acquire(next, "/log")).release();
  }
});

test("on a full disk a number is taken without a record, and keeps others out all the same", async () => {
  const { disk, runtime } = memory();
  disk.sizeBytes = disk.usedBytes;
  const lock = await DirectoryLock.acquire(runtime, "/log");
  const other = new MemoryRuntime({ disk, kernelLock: false });
  assertEquals((await refusalOf(other, "/log")).owner, null);
  disk.sizeBytes = 1_000_000;
  await lock.release();
  await (await DirectoryLock.acquire(other, "/log")).release();
});

test("an acquisition that fails, at whichever call, leaves no file open and keeps nobody out", async () => {
  for (const [call, nth] of [["write", 1], ["list", 1], ["list", 2], ["list", 3]] as const) {
    const { disk } = memory();
    const faulty = new MemoryRuntime({ disk, kernelLock: false, onCall: faults().fail(call, { nth }).onCall });
    await assertRejectsWithCode(() => DirectoryLock.acquire(faulty, "/log"), "EIO");
    assertEquals(faulty.openFiles, []);
    assert(disk.names("/log").every((name) => !name.includes("new")), disk.names("/log").join());
    const lock = await DirectoryLock.acquire(new MemoryRuntime({ disk, kernelLock: false }), "/log");
    await lock.release();
  }
});

/** A process of another container: of no other process it can be proven whether it runs. */
class StrangeRuntime extends DelegatingRuntime {
  override isAlive(_owner: ProcessIdentity): Promise<null> {
    return Promise.resolve(null);
  }
}

function memory(): { disk: MemoryDisk; runtime: MemoryRuntime } {
  const disk = new MemoryDisk({ files: { "/log/other": new Uint8Array(1) } });
  return { disk, runtime: new MemoryRuntime({ disk, kernelLock: false }) };
}

async function refusalOf(runtime: Runtime, directory: string): Promise<WalLockedError> {
  const error = await assertRejects(() => DirectoryLock.acquire(runtime, directory));
  assertInstanceOf(error, WalLockedError);
  return error;
}
