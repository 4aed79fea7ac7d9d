/**
 * Mutants of section 4: the lock.
 */

import { type Mutant, tests } from "./mutant.ts";

export const locking: readonly Mutant[] = [
  {
    rule: "4 the lock is the kernel's wherever it can be had",
    name: "opens a log that another one has locked",
    file: "src/lock.ts",
    find: `const isOurs = await file.tryLock();`,
    replace: `const isOurs = await file.tryLock() !== null;`,
    caughtBy: tests("wal", "a second opener is turned away"),
  },
  {
    rule: "4 the file also names its owner",
    name: "does not write down who has the lock",
    file: "src/lock.ts",
    find: `  await writeIfRoom(file, encodeLockOwner(self), LOCK_MARK_BYTES);\n`,
    replace: `  void encodeLockOwner(self), writeIfRoom;\n`,
    caughtBy: tests("wal", "a second opener is turned away"),
  },
  {
    rule: "4 both kinds of lock exclude each other",
    name: "with a kernel's lock does not look for one by number",
    file: "src/lock.ts",
    find: `if (holder !== null) throw lockedBy(holder);`,
    replace: ``,
    caughtBy: tests("lock_orders", "one with a kernel's lock and one without"),
  },
  {
    rule: "4 both kinds of lock exclude each other",
    name: "with a number does not look for a kernel's lock",
    file: "src/lock.ts",
    find: `if (isAlive !== false) throw lockedBy(`,
    replace: `if (isAlive === undefined) throw lockedBy(`,
    caughtBy: tests("lock_orders", "one with a kernel's lock and one without"),
  },
  {
    rule: "4 an owner that is not provably dead is never judged dead",
    name: "judges an owner dead of whom nobody can know",
    file: "src/numbered_lock.ts",
    find: `return isAlive === false ? null : { path, owner, isAlive };`,
    replace: `return isAlive !== true ? null : { path, owner, isAlive };`,
    caughtBy: tests("numbered_lock", "an owner that is not proven to be gone keeps the lock"),
  },
  {
    rule: "4 one opener at a time, for a machine without flock",
    name: "does not list again after it has taken a number",
    file: "src/numbered_lock.ts",
    find: `if (await findHighest(runtime, directory) === number) {`,
    replace: `if (number > 0) {`,
    caughtBy: tests("lock_orders", "one that is slow while others come and go"),
  },
  {
    rule: "4 one opener at a time, for a machine without flock",
    name: "takes a number that another one has",
    file: "src/numbered_lock.ts",
    find: `    await runtime.link(unlinked, numberedPath(runtime, directory, number));\n`,
    replace: `    await runtime.rename(unlinked, numberedPath(runtime, directory, number));\n`,
    caughtBy: tests("lock_orders", "two who find a dead owner's number"),
  },
  {
    rule: "4 the file names its owner",
    name: "does not sync the record of a number",
    file: "src/numbered_lock.ts",
    find: `if (await writeIfRoom(file, encodeLockOwner(self), 0)) await file.syncData();`,
    replace: `await writeIfRoom(file, encodeLockOwner(self), 0);`,
    caughtBy: tests("numbered_lock", "a power loss at any time leaves no number without its record"),
  },
];
