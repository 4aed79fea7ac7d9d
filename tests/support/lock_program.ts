// Takes and gives back the lock of a directory on command: `acquire`, `release`. On `spawn` it starts a process that
// outlives it, and answers with its number.

import { spawn } from "node:child_process";
import process from "node:process";
import { answerCommands } from "./commands.ts";
import { answerLockCommand, type LockKind, type LockRequest } from "./lock_commands.ts";

const [directory = "", kind = "kernel"] = process.argv.slice(2);

/** Resolves when the other program runs: until then its process is a copy of this one, with all its files. */
function spawnSleeper(): Promise<number | undefined> {
  const child = spawn("sh", ["-c", "echo; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"], detached: true });
  return new Promise((resolve) => child.stdout.once("data", () => resolve(child.pid)));
}

await answerCommands((line) => {
  if (line === "spawn") return spawnSleeper();
  const command = line as LockRequest["command"];
  return answerLockCommand({ command, directory, kind: kind as LockKind });
});
