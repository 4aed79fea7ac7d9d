/**
 * What the programs and threads do that hold locks.
 */

import { WalLockedError, type WalLockOwner } from "../../src/errors.ts";
import { DirectoryLock } from "../../src/lock.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { withoutKernelLock } from "./without_kernel_lock.ts";

/** The kernel's, or where that cannot be had. */
export type LockKind = "kernel" | "numbered";

export const lockKinds: readonly LockKind[] = ["kernel", "numbered"];

export interface LockRequest {
  readonly command: "acquire" | "release";
  readonly directory: string;
  readonly kind: LockKind;
}

export interface LockAnswer {
  readonly isDone: boolean;
  readonly refusal: { readonly message: string; readonly owner: WalLockOwner | null } | null;
}

/** A lock that was taken or given back. */
export const done: LockAnswer = { isDone: true, refusal: null };

let held: DirectoryLock | null = null;

/** Takes the lock, or gives it back. One at a time is held here. */
export async function answerLockCommand({ command, directory, kind }: LockRequest): Promise<LockAnswer> {
  try {
    if (command === "release") await held?.release();
    else held = await acquireLock(kind, directory);
    return done;
  } catch (error) {
    if (!(error instanceof WalLockedError)) throw error;
    return { isDone: false, refusal: { message: error.message, owner: error.owner } };
  }
}

/** Takes a lock of this kind. */
export async function acquireLock(kind: LockKind, directory: string): Promise<DirectoryLock> {
  const runtime = await detectRuntime();
  return await DirectoryLock.acquire(kind === "numbered" ? withoutKernelLock(runtime) : runtime, directory);
}
