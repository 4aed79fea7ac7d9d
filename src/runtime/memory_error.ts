/**
 * The errors of a disk in memory.
 *
 * @module
 */

/** What a system call answers when it fails, in the words of POSIX. */
export class MemoryDiskError extends Error {
  /** The system's name of the failure: `"ENOENT"`, `"EIO"` … */
  readonly code: string;

  /** @param code The system's name of the failure. @param call What was called. @param path On which path. */
  constructor(code: string, call: string, path: string) {
    super(`${code}: ${call} ${path}`);
    this.code = code;
    this.name = "MemoryDiskError";
  }
}
