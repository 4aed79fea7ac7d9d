/**
 * The runtime port over a disk in memory.
 *
 * @module
 */
import { describe, WalOptionsError } from "../errors.ts";
import { checkFlag, checkFunction, checkNumber, checkOptions } from "../checks.ts";
import type { MemoryCall, MemoryFault } from "./memory_call.ts";
import { type MemoryClock, VirtualClock } from "./memory_clock.ts";
import { MemoryDisk, volumeOf } from "./memory_disk.ts";
import { MemoryDiskError } from "./memory_error.ts";
import { MemoryFile } from "./memory_file.ts";
import { ancestorPaths, joinPath, resolvePath } from "./memory_path.ts";
import { MemoryProcess } from "./memory_process.ts";
import type { MemoryHandle, MemoryVolume } from "./memory_volume.ts";
import type {
  Crc32,
  MissingCapability,
  OpenMode,
  ProcessIdentity,
  Runtime,
  RuntimeFile,
  RuntimeTimer,
} from "./port.ts";
import { Random } from "./random.ts";

/** What a clock shows that nobody has set: the first second of 2025. */
const FIRST_MS = 1_735_689_600_000;
const TICKS_PER_PROCESS = 100;
const PID_NAMESPACE = "memory";
const OPTION_NAMES = ["disk", "seed", "now", "manualTime", "kernelLock", "crc32", "onCall", "onReturn"];

/**
 * How a {@linkcode MemoryRuntime} is made.
 *
 * @example A process whose clock stands still, on a machine without locks
 * ```ts
 * import { MemoryRuntime, type MemoryRuntimeOptions } from "@walstream/wal/memory";
 *
 * const options: MemoryRuntimeOptions = { manualTime: true, now: 0, kernelLock: false };
 * const runtime = new MemoryRuntime(options);
 * console.log(runtime.now(), runtime.missing[0]?.name); // 0 kernel-lock
 * ```
 */
export interface MemoryRuntimeOptions {
  /** The disk it works on; an empty one of its own if not given. */
  readonly disk?: MemoryDisk;
  /** Decides the random bytes and when calls take effect. If not given, the disk's seed decides, for each process anew. */
  readonly seed?: number;
  /** What the clock shows at first, in milliseconds since 1970. */
  readonly now?: number;
  /** Whether time passes by `clock.advance` alone. If not, it moves on to the next timer whenever nothing else goes on. */
  readonly manualTime?: boolean;
  /** Whether files can be locked; true if not given. */
  readonly kernelLock?: boolean;
  /** A CRC-32 of the host; if not given there is none, as in a browser. */
  readonly crc32?: Crc32;
  /** Called with each call to the disk when it is made, before it has any effect; what it returns spoils the call. */
  readonly onCall?: (call: MemoryCall) => MemoryFault | undefined;
  /** Called with each call that returns, right before its caller is told; `error` is null where it went well. */
  readonly onReturn?: (call: MemoryCall, error: Error | null) => void;
}

/**
 * One process on a {@linkcode MemoryDisk}: everything a log asks of a runtime, in memory, repeatable, and able to fail at any
 * call. It runs in a browser too.
 *
 * Calls that a real runtime gives to its thread pool take effect some microtasks after they were made, two of them in either
 * order. Time is virtual.
 *
 * @example A log in memory
 * ```ts
 * import { Wal } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const wal = await Wal.open("/wal", { runtime: new MemoryRuntime() });
 * await wal.commit("hello");
 * await wal.close();
 * ```
 *
 * @example What a crash leaves of it
 * ```ts
 * import { Wal } from "@walstream/wal";
 * import { MemoryDisk, MemoryRuntime } from "@walstream/wal/memory";
 *
 * const disk = new MemoryDisk();
 * const wal = await Wal.open("/wal", { runtime: new MemoryRuntime({ disk }) });
 * const lsn = await wal.commit("acknowledged");
 * wal.append("not yet");
 *
 * const after = new MemoryRuntime({ disk: disk.powerLoss({ seed: 1 }) });
 * const found = await Wal.open("/wal", { runtime: after });
 * console.log(found.lastLsn >= lsn); // true
 * await found.close();
 * ```
 */
export class MemoryRuntime implements Runtime {
  /** Always `"memory"`. */
  readonly name = "memory";
  /** The lock, where the options took it away. */
  readonly missing: readonly MissingCapability[];
  /** The one of the options, or null. */
  readonly crc32: Crc32 | null;
  /** The disk it works on. */
  readonly disk: MemoryDisk;
  /** Its time. */
  readonly clock: MemoryClock;
  /** Resolves when the process stops, by a fault or by {@linkcode stop}: what waits for its calls waits for ever then. */
  readonly stopped: Promise<void>;

  readonly #volume: MemoryVolume;
  readonly #process: MemoryProcess;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #hasLock: boolean;

  /** A process that has just begun. */
  constructor(options: MemoryRuntimeOptions = {}) {
    check(options);
    this.disk = options.disk ?? new MemoryDisk();
    this.#volume = volumeOf(this.disk);
    // Two processes of one disk must not draw the same ids, as they would from the same default.
    const seed = options.seed ?? this.#volume.random.bits();
    this.#random = new Random(seed);
    this.#clock = new VirtualClock(options.now ?? FIRST_MS, options.manualTime ?? false);
    this.clock = this.#clock;
    const hooks = { onCall: options.onCall, onReturn: options.onReturn };
    this.#process = new MemoryProcess(this.#volume, this.#clock, new Random(this.#random.bits()), hooks);
    this.stopped = this.#process.stopped;
    this.#hasLock = options.kernelLock ?? true;
    this.missing = this.#hasLock ? [] : [{ name: "kernel-lock", reason: "the memory runtime was made without locks" }];
    this.crc32 = options.crc32 ?? null;
  }

  // -- the process

  /** How many calls to the disk it has made: the number of the last one. */
  get calls(): number {
    return this.#process.calls;
  }

  /** The paths of the files that it has open. */
  get openFiles(): string[] {
    return this.#volume.openPaths(this.#process.pid);
  }

  /**
   * Kills the process: no timer is called any more, calls never settle, its locks are free. What was in flight has its effect,
   * a part of it, or none.
   */
  stop(): void {
    this.#process.stop();
  }

  /** Its pid on this disk, and the disk's boot. */
  identity(): Promise<ProcessIdentity> {
    const { pid } = this.#process;
    const startTicks = pid * TICKS_PER_PROCESS;
    return Promise.resolve({ pid, startTicks, bootId: this.#volume.bootId, pidNamespace: PID_NAMESPACE });
  }

  /** Whether the owner is a process of this disk and boot that runs. */
  isAlive(owner: ProcessIdentity): Promise<boolean | null> {
    return Promise.resolve(this.#judge(owner));
  }

  #judge({ pid, startTicks, bootId, pidNamespace }: ProcessIdentity): boolean | null {
    if (bootId === null) return null;
    if (bootId !== this.#volume.bootId) return false;
    if (pidNamespace !== PID_NAMESPACE) return null; // a pid of another namespace is no process that is known here
    if (!this.#volume.running.has(pid)) return false;
    return startTicks === null ? null : startTicks === pid * TICKS_PER_PROCESS;
  }

  // -- clock, timers, randomness

  /** Virtual time. */
  now(): number {
    return this.#clock.now();
  }

  /** Virtual time since the process began. */
  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  /** Calls back once, when so much virtual time has passed. */
  setTimer(callback: () => void, delayMs: number, keepAlive: boolean): RuntimeTimer {
    return this.#clock.setTimer(callback, delayMs, keepAlive);
  }

  /** Fills `target` as the seed says. */
  randomize(target: Uint8Array): void {
    this.#random.fill(target);
  }

  // -- names

  /** The absolute path; the working directory is the root. */
  resolve(directory: string | URL): string {
    return resolvePath(directory);
  }

  /** `name` inside `directory`. */
  join(directory: string, name: string): string {
    return joinPath(directory, name);
  }

  /** The directories above, nearest first. */
  ancestors(path: string): string[] {
    return ancestorPaths(path);
  }

  /** Makes a directory and all above it. */
  makeDirectory(path: string): Promise<void> {
    const take = (volume: MemoryVolume) => volume.tree.makeDirectory(path);
    return this.#process.start({ name: "makeDirectory", path, changes: true, take });
  }

  /** The names in a directory, in another order each time. */
  list(path: string): Promise<string[]> {
    const take = (volume: MemoryVolume) => this.#random.shuffle(volume.tree.list(path, "list"));
    return this.#process.start({ name: "list", path, changes: false, take });
  }

  /** Moves a name. */
  rename(from: string, to: string): Promise<void> {
    const take = (volume: MemoryVolume) => volume.tree.rename(from, to);
    return this.#process.start({ name: "rename", path: from, to, changes: true, take });
  }

  /** Gives a file a second name. */
  link(from: string, to: string): Promise<void> {
    const take = (volume: MemoryVolume) => volume.tree.link(from, to);
    return this.#process.start({ name: "link", path: from, to, changes: true, take });
  }

  /** Removes a name. */
  unlink(path: string): Promise<void> {
    const take = (volume: MemoryVolume) => volume.tree.unlink(path);
    return this.#process.start({ name: "unlink", path, changes: true, take });
  }

  /** Makes the names of a directory last. */
  syncDirectory(path: string): Promise<void> {
    const take = (volume: MemoryVolume) => volume.syncDirectory(path);
    return this.#process.start({ name: "syncDirectory", path, changes: true, take });
  }

  /** Opens a file. */
  open(path: string, mode: OpenMode): Promise<RuntimeFile> {
    const take = (volume: MemoryVolume): RuntimeFile => {
      const handle: MemoryHandle = { pid: this.#process.pid, inode: findOrCreate(volume, path, mode), path };
      if (volume === this.#volume) volume.open(handle); // else it is only looked at what a crash would leave
      return new MemoryFile(this.#process, handle, mode !== "read", this.#hasLock);
    };
    return this.#process.start({ name: "open", path, changes: mode.startsWith("create"), take });
  }

  /** What the disk has room for. */
  freeBytes(path: string): Promise<number | null> {
    const take = (volume: MemoryVolume) => {
      volume.tree.list(path, "freeBytes");
      return Math.min(volume.freeBytes, Number.MAX_SAFE_INTEGER);
    };
    return this.#process.start({ name: "freeBytes", path, changes: false, take });
  }
}

function check(options: MemoryRuntimeOptions): void {
  checkOptions("MemoryRuntime", options, OPTION_NAMES);
  const { disk, seed, now, manualTime, kernelLock, crc32, onCall, onReturn } = options;
  if (disk !== undefined && !(disk instanceof MemoryDisk)) {
    throw new WalOptionsError(`disk must be a MemoryDisk, not ${describe(disk)}`);
  }
  checkNumber("seed", seed);
  checkNumber("now", now);
  checkFlag("manualTime", manualTime);
  checkFlag("kernelLock", kernelLock);
  checkFunction("crc32", crc32);
  checkFunction("onCall", onCall);
  checkFunction("onReturn", onReturn);
}

function findOrCreate(volume: MemoryVolume, path: string, mode: OpenMode): number {
  if (mode === "create") return volume.tree.create(path, "open");
  const inode = volume.tree.find(path, "open");
  if (inode !== undefined) return inode;
  if (mode === "create-or-write") return volume.tree.create(path, "open");
  throw new MemoryDiskError("ENOENT", "open", path);
}
