import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import process from "node:process";
import { test } from "node:test";
import { WalLockedError } from "../src/errors.ts";
import { DirectoryLock } from "../src/lock.ts";
import { detectRuntime } from "../src/runtime/detect.ts";
import { MemoryDisk, MemoryRuntime } from "../src/runtime/memory.ts";
import type { Runtime } from "../src/runtime/port.ts";
import { DelegatingRuntime } from "./support/delegating_runtime.ts";
import { faults } from "./support/faults.ts";
import { done, type LockAnswer } from "./support/lock_commands.ts";
import { currentRuntime, runtimeNames, startProgram } from "./support/processes.ts";
import type { Program } from "./support/processes.ts";
import { inSandbox } from "./support/sandbox.ts";
import { assertRejectsWithCode } from "./support/system_code.ts";

for (const holderName of runtimeNames) {
  for (const otherName of runtimeNames) {
    test(`${holderName} has the lock: ${otherName} is refused and names it, and has it once that is killed`, () =>
      inSandbox((sandbox) =>
        withPrograms(async (start) => {
          const [holder, other] = [start(holderName, sandbox), start(otherName, sandbox)];
          assertEquals(await tell(holder, "acquire"), done);
          const { isDone, refusal } = await tell(other, "acquire");
          assertEquals(isDone, false);
          assertEquals([refusal?.owner?.pid, refusal?.owner?.runtime], [holder.pid, holderName]);
          assertStringIncludes(refusal?.message ?? "", `process ${holder.pid} (${holderName})`);
          await holder.kill();
          assertEquals(await tell(other, "acquire"), done);
        })
      ));
  }
}

test("a lock given back is another process's at the next moment, and the other way round", () =>
  inSandbox((sandbox) =>
    withPrograms(async (start) => {
      const programs = runtimeNames.map((name) => start(name, sandbox));
      for (let round = 0; round < 2; round++) {
        for (const program of programs) {
          assertEquals(await tell(program, "acquire"), done);
          assertEquals(await tell(program, "release"), done);
        }
      }
    })
  ));

test("the lock ends with its owner, though a process that the owner started goes on", () =>
  inSandbox((sandbox) =>
    withPrograms(async (start) => {
      const [holder, other] = [start(currentRuntime, sandbox), start(currentRuntime, sandbox)];
      await tell(holder, "acquire");
      const sleeper = Number(await holder.ask("spawn"));
      try {
        await holder.kill();
        assertEquals(await tell(other, "acquire"), done);
      } finally {
        process.kill(sleeper, "SIGKILL");
      }
    })
  ));

test("a second open in the same process is refused and names the process", () =>
  inSandbox(async (sandbox) => {
    const runtime = await detectRuntime();
    const lock = await DirectoryLock.acquire(runtime, sandbox);
    const { owner } = await refusalOf(runtime, sandbox);
    assertEquals([owner?.pid, owner?.runtime], [process.pid, currentRuntime]);
    await lock.release();
    await (await DirectoryLock.acquire(runtime, sandbox)).release();
  }));

test("a killed owner's name is not given for the one who has the lock now", () =>
  inSandbox((sandbox) =>
    withPrograms(async (start) => {
      const holder = start(currentRuntime, sandbox);
      await tell(holder, "acquire");
      await holder.kill();
      const runtime = await detectRuntime();
      // It has the lock, and has not come to write its name.
      const file = await runtime.open(runtime.join(sandbox, "lock"), "write");
      assertEquals(await file.tryLock(), true);
      const { owner, message } = await refusalOf(runtime, sandbox);
      assertEquals(owner, null);
      assertStringIncludes(message, "has not written its name yet");
      await file.close();
    })
  ));

test("the log's mark at the start of the lock file outlives every owner", async () => {
  const { disk, runtime } = memory();
  const mark = new Uint8Array(512).fill(0xa5);
  const first = await DirectoryLock.acquire(runtime, "/log");
  await first.file.write(mark, 0);
  await first.release();
  const killed = new MemoryRuntime({ disk });
  await DirectoryLock.acquire(killed, "/log");
  killed.stop();
  const last = await DirectoryLock.acquire(new MemoryRuntime({ disk }), "/log");
  const read = new Uint8Array(512);
  assertEquals(await last.file.read(read, 0), 512);
  assertEquals(read, mark);
  await last.release();
  assertEquals(disk.read("/log/lock").subarray(0, 512), mark);
});

test("the owner is a line of JSON behind the mark while there is one, and zeros when there is none", async () => {
  const { disk, runtime } = memory();
  const lock = await DirectoryLock.acquire(runtime, "/log");
  const { pid } = await runtime.identity();
  const record = (): Uint8Array => disk.read("/log/lock").subarray(512);
  assertEquals(record().length, 512);
  const [line = "", rest = ""] = new TextDecoder().decode(record()).split("\n");
  const { pid: written, runtime: name, since } = JSON.parse(line);
  assertEquals([written, name, since], [pid, "memory", runtime.now()]);
  assertEquals(rest.replaceAll("\0", ""), "");
  await lock.release();
  assertEquals(record(), new Uint8Array(512));
});

test("an owner whose runtime has a name of any length and kind is still named, and harms nothing", async () => {
  const { disk, runtime } = memory();
  const odd = new OddlyNamedRuntime(runtime);
  const lock = await DirectoryLock.acquire(odd, "/log");
  const { owner } = await refusalOf(new MemoryRuntime({ disk }), "/log");
  assertEquals(owner?.pid, (await runtime.identity()).pid);
  await lock.release();
});

test("giving the lock back twice does nothing, and not to whoever has it then", async () => {
  const { disk, runtime } = memory();
  const first = await DirectoryLock.acquire(runtime, "/log");
  await Promise.all([first.release(), first.release()]);
  const second = await DirectoryLock.acquire(new MemoryRuntime({ disk }), "/log");
  await first.release();
  await refusalOf(runtime, "/log");
  await second.release();
});

test("what was no owner's record is no name, and is overwritten by the next owner", async () => {
  const { disk, runtime } = memory();
  for (
    const text of ["", "not JSON\n", "null\n", "{}\n", '{"pid":"1"}\n', `{"pid":1,"since":1e300}\n`, "\xff".repeat(512)]
  ) {
    disk.write("/log/lock", new Uint8Array([...new Uint8Array(512), ...new TextEncoder().encode(text)]));
    const file = await runtime.open("/log/lock", "write");
    assertEquals(await file.tryLock(), true);
    assertEquals((await refusalOf(runtime, "/log")).owner, null);
    await file.close();
    await (await DirectoryLock.acquire(runtime, "/log")).release();
  }
});

test("an acquisition that fails leaves no file open and no lock behind", async () => {
  const { disk, runtime } = memory();
  for (const call of ["tryLock", "write", "list"] as const) {
    const faulty = new MemoryRuntime({ disk, onCall: faults().fail(call).onCall });
    await assertRejectsWithCode(() => DirectoryLock.acquire(faulty, "/log"), "EIO");
    assertEquals(faulty.openFiles, []);
    const lock = await DirectoryLock.acquire(new MemoryRuntime({ disk }), "/log");
    await assertRejects(() => DirectoryLock.acquire(runtime, "/log"), WalLockedError);
    assertEquals(runtime.openFiles, []);
    await lock.release();
  }
});

test("a missing directory is ENOENT, and is not made", async () => {
  const { disk, runtime } = memory();
  await assertRejectsWithCode(() => DirectoryLock.acquire(runtime, "/missing"), "ENOENT");
  assertEquals(disk.names("/"), ["log"]);
});

test("a full disk keeps nobody from the lock, and others still out", async () => {
  const { disk, runtime } = memory();
  disk.sizeBytes = disk.usedBytes;
  const lock = await DirectoryLock.acquire(runtime, "/log");
  assertEquals((await refusalOf(new MemoryRuntime({ disk }), "/log")).owner, null);
  await lock.release();
  await (await DirectoryLock.acquire(new MemoryRuntime({ disk }), "/log")).release();
});

class OddlyNamedRuntime extends DelegatingRuntime {
  override readonly name: string = '"\n\u{1F512}'.repeat(500);
}

function memory(): { disk: MemoryDisk; runtime: MemoryRuntime } {
  const disk = new MemoryDisk({ files: { "/log/other": new Uint8Array(1) } });
  return { disk, runtime: new MemoryRuntime({ disk }) };
}

async function refusalOf(runtime: Runtime, directory: string): Promise<WalLockedError> {
  const error = await assertRejects(() => DirectoryLock.acquire(runtime, directory));
  assertInstanceOf(error, WalLockedError);
  assertEquals(error.code, "WAL_LOCKED");
  assert(error.message.includes(`${directory}/lock`), error.message);
  return error;
}

async function tell(program: Program, command: string): Promise<LockAnswer> {
  return JSON.parse(await program.ask(command)) as LockAnswer;
}

/** Every program that the body starts is gone afterwards. */
async function withPrograms(
  body: (start: (runtime: typeof currentRuntime, directory: string) => Program) => Promise<void>,
): Promise<void> {
  const programs: Program[] = [];
  try {
    await body((runtime, directory) => {
      const program = startProgram(runtime, "lock_program", { arguments: [directory, "kernel"] });
      programs.push(program);
      return program;
    });
  } finally {
    await Promise.all(programs.map((program) => program.kill()));
  }
}
