/**
 * The adapter for Bun.
 *
 * @module
 */

import process from "node:process";
import { NodeFile } from "./node_file.ts";
import type { OpenMode, RuntimeFile } from "./port.ts";
import { SystemError } from "./system_error.ts";
import { SystemRuntime } from "./system_runtime.ts";

/** As much of `bun:ffi` as is needed. */
interface ForeignFunctions {
  dlopen(name: string, symbols: Record<string, { args: readonly string[]; returns: string }>): {
    symbols: Record<string, (...values: number[]) => number>;
  };
  read: { i32(pointer: number): number };
}

/** flock(2): 0, or the system's number of the error. */
type Flock = (descriptor: number, operation: number) => number;

interface Library {
  readonly names: readonly string[];
  readonly errnoSymbol: string;
  readonly wouldBlock: number;
  /** The numbers by which flock says that this file system has no locks. */
  readonly unsupported: readonly number[];
}

const LIBRARIES: Readonly<Record<string, Library>> = {
  linux: {
    names: ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"],
    errnoSymbol: "__errno_location",
    wouldBlock: 11,
    unsupported: [22, 37, 38, 95], // EINVAL, ENOLCK, ENOSYS, EOPNOTSUPP
  },
  darwin: {
    names: ["libSystem.B.dylib"],
    errnoSymbol: "__error",
    wouldBlock: 35,
    unsupported: [22, 45, 77, 78], // EINVAL, ENOTSUP, ENOLCK, ENOSYS
  },
};

const LOCK_EXCLUSIVE = 2;
const LOCK_NO_WAIT = 4;

/** Bun, on its `node:fs`; the lock is libc's, called through `bun:ffi`. */
export class BunRuntime extends SystemRuntime {
  /** `"bun"`. */
  readonly name: string = "bun";
  #flock: Promise<Flock | null> | null = null;

  /** See the port. */
  async open(path: string, mode: OpenMode): Promise<RuntimeFile> {
    return new NodeFile(await this.openDescriptor(path, mode), (descriptor) => this.#lock(descriptor));
  }

  async #lock(descriptor: number): Promise<boolean | null> {
    const library = LIBRARIES[process.platform];
    this.#flock ??= library === undefined ? Promise.resolve(null) : loadFlock(library);
    const flock = await this.#flock;
    if (library === undefined || flock === null) {
      this.noteMissing(
        "kernel-lock",
        `Bun locks files by flock of the C library, which it cannot load on this machine`,
      );
      return null;
    }
    const failure = flock(descriptor, LOCK_EXCLUSIVE | LOCK_NO_WAIT);
    if (failure === 0) return true;
    if (failure === library.wouldBlock) return false;
    if (!library.unsupported.includes(failure)) throw new SystemError("EIO", `flock failed with errno ${failure}`);
    this.noteMissing("kernel-lock", `the file system has no locks: flock failed with errno ${failure}`);
    return null;
  }
}

async function loadFlock(library: Library): Promise<Flock | null> {
  // Named by a variable, so that nothing but Bun looks for the module.
  const specifier = "bun:ffi";
  const ffi = await import(specifier) as ForeignFunctions;
  for (const name of library.names) {
    try {
      const { symbols } = ffi.dlopen(name, {
        flock: { args: ["i32", "i32"], returns: "i32" },
        [library.errnoSymbol]: { args: [], returns: "ptr" },
      });
      const flock = symbols["flock"];
      const errno = symbols[library.errnoSymbol];
      if (flock === undefined || errno === undefined) continue;
      return (descriptor, operation) => flock(descriptor, operation) === 0 ? 0 : ffi.read.i32(errno());
    } catch {
      // Not this C library; the next name is tried.
    }
  }
  return null;
}
