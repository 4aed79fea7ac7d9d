/**
 * Looking at all of a log without its lock, while somebody else may be writing it.
 *
 * @module
 */

import type { OutsideVoucher } from "./behind.ts";
import { checkFunction, checkOptions } from "./checks.ts";
import { createChecksum } from "./checksum.ts";
import { messageOf, systemCode, WalAbortedError, WalDirectoryError, WalError, WalIoError } from "./errors.ts";
import { quietly } from "./event.ts";
import { LOCK_NAME } from "./format.ts";
import { readLockMark, resolveDirectory } from "./opening.ts";
import { reportOf, type WalReport } from "./report.ts";
import { detectRuntime } from "./runtime/detect.ts";
import type { Runtime } from "./runtime/port.ts";
import { type Place, release } from "./segment.ts";
import { flawsOf, type Survey, surveyLog, type WalProgress } from "./survey.ts";

/** A log that is being written can look damaged. So often it is looked at until two looks in a row agree. */
const MOST_TRIES = 10;

/**
 * What {@linkcode Wal.verify} takes.
 *
 * @example
 * ```ts
 * import { type VerifyOptions, Wal } from "@walstream/wal";
 *
 * const options: VerifyOptions = { onProgress: (done, of) => console.log(`${done} of ${of} segments`) };
 * const wal = await Wal.open("data/wal");
 * await wal.close();
 * console.log((await Wal.verify("data/wal", options)).state); // empty
 * ```
 */
export interface VerifyOptions {
  /** Called after each segment that was looked at, and by a repair that copies also before each that is copied. */
  readonly onProgress?: WalProgress;
  /** Ends the looking. */
  readonly signal?: AbortSignal;
  /** The adapter to the world around: found by itself unless given. */
  readonly runtime?: Runtime;
}

/** A log as it was found. */
export interface Inspection {
  readonly place: Place;
  readonly names: readonly string[];
  readonly survey: Survey;
}

/** What is in the directory, as a report. Throws where the options are wrong. */
export async function verifyLog(directory: string | URL, options: VerifyOptions): Promise<WalReport> {
  checkOptions("verify", options, ["onProgress", "signal", "runtime"]);
  checkFunction("onProgress", options.onProgress);
  const { place, names, survey } = await inspect(directory, options);
  return reportOf(place.directory, names, survey);
}

/** Looks at a log, and changes nothing. */
export async function inspect(directory: string | URL, options: VerifyOptions): Promise<Inspection> {
  const runtime = options.runtime ?? await detectRuntime();
  const place = {
    runtime,
    directory: resolveDirectory(runtime, directory),
    crc32: await createChecksum(runtime.crc32),
  };
  return await new Inspector(place, progressOf(options)).inspect();
}

/** Tells how far it is, and throws where that is to end. */
export function progressOf({ onProgress, signal }: VerifyOptions): WalProgress {
  const tell = quietly(onProgress);
  return (done, of, what) => {
    if (signal?.aborted) throw new WalAbortedError("looking at the log", signal.reason);
    tell(done, of, what);
  };
}

/** What lies in a directory. Rejects where it cannot be looked at. */
export async function listLog(runtime: Runtime, directory: string): Promise<string[]> {
  return await runtime.list(directory).catch((error: unknown) => {
    throw new WalDirectoryError(`cannot look at the log in ${directory}: ${messageOf(error)}`, error);
  });
}

/** Somebody may write to the log meanwhile: what looks damaged is damaged only if it looks so twice in a row. */
class Inspector {
  readonly #place: Place;
  readonly #onProgress: WalProgress;

  constructor(place: Place, onProgress: WalProgress) {
    this.#place = place;
    this.#onProgress = onProgress;
  }

  async inspect(): Promise<Inspection> {
    let before = "";
    for (let tries = 1;; tries++) {
      try {
        const inspection = await this.#inspectOnce();
        const damage = corruptionOf(inspection.survey);
        if (damage === "" || damage === before) return inspection;
        if (tries === MOST_TRIES) throw this.#busy();
        before = damage;
      } catch (error) {
        const isStale = error instanceof WalError && systemCode(error.cause) === "ENOENT"; // a file was freed
        if (!isStale || error instanceof WalDirectoryError || tries === MOST_TRIES) throw error;
      }
    }
  }

  #busy(): WalIoError {
    const cause = new Error(`it changed ${MOST_TRIES} times while it was looked at; try again when less is written`);
    return new WalIoError(`look at the log in ${this.#place.directory}`, cause);
  }

  async #inspectOnce(): Promise<Inspection> {
    const { runtime, directory } = this.#place;
    const vouchers = await this.#readVouchers(); // before the files: what it says of them held by then
    const names = await listLog(runtime, directory);
    return { place: this.#place, names, survey: await surveyLog(this.#place, names, vouchers, this.#onProgress) };
  }

  async #readVouchers(): Promise<OutsideVoucher[]> {
    const { runtime, directory } = this.#place;
    const file = await runtime.open(runtime.join(directory, LOCK_NAME), "read").catch((error: unknown) => {
      if (systemCode(error) === "ENOENT") return null;
      throw new WalDirectoryError(`cannot read the lock file of ${directory}: ${messageOf(error)}`, error);
    });
    if (file === null) return [];
    try {
      return await readLockMark(this.#place, file);
    } catch (error) {
      throw new WalIoError(`read the lock file of ${directory}`, error);
    } finally {
      await release(file);
    }
  }
}

/** Where it is corrupt, in one word. */
function corruptionOf(survey: Survey): string {
  return flawsOf(survey).filter(({ voucher }) => voucher !== "nothing")
    .map(({ finding, segment, offset, firstLsn }) => `${finding} ${segment} ${offset} ${firstLsn}`).join();
}
