/**
 * Random histories of a log, each of which is its seed.
 */

import type { Durability, WalChanges, WalOptions } from "../../mod.ts";
import type { MemoryCallName, MemoryFault, MemoryKeep } from "../../src/runtime/memory.ts";
import { Random } from "../../src/runtime/random.ts";
import type { Step, Workload } from "./workload.ts";

const segmentBytes = 16 * 1024;

/** What befalls the `nth` call of a name, or of any name. */
export interface Mishap {
  readonly name: MemoryCallName | "any";
  readonly nth: number;
  readonly fault: MemoryFault;
}

/** One bit of the last segment or of the lock file, so far into what is not zero. */
export interface Misread {
  readonly file: "segment" | "lock";
  readonly share: number;
  readonly bit: number;
}

/** One process of a history, and what is left of it. */
export interface Life extends Workload {
  /** Decides what is left to chance in it. */
  readonly seed: number;
  readonly mishaps: readonly Mishap[];
  /** Entries that somebody appends while a call is under way. */
  readonly arrivals: readonly { readonly call: number; readonly length: number }[];
  /** What an open before this one reads wrong, on a copy of the disk. */
  readonly misread: Misread | null;
  /** How much room there is when it begins. */
  readonly roomBytes: number;
  /** Whether somebody in another process reads along; he who did so in the life before goes on, if that was killed. */
  readonly isWatched: boolean;
  readonly closes: boolean;
  readonly after: "kill" | MemoryKeep;
}

/** Everything that happens to one log. */
export interface History {
  readonly seed: number;
  /** Whether files of an earlier log, and short ones, lie about from the start. */
  readonly hasOldFiles: boolean;
  readonly hasShortFiles: boolean;
  readonly lives: readonly Life[];
}

/** How a history differs from others. */
interface Manner {
  readonly random: Random;
  readonly levels: readonly Durability[];
  readonly sizes: readonly number[];
  readonly isLarge: boolean;
  readonly isTight: boolean;
  readonly mishapRate: number;
}

/** The history of this seed. */
export function randomHistory(seed: number): History {
  const random = new Random(seed);
  const isLarge = random.chance(0.08);
  const manner: Manner = {
    random,
    levels: random.pick([["fsync"], ["fsync"], ["write"], ["none"], ["fsync", "write", "none"]] as const),
    sizes: isLarge
      ? [300_000, 1_048_576, 2_097_152, 0]
      : [segmentBytes, segmentBytes, segmentBytes + 8 * random.integer(0, 600), 65_536, 0],
    isLarge,
    isTight: random.chance(0.25),
    mishapRate: random.pick([0, 0.3, 0.3, 0.8]),
  };
  const count = random.integer(1, random.pick([2, 4, 6]));
  const lives = Array.from({ length: count }, (_, nth) => randomLife(manner, `life ${nth + 1}`, seed + nth));
  return { seed, hasOldFiles: random.chance(0.3), hasShortFiles: random.chance(0.3), lives };
}

function randomLife(manner: Manner, name: string, seed: number): Life {
  const { random, isTight, mishapRate } = manner;
  const options = randomOptions(manner);
  const steps = Array.from({ length: random.integer(0, random.pick([3, 6, 15])) }, () => randomStep(manner, options));
  const mishaps: Mishap[] = [];
  while (random.chance(mishapRate)) mishaps.push(randomMishap(random));
  if (random.chance(0.5)) {
    const stop = random.pick(["before", "after"] as const);
    const fault = { stop, doneBytes: randomDone(random) };
    mishaps.push({ name: random.pick(CRASHING), nth: random.integer(1, random.pick([5, 40, 90])), fault });
  }
  const arrivals = Array.from({ length: random.pick([0, 0, 1, 5]) }, () => ({
    call: random.integer(8, 90),
    length: randomLength(manner, options.segmentBytes ?? 0),
  }));
  const misread = random.chance(0.15)
    ? {
      file: random.pick(["segment", "segment", "lock"] as const),
      share: random.bits() / 2 ** 32,
      bit: random.integer(0, 7),
    }
    : null;
  return {
    ...{ name, seed, options, steps, mishaps, arrivals, misread },
    roomBytes: isTight && random.chance(0.4) ? random.pick([0, 3000, 30_000]) : Infinity,
    isWatched: random.chance(0.25),
    reopens: random.pick([0, 1, 3]),
    closes: random.chance(0.5),
    after: random.pick(["kill", "kill", "none", "all", "first", "any", "any"] as const),
  };
}

function randomOptions({ random, levels, sizes, isLarge }: Manner): WalOptions {
  const durability = random.pick(levels);
  const maxEntries = random.pick([Infinity, Infinity, 1, 3, 50]);
  return {
    durability,
    segmentBytes: random.pick(sizes),
    io: random.pick(["auto", "pool", "blocking"] as const),
    maxEntries,
    ...(maxEntries === 1 ? {} : { windowMs: random.pick([0, 0, 1, 5, 40]) }),
    ...(durability === "none" ? { lossMs: random.pick([40, 100]) } : {}),
    ...(!isLarge && random.chance(0.15) ? { maxBufferedBytes: random.pick([1, 1000, 5000]) } : {}),
    spares: random.pick([0, 1, 2]),
    idleMs: random.pick([1, 50]),
  };
}

function randomStep(manner: Manner, options: WalOptions): Step {
  const { random, isTight, levels } = manner;
  const lengths = (most: number): number[] =>
    Array.from({ length: random.integer(1, most) }, () => randomLength(manner, options.segmentBytes ?? 0));
  const draw: readonly (() => Step)[] = [
    () => ({ commit: lengths(3), ...randomLevel(manner) }),
    () => ({ commit: lengths(manner.isLarge ? 12 : 5) }),
    () => ({ append: lengths(4), ...randomLevel(manner) }),
    () => random.chance(0.5) ? { stream: lengths(5), ...randomLevel(manner) } : { through: lengths(5) },
    () => random.chance(0.3) ? { follow: true } : { cut: random.integer(-1, 8) },
    () => random.chance(0.3) ? { drop: lengths(2) } : { append: lengths(4) },
    () => ({ batch: lengths(4) }),
    () => ({ appendBatch: lengths(4) }),
    () => ({ wait: random.integer(0, 6), level: random.pick([...levels, "fsync"]) }),
    () => ({ flush: true }),
    () => ({ later: { ready: true } }), // on a full disk nobody else may come
    () => ({ idle: random.pick([true, 0, 1, 6, 60]) }),
    () => ({ read: random.chance(0.3) ? true : randomShares(random) }),
    () =>
      isTight ? { room: random.pick([0, 60, 600, 4000, 20_000, Infinity, Infinity]) } : { read: randomShares(random) },
    () => random.chance(0.3) ? { jump: random.integer(-5000, 5000) } : { flush: true },
  ];
  if (random.chance(0.06)) return random.chance(0.7) ? { restart: true } : { reopen: true };
  if (random.chance(0.03)) return { configure: randomChanges(manner, options) };
  const step = random.pick(draw)();
  return random.chance(0.35) && !("later" in step) ? { later: step } : step;
}

/** None that contradicts the others. */
function randomChanges({ random, sizes }: Manner, { maxEntries, lossMs }: WalOptions): WalChanges {
  const draw: readonly (() => WalChanges)[] = [
    () => ({ durability: random.pick(["fsync", "write", "none"] as const) }),
    () => ({ segmentBytes: random.pick(sizes) }),
    () => ({ io: random.pick(["auto", "pool", "blocking"] as const) }),
    () => ({ maxBytes: random.pick([1, 2000, Infinity]) }),
    () => maxEntries === 1 ? { maxEntries: 3 } : { windowMs: random.integer(0, Math.min(30, lossMs ?? 30)) },
  ];
  return random.pick(draw)();
}

/** Mostly the log's own. */
function randomLevel({ random }: Manner): { readonly at?: Durability } {
  return random.chance(0.3) ? { at: random.pick(["fsync", "write", "none"] as const) } : {};
}

function randomShares(random: Random): [number, number] {
  const shares = [random.bits() / 2 ** 32, random.bits() / 2 ** 32].sort((a, b) => a - b);
  return [shares[0] ?? 0, random.chance(0.5) ? 1 : shares[1] ?? 1];
}

/** Lengths around the borders of sectors, frames and segments, and some between. */
function randomLength({ random, isLarge }: Manner, limitBytes: number): number {
  const near = (length: number): number => Math.max(0, length + random.integer(-12, 12));
  const frameBytes = 53; // of a lone entry, without its own bytes
  if (isLarge && random.chance(0.6)) return random.pick([near(20_000), near(65_536 - frameBytes), 100_000, 150_000]);
  const draw: readonly (() => number)[] = [
    () => random.integer(0, 60),
    () => random.integer(0, 60),
    () => near(512 * random.integer(1, 4) - frameBytes),
    () => random.integer(0, 3000),
    () =>
      near(limitBytes === 0 || limitBytes > 70_000 ? 1000 : limitBytes - 12_288 - frameBytes - random.pick([0, 56])),
    () => random.chance(0.2) ? near(65_536 - frameBytes) : 0,
  ];
  return random.pick(draw)();
}

/** Where a crash may be: anywhere, or at one of the calls that matter most. */
const CRASHING = ["any", "any", "any", "write", "syncData", "rename", "syncDirectory", "truncate"] as const;

function randomDone(random: Random): number {
  return random.chance(0.5) ? 512 * random.integer(0, 4) : random.integer(0, 9000);
}

function randomMishap(random: Random): Mishap {
  const nth = random.integer(1, random.pick([4, 15, 60]));
  const draw: readonly (() => Mishap)[] = [
    () => ({
      name: "any",
      nth,
      fault: { code: random.pick(["EIO", "ENOSPC", "EACCES"]), doneBytes: randomDone(random) },
    }),
    () => ({ name: "write", nth, fault: { code: random.pick(["EIO", "ENOSPC"]), doneBytes: randomDone(random) } }),
    () => ({ name: "syncData", nth, fault: { code: "EIO" } }),
    () => ({ name: "syncDirectory", nth, fault: { code: "EIO" } }),
    () => ({
      name: random.pick(["syncData", "write", "any"] as const),
      nth,
      fault: { delayMs: random.pick([0, 1, 3, 9]) },
    }),
  ];
  return random.pick(draw)();
}
