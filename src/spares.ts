/**
 * Files that are ready to become segments, and files that are none any more.
 *
 * A small spare is always kept back, so that a log on a full disk can still be cut. Others are prepared ahead of a
 * rotation, with written zeros, because a flush into a prepared file costs a third less than one that grows it.
 *
 * @module
 */

import { isNoRoom, messageOf, systemCode, WalDiskFullError } from "./errors.ts";
import type { Report } from "./event.ts";
import { parseSpareName, SMALLEST_SEGMENT_BYTES, spareName } from "./format.ts";
import { type Place, release } from "./segment.ts";

const PREPARED_BYTES = 1024 * 1024;
const ZEROS_BYTES = 256 * 1024;

interface Spare {
  readonly name: string;
  readonly sizeBytes: number;
}

/** Files that are none of the log's any more, and their size. */
export interface Freed {
  readonly segments: number;
  readonly bytes: number;
}

/** The spares of one directory. */
export class Spares {
  readonly #place: Place;
  readonly #report: Report;
  #preparedBytes = PREPARED_BYTES;
  readonly #most: number;
  /** Smallest first: the one that is kept back. */
  #ready: Spare[] = [];
  #freed: string[] = [];
  #nextNumber = 1;
  /** What is done in the background, one after the other. */
  #background: Promise<void> = Promise.resolve();

  /** @param segmentBytes Where a segment is full, 0: never. @param most How many are kept besides the one kept back. */
  constructor(place: Place, segmentBytes: number, most: number, report: Report) {
    this.#place = place;
    this.#report = report;
    this.#most = most;
    this.limitSegments(segmentBytes);
  }

  /** From now on a segment is full at so many bytes; 0: never. */
  limitSegments(segmentBytes: number): void {
    this.#preparedBytes = segmentBytes === 0 ? PREPARED_BYTES : Math.min(PREPARED_BYTES, segmentBytes);
  }

  /** Takes over the spares that lie about, in the background. */
  adopt(names: readonly string[]): void {
    const spares = names.filter((name) => parseSpareName(name) !== null);
    for (const name of spares) this.#nextNumber = Math.max(this.#nextNumber, (parseSpareName(name) ?? 0) + 1);
    this.#inBackground(async () => {
      for (const name of spares) await this.#adoptOne(name).catch((error: unknown) => this.#dropped(error));
    });
  }

  /**
   * Frees files that are not part of the log any more, in the background: as spares, or for good. `beforeEach` saves what is
   * worth saving and tells the size; null: it has dealt with the file, which is not freed. `isWorn` tells of which that they are
   * not to be written again. Resolves to what was freed.
   */
  free(
    names: readonly string[],
    beforeEach: (name: string) => Promise<number | null>,
    isWorn: (name: string) => boolean = () => false,
  ): Promise<Freed> {
    const freed = { segments: 0, bytes: 0 };
    const freeEach = async (name: string): Promise<void> => {
      const sizeBytes = await beforeEach(name);
      if (sizeBytes === null) return;
      await this.#freeOne(name, isWorn(name));
      freed.segments++;
      freed.bytes += sizeBytes;
    };
    this.#inBackground(async () => {
      for (const name of names) await freeEach(name).catch((error: unknown) => this.#stays(name, error));
      await this.#settleFreed().catch((error: unknown) => this.#stays("a freed file", error));
    });
    return this.#background.then(() => freed);
  }

  /** Removes files that are of no use to anybody, in the background, if they are there. */
  discard(names: readonly string[]): void {
    const { runtime, directory } = this.#place;
    this.#inBackground(async () => {
      for (const name of names) {
        await runtime.unlink(runtime.join(directory, name)).catch((error: unknown) => {
          if (systemCode(error) !== "ENOENT") this.#stays(name, error);
        });
      }
    });
  }

  /** Prepares what is missing, in the background: the one kept back, and one more where a rotation is near. */
  prepare(isRotationNear: boolean): void {
    this.#inBackground(async () => {
      if (this.#ready.length === 0) await this.#create(SMALLEST_SEGMENT_BYTES);
      if (isRotationNear && this.#most > 0 && this.#ready.length < 2) await this.#create(this.#preparedBytes);
    });
  }

  /**
   * The name of a spare to make a segment of: a prepared one, or a new one. Only a cut may take the one kept back. Throws a
   * {@linkcode WalDiskFullError} where there is no room for a new one.
   */
  async take(isCutting: boolean): Promise<string> {
    await this.#keep(isCutting ? 1 : 2);
    const largest = this.#ready.pop();
    if (largest === undefined) throw new Error("no spare is ready although one was made");
    return largest.name;
  }

  /** Whether a rotation would find a file; makes one if it can, throws as {@linkcode take} does. */
  async ensure(): Promise<void> {
    await this.#keep(2);
  }

  async #keep(least: number): Promise<void> {
    if (this.#ready.length >= least) return;
    await this.#background;
    if (this.#ready.length >= least) return;
    // One file that cannot be prepared is no failure; a second one is.
    await this.#createIfRoom().catch((error: unknown) => {
      if (error instanceof WalDiskFullError) throw error;
      this.#dropped(error);
      return this.#createIfRoom();
    });
  }

  /** On a disk that is nearly full a small one does as well. */
  async #createIfRoom(): Promise<void> {
    for (const sizeBytes of [this.#preparedBytes, SMALLEST_SEGMENT_BYTES]) {
      try {
        return await this.#create(sizeBytes);
      } catch (error) {
        if (!isNoRoom(error)) throw error;
        const { directory } = this.#place;
        if (sizeBytes === SMALLEST_SEGMENT_BYTES) {
          throw new WalDiskFullError(`prepare a segment in ${directory}`, error);
        }
      }
    }
  }

  #dropped(error: unknown): void {
    this.#report({ type: "spare-dropped", level: "warning", reason: messageOf(error) });
  }

  #stays(name: string, error: unknown): void {
    this.#report({ type: "cleanup-failed", level: "warning", reason: `${name} stays: ${messageOf(error)}` });
  }

  /** Resolves when nothing is being done in the background. */
  async settled(): Promise<void> {
    let last: Promise<void>;
    do {
      last = this.#background;
      await last;
    } while (last !== this.#background);
  }

  #inBackground(task: () => Promise<void>): void {
    this.#background = this.#background.then(task).catch((error: unknown) => this.#dropped(error));
  }

  #add(spare: Spare): void {
    this.#ready.push(spare);
    this.#ready.sort((a, b) => a.sizeBytes - b.sizeBytes);
  }

  /** A file that is too short for a header and control frames is no spare, and more than enough are too many. */
  async #adoptOne(name: string): Promise<void> {
    const { runtime, directory } = this.#place;
    const path = runtime.join(directory, name);
    const file = await runtime.open(path, "read");
    const sizeBytes = await file.size().finally(() => release(file));
    if (sizeBytes < SMALLEST_SEGMENT_BYTES || this.#ready.length > this.#most) await runtime.unlink(path);
    else this.#add({ name, sizeBytes });
  }

  async #create(sizeBytes: number): Promise<void> {
    const { runtime, directory } = this.#place;
    const name = spareName(this.#nextNumber++);
    const path = runtime.join(directory, name);
    const file = await runtime.open(path, "create");
    try {
      const zeros = new Uint8Array(Math.min(ZEROS_BYTES, sizeBytes));
      for (let at = 0; at < sizeBytes; at += zeros.length) {
        await file.write(zeros.subarray(0, Math.min(zeros.length, sizeBytes - at)), at);
      }
      await file.syncData();
    } catch (error) {
      await release(file);
      await runtime.unlink(path);
      throw error;
    }
    await release(file);
    this.#add({ name, sizeBytes });
  }

  async #freeOne(name: string, isWorn: boolean): Promise<void> {
    const { runtime, directory } = this.#place;
    const path = runtime.join(directory, name);
    if (isWorn || this.#ready.length + this.#freed.length > this.#most) return await runtime.unlink(path);
    const spare = spareName(this.#nextNumber++);
    await runtime.rename(path, runtime.join(directory, spare));
    this.#freed.push(spare);
  }

  /** Only when the directory has been synced may a freed file be overwritten: until then it may come back as a segment. */
  async #settleFreed(): Promise<void> {
    if (this.#freed.length === 0) return;
    await this.#place.runtime.syncDirectory(this.#place.directory);
    for (const name of this.#freed.splice(0)) await this.#adoptOne(name);
  }
}
