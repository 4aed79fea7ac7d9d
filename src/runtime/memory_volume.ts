/**
 * A mounted disk: the tree, its room, and who uses it at the moment.
 *
 * @module
 */
import { MemoryDiskError } from "./memory_error.ts";
import { SECTOR_BYTES } from "./memory_sectors.ts";
import type { MemoryKeep } from "./memory_survival.ts";
import type { MemoryTree } from "./memory_tree.ts";
import { Random } from "./random.ts";

/** A file may be so large and no larger: `EFBIG`. */
const MAX_FILE_BYTES = 4 * 1024 * 1024 * 1024;

/** How often a call finds that the kernel has forgotten clean pages, once there are any that matter. */
const EVICTION_RATE = 0.1;

/** One open file. */
export interface MemoryHandle {
  readonly pid: number;
  readonly inode: number;
  readonly path: string;
}

/** A call that has been made and has not had its effect yet. */
export interface MemoryFlight {
  readonly name: string;
  /** The open file it is made on, or null. */
  readonly handle: MemoryHandle | null;
  readonly position: number;
  readonly length: number;
  /** Does what the call does, a write up to `limitBytes`; null for a call that changes nothing. */
  readonly take: ((volume: MemoryVolume, limitBytes: number) => unknown) | null;
}

/** A disk that processes work on. */
export class MemoryVolume {
  /** How many bytes there is room for. */
  sizeBytes: number;
  /** Tells this boot from others. */
  readonly bootId: string;
  /** What a log must not do and some process did, in words. */
  readonly violations: string[] = [];
  /** The calls in flight, of all processes. */
  readonly flights: Set<MemoryFlight> = new Set();
  /** The names and files. */
  readonly tree: MemoryTree;
  /** What the disk and the kernel leave to chance. */
  readonly random: Random;
  /** The processes that run. */
  readonly running: Set<number> = new Set();

  readonly #handles = new Set<MemoryHandle>();
  readonly #locks = new Map<number, MemoryHandle>();
  #isLying = false;
  #nextPid = 1000;

  /** @param tree What is on it. @param random What it leaves to chance. @param sizeBytes How much room there is. */
  constructor(tree: MemoryTree, random: Random, sizeBytes: number, bootId: string) {
    this.tree = tree;
    this.random = random;
    this.sizeBytes = sizeBytes;
    this.bootId = bootId;
  }

  // -- files

  /** Writes up to `limitBytes` of `bytes`. A full disk takes what there is room for. */
  write(inode: number, bytes: Uint8Array, position: number, limitBytes: number): void {
    const wanted = Math.min(bytes.length, limitBytes);
    if (position + wanted > MAX_FILE_BYTES) throw new MemoryDiskError("EFBIG", "write", `inode ${inode}`);
    const count = this.sizeBytes === Infinity ? wanted : this.#fitting(inode, position, wanted);
    const file = this.tree.ownFile(inode);
    file.write(count === bytes.length ? bytes : bytes.subarray(0, count), position, this.tree.nextSequence());
    if (count < wanted) throw new MemoryDiskError("ENOSPC", "write", `inode ${inode}`);
  }

  #fitting(inode: number, position: number, count: number): number {
    const allocated = this.tree.file(inode).allocatedBytes;
    if (position + count <= allocated) return count;
    const free = Math.floor(this.freeBytes / SECTOR_BYTES) * SECTOR_BYTES;
    return Math.max(0, Math.min(count, allocated + free - position));
  }

  /** What files take that have a name or are open. */
  get usedBytes(): number {
    return this.tree.usedBytes(this.#openInodes());
  }

  /** What no file takes. */
  get freeBytes(): number {
    return Math.max(0, this.sizeBytes - this.usedBytes);
  }

  /** Sets the size of a file. */
  truncate(inode: number, sizeBytes: number): void {
    if (sizeBytes > MAX_FILE_BYTES) throw new MemoryDiskError("EFBIG", "truncate", `inode ${inode}`);
    this.tree.ownFile(inode).truncate(sizeBytes, this.tree.nextSequence());
  }

  /** fdatasync. */
  sync(inode: number): void {
    if (this.tree.file(inode).oldestChange !== Infinity) this.tree.ownFile(inode).sync(this.random);
  }

  /** fdatasync, failing: what was not written counts as clean from now on. */
  failSync(inode: number): void {
    this.tree.ownFile(inode).failSync(this.random);
    this.#isLying = true;
  }

  /** The kernel may forget clean pages before any call. */
  forgetSome(): void {
    if (this.#isLying && this.random.chance(EVICTION_RATE)) this.tree.evict(this.random);
  }

  /** Syncs a directory, and forgets the files that have been removed for good. */
  syncDirectory(path: string): void {
    this.tree.syncDirectory(path);
    this.tree.collect(this.#openInodes());
  }

  // -- who uses it

  /** A pid that no process has had since the machine was started. */
  start(): number {
    const pid = this.#nextPid++;
    this.running.add(pid);
    return pid;
  }

  /** A process is no more: its files are closed, its locks are free. */
  stop(pid: number): void {
    this.running.delete(pid);
    for (const handle of [...this.#handles]) if (handle.pid === pid) this.close(handle);
  }

  /** Opens a file. */
  open(handle: MemoryHandle): void {
    this.#handles.add(handle);
  }

  /** Closes a file, and frees its lock. */
  close(handle: MemoryHandle): void {
    this.#handles.delete(handle);
    if (this.#locks.get(handle.inode) === handle) this.#locks.delete(handle.inode);
  }

  /** Takes the lock of a file; false: another open file has it. */
  lock(handle: MemoryHandle): boolean {
    const holder = this.#locks.get(handle.inode);
    if (holder === undefined) this.#locks.set(handle.inode, handle);
    return holder === undefined || holder === handle;
  }

  /** The paths that a process has open, as it opened them. */
  openPaths(pid: number): string[] {
    return [...this.#handles].filter((handle) => handle.pid === pid).map((handle) => handle.path);
  }

  *#openInodes(): Generator<number> {
    for (const handle of this.#handles) yield handle.inode;
  }

  // -- the end of processes, and of the world

  /** The disk after all processes were killed: the page cache stays. */
  kill(seed: number): MemoryVolume {
    const after = new MemoryVolume(this.tree.copy(), this.random.copy(), this.sizeBytes, this.bootId);
    after.#isLying = this.#isLying;
    after.#nextPid = this.#nextPid;
    after.land(this.flights, new Random(seed));
    return after;
  }

  /** The disk after a power loss; with `keep` null the seed decides what survives. */
  losePower(keep: MemoryKeep | null, seed: number): MemoryVolume {
    const random = new Random(seed);
    const cache = new MemoryVolume(this.tree.copy(), random, this.sizeBytes, "");
    if (keep !== "none") cache.land(this.flights, random, keep === "all");
    const tree = cache.tree.losePower(keep, random);
    // A later life draws other numbers than an earlier one, also where the same seed was given to both.
    const chance = new Random(this.random.copy().bits() ^ random.bits());
    // Pids begin anew: whoever owned something before may have the same one as somebody now.
    return new MemoryVolume(tree, chance, this.sizeBytes, bootIdOf(chance));
  }

  /**
   * Lets calls in flight have their effect, or a part of it, or none, in any order: what a kernel does for a process that is
   * gone.
   */
  land(flights: Iterable<MemoryFlight>, random: Random, isWhole = false): void {
    for (const flight of isWhole ? flights : random.shuffle([...flights])) {
      const share = isWhole ? "whole" : random.pick(["none", "part", "whole"] as const);
      if (flight.take === null || share === "none" || (share === "part" && flight.length === 0)) continue;
      try {
        flight.take(this, share === "part" ? random.integer(0, flight.length) : Infinity);
      } catch (error) {
        if (!(error instanceof MemoryDiskError)) throw error; // nobody is there to be told
      }
    }
  }
}

/** What tells one boot from the others. */
export function bootIdOf(random: Random): string {
  return random.bits().toString(16).padStart(8, "0");
}
