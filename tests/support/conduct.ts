/**
 * How a log treats its disk.
 */

import type { MemoryCall, MemoryDisk } from "../../src/runtime/memory.ts";
import { Violation } from "./oracle.ts";
import { DIRECTORY } from "./workload.ts";

/** Whether a log leaves a file alone that has failed, and whatever else the disk complains of. */
export class Conduct {
  readonly #failed: Set<string> = new Set();
  readonly #violations: string[] = [];

  readonly onCall = ({ name, path, number }: MemoryCall): void => {
    if (name === "unlink") this.#failed.delete(path); // another file may bear the name now
    if (!["write", "syncData", "truncate"].includes(name) || !this.#failed.has(path)) return;
    this.#violations.push(`call ${number}, ${name} ${path}: this file has failed`);
  };

  readonly onReturn = ({ name, path }: MemoryCall, error: Error | null): void => {
    if (error === null || !("code" in error) || error.code !== "EIO") return;
    if (name !== "write" && name !== "syncData") return;
    // As soon as the log can know it: another call may be on its way to the disk while the answer is on its way back.
    queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => this.#failed.add(path))));
  };

  check(disk: MemoryDisk): void {
    const others = disk.violations.filter((violation) => !violation.endsWith("met EIO"));
    // The lock file's owner record is no part of the log: it is taken back even where the mark before it failed.
    const violations = [...this.#violations, ...others].filter((each) => !each.includes(`${DIRECTORY}/lock`));
    if (violations.length > 0) throw new Violation(violations.join("; "));
  }
}
