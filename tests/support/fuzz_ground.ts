/**
 * What every step of the fuzzer of files stands on: the specimen, a disk of its own for each step, and what must not change.
 */

import type { MemoryDisk } from "../../src/runtime/memory.ts";
import { Random } from "../../src/runtime/random.ts";
import type { Base } from "./fuzz_bases.ts";
import type { Specimen } from "./fuzz_specimen.ts";
import { type Costs, Trial } from "./fuzz_trial.ts";
import { DIRECTORY, quiet } from "./log_fixture.ts";
import { Violation } from "./oracle.ts";

/** Up to here the lock file is the log's; behind that the owner writes. */
const LOCK_BYTES = 512;

/** What was looked at, and what it cost. */
export interface FuzzedFiles extends Costs {
  specimens: number;
  /** How many opens and repairs were answered, and how many rejected. */
  answered: number;
  rejected: number;
}

/** See the head of this file. */
export class Ground {
  readonly specimen: Specimen;
  /** All bases: pieces of any of them may have been put in. */
  readonly bases: readonly Base[];
  readonly random: Random;
  readonly fuzzed: FuzzedFiles;
  readonly say: (line: string) => void;

  constructor(
    specimen: Specimen,
    bases: readonly Base[],
    seed: number,
    fuzzed: FuzzedFiles,
    say: (line: string) => void,
  ) {
    this.specimen = specimen;
    this.bases = bases;
    this.random = new Random(seed + 1_000_003);
    this.fuzzed = fuzzed;
    this.say = say;
    say(specimen.describe());
  }

  /** A process on a disk with the specimen on it, or on another disk. */
  trial(disk: MemoryDisk = this.specimen.disk(this.random.bits())): Trial {
    return new Trial(disk, this.random.bits(), this.fuzzed);
  }

  /** Whether a number for machines without locks, or a directory in a file's place, may keep everyone out. */
  get isBarred(): boolean {
    const { files, directories } = this.specimen;
    return directories.size > 0 || [...files.keys()].some((name) => /^lock\.\d/.test(name));
  }

  /** Not a byte of the specimen is another, and no file is open. */
  async checkUntouched(what: string, trial: Trial): Promise<void> {
    await trial.checkClosed(what);
    await quiet();
    const { files, directories } = this.specimen;
    const now = new Set(trial.disk.names(DIRECTORY));
    for (const name of files.keys()) if (!now.has(name)) throw new Violation(`${what}: it removed ${name}`);
    for (const name of now) {
      if (directories.has(name)) continue;
      const before = files.get(name);
      if (before === undefined && name !== "lock") throw new Violation(`${what}: it made ${name}`);
      const after = trial.disk.read(`${DIRECTORY}/${name}`);
      const isSame = name === "lock" ? isSameLock(before, after) : isEqual(before ?? new Uint8Array(), after);
      if (!isSame) throw new Violation(`${what}: it changed ${name}`);
    }
  }
}

/** An owner who comes and goes may leave it longer than it was. */
function isSameLock(before: Uint8Array = new Uint8Array(), after: Uint8Array): boolean {
  const kept = after.subarray(0, LOCK_BYTES);
  const expected = new Uint8Array(kept.length);
  expected.set(before.subarray(0, kept.length));
  return isEqual(expected, kept);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, nth) => byte === b[nth]);
}
