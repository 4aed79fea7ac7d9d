/**
 * The adapter for Node.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { systemCode } from "../errors.ts";
import { NodeFile } from "./node_file.ts";
import type { OpenMode, RuntimeFile } from "./port.ts";
import { SystemRuntime } from "./system_runtime.ts";

// Where flock(1) finds the descriptor that it inherits.
const INHERITED_DESCRIPTOR = 3;

// A network file system that does not answer shall not hold the process for good.
const LOCK_TIMEOUT_MS = 10_000;

/** Node, on `node:fs`; every call that may wait for the disk runs in the thread pool. */
export class NodeRuntime extends SystemRuntime {
  /** `"node"`. */
  readonly name: string = "node";

  /** See the port. */
  async open(path: string, mode: OpenMode): Promise<RuntimeFile> {
    return new NodeFile(await this.openDescriptor(path, mode), (descriptor) => this.#lock(descriptor));
  }

  /**
   * Node has no lock of its own. flock(1), which comes with util-linux and with busybox, locks the open file that it
   * inherits and ends; the lock is on the open file, not on the process, and so stays with this one.
   */
  #lock(descriptor: number): Promise<boolean | null> {
    const { status, stderr, error } = spawnSync("flock", ["-xn", String(INHERITED_DESCRIPTOR)], {
      stdio: ["ignore", "ignore", "pipe", descriptor],
      encoding: "utf8",
      timeout: LOCK_TIMEOUT_MS,
    });
    if (status === 0) return Promise.resolve(true);
    // Held by another, it ends with 1 and says nothing; whatever else is wrong, it says so.
    if (status === 1 && stderr === "") return Promise.resolve(false);
    const why = systemCode(error) ?? (stderr.trim() || `it ended with ${status}`);
    this.noteMissing("kernel-lock", `Node locks files by the program flock, of util-linux, and that failed: ${why}`);
    return Promise.resolve(null);
  }
}
