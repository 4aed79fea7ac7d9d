// Takes and gives back the lock of a directory on command: `acquire`, `release`. On `spawn` it starts a process that
// outlives it, and answers with its number.

import { spawn } from "node:child_process";
import process from "node:process";
import { WalLockedError } from "../../src/errors.ts";
import { DirectoryLock } from "../../src/lock.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { answerCommands } from "./commands.ts";
import type { LockAnswer } from "./lock_answer.ts";
import { withoutKernelLock } from "./without_kernel_lock.ts";

const [directory = "", kind = "kernel"] = process.argv.slice(2);
const detected = await detectRuntime();
const runtime = kind === "numbered" ? withoutKernelLock(detected) : detected;
let held: DirectoryLock | null = null;

async function answer(command: string): Promise<LockAnswer> {
  try {
    if (command === "release") await held?.release();
    else held = await DirectoryLock.acquire(runtime, directory);
    return { isDone: true, refusal: null };
  } catch (error) {
    if (!(error instanceof WalLockedError)) throw error;
    return { isDone: false, refusal: { message: error.message, owner: error.owner } };
  }
}

/** Resolves when the other program runs: until then its process is a copy of this one, with all its files. */
function spawnSleeper(): Promise<number | undefined> {
  const child = spawn("sh", ["-c", "echo; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"], detached: true });
  return new Promise((resolve) => child.stdout.once("data", () => resolve(child.pid)));
}

await answerCommands((command) => command === "spawn" ? spawnSleeper() : answer(command));
