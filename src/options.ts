/**
 * What a log may be opened with, the presets, and what contradicts what.
 *
 * @module
 */

import { checkChoice, checkFunction, checkOptions, checkRuntime, checkSignal } from "./checks.ts";
import { describe, isRevoked, WalOptionsError } from "./errors.ts";
import type { WalEvent } from "./event.ts";
import { MAX_FRAME_BYTES, SMALLEST_SEGMENT_BYTES } from "./format.ts";
import type { Runtime } from "./runtime/port.ts";

/**
 * When an entry counts as durable: synced to the disk, handed to the operating system, or merely accepted.
 *
 * @example Most entries quickly, one for sure
 * ```ts
 * import { type Durability, Wal } from "@walstream/wal";
 *
 * const durability: Durability = "write";
 * const wal = await Wal.open("data/wal", { durability });
 * const lsn = await wal.commit("the operating system has it");
 * await wal.waitFor(lsn, { durability: "fsync" }); // and now the disk
 * await wal.close();
 * ```
 */
export type Durability = "fsync" | "write" | "none";

/** All levels, the strongest first. */
export const DURABILITIES: readonly Durability[] = ["fsync", "write", "none"];

/**
 * Whether a sync runs in the runtime's pool (`"pool"`), on the calling thread (`"blocking"`), or where the disk's speed
 * suggests (`"auto"`). A write goes into the page cache on the calling thread in each of them, because that takes less time than
 * the way to the pool; unless it is `"blocking"`, not where it is larger than 2 MiB or one was slow. Also with `"blocking"` the
 * event loop turns whenever the thread has been held for some milliseconds.
 *
 * @example For a program that must answer while the disk is slow
 * ```ts
 * import { type IoMode, Wal } from "@walstream/wal";
 *
 * const io: IoMode = "pool";
 * const wal = await Wal.open("data/wal", { io });
 * await wal.commit("the event loop went on meanwhile");
 * await wal.close();
 * ```
 */
export type IoMode = "auto" | "pool" | "blocking";

/**
 * What open does about damage. What a crash tore is cut off and reported, and damage that no crash explains refuses: that is
 * `"tolerate-tail"`, unless something else is said. `"strict"` reads every segment and refuses any damage, also what a crash
 * tore. `"point-in-time"` reads every segment and ends the log at the first damage; `"salvage"` keeps every whole frame,
 * on both sides of damage, and leaves out LSNs in between. Both change a log only where it is damaged, all at once, and keep
 * the files that were: `wal.recovery` says what is lost, and where it was set aside.
 *
 * @example
 * ```ts
 * import { type RecoveryMode, Wal } from "@walstream/wal";
 *
 * const recovery: RecoveryMode = "tolerate-tail"; // also what you get when you leave it out
 * const wal = await Wal.open("data/wal", { recovery });
 * if (wal.recovery.torn !== null) console.warn("a crash tore off", wal.recovery.torn);
 * await wal.close();
 * ```
 */
export type RecoveryMode = "strict" | "tolerate-tail" | "point-in-time" | "salvage";

/** All modes, the strictest first. */
export const RECOVERY_MODES: readonly RecoveryMode[] = ["strict", "tolerate-tail", "point-in-time", "salvage"];

/** Cuts off what a crash tore, and refuses damage at the end of the log; elsewhere that stops who reads it. */
export const DEFAULT_RECOVERY_MODE: RecoveryMode = "tolerate-tail";

/**
 * A set of defaults for a kind of use.
 *
 * @example
 * ```ts
 * import { type Preset, Wal } from "@walstream/wal";
 *
 * const preset: Preset = "oltp"; // a flush waits for company: 5 ms, or until there are 50 entries
 * const wal = await Wal.open("data/wal", { preset, windowMs: 2 }); // an explicit option wins
 * await Promise.all([wal.commit("one"), wal.commit("two")]); // one sync for both
 * await wal.close();
 * ```
 */
export type Preset = "sync" | "oltp" | "mixed" | "analytics" | "batch" | "async";

/**
 * What {@linkcode Wal.open} takes; everything may be left out.
 *
 * @example
 * ```ts
 * import { Wal, type WalOptions } from "@walstream/wal";
 *
 * const options: WalOptions = {
 *   preset: "batch",
 *   maxEntryBytes: 64 * 1024,
 *   onEvent: (event) => console.log(event.type),
 * };
 * const wal = await Wal.open("data/wal", options);
 * await wal.close();
 * ```
 */
export interface WalOptions {
  /** A set of defaults; whatever else is given here wins over it. */
  readonly preset?: Preset;
  /** `"fsync"` unless said. */
  readonly durability?: Durability;
  /** How long a flush may wait for company. 0, the default: an idle log flushes at once and a busy one groups by itself. */
  readonly windowMs?: number;
  /** So many entries close the window. 1 means no company at all: each entry or batch is written and synced by itself. */
  readonly maxEntries?: number;
  /** So many bytes close the window. 1 MiB unless said. */
  readonly maxBytes?: number;
  /** `"auto"` unless said. */
  readonly io?: IoMode;
  /** Where a segment is full: 64 MiB unless said, 16 KiB at least; 0: never. */
  readonly segmentBytes?: number;
  /** The largest entry: 16 MiB unless said. */
  readonly maxEntryBytes?: number;
  /** The largest batch, by the bytes of its entries: 64 MiB unless said. */
  readonly maxBatchBytes?: number;
  /** When so much is accepted and not yet written, no more is taken: 64 MiB unless said. */
  readonly maxBufferedBytes?: number;
  /** How many prepared files lie ready at most, besides a small one that is always kept back: 2 unless said. */
  readonly spares?: number;
  /** After so long without an entry, an empty frame vouches for what is synced: 50 unless said. */
  readonly idleMs?: number;
  /** At durability `"none"`: everything accepted is synced after so long at the latest. 1,000 unless said. */
  readonly lossMs?: number;
  /** What is done about damage: `"tolerate-tail"` unless said. */
  readonly recovery?: RecoveryMode;
  /** Called with what happens, in the order in which it happens. It should not throw; when it does, it is told once. */
  readonly onEvent?: (event: WalEvent) => void;
  /** The adapter to the world around: found by itself unless given. */
  readonly runtime?: Runtime;
  /** Ends the opening; an open log it leaves alone. */
  readonly signal?: AbortSignal;
}

/** The options that govern an open log, all of them. */
export type Settings = { -readonly [name in keyof Governing]: Governing[name] };

type Governing = Required<Omit<WalOptions, "preset" | "onEvent" | "runtime" | "signal">>;

const KIB = 1024;
const MIB = 1024 * KIB;

const DEFAULTS: Settings = {
  durability: "fsync",
  windowMs: 0,
  maxEntries: Infinity,
  maxBytes: MIB,
  io: "auto",
  segmentBytes: 64 * MIB,
  maxEntryBytes: 16 * MIB,
  maxBatchBytes: 64 * MIB,
  maxBufferedBytes: 64 * MIB,
  spares: 2,
  idleMs: 50,
  lossMs: 1000,
  recovery: DEFAULT_RECOVERY_MODE,
};

/** What each preset sets. */
export const PRESETS: { readonly [name in Preset]: Partial<Settings> } = {
  sync: { durability: "fsync", windowMs: 0, maxEntries: 1 },
  oltp: { durability: "fsync", windowMs: 5, maxEntries: 50 },
  mixed: { durability: "fsync", windowMs: 10, maxEntries: 100 },
  analytics: { durability: "fsync", windowMs: 20, maxEntries: 500 },
  batch: { durability: "fsync", windowMs: 50, maxEntries: 1000 },
  async: { durability: "none", windowMs: 50, maxEntries: Infinity },
};

/** Least and most of each number. A window beyond ten minutes or a loss beyond an hour is a slip of units. */
const RANGES: readonly (readonly [keyof Settings, number, number])[] = [
  ["windowMs", 0, 600_000],
  ["maxEntries", 1, Infinity],
  ["maxBytes", 1, Infinity],
  ["maxEntryBytes", 0, MAX_FRAME_BYTES / 2],
  ["maxBatchBytes", 0, MAX_FRAME_BYTES / 2],
  ["maxBufferedBytes", 1, MAX_FRAME_BYTES],
  ["spares", 0, 1024],
  ["idleMs", 1, 3_600_000],
  ["lossMs", 1, 3_600_000],
];

const CHOICES: readonly (readonly [keyof Settings, readonly string[]])[] = [
  ["durability", DURABILITIES],
  ["io", ["auto", "pool", "blocking"]],
  ["recovery", RECOVERY_MODES],
];

/**
 * What {@linkcode Wal.configure} may change while the log runs; the same words as in {@linkcode WalOptions}.
 *
 * @example
 * ```ts
 * import { Wal, type WalChanges } from "@walstream/wal";
 *
 * const nightly: WalChanges = { windowMs: 20, maxEntries: 1000 };
 * const wal = await Wal.open("data/wal");
 * await wal.configure(nightly);
 * await wal.close();
 * ```
 */
export type WalChanges = Pick<
  WalOptions,
  "durability" | "windowMs" | "maxEntries" | "maxBytes" | "io" | "segmentBytes"
>;

const CHANGEABLE: readonly (keyof WalChanges)[] = [
  "durability",
  "windowMs",
  "maxEntries",
  "maxBytes",
  "io",
  "segmentBytes",
];

/** The settings with these changes; throws a {@linkcode WalOptionsError} where they are wrong, or contradict them. */
export function changed(settings: Settings, changes: WalChanges): Settings {
  checkOptions("configure", changes, CHANGEABLE);
  const explicit = withoutUndefined(changes);
  const next = { ...settings, ...explicit };
  checkRanges(next);
  checkContradictions(explicit, next);
  return next;
}

function withoutUndefined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** The settings that the options come to; throws a {@linkcode WalOptionsError} that names what is wrong. */
export function settle(options: WalOptions): Settings {
  if (typeof options !== "object" || options === null || isRevoked(options)) {
    throw new WalOptionsError(`options must be an object, not ${describe(options)}`);
  }
  const { preset, onEvent, runtime, signal, ...given } = options;
  const explicit = withoutUndefined(given) as Partial<Settings>;
  for (const name of Object.keys(explicit)) {
    if (!Object.hasOwn(DEFAULTS, name)) {
      throw new WalOptionsError(`there is no option ${name}; there are ${optionNames()}`);
    }
  }
  checkChoice("preset", preset, Object.keys(PRESETS));
  checkFunction("onEvent", onEvent);
  checkRuntime(runtime);
  checkSignal(signal);
  const settings = { ...DEFAULTS, ...(preset === undefined ? {} : PRESETS[preset]), ...explicit };
  checkRanges(settings);
  if (settings.durability === "none" && explicit.windowMs === undefined) {
    settings.windowMs = Math.min(settings.windowMs, settings.lossMs); // a preset's window gives way to what was asked for
  }
  checkContradictions(explicit, settings);
  return settings;
}

/** Throws where this is given and is no level. */
export function checkDurability(durability: Durability | undefined): void {
  checkChoice("durability", durability, DURABILITIES);
}

function optionNames(): string {
  return [...Object.keys(DEFAULTS), "preset", "onEvent", "runtime", "signal"].join(", ");
}

function checkRanges(settings: Settings): void {
  for (const [name, least, most] of RANGES) {
    const value = settings[name];
    const isNumber = typeof value === "number" &&
      (Number.isInteger(value) || value === Infinity || name === "windowMs");
    if (!isNumber || !(value >= least && value <= most)) {
      const number = name === "windowMs" ? "number" : "whole number"; // half a millisecond is long for a fast disk
      throw new WalOptionsError(`${name} must be a ${number} from ${least} to ${most}, not ${describe(value)}`);
    }
  }
  for (const [name, choices] of CHOICES) checkChoice(name, settings[name] as string, choices);
  const { segmentBytes } = settings;
  const isSize = Number.isSafeInteger(segmentBytes) && segmentBytes >= SMALLEST_SEGMENT_BYTES + 4 * KIB;
  if (segmentBytes !== 0 && !isSize) {
    throw new WalOptionsError(
      `segmentBytes must be 0 (never rotate by size) or a whole number from ${SMALLEST_SEGMENT_BYTES + 4 * KIB}, ` +
        `not ${describe(segmentBytes)}`,
    );
  }
}

/** Only what was said twice can contradict itself: a default gives way in silence. */
function checkContradictions(explicit: Partial<Settings>, settings: Settings): void {
  const refuse = (left: keyof Settings, right: keyof Settings, why: string): never => {
    throw new WalOptionsError(
      `${left} ${String(settings[left])} contradicts ${right} ${String(settings[right])}: ${why}`,
    );
  };
  const { maxEntries, windowMs, durability } = settings;
  if (maxEntries === 1 && (explicit.windowMs ?? 0) > 0) {
    refuse("windowMs", "maxEntries", "an entry alone waits for no company");
  }
  if (durability === "none" && windowMs > settings.lossMs) {
    refuse("windowMs", "lossMs", "entries would be written later than they must be synced");
  }
  for (const name of ["maxEntryBytes", "maxBatchBytes", "maxBytes"] as const) {
    const value = explicit[name] ?? 0;
    if (explicit.maxBufferedBytes !== undefined && Number.isFinite(value) && value > explicit.maxBufferedBytes) {
      refuse(name, "maxBufferedBytes", "it is more than may wait at all");
    }
  }
}
