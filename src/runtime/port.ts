/**
 * What the log asks of a runtime, and what must hold when each call returns.
 *
 * An adapter maps these calls to Deno, Bun, Node or memory and decides nothing. Three states of a byte or a name are told
 * apart: a *process* sees what was written as soon as the call returns; after a **kill** everything a returned call wrote
 * is still there; after a **power loss** only what a returned sync covers is sure to be there, and of the rest any part
 * may be, in any order, in units of a 512-byte sector (bytes) or of one directory operation (names).
 *
 * Every failure is a thrown (or rejected) `Error` with the system's name of it as `code`: `"ENOENT"`, `"ENOSPC"`, `"EIO"`,
 * `"EACCES"` … The log tells failures apart by nothing else.
 *
 * Not checked by the log and therefore assumed: a returned sync is true; a write does not damage synced bytes that share
 * its sector; calls that the adapter runs in a pool are done in any order unless the log awaits one before the next.
 *
 * @module
 */

/**
 * One open file. Positions and lengths are bytes. Nothing here moves a shared file position.
 *
 * @example Reading a whole file
 * ```ts
 * import type { RuntimeFile } from "@walstream/wal";
 * import { MemoryDisk, MemoryRuntime } from "@walstream/wal/memory";
 *
 * const disk = new MemoryDisk({ files: { "/note": new Uint8Array([1, 2, 3]) } });
 * const file: RuntimeFile = await new MemoryRuntime({ disk }).open("/note", "read");
 * const bytes = new Uint8Array(await file.size());
 * console.log(await file.read(bytes, 0), bytes[2]); // 3 3
 * await file.close();
 * ```
 */
export interface RuntimeFile {
  /**
   * Fills `target` from `position` on. Resolves to the count read, less than `target.length` only at the end of the file.
   * Runs in the pool: the event loop goes on.
   */
  read(target: Uint8Array, position: number): Promise<number>;

  /**
   * Writes all of `bytes` at `position`, however many system calls that takes, in the pool where the runtime can. When it
   * rejects, any prefix may have been written. The caller leaves `bytes` alone until it settles. Nothing is synced.
   */
  write(bytes: Uint8Array, position: number): Promise<void>;

  /** The same, on the calling thread: the event loop waits. */
  writeSync(bytes: Uint8Array, position: number): void;

  /**
   * fdatasync, in the pool. When it resolves, all that was written before the call, and the size needed to read it, will
   * be there after a power loss. When it rejects, what was written since the last returned sync is in doubt for good: the
   * kernel may have dropped it and calls its pages clean, so that the next sync succeeds and proves nothing.
   */
  syncData(): Promise<void>;

  /** The same, on the calling thread. */
  syncDataSync(): void;

  /** Sets the size; what lies behind it is gone, what is new reads as zeros. Not synced. */
  truncate(sizeBytes: number): Promise<void>;

  /** The size in bytes as this process sees it. */
  size(): Promise<number>;

  /**
   * Takes the kernel's exclusive lock on this open file: true when it is ours, false when another open file has it (of
   * this process or any other), null where the machine has no such lock. It is held until {@linkcode close} or the end of
   * the process, however that comes.
   */
  tryLock(): Promise<boolean | null>;

  /**
   * Waits for the calls of this file that are in flight, then gives the descriptor back, and the lock with it. Closing twice
   * is no error. Nothing is synced.
   */
  close(): Promise<void>;
}

/**
 * How {@linkcode Runtime.open} opens a file.
 *
 * @example
 * ```ts
 * import type { OpenMode } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const runtime = new MemoryRuntime();
 * const modes: OpenMode[] = ["create-or-write", "write", "read"];
 * for (const mode of modes) await (await runtime.open("/note", mode)).close();
 * await runtime.open("/note", "create").catch((error) => console.log(error.code)); // EEXIST
 * ```
 */
export type OpenMode =
  /** It must exist; reading only. */
  | "read"
  /** It must exist; reading and writing. */
  | "write"
  /** It must not exist (`EEXIST`); reading and writing. Its name lasts when the directory has been synced. */
  | "create"
  /** Reading and writing, whether it exists or not. */
  | "create-or-write";

/**
 * A timer that was set and may be taken back.
 *
 * @example
 * ```ts
 * import type { RuntimeTimer } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const runtime = new MemoryRuntime({ manualTime: true });
 * const timer: RuntimeTimer = runtime.setTimer(() => console.log("never said"), 1000, true);
 * timer.cancel();
 * await runtime.clock.advance(2000);
 * ```
 */
export interface RuntimeTimer {
  /** The callback will not be called; after it was, this does nothing. */
  cancel(): void;
}

/**
 * A process as it can be told from every other; null is what this runtime is not permitted to know.
 *
 * @example
 * ```ts
 * import type { ProcessIdentity } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const runtime = new MemoryRuntime();
 * const self: ProcessIdentity = await runtime.identity();
 * console.log(await runtime.isAlive(self)); // true
 * console.log(await runtime.isAlive({ ...self, bootId: null })); // null: it may be a process of another machine
 * ```
 */
export interface ProcessIdentity {
  /** The process id, in its own pid namespace. */
  readonly pid: number;
  /** Start time in the kernel's clock ticks since boot: it tells a process from a later one of the same pid. */
  readonly startTicks: number | null;
  /** Tells this boot of the machine from every other. */
  readonly bootId: string | null;
  /** The pid namespace, within which alone a pid means anything. */
  readonly pidNamespace: string | null;
}

/**
 * Something the log would use and this runtime, machine or permission does not give.
 *
 * @example
 * ```ts
 * import type { MissingCapability } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const missing: readonly MissingCapability[] = new MemoryRuntime({ kernelLock: false }).missing;
 * for (const { name } of missing) console.log(`without ${name}`); // without kernel-lock
 * ```
 */
export interface MissingCapability {
  /** What is missing. */
  readonly name: "free-space" | "kernel-lock" | "directory-sync";
  /** Why, in words for a person. */
  readonly reason: string;
}

/**
 * CRC-32 (IEEE) of `bytes`, continued from `seed`, the CRC-32 of what comes before them (0: nothing). Of no bytes it may say
 * 0 instead of the seed, as Node 20 does: the log sees to that.
 *
 * @example Bit by bit
 * ```ts
 * import type { Crc32 } from "@walstream/wal";
 *
 * const crc32: Crc32 = (bytes, seed) => {
 *   let crc = ~seed;
 *   for (const byte of bytes) {
 *     crc ^= byte;
 *     for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
 *   }
 *   return ~crc >>> 0;
 * };
 * console.log(crc32(new TextEncoder().encode("123456789"), 0).toString(16)); // cbf43926
 * ```
 */
export type Crc32 = (bytes: Uint8Array, seed: number) => number;

/**
 * Everything that the log asks of the world around it.
 *
 * @example A runtime with a clock of its own
 * ```ts
 * import { type Runtime, Wal } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * class OnNewYear extends MemoryRuntime {
 *   override now(): number {
 *     return Date.UTC(2030, 0, 1);
 *   }
 * }
 * const runtime: Runtime = new OnNewYear();
 * const wal = await Wal.open("/wal", { runtime });
 * await wal.commit("hello");
 * for await (const { time } of wal.readable()) console.log(new Date(time).getUTCFullYear()); // 2030
 * await wal.close();
 * ```
 */
export interface Runtime {
  /** `"node"`, `"deno"`, `"bun"`, `"memory"`, or the name of an adapter of your own. */
  readonly name: string;

  /** What is missing here, as far as it is known without trying; empty on Linux with full permissions. */
  readonly missing: readonly MissingCapability[];

  /** The runtime's own CRC-32, or null: hash-wasm is used then. */
  readonly crc32: Crc32 | null;

  // -- clock, timers, randomness

  /** Milliseconds since 1970, whole; may jump either way. */
  now(): number;

  /** Milliseconds from some point in the past, with fractions; never goes back. */
  monotonicMs(): number;

  /** Calls back once, not before `delayMs`. With `keepAlive` false the process may end while it waits. */
  setTimer(callback: () => void, delayMs: number, keepAlive: boolean): RuntimeTimer;

  /** Fills `target` with random bytes fit for ids and salts. */
  randomize(target: Uint8Array): void;

  // -- names

  /** The absolute path that the calls below take. */
  resolve(directory: string | URL): string;

  /** `name` inside `directory`. */
  join(directory: string, name: string): string;

  /** The directories that hold `path`, nearest first, up to the root. */
  ancestors(path: string): string[];

  /** Makes a directory and all above it; one that exists is no error, a file in its place is (`EEXIST`, `ENOTDIR`). */
  makeDirectory(path: string): Promise<void>;

  /** The names in a directory, in no order. */
  list(path: string): Promise<string[]>;

  /**
   * Moves a name, replacing what bears the new one. Lasts when the directory has been synced. Until then a power loss leaves either
   * name; of a move between two directories it may leave both, or none.
   */
  rename(from: string, to: string): Promise<void>;

  /** Gives a file a second name; rejects with `EEXIST` where that is taken. */
  link(from: string, to: string): Promise<void>;

  /** Removes the name of a file, never that of a directory. Open files of it stay readable. */
  unlink(path: string): Promise<void>;

  /** When it resolves, every name made, moved or removed in `path` before the call is so after a power loss. */
  syncDirectory(path: string): Promise<void>;

  /** Opens a file. Each call is an open file of its own, with a lock of its own. */
  open(path: string, mode: OpenMode): Promise<RuntimeFile>;

  /** Bytes that a file in `path` may still take, or null where that cannot be known. */
  freeBytes(path: string): Promise<number | null>;

  // -- processes, for the owner's name in the lock

  /** This process. */
  identity(): Promise<ProcessIdentity>;

  /** False only when it is proven that `owner` runs no more; null when it cannot be known. */
  isAlive(owner: ProcessIdentity): Promise<boolean | null>;
}
