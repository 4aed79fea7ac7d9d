/**
 * Random histories of a log: lives one after the other on one disk, with faults, crashes and full disks, all drawn from a
 * seed. A few are part of the tests; as a program this runs as many as it is told to:
 *
 * ```text
 * deno run -A tests/support/soak.ts 100000 1      histories, and the seed of the first
 * node tests/support/soak.ts 1 4711               one history, told step by step
 * ```
 */

import process from "node:process";
import { pathToFileURL } from "node:url";
import { crc32 } from "node:zlib";
import { Wal, WalError } from "../../mod.ts";
import { type MemoryCall, MemoryDisk, type MemoryFault, MemoryRuntime } from "../../src/runtime/memory.ts";
import { type History, type Life, type Misread, randomHistory } from "./histories.ts";
import { readAll } from "./log_contents.ts";
import { type Ending, Oracle, Violation } from "./oracle.ts";
import { toTheEnd } from "./to_the_end.ts";
import { checkWaits, live } from "./life.ts";
import { Watcher } from "./watcher.ts";
import { Weather } from "./weather.ts";
import { DIRECTORY } from "./workload.ts";
import { oldSegmentsAsSpares } from "./workloads.ts";

/** What was looked at. */
export interface Soaked {
  histories: number;
  lives: number;
  opens: number;
  calls: number;
}

/** Told what happens, line by line. */
type Say = (line: string) => void;

/** A torn piece that was found, and that must stay somewhere. */
interface Evidence {
  readonly segment: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** The history of a seed, as it goes on. */
class HistoryRun {
  readonly #history: History;
  readonly #soaked: Soaked;
  readonly #say: Say;
  #oracle: Oracle = new Oracle();
  #disk: MemoryDisk;
  /** What may be lost since the log was last found whole. */
  #ending: Ending = "kill";
  /** False: a failed sync or a wrong read may have changed what was torn. */
  #keepsEvidence = true;
  readonly #evidence: Evidence[] = [];

  constructor(history: History, files: Readonly<Record<string, Uint8Array>>, soaked: Soaked, say: Say) {
    this.#history = history;
    this.#soaked = soaked;
    this.#say = say;
    this.#disk = new MemoryDisk({ seed: history.seed, files });
  }

  async run(): Promise<void> {
    for (const [nth, life] of this.#history.lives.entries()) await this.#live(life, this.#history.seed + nth);
    this.#disk.sizeBytes = Infinity;
    const lastLsn = await this.#lastLife();
    this.#disk = this.#disk.powerLoss({ keep: "none" });
    if (await this.#lastLife() !== lastLsn) throw new Violation(`a second recovery moved the end from ${lastLsn}`);
    this.#checkEvidence();
  }

  /** One process: it opens the log, uses it, and is no more. */
  async #live(life: Life, seed: number): Promise<void> {
    this.#soaked.lives++;
    this.#disk.sizeBytes = this.#disk.usedBytes + life.roomBytes;
    if (life.misread !== null) await this.#misread(life.misread, seed);
    const weather = new Weather(life);
    const runtime = new MemoryRuntime({
      crc32,
      disk: this.#disk,
      seed,
      onCall: weather.onCall,
      onReturn: weather.onReturn,
    });
    const watcher = life.isWatched ? new Watcher(this.#disk, this.#oracle) : null;
    const task = live(runtime, life, this.#oracle, {
      opened: (wal) => this.#opened(wal),
      met: (user) => weather.user = user,
      isSpoiled: () => weather.isSpoiled,
      closes: life.closes,
    });
    try {
      await toTheEnd(task, runtime);
    } finally {
      this.#soaked.calls += runtime.calls;
      await watcher?.end();
      this.#say(`${life.name}: ${JSON.stringify({ ...life, calls: runtime.calls })}`);
    }
    weather.user?.check(weather.isSpoiled);
    this.#oracle = this.#oracle.clone(); // the code of a process that is dead may go on, and nobody listens
    weather.conduct.check(this.#disk);
    runtime.stop();
    if (weather.hasFailedSync || life.after !== "kill") this.#ending = "power";
    if (weather.hasFailedSync) this.#keepsEvidence = false;
    this.#disk = life.after === "kill" ? this.#disk.kill(seed) : this.#disk.powerLoss({ keep: life.after, seed });
  }

  /** On a copy of the disk one bit is read wrong: open may refuse, but nothing that is vouched for may be missing. */
  async #misread(misread: Misread, seed: number): Promise<void> {
    const target = misreadTarget(misread, this.#disk);
    if (target === null) return;
    const sober = new MemoryRuntime({ crc32, disk: this.#disk.kill(), seed });
    const { recovery } = await Wal.open(DIRECTORY, { runtime: sober });
    sober.stop();
    const onCall = ({ name, path, position, length }: MemoryCall): MemoryFault | undefined => {
      const at = target.offset - position;
      return name === "read" && path === target.path && at >= 0 && at < length
        ? { flipBits: [at * 8 + misread.bit] }
        : undefined;
    };
    const runtime = new MemoryRuntime({ crc32, disk: this.#disk.kill(), seed, onCall });
    try {
      const wal = await Wal.open(DIRECTORY, { runtime });
      // A head frame that is read wrong and that nothing vouches for is a torn one: then what was cut may be there again.
      if (wal.firstLsn < this.#oracle.headLsn && recovery.end !== "clean") return runtime.stop();
      const entries = await readAll(wal);
      // After a clean end all of it is vouched for, by the mark and by the lock file.
      this.#oracle.clone().checkRecovered(wal, entries, recovery.end === "clean" ? this.#ending : "misread");
      this.#say(`misread: ${JSON.stringify(target)} ${JSON.stringify(wal.recovery)}`);
    } catch (error) {
      if (!(error instanceof WalError)) throw error;
      this.#say(`misread: ${JSON.stringify(target)} ${error.message}`);
    }
    runtime.stop();
  }

  async #opened(wal: Wal): Promise<void> {
    this.#soaked.opens++;
    const entries = await readAll(wal);
    this.#say(`opened: ${JSON.stringify(wal.recovery)}, after ${this.#ending}`);
    this.#oracle.checkRecovered(wal, entries, this.#ending);
    this.#ending = "kill";
    const { torn } = wal.recovery;
    if (torn === null) return;
    const bytes = this.#disk.read(`${DIRECTORY}/${torn.segment}`).slice(torn.offset, torn.offset + torn.bytes);
    this.#evidence.push({ segment: torn.segment, offset: torn.offset, bytes });
  }

  /** In peace: nothing may be refused, and all must be there. */
  async #lastLife(): Promise<number> {
    const runtime = new MemoryRuntime({ crc32, disk: this.#disk });
    const task = async (): Promise<number> => {
      const wal = await Wal.open(DIRECTORY, { runtime, segmentBytes: 16 * 1024 });
      await this.#opened(wal);
      if (wal.lastLsn < 100) await checkWaits(wal, this.#oracle);
      const { lastLsn } = wal;
      await wal.close();
      return lastLsn;
    };
    return await toTheEnd(task(), runtime) ?? -1;
  }

  #checkEvidence(): void {
    if (!this.#keepsEvidence) return;
    const names = this.#disk.names(DIRECTORY);
    for (const { segment, offset, bytes } of this.#evidence) {
      const [id = ""] = segment.split("-");
      const places = [
        ...names.filter((name) => name === segment).map((name) => ({ name, at: offset })),
        ...names.filter((name) => name === `torn-${id}-${offset}.bin`).map((name) => ({ name, at: 0 })),
      ];
      const holds = ({ name, at }: { name: string; at: number }): boolean => {
        const found = this.#disk.read(`${DIRECTORY}/${name}`).subarray(at, at + bytes.length);
        return found.length === bytes.length && found.every((byte, nth) => byte === bytes[nth]);
      };
      if (!places.some(holds)) throw new Violation(`the torn bytes of ${segment} at ${offset} are nowhere any more`);
    }
  }
}

/** A byte of the last segment, or of the mark in the lock file. */
function misreadTarget(
  { file, share }: Misread,
  disk: MemoryDisk,
): { path: string; offset: number } | null {
  if (disk.names("/").length === 0 || disk.names("/data").length === 0) return null;
  const last = disk.names(DIRECTORY).findLast((name) => /^\d/.test(name));
  if (last === undefined) return null;
  const path = `${DIRECTORY}/${file === "lock" ? "lock" : last}`;
  const bytes = disk.read(path);
  const end = file === "lock" ? 32 : bytes.findLastIndex((byte) => byte !== 0) + 1;
  const start = file === "lock" || share < 0.05 ? 0 : 4096;
  return { path, offset: start + Math.floor(share * Math.max(0, end - start)) };
}

let oldFiles: Promise<Record<string, Uint8Array>> | null = null;

async function filesOf({ hasOldFiles, hasShortFiles }: History): Promise<Record<string, Uint8Array>> {
  if (hasOldFiles) oldFiles ??= oldSegmentsAsSpares();
  const short = {
    "spare-0000000003.wal": new Uint8Array(12_288),
    "spare-0000000004.wal": new Uint8Array(20_000).fill(0xff),
    "spare-0000000005.wal": new Uint8Array(9000),
  };
  const files = { ...(hasOldFiles ? await oldFiles : {}), ...(hasShortFiles ? short : {}) };
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`${DIRECTORY}/${name}`, bytes]));
}

/** Runs histories from one seed on, until there were so many or the time is over. Rejects at the first broken promise. */
export async function soak(
  firstSeed: number,
  count: number,
  { say = () => {}, mostMs = Infinity }: { say?: Say; mostMs?: number } = {},
): Promise<Soaked> {
  const soaked: Soaked = { histories: 0, lives: 0, opens: 0, calls: 0 };
  const startMs = performance.now();
  for (let seed = firstSeed; seed < firstSeed + count && performance.now() - startMs < mostMs; seed++) {
    const history = randomHistory(seed);
    try {
      await new HistoryRun(history, await filesOf(history), soaked, say).run();
    } catch (error) {
      const what = error instanceof Violation || error instanceof WalError ? error.message : String(error);
      throw new Error(`WALSTREAM_SEED=${seed}: ${what}`, { cause: error });
    }
    soaked.histories++;
  }
  return soaked;
}

async function main([count = "1000", firstSeed = "1"]: readonly string[]): Promise<void> {
  const histories = Number(count);
  const kinds = new Map<string, { count: number; seed: number }>();
  const startMs = performance.now();
  for (let seed = Number(firstSeed); seed < Number(firstSeed) + histories; seed++) {
    if (seed % 1000 === 0) console.log(`at seed ${seed} after ${Math.round((performance.now() - startMs) / 1000)} s`);
    try {
      await soak(seed, 1, { say: histories === 1 ? console.log : () => {} });
    } catch (error) {
      if (histories === 1) throw error;
      const kind = (error instanceof Error ? error.message : String(error)).replaceAll(/\d+/g, "N").slice(0, 300);
      const known = kinds.get(kind) ?? { count: 0, seed };
      if (known.count++ === 0) console.log(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
      kinds.set(kind, known);
    }
  }
  const seconds = Math.round((performance.now() - startMs) / 1000);
  console.log(`${histories} histories from seed ${firstSeed} in ${seconds} s, ${kinds.size} kinds of violations`);
  for (const [kind, { count, seed }] of kinds) console.log(`${count} x ${kind} (seed ${seed})`);
  process.exitCode = kinds.size === 0 ? 0 : 1;
}

const isProgram = process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href;
if (isProgram) await main(process.argv.slice(2));
