/**
 * The adapter for Deno.
 *
 * @module
 */

import * as fs from "node:fs";
import { NodeFile, nothingWritten } from "./node_file.ts";
import type { Done, LockDescriptor } from "./node_file.ts";
import type { OpenMode, RuntimeFile } from "./port.ts";
import { hasProcess } from "./process_identity.ts";
import { SystemError, withSystemCode } from "./system_error.ts";
import { SystemRuntime } from "./system_runtime.ts";

/** Deno's own handle of an open file. */
interface DenoHandle {
  write(bytes: Uint8Array): Promise<number>;
  seekSync(offset: number, whence: number): number;
  tryLockSync(exclusive: boolean): boolean;
  statSync(): { readonly dev: number; readonly ino: number | null };
  close(): void;
}

type PermissionQuestion =
  | { readonly name: "read"; readonly path: string }
  | { readonly name: "sys"; readonly kind: "statfs" }
  | { readonly name: "run" };

// As much of Deno as is needed: the types of Deno itself are not there when the package is compiled for Node.
declare const Deno: {
  readonly build: { readonly os: string };
  readonly permissions: { querySync(question: PermissionQuestion): { readonly state: string } };
  mkdir(path: string, options: { readonly recursive: boolean }): Promise<void>;
  lstat(path: string): Promise<{ readonly isDirectory: boolean }>;
  openSync(path: string, options: { read: boolean; write: boolean }): DenoHandle;
};

const SEEK_FROM_START = 0;

/**
 * Deno, on its `node:fs` and, where that would block the event loop or cannot lock, on a second open file of its own.
 * Needs permission to read and write the directory of the log and no other.
 */
export class DenoRuntime extends SystemRuntime {
  /** `"deno"`. */
  readonly name: string = "deno";

  /** Knows by the permissions granted what is missing. */
  constructor() {
    super();
    if (!this.mayAskFreeSpace()) {
      this.noteMissing("free-space", "Deno asks for free space only with --allow-sys=statfs");
    }
    if (Deno.build.os === "windows") this.noteMissing("kernel-lock", "a lock on Windows keeps its owner out as well");
  }

  /** See the port. */
  async open(path: string, mode: OpenMode): Promise<RuntimeFile> {
    const descriptor = await this.openDescriptor(path, mode);
    try {
      const handle = openHandle(path, descriptor, mode !== "read");
      return new DenoFile(descriptor, handle, () => Promise.resolve().then(() => this.#lock(handle)));
    } catch (error) {
      await new Promise<void>((resolve) => fs.close(descriptor, () => resolve()));
      throw withSystemCode(error);
    }
  }

  #lock(handle: DenoHandle): boolean | null {
    if (Deno.build.os === "windows") return null; // a lock there would keep its owner out as well
    try {
      return handle.tryLockSync(true);
    } catch (error) {
      const { code, message } = withSystemCode(error) as SystemError;
      if (!["ENOTSUP", "EOPNOTSUPP", "ENOSYS", "ENOLCK", "EINVAL"].includes(code)) throw error;
      this.noteMissing("kernel-lock", `the file system has no locks: ${message}`);
      return null;
    }
  }

  /** Deno's own, because the one of `node:fs` looks at the directories above and would prompt for them. */
  override async makeDirectory(path: string): Promise<void> {
    await Deno.mkdir(path, { recursive: true }).catch((error) => {
      throw withSystemCode(error);
    });
  }

  /** Looks first: Deno has no call that removes files alone, and each of its own removes an empty directory as well. */
  override async unlink(path: string): Promise<void> {
    const { isDirectory } = await Deno.lstat(path).catch((error) => {
      throw withSystemCode(error);
    });
    if (isDirectory) throw new SystemError("EISDIR", `EISDIR: illegal operation on a directory, unlink '${path}'`);
    await super.unlink(path);
  }

  /** Asked before anything that the log does for its own sake, since Deno would prompt whoever sits at the terminal. */
  protected override mayRead(path: string): boolean {
    return isGranted({ name: "read", path });
  }

  /** See {@linkcode SystemRuntime}. */
  protected override mayAskFreeSpace(): boolean {
    return isGranted({ name: "sys", kind: "statfs" });
  }

  /** See {@linkcode SystemRuntime}. */
  protected override hasProcess(pid: number): boolean | null {
    return isGranted({ name: "run" }) ? hasProcess(pid) : null;
  }
}

/**
 * Positional reads and syncs go by the descriptor, writes in the pool by the handle: Deno's `node:fs` writes on the main
 * thread even where it is asked for a promise.
 */
class DenoFile extends NodeFile {
  readonly #handle: DenoHandle;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(descriptor: number, handle: DenoHandle, lock: LockDescriptor) {
    super(descriptor, lock);
    this.#handle = handle;
  }

  // The handle has but one position, so one write waits for the other.
  override write(bytes: Uint8Array, position: number): Promise<void> {
    return this.pooled((done: Done<void>) => {
      const write = this.#lastWrite.then(() => this.#writeAt(bytes, position));
      this.#lastWrite = write.catch(() => {});
      write.then(() => done(null), done);
    });
  }

  async #writeAt(bytes: Uint8Array, position: number): Promise<void> {
    if (bytes.length === 0) return;
    this.#handle.seekSync(position, SEEK_FROM_START);
    for (let count = 0; count < bytes.length;) {
      const wroteNow = await this.#handle.write(count === 0 ? bytes : bytes.subarray(count));
      if (wroteNow === 0) throw nothingWritten(bytes.length - count, position + count);
      count += wroteNow;
    }
  }

  protected override giveBack(): Promise<void> {
    this.#handle.close();
    return super.giveBack();
  }
}

/** Opens the same file once more; by its name, since Deno makes no handle of a descriptor. */
function openHandle(path: string, descriptor: number, write: boolean): DenoHandle {
  const handle = Deno.openSync(path, { read: true, write });
  const other = handle.statSync();
  const own = fs.fstatSync(descriptor);
  if (other.ino === own.ino && other.dev === own.dev) return handle;
  handle.close();
  throw new SystemError("ESTALE", `cannot open ${path}: it was replaced by another file in the same moment`);
}

function isGranted(question: PermissionQuestion): boolean {
  return Deno.permissions.querySync(question).state === "granted";
}
