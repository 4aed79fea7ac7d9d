/**
 * What may be left of a log at one moment, and which of that was looked at already.
 */

import { crc32 } from "node:zlib";
import type { MemoryCall, MemoryCallName, MemoryDisk } from "../../src/runtime/memory.ts";
import type { Ending, Oracle } from "./oracle.ts";
import { DIRECTORY } from "./workload.ts";

/** A disk as a crash left it, how, and what had been promised of it. */
export interface Survival {
  readonly disk: MemoryDisk;
  readonly ending: Ending;
  readonly name: string;
  readonly oracle: Oracle;
  /** Whether a sync has failed since the machine was started: the page cache may forget at any moment what it shows. */
  readonly isLying: boolean;
}

/** A disk that is in use, and what is promised of it at the moment. */
export interface Used {
  readonly disk: MemoryDisk;
  readonly oracle: Oracle;
  /** What is sure of it if the process is killed. */
  readonly ending: Ending;
  readonly isLying: boolean;
}

const CRASHES: readonly (readonly [name: string, crash: (disk: MemoryDisk, seed: number) => MemoryDisk])[] = [
  ["killed", (disk, seed) => disk.kill(seed)],
  ["power loss, nothing kept", (disk, seed) => disk.powerLoss({ keep: "none", seed })],
  ["power loss, all kept", (disk, seed) => disk.powerLoss({ keep: "all", seed })],
  ["power loss, any kept", (disk, seed) => disk.powerLoss({ keep: "any", seed })],
  ["power loss, the first kept", (disk, seed) => disk.powerLoss({ keep: "first", seed })],
];

/** The number of the worst that a power loss can leave. */
export const NOTHING_KEPT = 1;

/** All ways in which a process may end now, or some of them, others for each seed. */
export function survivals(used: Used, seed: number, count: number = CRASHES.length): Survival[] {
  return CRASHES.map((_, nth) => (nth + seed) % CRASHES.length)
    .slice(0, count)
    .map((nth) => survival(used, seed, nth));
}

/** One of them, another one for each number. */
export function survival({ disk, oracle, ending, isLying }: Used, seed: number, nth: number): Survival {
  const [name, crash] = CRASHES[nth % CRASHES.length] ?? ["killed", (each) => each.kill()];
  const isKilled = name === "killed";
  return { disk: crash(disk, seed), ending: isKilled ? ending : "power", name, oracle, isLying: isKilled && isLying };
}

/** Calls after which a crash finds something else than before them; an `open` that makes a file is followed by its first write. */
const CHANGING: ReadonlySet<MemoryCallName> = new Set<MemoryCallName>(
  ["write", "syncData", "truncate", "makeDirectory", "rename", "unlink", "syncDirectory"],
);

/** Whether a crash after this call may find something else than one before it. */
export function changes({ name }: MemoryCall): boolean {
  return CHANGING.has(name);
}

/** The survivals that were looked at already: the same disk with the same promises twice is no better than once. */
export class Known {
  readonly #fingerprints: Set<string> = new Set();

  /** Whether nothing like it has been asked for before, by one who is up to the same. */
  isNew({ disk, oracle, ending, name, isLying }: Survival, purpose: string = "recover"): boolean {
    // What a power loss leaves is all there is of it; behind what a kill leaves there is a page cache, and what is beneath.
    const beneath = name.startsWith("killed") ? fingerprintOf(disk.powerLoss({ keep: "none" })) : "";
    const fingerprint = `${purpose} ${ending} ${isLying} ${oracle.fingerprint} ${fingerprintOf(disk)} ${beneath}`;
    if (this.#fingerprints.has(fingerprint)) return false;
    this.#fingerprints.add(fingerprint);
    return true;
  }
}

function fingerprintOf(disk: MemoryDisk): string {
  if (!disk.names("/").includes("data") || !disk.names("/data").includes("wal")) return "no directory";
  return disk.names(DIRECTORY).map((name) => {
    const bytes = disk.read(`${DIRECTORY}/${name}`);
    const told = name === "lock" ? bytes.subarray(0, 512) : bytes; // who had the lock is nobody who has it now
    return `${name} ${told.length} ${crc32(told)}`;
  }).join();
}
