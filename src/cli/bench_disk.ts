/**
 * What the disk does by itself: bytes are written at a position and synced, with no log about it.
 *
 * *Prepared*: into written, synced zeros. *Growing*: at the end of a file. Both on the calling thread, the cheapest way that
 * each runtime has. The four take turns, because a disk is not the same at all times.
 *
 * @module
 */

import type { Runtime, RuntimeFile } from "../runtime/port.ts";
import { Histogram } from "../stats.ts";
import type { BenchTime } from "./bench_time.ts";

/** Writes of one size, each with its sync. */
export interface DiskFigure {
  readonly writeBytes: number;
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  readonly bytesPerSecond: number;
}

type DiskKind = "smallPrepared" | "smallGrowing" | "largePrepared" | "largeGrowing";

/** Small is the frame of one short entry; large is what many callers bring together. */
export type DiskFigures = Readonly<Record<DiskKind, DiskFigure>>;

/** In words. */
export const diskKinds: readonly (readonly [DiskKind, string])[] = [
  ["smallPrepared", "160 B, prepared"],
  ["smallGrowing", "160 B, growing"],
  ["largePrepared", "128 KiB, prepared"],
  ["largeGrowing", "128 KiB, growing"],
];

const SMALL_BYTES = 160;
const LARGE_BYTES: number = 128 * 1024;
const PREPARED_BYTES: number = 8 * 1024 * 1024;
const MOST_GROWN_BYTES: number = 64 * 1024 * 1024;
const TURNS = 3;
/** So often signals are heard. */
const HEARING_MS = 40;

/** How many shares of the time this asks for. */
export const DISK_SHARES: number = diskKinds.length * TURNS;

/** Measures the disk of a directory. The files are left in the directory. */
export async function measureDisk(runtime: Runtime, directory: string, time: BenchTime): Promise<DiskFigures> {
  const floors: Floor[] = [];
  try {
    for (const [kind, name] of diskKinds) {
      const file = await runtime.open(runtime.join(directory, kind), "create");
      const bytes = new Uint8Array(kind.startsWith("small") ? SMALL_BYTES : LARGE_BYTES);
      runtime.randomize(bytes); // as entries may be: nothing can compress them
      const floor = new Floor(kind, name, file, bytes);
      floors.push(floor);
      await floor.prepare();
    }
    for (let turn = 0; turn < TURNS; turn++) {
      for (const floor of floors) await floor.turn(time);
    }
    return Object.fromEntries(floors.map((floor) => [floor.kind, floor.read()])) as DiskFigures;
  } finally {
    await Promise.all(floors.map((floor) => floor.close()));
  }
}

class Floor {
  readonly kind: DiskKind;
  readonly #name: string;
  readonly #file: RuntimeFile;
  readonly #bytes: Uint8Array;
  readonly #isPrepared: boolean;
  readonly #times: Histogram = new Histogram();
  #position = 0;
  #elapsedMs = 0;

  constructor(kind: DiskKind, name: string, file: RuntimeFile, bytes: Uint8Array) {
    this.kind = kind;
    this.#name = name;
    this.#file = file;
    this.#bytes = bytes;
    this.#isPrepared = kind.endsWith("Prepared");
  }

  async prepare(): Promise<void> {
    if (this.#isPrepared) await this.#file.write(new Uint8Array(PREPARED_BYTES), 0);
    await this.#file.syncData();
  }

  /** Does not count the first one: what the disk did for another file may be in it. */
  async turn(time: BenchTime): Promise<void> {
    const endMs = time.begin(`the disk: ${this.#name}`, 1);
    let nowMs = this.#step();
    let heardMs = nowMs;
    do {
      if (this.#position > MOST_GROWN_BYTES) return;
      const beforeMs = nowMs;
      nowMs = this.#step();
      this.#times.record(nowMs - beforeMs);
      this.#elapsedMs += nowMs - beforeMs;
      if (nowMs - heardMs < HEARING_MS) continue;
      await new Promise((resolve) => setTimeout(resolve, 0)); // Deno hears signals late in immediates
      time.check();
      heardMs = nowMs = performance.now();
    } while (nowMs < endMs);
  }

  /** A prepared file is written over again and again. */
  #step(): number {
    if (this.#isPrepared && this.#position + this.#bytes.length > PREPARED_BYTES) this.#position = 0;
    this.#file.writeSync(this.#bytes, this.#position);
    this.#file.syncDataSync();
    this.#position += this.#bytes.length;
    return performance.now();
  }

  read(): DiskFigure {
    const { count, p50Ms, p99Ms, maxMs } = this.#times.read();
    const writeBytes = this.#bytes.length;
    const bytesPerSecond = Math.round(count * writeBytes * 1000 / this.#elapsedMs);
    return { writeBytes, count, p50Ms, p99Ms, worstMs: maxMs, bytesPerSecond };
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
