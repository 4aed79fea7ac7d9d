/**
 * A history as it happens: lives one after the other on one disk, each looked at by the next.
 */

import { crc32 } from "node:zlib";
import { Wal, WalError } from "../../mod.ts";
import {
  type MemoryCall,
  MemoryDisk,
  type MemoryFault,
  type MemoryPowerLoss,
  MemoryRuntime,
} from "../../src/runtime/memory.ts";
import type { Conduct } from "./conduct.ts";
import { abandoned, checkKept, checkTorn, checkVerified, lastSegmentName, type Piece } from "./evidence.ts";
import type { History, Life, Misread } from "./histories.ts";
import { checkWaits, live } from "./life.ts";
import { readAll } from "./log_contents.ts";
import { type Ending, Oracle, Violation } from "./oracle.ts";
import { toTheEnd } from "./to_the_end.ts";
import type { Trace } from "./trace.ts";
import { Watcher } from "./watcher.ts";
import { Weather } from "./weather.ts";
import { DIRECTORY } from "./workload.ts";
import { oldSegmentsAsSpares } from "./workloads.ts";

/** What was looked at. */
export interface Soaked {
  histories: number;
  lives: number;
  /** How often a process was killed or lost its power before it had closed the log. */
  crashPoints: number;
  recoveries: number;
  calls: number;
}

/** In a log of no more than so many LSNs each that was skipped is waited for at each open. */
const MOST_WAITS = 100;

/** See the head of this file. */
export class HistoryRun {
  readonly #history: History;
  readonly #soaked: Soaked;
  readonly #trace: Trace | null;
  #oracle: Oracle = new Oracle();
  #disk: MemoryDisk;
  #watcher: Watcher | null = null;
  /** What may be lost since the log was last found whole. */
  #ending: Ending = "kill";
  /** A sync has failed, and the page cache may show at one moment what is gone at the next. */
  #isLying = false;
  /** False: a failed sync or a wrong read may have changed what was torn. */
  #keepsEvidence = true;
  #evidence: Piece[] = [];
  /** The last segment of a log that has failed, while it is brought back. */
  #failedSegment: string | null = null;

  private constructor(
    history: History,
    files: Readonly<Record<string, Uint8Array>>,
    soaked: Soaked,
    trace: Trace | null,
  ) {
    this.#history = history;
    this.#soaked = soaked;
    this.#trace = trace;
    this.#disk = new MemoryDisk({ seed: history.seed, files });
    this.#oracle.trace = trace;
  }

  /** Lets it happen; rejects at the first broken promise. */
  static async run(history: History, soaked: Soaked = nothingSoaked(), trace: Trace | null = null): Promise<void> {
    const run = new HistoryRun(history, await filesOf(history), soaked, trace);
    try {
      await run.#run();
    } finally {
      await run.#watcher?.end().catch(() => {}); // where it matters it was told
    }
    soaked.histories++;
  }

  async #run(): Promise<void> {
    for (const life of this.#history.lives) await this.#live(life);
    await this.#endWatcher();
    this.#disk.sizeBytes = Infinity;
    const lastLsn = await this.#lastLife();
    this.#losePower({ keep: "none" });
    if (await this.#lastLife() !== lastLsn) throw new Violation(`a second recovery moved the end from ${lastLsn}`);
    if (this.#keepsEvidence) checkKept(this.#disk, this.#evidence);
  }

  /** One process: it opens the log, uses it, and is no more. */
  async #live(life: Life): Promise<void> {
    this.#soaked.lives++;
    this.#trace?.say(`-- ${life.name}`);
    this.#disk.sizeBytes = this.#disk.usedBytes + life.roomBytes;
    if (life.misread !== null) await this.#misread(life.misread, life.seed);
    const weather = new Weather(life, this.#oracle, this.#trace);
    const { conduct, onCall, onReturn } = weather;
    const runtime = new MemoryRuntime({ crc32, disk: this.#disk, seed: life.seed, onCall, onReturn });
    if (!life.isWatched) await this.#endWatcher();
    else this.#watcher ??= new Watcher(this.#disk, () => this.#oracle);
    await this.#use(life, conduct, runtime);
    this.#oracle = this.#oracle.clone(); // the code of a process that is dead may go on, and nobody listens
    this.#oracle.trace = this.#trace;
    conduct.check(this.#disk);
    runtime.stop();
    if (conduct.hasFailedSync || life.after !== "kill") this.#ending = "power";
    if (conduct.hasFailedSync) {
      this.#keepsEvidence = false;
      this.#isLying = true;
    }
    if (!life.closes || weather.stops > 0) this.#soaked.crashPoints++;
    await this.#crash(life);
  }

  async #use(life: Life, conduct: Conduct, runtime: MemoryRuntime): Promise<void> {
    const task = live(runtime, life, this.#oracle, {
      opened: (wal) => this.#opened(wal, conduct.hasFailedSync),
      met: (user) => conduct.user = user,
      reopening: (isUnderWay) => this.#reopening(isUnderWay, conduct),
      faults: () => conduct.faults,
      isSure: () => !conduct.hasFailedSync,
      isSpoiled: () => conduct.faults > 0,
      closes: life.closes,
    });
    try {
      await toTheEnd(task, runtime);
      conduct.user?.check(conduct.faults > 0);
    } finally {
      this.#soaked.calls += runtime.calls;
    }
  }

  /** What is killed leaves its page cache behind, and whoever else is there. */
  async #crash({ after, seed }: Life): Promise<void> {
    this.#trace?.say(after === "kill" ? "killed" : `the power goes, and of what is not synced ${after} is kept`);
    if (after === "kill") {
      if (this.#watcher === null) this.#disk = this.#disk.kill(seed);
      return;
    }
    await this.#endWatcher();
    this.#losePower({ keep: after, seed });
  }

  #losePower(how: MemoryPowerLoss): void {
    this.#disk = this.#disk.powerLoss(how);
    this.#isLying = false;
    this.#evidence = this.#evidence.filter(({ isSynced }) => isSynced);
  }

  async #endWatcher(): Promise<void> {
    const watcher = this.#watcher;
    this.#watcher = null;
    await watcher?.end();
  }

  /** What a failure leaves behind is evidence as well, but for what a page cache shows that is not on the disk. */
  #reopening(isUnderWay: boolean, { hasFailedSync, user }: Conduct): void {
    if (isUnderWay) {
      this.#failedSegment = user?.wal.state === "failed" ? lastSegmentName(this.#disk) : null;
      return;
    }
    const segment = this.#failedSegment;
    if (segment === null || hasFailedSync || user?.wal.state !== "open") return;
    const piece = abandoned(this.#disk, segment);
    if (piece !== null) this.#evidence.push(piece);
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
      this.#trace?.say(`misread: ${JSON.stringify(target)} ${JSON.stringify(wal.recovery)}`);
    } catch (error) {
      if (!(error instanceof WalError)) throw error;
      this.#trace?.say(`misread: ${JSON.stringify(target)} ${error.message}`);
    }
    runtime.stop();
  }

  async #opened(wal: Wal, hasFailedSync: boolean): Promise<void> {
    const oracle = this.#oracle;
    const { recovery } = wal;
    this.#trace?.say(`opened: ${JSON.stringify(recovery)}, after ${this.#ending}`);
    const piece = checkTorn(this.#disk, recovery, oracle.mostLsn, this.#isLying || hasFailedSync);
    const entries = await readAll(wal);
    if (this.#oracle !== oracle) return; // the process is dead, and whatever it found was told to nobody
    this.#soaked.recoveries++;
    if (piece !== null) this.#evidence.push(piece);
    oracle.checkRecovered(wal, entries, hasFailedSync ? "power" : this.#ending);
    this.#ending = "kill";
    if (wal.lastLsn < MOST_WAITS) await checkWaits(wal, oracle, this.#history.seed);
  }

  /** In peace: nothing may be refused, and all must be there. */
  async #lastLife(): Promise<number> {
    this.#trace?.say("-- a last life, in peace");
    const onCall = (call: MemoryCall): undefined => void this.#trace?.call(call, undefined);
    const runtime = new MemoryRuntime({ crc32, disk: this.#disk, onCall });
    const task = async (): Promise<number> => {
      const compare = this.#isLying ? () => {} : await checkVerified(this.#disk);
      const wal = await Wal.open(DIRECTORY, { runtime, segmentBytes: 16 * 1024 });
      compare(wal.recovery);
      await this.#opened(wal, false);
      const { lastLsn } = wal;
      await wal.close();
      return lastLsn;
    };
    return await toTheEnd(task(), runtime) ?? -1;
  }
}

/** Where counting begins. */
export function nothingSoaked(): Soaked {
  return { histories: 0, lives: 0, crashPoints: 0, recoveries: 0, calls: 0 };
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
