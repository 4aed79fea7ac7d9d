// Who is judged gone must be: a lock is taken from it.

import { assertEquals, assertMatch } from "@std/assert";
import { readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import type { ProcessIdentity } from "../src/runtime/port.ts";
import { hasProcess, judgeAlive, readIdentity } from "../src/runtime/process_identity.ts";
import { Program } from "./support/processes.ts";

const notLinux: string | false = process.platform === "linux" ? false : "only Linux tells processes apart this way";
const mayRead = (): boolean => true;

test("a process knows its number, its start, its boot and its namespaces", { skip: notLinux }, () => {
  const self = readIdentity(mayRead);
  assertEquals(self.pid, process.pid);
  assertEquals(self.startTicks, ticksOf(process.pid));
  assertMatch(self.bootId ?? "", /^[0-9a-f-]{36}$/);
  assertMatch(self.pidNamespace ?? "", /^pid:\[\d+\]/);
});

test("a process that may not read /proc knows its number alone, and judges nobody", () => {
  const blind = readIdentity(() => false);
  assertEquals(blind, { pid: process.pid, startTicks: null, bootId: null, pidNamespace: null });
  const self = readIdentity(mayRead);
  for (const owner of [self, blind, { ...self, bootId: "another" }]) {
    assertEquals(judgeAlive(owner, blind, () => false, hasProcess), null);
  }
});

test(
  "a process that runs is alive, and gone when killed, also while nobody has waited for it",
  { skip: notLinux },
  async () => {
    // The shell becomes a program that does not know of the child and so never waits for it; that it answers is the sign.
    const shell = new Program("sh", ["-c", "sleep 10 >/dev/null & echo $!; exec cat"], {});
    try {
      const pid = Number(await shell.nextLine());
      assertEquals(await shell.ask("are you there"), "are you there");
      const owner: ProcessIdentity = { ...readIdentity(mayRead), pid, startTicks: ticksOf(pid) };
      const judge = (): boolean | null => judgeAlive(owner, readIdentity(mayRead), mayRead, hasProcess);
      assertEquals(judge(), true);
      process.kill(pid, "SIGKILL");
      while (stateOf(pid) !== "Z") await new Promise((resolve) => setTimeout(resolve, 1));
      assertEquals(hasProcess(pid), true);
      assertEquals(judge(), false);
    } finally {
      await shell.kill();
    }
  },
);

test("a number that no process bears is gone only if it may be asked for", { skip: notLinux }, () => {
  const self = readIdentity(mayRead);
  // Above the most that Linux gives.
  const owner: ProcessIdentity = { ...self, pid: 2 ** 22 + 1 };
  assertEquals(judgeAlive(owner, self, mayRead, hasProcess), false);
  // With hidepid, /proc does not show the processes of others.
  assertEquals(judgeAlive(owner, self, mayRead, () => null), null);
  assertEquals(judgeAlive(owner, self, mayRead, () => true), null);
});

test("what is no number of a process is asked of nobody", { skip: notLinux }, () => {
  const self = readIdentity(mayRead);
  const refuse = (): never => {
    throw new Error("asked");
  };
  for (const pid of [0, -1, 1.5, NaN]) assertEquals(judgeAlive({ ...self, pid }, self, mayRead, refuse), null);
});

function fieldsOf(pid: number): string[] {
  const line = readFileSync(`/proc/${pid}/stat`, "utf8");
  return line.slice(line.lastIndexOf(")") + 2).split(" ");
}

function stateOf(pid: number): string | undefined {
  return fieldsOf(pid)[0];
}

function ticksOf(pid: number): number {
  return Number(fieldsOf(pid)[19]);
}
