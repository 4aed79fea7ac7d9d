/**
 * A workload as it is run once, with what is done to its calls, and what would be left of it at moments of it.
 */

import { crc32 } from "node:zlib";
import type { Wal } from "../../mod.ts";
import { type MemoryCall, type MemoryDisk, type MemoryFault, MemoryRuntime } from "../../src/runtime/memory.ts";
import { Conduct } from "./conduct.ts";
import { live } from "./life.ts";
import { readAll } from "./log_contents.ts";
import { type Ending, Oracle } from "./oracle.ts";
import { type Survival, survivals, type Used } from "./survivals.ts";
import { toTheEnd } from "./to_the_end.ts";
import type { Trace } from "./trace.ts";
import type { User } from "./user.ts";
import { Watcher } from "./watcher.ts";
import type { Workload } from "./workload.ts";

/** What is done to a call. */
export type Spoil = (call: MemoryCall) => MemoryFault | undefined;

/** A run of a workload, up to the moment when its process was no more. */
export interface Run extends Used {
  readonly calls: readonly MemoryCall[];
  /** The calls that were made while the log was brought back after a failure. */
  readonly mending: readonly number[];
}

/** What else there is to a run. */
export interface RunOptions {
  /** What is left to chance once a sync has failed; it changes nothing before. */
  readonly chance?: number;
  /** Whether the log may complain. */
  readonly isSpoiled?: boolean;
  /** Where it is told what would be left at each moment. */
  readonly moments?: Moments;
  /** The same, of the moments at which a log is brought back that has failed. */
  readonly mendingMoments?: Moments;
}

/** What would be left of a run at moments of it. */
export class Moments {
  readonly list: { readonly name: string; readonly survivals: readonly Survival[] }[] = [];
  readonly #wanted: string | null;
  readonly #count: number | undefined;

  /** @param wanted The only one that is looked at; null: all of them. @param count How many survivals of each; all, if not given. */
  constructor(wanted: string | null, count?: number) {
    this.#wanted = wanted;
    this.#count = count;
  }

  /** Whether the only one that is wanted was there. */
  get isOver(): boolean {
    return this.#wanted !== null && this.list.length > 0;
  }

  take(name: string, used: Used, seed: number): void {
    if (this.#wanted !== null && (this.#wanted !== name || this.isOver)) return;
    this.list.push({ name, survivals: survivals(used, seed, this.#count) });
  }
}

/** See {@linkcode Run}. */
export class WorkloadRun {
  readonly #workload: Workload;
  readonly #disk: MemoryDisk;
  readonly #spoil: Spoil;
  readonly #options: RunOptions;
  readonly #oracle: Oracle = new Oracle();
  readonly #conduct: Conduct = new Conduct(this.#oracle);
  readonly #calls: MemoryCall[] = [];
  readonly #mending: number[] = [];
  #isMending = false;

  constructor(workload: Workload, disk: MemoryDisk, spoil: Spoil, options: RunOptions) {
    this.#workload = workload;
    this.#disk = disk;
    this.#spoil = spoil;
    this.#options = options;
  }

  async run(seed: number, trace: Trace | null): Promise<Run> {
    const disk = this.#disk;
    const oracle = this.#oracle;
    const conduct = this.#conduct;
    oracle.trace = trace;
    if (this.#options.moments !== undefined) {
      oracle.onAcknowledged = (lsn, level) => this.#moment(`when ${lsn} is acknowledged at ${level}`);
    }
    const runtime = new MemoryRuntime({ crc32, disk, seed, onCall: this.#onCall, onReturn: conduct.onReturn });
    const watcher = this.#workload.isWatched ? new Watcher(disk, () => oracle) : null;
    const around = {
      opened: async (wal: Wal) => oracle.checkRecovered(wal, await readAll(wal), this.#ending),
      met: (user: User) => void (conduct.user = user),
      reopening: (isUnderWay: boolean) => void (this.#isMending = isUnderWay && conduct.user?.wal.state === "failed"),
      isSpoiled: () => this.#options.isSpoiled ?? true,
      faults: () => conduct.faults,
      isSure: () => !conduct.hasFailedSync,
    };
    try {
      await toTheEnd(live(runtime, this.#workload, oracle, around), runtime);
    } finally {
      await watcher?.end();
    }
    conduct.check(disk);
    // The code of a process that is dead may go on, and nobody listens.
    return { ...this.#used(), calls: this.#calls, mending: this.#mending };
  }

  /** After a failed sync a page cache may show what the disk does not have. */
  get #ending(): Ending {
    return this.#conduct.hasFailedSync ? "power" : "kill";
  }

  /** As it is now. */
  #used(): Used {
    const { hasFailedSync } = this.#conduct;
    return { disk: this.#disk, oracle: this.#oracle.clone(), ending: this.#ending, isLying: hasFailedSync };
  }

  readonly #onCall = (call: MemoryCall): MemoryFault | undefined => {
    this.#calls.push(call);
    this.#moment(`before call ${call.number}`);
    if (this.#isMending) this.#mending.push(call.number);
    const fault = this.#spoil(call);
    this.#conduct.onCall(call, fault);
    this.#oracle.trace?.call(call, fault);
    return fault;
  };

  #moment(name: string): void {
    const { moments, mendingMoments } = this.#options;
    const told = this.#isMending ? mendingMoments ?? moments : moments;
    told?.take(name, this.#used(), this.#calls.length);
    if (told?.isOver) this.#oracle.trace = null; // what comes now does not matter
  }
}
