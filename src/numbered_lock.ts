/**
 * The lock for machines where the kernel's cannot be had: files `lock.1`, `lock.2` …, of which the highest counts.
 *
 * 1. An opener reads the highest. If its owner has not released it and is not proven to be gone, it is refused.
 * 2. It writes its own record into a file of another name and links that as the next number, which only one can.
 * 3. It lists again: a higher number means that others came and went since step 1, and that it must begin anew.
 * 4. It is the owner, and may remove lower numbers.
 *
 * The highest number is never removed, not even on release, where it is only marked: a slow opener between steps 1 and 2
 * could take the number a second time. (To remove a dead owner's file and make one of the same name is what gives two
 * owners: two openers judge it dead, and the slower one removes the file that the faster one has just made.)
 *
 * @module
 */

import { systemCode, WalLockedError } from "./errors.ts";
import { encodeLockOwner, nameOf, readLockOwner, writeIfRoom } from "./lock_owner.ts";
import type { LockOwnerRecord } from "./lock_owner.ts";
import type { Runtime } from "./runtime/port.ts";

const NUMBERED = /^lock\.([1-9][0-9]{0,14})$/;
const UNLINKED = /^lock\.new-[0-9a-f]+$/;

// Each further try means that another opener came and went in between.
const MOST_TRIES = 100;

/** Someone who has the lock, or may have it. */
export interface LockHolder {
  /** The file that says so. */
  readonly path: string;
  /** Who it is, or null where the file does not tell. */
  readonly owner: LockOwnerRecord | null;
  /** True when it is proven to run; null when it cannot be known. */
  readonly isAlive: boolean | null;
}

/** The one number that this opener has. */
export class NumberedLock {
  readonly #runtime: Runtime;
  readonly #path: string;
  readonly #self: LockOwnerRecord;

  private constructor(runtime: Runtime, path: string, self: LockOwnerRecord) {
    this.#runtime = runtime;
    this.#path = path;
    this.#self = self;
  }

  /** Takes the next number, or throws {@linkcode WalLockedError} when the highest has an owner. */
  static async acquire(runtime: Runtime, directory: string, self: LockOwnerRecord): Promise<NumberedLock> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const highest = await findHighest(runtime, directory);
      const holder = highest === 0 ? null : await judge(runtime, numberedPath(runtime, directory, highest));
      if (holder === "gone") continue;
      if (holder !== null) throw lockedBy(holder);
      const number = highest + 1;
      if (!await take(runtime, directory, number, self)) continue;
      const lock = new NumberedLock(runtime, numberedPath(runtime, directory, number), self);
      try {
        if (await findHighest(runtime, directory) === number) {
          await lock.#tidy(directory, number);
          return lock;
        }
        await remove(runtime, lock.#path);
      } catch (error) {
        // What went wrong is worth more than that the number stays taken until this process ends.
        await lock.release().catch(() => {});
        throw error;
      }
    }
    const path = runtime.join(directory, "lock.*");
    throw new WalLockedError(path, null, `it changed hands ${MOST_TRIES} times while this process tried`);
  }

  /** Marks the number as free. The file stays, and nothing is done if it is another's by now. */
  async release(): Promise<void> {
    try {
      const file = await this.#runtime.open(this.#path, "write");
      try {
        const record = await readLockOwner(file, 0);
        if (record !== null && record.token !== this.#self.token) return;
        const isTold = await writeIfRoom(file, encodeLockOwner({ ...this.#self, isReleased: true }), 0);
        // Without room for that the file goes: it was never marked as free, so nobody has taken it over, or passed it by.
        if (!isTold) await remove(this.#runtime, this.#path);
      } finally {
        await file.close();
      }
    } catch (error) {
      // Someone was sure that this process is gone, and removed the file by hand.
      if (systemCode(error) !== "ENOENT") throw error;
    }
  }

  // One lower number is left alone: a list is not taken in one moment, and a slow opener that lists while this number
  // appears and the one before it disappears could see neither.
  async #tidy(directory: string, number: number): Promise<void> {
    for (const name of await this.#runtime.list(directory)) {
      const isOld = numberOf(name) > 0 && numberOf(name) < number - 1;
      // An opener that loses its file this way finds on its next try that the lock is taken.
      if (isOld || UNLINKED.test(name)) await remove(this.#runtime, this.#runtime.join(directory, name));
    }
  }
}

/** Who has the highest number, or null when nobody has. */
export async function findNumberedHolder(runtime: Runtime, directory: string): Promise<LockHolder | null> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const highest = await findHighest(runtime, directory);
    const holder = highest === 0 ? null : await judge(runtime, numberedPath(runtime, directory, highest));
    if (holder !== "gone") return holder;
  }
  return { path: runtime.join(directory, "lock.*"), owner: null, isAlive: true };
}

/** The error that names a holder, and says what to do about one that may be gone. */
export function lockedBy(holder: LockHolder, whatToDo: string = `remove ${holder.path}`): WalLockedError {
  const { path, owner, isAlive } = holder;
  const name = nameOf(owner);
  if (isAlive === true) return new WalLockedError(path, name);
  return new WalLockedError(
    path,
    name,
    "it cannot be told from here whether that one still runs, and nothing but this file locks the log: " +
      `if you are sure that it is gone, ${whatToDo}`,
  );
}

async function judge(runtime: Runtime, path: string): Promise<LockHolder | null | "gone"> {
  let owner: LockOwnerRecord | null;
  try {
    const file = await runtime.open(path, "read");
    try {
      owner = await readLockOwner(file, 0);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemCode(error) === "ENOENT") return "gone";
    throw error;
  }
  if (owner === null) return { path, owner, isAlive: null };
  if (owner.isReleased) return null;
  const isAlive = await runtime.isAlive(owner);
  return isAlive === false ? null : { path, owner, isAlive };
}

/** Links a file with this opener's record as a number; false when another was faster. */
async function take(runtime: Runtime, directory: string, number: number, self: LockOwnerRecord): Promise<boolean> {
  const unlinked = runtime.join(directory, `lock.new-${self.token}`);
  try {
    const file = await runtime.open(unlinked, "create-or-write");
    try {
      // Synced, or a power loss could leave the name without the record, and with nobody who is proven to be gone.
      // On a full disk the number stands without a record: it locks as well, but must be removed by hand after a crash.
      if (await writeIfRoom(file, encodeLockOwner(self), 0)) await file.syncData();
    } finally {
      await file.close();
    }
    await runtime.link(unlinked, numberedPath(runtime, directory, number));
    return true;
  } catch (error) {
    // EEXIST: another has the number. ENOENT: another has it and has tidied up.
    if (!["EEXIST", "ENOENT"].includes(systemCode(error) ?? "")) throw error;
    return false;
  } finally {
    await remove(runtime, unlinked);
  }
}

async function remove(runtime: Runtime, path: string): Promise<void> {
  try {
    await runtime.unlink(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

async function findHighest(runtime: Runtime, directory: string): Promise<number> {
  const names = await runtime.list(directory);
  return names.reduce((highest, name) => Math.max(highest, numberOf(name)), 0);
}

function numberOf(name: string): number {
  return Number(NUMBERED.exec(name)?.[1] ?? 0);
}

function numberedPath(runtime: Runtime, directory: string, number: number): string {
  return runtime.join(directory, `lock.${number}`);
}
