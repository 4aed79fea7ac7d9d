/**
 * The disk of the memory runtime, as tests hold it in their hand.
 *
 * @module
 */
import { checkChoice, checkNumber, checkOptions } from "../checks.ts";
import { MemoryDiskError } from "./memory_error.ts";
import { ancestorPaths } from "./memory_path.ts";
import { MEMORY_KEEPS, type MemoryKeep } from "./memory_survival.ts";
import { MemoryTree } from "./memory_tree.ts";
import { bootIdOf, MemoryVolume } from "./memory_volume.ts";
import { Random } from "./random.ts";

/**
 * How a {@linkcode MemoryDisk} is made.
 *
 * @example A disk with room for 4 KiB and a file on it
 * ```ts
 * import { MemoryDisk, type MemoryDiskOptions } from "@walstream/wal/memory";
 *
 * const options: MemoryDiskOptions = { seed: 7, sizeBytes: 4096, files: { "/wal/note": new Uint8Array(10) } };
 * console.log(new MemoryDisk(options).usedBytes); // 512
 * ```
 */
export interface MemoryDiskOptions {
  /** Decides all that is left to chance. The same seed and the same calls give the same disk. 0 if not given. */
  readonly seed?: number;
  /** Room in bytes; a write that needs more meets `ENOSPC`. No bound if not given. */
  readonly sizeBytes?: number;
  /** What lies on it from the start, by absolute path. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

/**
 * What a power loss leaves: see {@linkcode MemoryDisk.powerLoss}.
 *
 * @example Nothing that was not synced
 * ```ts
 * import { MemoryDisk, type MemoryPowerLoss } from "@walstream/wal/memory";
 *
 * const worst: MemoryPowerLoss = { keep: "none" };
 * console.log(new MemoryDisk().powerLoss(worst).names("/")); // []
 * ```
 */
export interface MemoryPowerLoss {
  /** Which of the unsynced changes survive. If not given, the seed decides, for all alike or for each file by itself. */
  readonly keep?: MemoryKeep;
  /** Decides all that `keep` leaves open. 0 if not given. */
  readonly seed?: number;
}

let readVolume: (disk: MemoryDisk) => MemoryVolume;
let makeDisk: (volume: MemoryVolume) => MemoryDisk;

/**
 * A disk in memory that is as bad as POSIX allows, and the page cache before it. It persists; a
 * {@linkcode MemoryRuntime} is one process that works on it.
 *
 * Of what no sync covers a power loss leaves any part: bytes in any subset of 512-byte sectors, a sector now and then torn, a
 * size without its bytes, names as far as their directory was synced. After a failed sync the page cache shows what the disk
 * may not have. Everything follows from the seed.
 *
 * @example A power loss takes what was not synced
 * ```ts
 * import { MemoryDisk, MemoryRuntime } from "@walstream/wal/memory";
 *
 * const disk = new MemoryDisk();
 * const runtime = new MemoryRuntime({ disk });
 * const file = await runtime.open("/note", "create");
 * await runtime.syncDirectory("/");
 * await file.write(new TextEncoder().encode("kept"), 0);
 * await file.syncData();
 * await file.write(new TextEncoder().encode("lost"), 4);
 *
 * const after = disk.powerLoss({ keep: "none" });
 * console.log(new TextDecoder().decode(after.read("/note"))); // kept
 * console.log(new TextDecoder().decode(disk.read("/note"))); // keptlost: the disk itself goes on
 * ```
 */
export class MemoryDisk {
  #volume: MemoryVolume;

  static {
    readVolume = (disk) => disk.#volume;
    makeDisk = (volume) => {
      const disk = new MemoryDisk();
      disk.#volume = volume;
      return disk;
    };
  }

  /** An empty disk, if the options do not say otherwise. */
  constructor(options: MemoryDiskOptions = {}) {
    checkOptions("MemoryDisk", options, ["seed", "sizeBytes", "files"]);
    checkNumber("seed", options.seed);
    checkNumber("sizeBytes", options.sizeBytes, 0);
    const random = new Random(options.seed ?? 0);
    this.#volume = new MemoryVolume(new MemoryTree(), random, options.sizeBytes ?? Infinity, bootIdOf(random));
    for (const [path, bytes] of Object.entries(options.files ?? {})) this.write(path, bytes);
  }

  // -- how it stands

  /** Room in bytes. Setting it makes or ends a full disk. */
  get sizeBytes(): number {
    return this.#volume.sizeBytes;
  }

  set sizeBytes(sizeBytes: number) {
    this.#volume.sizeBytes = sizeBytes;
  }

  /** Bytes that files take, in whole sectors. */
  get usedBytes(): number {
    return this.#volume.usedBytes;
  }

  /**
   * What a process did that a log must not do, in words: two writes of one range or two syncs of one file in flight at once,
   * a file written, cut or synced again after a write or sync of it met `EIO`.
   */
  get violations(): readonly string[] {
    return this.#volume.violations;
  }

  // -- the end of processes, and of the world

  /**
   * The disk as it is found after a power loss at this moment. This one is left as it is, so that many survivals of one moment
   * can be taken; each costs little. Calls in flight may have had their effect or a part of it.
   *
   * @param how The seed, or more than that.
   */
  powerLoss(how: number | MemoryPowerLoss = {}): MemoryDisk {
    const options: MemoryPowerLoss = typeof how === "number" ? { seed: how } : how;
    checkOptions("powerLoss", options, ["keep", "seed"]);
    const { keep, seed } = options;
    checkChoice("keep", keep, MEMORY_KEEPS);
    checkNumber("seed", seed);
    return makeDisk(this.#volume.losePower(keep ?? null, seed ?? 0));
  }

  /**
   * The disk as it is found after all its processes were killed at this moment: the page cache stays, locks are free. This one
   * is left as it is. Calls in flight may have had their effect or a part of it.
   *
   * @param seed Decides what became of the calls in flight.
   */
  kill(seed: number = 0): MemoryDisk {
    return makeDisk(this.#volume.kill(seed));
  }

  // -- from outside of any process

  /** The names in a directory, sorted. */
  names(directory: string): string[] {
    return this.#volume.tree.list(directory, "names").sort();
  }

  /** The bytes of a file, as processes see them. */
  read(path: string): Uint8Array<ArrayBuffer> {
    const file = this.#volume.tree.file(this.#find(path, "read"));
    const bytes = new Uint8Array(file.sizeBytes);
    file.read(bytes, 0);
    return bytes;
  }

  /** Puts a file there as if it had been synced long ago, with all directories above it. */
  write(path: string, bytes: Uint8Array): void {
    const { tree } = this.#volume;
    tree.makeDirectory(ancestorPaths(path)[0] ?? "/", true);
    const inode = tree.find(path, "write");
    if (inode === undefined) tree.create(path, "write", bytes);
    else tree.replace(inode, bytes);
  }

  /** Takes a name away as if that had been synced long ago. */
  remove(path: string): void {
    this.#volume.tree.unlink(path, true);
  }

  /** Turns one bit of a file over, in the page cache and on the disk. `bit` is 0 to 7. */
  flipBit(path: string, byteOffset: number, bit: number): void {
    this.#volume.tree.ownFile(this.#find(path, "flipBit")).flipBit(byteOffset, bit);
  }

  #find(path: string, call: string): number {
    const inode = this.#volume.tree.find(path, call);
    if (inode === undefined) throw new MemoryDiskError("ENOENT", call, path);
    return inode;
  }
}

/** The working parts of a disk, for the runtime. */
export function volumeOf(disk: MemoryDisk): MemoryVolume {
  return readVolume(disk);
}
