/**
 * Verifying a log: what is in it, and what is wrong with it, as a report.
 *
 * @module
 */

import { checkFunction, checkOptions } from "./checks.ts";
import { createChecksum } from "./checksum.ts";
import { WalAbortedError } from "./errors.ts";
import { quietly } from "./event.ts";
import { resolveDirectory } from "./opening.ts";
import { reportOf, type WalReport } from "./report.ts";
import { detectRuntime } from "./runtime/detect.ts";
import type { Runtime } from "./runtime/port.ts";
import type { WalProgress } from "./survey.ts";
import { surveyUnlocked, type UnlockedSurvey } from "./unlocked_survey.ts";

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

/** What is in the directory, as a report. Throws where the options are wrong. */
export async function verifyLog(directory: string | URL, options: VerifyOptions): Promise<WalReport> {
  checkOptions("verify", options, ["onProgress", "signal", "runtime"]);
  checkFunction("onProgress", options.onProgress);
  const { place, names, survey } = await surveyDirectory(directory, options);
  return reportOf(place.directory, names, survey);
}

/** Looks at the log in a directory, and changes nothing. */
export async function surveyDirectory(directory: string | URL, options: VerifyOptions): Promise<UnlockedSurvey> {
  const runtime = options.runtime ?? await detectRuntime();
  const crc32 = await createChecksum(runtime.crc32);
  const place = { runtime, directory: resolveDirectory(runtime, directory), crc32 };
  return await surveyUnlocked(place, progressOf(options));
}

/** Tells how far it is, and throws where that is to end. */
export function progressOf({ onProgress, signal }: VerifyOptions): WalProgress {
  const tell = quietly(onProgress);
  return (done, of, what) => {
    if (signal?.aborted) throw new WalAbortedError("looking at the log", signal.reason);
    tell(done, of, what);
  };
}
