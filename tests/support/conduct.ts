/**
 * How a log treats its disk.
 */

import type { MemoryCall, MemoryDisk, MemoryFault } from "../../src/runtime/memory.ts";
import { type Oracle, Violation } from "./oracle.ts";
import type { User } from "./user.ts";
import { DIRECTORY } from "./workload.ts";

/** What one process met with on its disk, and whether its log leaves a file alone that has failed. */
export class Conduct {
  /** Who has the log open at the moment. */
  user: User | null = null;
  /** How many calls were made to fail, so that the log may complain. */
  faults = 0;
  /** The disk has dropped what it was to write. */
  hasFailedSync = false;
  readonly #oracle: Oracle;
  readonly #failed: Set<string> = new Set();
  readonly #violations: string[] = [];
  /** Open files are known by the names they had when they were opened: which of those name segments by now, by their new names. */
  readonly #segments: Map<string, string> = new Map();

  /** @param oracle Told of syncs that fail. */
  constructor(oracle: Oracle) {
    this.#oracle = oracle;
  }

  /** @param fault What is to become of the call. */
  readonly onCall = ({ name, path, number }: MemoryCall, fault: MemoryFault | undefined): void => {
    if (fault?.code !== undefined) this.faults++;
    // Also where the process ends before it hears of that.
    if (fault?.code !== undefined && name === "syncData") this.hasFailedSync = true;
    if (name === "unlink") this.#forget(path); // another file may bear the name now
    if (name === "makeDirectory") this.#openAnew();
    if (!["write", "syncData", "truncate"].includes(name) || !this.#failed.has(path)) return;
    this.#violations.push(`call ${number}, ${name} ${path}: this file has failed`);
  };

  readonly onReturn = ({ name, path, to }: MemoryCall, error: Error | null): void => {
    if (name === "rename" && error === null && to !== null) this.#renamed(path, to);
    if (name === "syncData" && error !== null) this.#syncFailed(path);
    if (error === null || !("code" in error) || error.code !== "EIO") return;
    if (name !== "write" && name !== "syncData") return;
    // As soon as the log can know it: another call may be on its way to the disk while the answer is on its way back.
    queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => this.#failed.add(path))));
  };

  #syncFailed(path: string): void {
    this.hasFailedSync = true;
    if (this.user === null || !isSegment(path) && ![...this.#segments.values()].includes(path)) return;
    const { syncedLsn, lastLsn } = this.user.wal;
    this.#oracle.syncFailed(syncedLsn, lastLsn);
  }

  #renamed(path: string, to: string): void {
    if (isSegment(to)) this.#segments.set(to, path);
    else if (this.#failed.has(path) || this.#failed.has(this.#segments.get(path) ?? "")) this.#failed.add(to);
  }

  check(disk: MemoryDisk): void {
    const others = disk.violations.filter((violation) => !violation.endsWith("met EIO"));
    // The lock file's owner record is no part of the log: it is taken back even where the mark before it failed.
    const violations = [...this.#violations, ...others].filter((each) => !each.includes(`${DIRECTORY}/lock`));
    if (violations.length > 0) throw new Violation(violations.join("; "));
  }

  /** An open begins, which is told nothing of what failed before, and gives names to spares anew. */
  #openAnew(): void {
    this.#failed.clear();
    this.#segments.clear();
  }

  #forget(path: string): void {
    this.#failed.delete(path);
    for (const [name, before] of this.#segments) if (name === path || before === path) this.#segments.delete(name);
  }
}

function isSegment(path: string): boolean {
  return /\/\d[^/]*$/.test(path);
}
