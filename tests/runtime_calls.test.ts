// What only shows from outside of the process: system calls, limits of the system, permissions, how a process ends.

import { assert, assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { detectRuntime } from "../src/runtime/detect.ts";
import { currentRuntime, runProgram, startProgram } from "./support/processes.ts";
import { inSandbox } from "./support/sandbox.ts";
import { assertRejectsWithCode, assertThrowsWithCode } from "./support/system_code.ts";
import { cannotTrace, traceProgram } from "./support/system_calls.ts";

const notLinux: string | false = process.platform === "linux" ? false : "only Linux has what this test looks at";

test(
  "each call makes one system call, in the pool or on the calling thread as it says",
  { skip: cannotTrace },
  () =>
    inSandbox(async (sandbox) => {
      const calls = await traceProgram(currentRuntime, "calls_program", {
        arguments: [sandbox],
        below: sandbox,
        traceFile: `${sandbox}/strace`,
      });
      const seen = calls.map((call) => {
        const name = call.path === sandbox ? "syncDirectory" : call.path.slice(sandbox.length + 1);
        return `${name}: ${call.name} on ${call.isOnMainThread ? "the main thread" : "another"}`;
      });
      const write = currentRuntime === "deno" ? "write" : "pwrite64";
      // Node locks by a program that inherits the file.
      const locker = currentRuntime === "node" ? "another" : "the main thread";
      assertEquals(seen, [
        `write: ${write} on another`,
        "writeSync: pwrite64 on the main thread",
        "syncData: fdatasync on another",
        "syncDataSync: fdatasync on the main thread",
        "read: pread64 on another",
        "truncate: ftruncate on another",
        `tryLock: flock on ${locker}`,
        "syncDirectory: fsync on another",
      ]);
    }),
);

test(
  "a write that comes back short goes on with the rest, and says why that fails",
  { skip: notLinux },
  () =>
    inSandbox(async (sandbox) => {
      // The shell counts in blocks of 512 bytes. Ignored, the signal for a file too large leaves the write to fail.
      const limitBlocks = 2 ** 18;
      const shell = ["sh", "-c", `trap '' XFSZ; ulimit -f ${limitBlocks}; exec "$0" "$@"`];
      const limitBytes = limitBlocks * 512;
      const results = await runProgram(currentRuntime, "short_write_program", {
        arguments: [sandbox, String(limitBytes)],
        under: shell,
      });
      assertEquals(results, [{ code: "EFBIG", sizeBytes: limitBytes }, { code: "EFBIG", sizeBytes: limitBytes }]);
    }),
);

test("a full disk is ENOSPC, in the pool and on the calling thread", { skip: notLinux }, async () => {
  const file = await (await detectRuntime()).open("/dev/full", "write");
  await assertRejectsWithCode(() => file.write(new Uint8Array(10), 0), "ENOSPC");
  await assertThrowsWithCode(() => file.writeSync(new Uint8Array(10), 0), "ENOSPC");
  await file.close();
});

test("no descriptor is left open, whatever fails", { skip: notLinux }, () =>
  inSandbox(async (sandbox) => {
    const runtime = await detectRuntime();
    const path = runtime.join(sandbox, "file");
    const round = async (): Promise<void> => {
      const file = await runtime.open(path, "create-or-write");
      const other = await runtime.open(path, "read");
      await Promise.all([file.tryLock(), file.write(new Uint8Array(10), 0), file.syncData()]);
      await other.tryLock();
      await Promise.all([file.close(), other.close()]);
      await runtime.syncDirectory(sandbox);
      await assertRejectsWithCode(() => runtime.open(path, "create"), "EEXIST");
      await assertRejectsWithCode(() => runtime.open(sandbox, "write"), "EISDIR");
      await assertRejectsWithCode(() => runtime.syncDirectory(path), "ENOTDIR");
    };
    const opened = (): number => readdirSync("/proc/self/fd").length;
    await round();
    const before = opened();
    for (let i = 0; i < 20; i++) await round();
    // The runtimes open and close some of their own meanwhile.
    assert(opened() < before + 10, `${before} before, ${opened()} after`);
  }));

test("a timer that does not keep the process lets it end, one that does is waited for", async () => {
  const timer = (keep: string, delayMs: number): Promise<unknown> =>
    runProgram(currentRuntime, "timer_program", { arguments: [keep, String(delayMs)] });
  assertEquals(await timer("let-go", 20_000), { hasCalled: false });
  assertEquals(await timer("keep", 30), { hasCalled: true });
});

const inDirectory = {
  "makeDirectory": "done",
  "open": [15, 15],
  "syncDirectory": "done",
  "rename": "done",
  "link": "done",
  "unlink": "done",
  "list": ["renamed"],
  "lock": "done",
  "numbered lock": "done",
  "free space": "null",
  "missing": ["free-space"],
  "alive": "null",
  "ancestor: syncDirectory": "EACCES",
};

test("Deno needs no more than to read and write the directory, and says EACCES to what is outside of it", () =>
  inSandbox(async (sandbox) => {
    const directory = `${sandbox}/wal`;
    const program = startProgram("deno", "limited_program", {
      arguments: [directory, sandbox],
      denoFlags: ["--no-prompt", `--allow-read=${directory}`, `--allow-write=${directory}`],
    });
    const { code, output, errors } = await program.finish();
    assertEquals({ code, errors }, { code: 0, errors: "" });
    assertEquals(JSON.parse(output), {
      ...inDirectory,
      "outside: open": "EACCES",
      "outside: read": "EACCES",
      "outside: list": "EACCES",
      "outside: makeDirectory": "EACCES",
      "outside: rename": "EACCES",
      "outside: link": "EACCES",
      "outside: unlink": "EACCES",
    });
  }));

const noTerminal: string | false = spawnSync("script", ["-qec", "true", "/dev/null"]).status === 0
  ? false
  : "script, of util-linux, is not installed";

test(
  "Deno at a terminal asks nobody for more than the directory",
  { skip: noTerminal },
  () =>
    inSandbox(async (sandbox) => {
      const directory = `${sandbox}/wal`;
      // Gives the program a terminal of its own, where Deno would ask and wait for an answer, here not for ever.
      const quoted =
        `line=; for word; do line="$line '$word'"; done; exec timeout -s KILL 30 script -qec "$line" /dev/null`;
      const program = startProgram("deno", "limited_program", {
        arguments: [directory],
        denoFlags: [`--allow-read=${directory}`, `--allow-write=${directory}`],
        under: ["sh", "-c", quoted, "sh"],
      });
      const { output } = await program.finish();
      assert(!output.includes("requests"), output);
      assertEquals(JSON.parse(output), inDirectory);
    }),
);
