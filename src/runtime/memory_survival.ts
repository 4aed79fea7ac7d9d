/**
 * What a power loss leaves of that which no sync has covered.
 *
 * @module
 */
import type { Random } from "./random.ts";
import { SECTOR_BYTES } from "./memory_sectors.ts";

/**
 * Which unsynced changes a power loss leaves: none, all, the first ones in the order of the calls, or any.
 *
 * @example What each leaves of three files that no directory sync has covered
 * ```ts
 * import { type MemoryKeep, MemoryRuntime } from "@walstream/wal/memory";
 *
 * const runtime = new MemoryRuntime();
 * for (const name of ["a", "b", "c"]) await runtime.open(`/${name}`, "create");
 * const ways: MemoryKeep[] = ["none", "all", "first", "any"];
 * for (const keep of ways) console.log(keep, runtime.disk.powerLoss({ keep, seed: 2 }).names("/"));
 * // none [], all [ "a", "b", "c" ], and with this seed some that lie between
 * ```
 */
export type MemoryKeep = "none" | "all" | "first" | "any";

/** All of them. */
export const MEMORY_KEEPS: readonly MemoryKeep[] = ["none", "all", "first", "any"];

/** One way in which the changes of one file or directory survive. */
export interface Survival {
  /** Whether a change that cannot be halved survives: of a name, or the cutting of a file. */
  keeps(sequence: number): boolean;

  /**
   * How much of the write's sector survives: 0 nothing, {@linkcode SECTOR_BYTES} all, less than that the first so many bytes,
   * below 0 the last so many.
   */
  sectorBytes(sequence: number, index: number): number;

  /** The size after a write that made the file grow: the size may outlive the bytes, and the bytes the size. */
  sizeBytes(sequence: number, fromBytes: number, toBytes: number): number;
}

const NOTHING: Survival = { keeps: () => false, sectorBytes: () => 0, sizeBytes: (_sequence, fromBytes) => fromBytes };
/** All that was done. */
export const EVERYTHING: Survival = {
  keeps: () => true,
  sectorBytes: () => SECTOR_BYTES,
  sizeBytes: (_sequence, _fromBytes, toBytes) => toBytes,
};

const TORN_SECTOR_RATE = 1 / 16;
const LONGEST_TORN_WRITE_SECTORS = 16;

/** All up to some call, and of that call's write the first sectors: a disk that keeps order. */
class FirstOnes implements Survival {
  readonly #random: Random;
  readonly #cut: number;
  readonly #cutSectors: number;

  constructor(random: Random, oldest: number, next: number) {
    this.#random = random;
    this.#cut = random.integer(oldest, next);
    this.#cutSectors = random.integer(0, LONGEST_TORN_WRITE_SECTORS);
  }

  keeps(sequence: number): boolean {
    return sequence < this.#cut;
  }

  sectorBytes(sequence: number, index: number): number {
    if (sequence !== this.#cut) return sequence < this.#cut ? SECTOR_BYTES : 0;
    return index < this.#cutSectors ? SECTOR_BYTES : 0;
  }

  sizeBytes(sequence: number, fromBytes: number, toBytes: number): number {
    if (sequence !== this.#cut) return sequence < this.#cut ? toBytes : fromBytes;
    return somewhere(this.#random, fromBytes, toBytes);
  }
}

/** Each change by itself. */
class AnyOnes implements Survival {
  readonly #random: Random;
  readonly #rate: number;

  constructor(random: Random) {
    this.#random = random;
    // A fair coin for each sector never leaves a long write whole but for one sector, nor one sector of it alone.
    this.#rate = random.pick([0.03, 0.2, 0.5, 0.5, 0.8, 0.97]);
  }

  keeps(): boolean {
    return this.#random.chance(this.#rate);
  }

  sectorBytes(): number {
    if (!this.#random.chance(this.#rate)) return 0;
    if (!this.#random.chance(TORN_SECTOR_RATE)) return SECTOR_BYTES;
    return this.#random.integer(1 - SECTOR_BYTES, SECTOR_BYTES - 1);
  }

  sizeBytes(_sequence: number, fromBytes: number, toBytes: number): number {
    return this.#random.chance(this.#rate) ? toBytes : somewhere(this.#random, fromBytes, toBytes);
  }
}

function somewhere(random: Random, fromBytes: number, toBytes: number): number {
  const sizeBytes = random.integer(fromBytes, toBytes);
  if (random.chance(0.5)) return sizeBytes;
  return Math.max(fromBytes, sizeBytes - sizeBytes % SECTOR_BYTES);
}

/** Hands out the way of surviving for each file and directory of one power loss. */
export class Survivals {
  readonly #random: Random;
  readonly #shared: Survival | null;
  readonly #oldest: number;
  readonly #next: number;

  /**
   * @param keep Which changes survive, null to let the seed decide, also for each file by itself.
   * @param oldest The number of the oldest unsynced change. @param next The number that the next change would get.
   */
  constructor(keep: MemoryKeep | null, random: Random, oldest: number, next: number) {
    this.#random = random;
    this.#oldest = oldest;
    this.#next = next;
    const chosen = keep ?? random.pick(["none", "all", "first", "any", "each", "each"] as const);
    this.#shared = chosen === "each" ? null : this.#make(chosen);
  }

  /** The way for one more file or directory. */
  next(): Survival {
    return this.#shared ?? this.#make(this.#random.pick(["none", "all", "first", "any", "any"] as const));
  }

  #make(keep: MemoryKeep): Survival {
    if (keep === "none") return NOTHING;
    if (keep === "all") return EVERYTHING;
    return keep === "any" ? new AnyOnes(this.#random) : new FirstOnes(this.#random, this.#oldest, this.#next);
  }
}
