// Tries the lock of a directory in a thread of its own, and tells who has it.

import { parentPort, workerData } from "node:worker_threads";
import { WalLockedError } from "../../src/errors.ts";
import { DirectoryLock } from "../../src/lock.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { withoutKernelLock } from "./without_kernel_lock.ts";

const { directory, kind } = workerData as { directory: string; kind: string };
const detected = await detectRuntime();
try {
  const lock = await DirectoryLock.acquire(kind === "numbered" ? withoutKernelLock(detected) : detected, directory);
  await lock.release();
  parentPort?.postMessage("taken");
} catch (error) {
  parentPort?.postMessage(error instanceof WalLockedError ? error.owner?.pid : String(error));
}
