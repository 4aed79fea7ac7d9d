/**
 * One opener at a time. The lock is the kernel's wherever it can be had: it ends with the process, however that ends, and
 * holds across runtimes, threads, and containers that share the directory.
 *
 * ```text
 * the file `lock`:   0    the log's own mark (see format.ts); never touched here
 *                  512    the owner: a line of JSON, then zeros; all zeros when nobody has the lock
 * ```
 *
 * Who has no kernel lock takes a number instead (see numbered_lock.ts). So that the two kinds keep each other out, each
 * makes its own claim first and looks for the other's then: at least the later of two sees the earlier. The file `lock`
 * is never removed: whoever locked the removed one and whoever locks the new one would both be owners.
 *
 * @module
 */

import { WalLockedError } from "./errors.ts";
import { LOCK_MARK_BYTES, LOCK_NAME } from "./format.ts";
import { describeSelf, encodeLockOwner, LOCK_OWNER_BYTES, nameOf, readLockOwner, writeIfRoom } from "./lock_owner.ts";
import type { LockOwnerRecord } from "./lock_owner.ts";
import { findNumberedHolder, lockedBy, NumberedLock } from "./numbered_lock.ts";
import type { Runtime, RuntimeFile } from "./runtime/port.ts";

/** The right to write into a directory, which one opener has at a time. */
export class DirectoryLock {
  /** The lock file, open for reading and writing: its first bytes are the log's. */
  readonly file: RuntimeFile;
  readonly #withdraw: () => Promise<void>;
  #released: Promise<void> | null = null;

  private constructor(file: RuntimeFile, withdraw: () => Promise<void>) {
    this.file = file;
    this.#withdraw = withdraw;
  }

  /** Takes the lock, or throws {@linkcode WalLockedError} when another has it or may have it. Does not wait. */
  static async acquire(runtime: Runtime, directory: string): Promise<DirectoryLock> {
    const path = runtime.join(directory, LOCK_NAME);
    const file = await runtime.open(path, "create-or-write");
    try {
      const isOurs = await file.tryLock();
      if (isOurs === false) throw new WalLockedError(path, nameOf(await readLivingOwner(runtime, file)));
      const self = await describeSelf(runtime);
      const withdraw = isOurs
        ? await claimByKernel(runtime, directory, file, self)
        : await claimByNumber(runtime, directory, path, file, self);
      return new DirectoryLock(file, withdraw);
    } catch (error) {
      // What went wrong is worth more than that the file does not close after it.
      await file.close().catch(() => {});
      throw error;
    }
  }

  /** Gives the lock back and closes the file. What others find then is a free lock; a second call does nothing. */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    try {
      await this.#withdraw();
    } finally {
      await this.file.close();
    }
  }
}

/** Writes the owner's record, then looks for one who has the lock by number. Resolves to what takes the record back. */
async function claimByKernel(
  runtime: Runtime,
  directory: string,
  file: RuntimeFile,
  self: LockOwnerRecord,
): Promise<() => Promise<void>> {
  await writeIfRoom(file, encodeLockOwner(self), LOCK_MARK_BYTES);
  const withdraw = (): Promise<void> => forgetOwner(file);
  try {
    const holder = await findNumberedHolder(runtime, directory);
    if (holder !== null) throw lockedBy(holder);
  } catch (error) {
    await withdraw();
    throw error;
  }
  return withdraw;
}

/** Takes a number, then looks for one who has the lock by the kernel. Resolves to what takes the number back. */
async function claimByNumber(
  runtime: Runtime,
  directory: string,
  path: string,
  file: RuntimeFile,
  self: LockOwnerRecord,
): Promise<() => Promise<void>> {
  const number = await NumberedLock.acquire(runtime, directory, self);
  try {
    const owner = await readLockOwner(file, LOCK_MARK_BYTES);
    const isAlive = owner === null ? false : await runtime.isAlive(owner);
    // The file itself must stay, for the lock and for the log's mark.
    if (isAlive !== false) throw lockedBy({ path, owner, isAlive }, `cut ${path} to ${LOCK_MARK_BYTES} bytes`);
  } catch (error) {
    await number.release().catch(() => {});
    throw error;
  }
  return () => number.release();
}

/** The owner by the record, unless that is an earlier one's who is proven to be gone: the present one wrote none yet. */
async function readLivingOwner(runtime: Runtime, file: RuntimeFile): Promise<LockOwnerRecord | null> {
  const owner = await readLockOwner(file, LOCK_MARK_BYTES);
  return owner !== null && await runtime.isAlive(owner) === false ? null : owner;
}

async function forgetOwner(file: RuntimeFile): Promise<void> {
  // Only a name is lost or stays where this fails: the lock itself goes with the file.
  await file.write(new Uint8Array(LOCK_OWNER_BYTES), LOCK_MARK_BYTES).catch(() => {});
}
