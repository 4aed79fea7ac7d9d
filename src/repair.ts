/**
 * Repairing a log: opening it in a recovery mode, once, and leaving an end that is no longer torn.
 *
 * @module
 */

import { checkChoice, checkFlag, checkFunction, checkOptions } from "./checks.ts";
import { closeLog } from "./closing.ts";
import { isNoRoom, WalDiskFullError, type WalError, WalFailedError } from "./errors.ts";
import type { WalEvent } from "./event.ts";
import { parseSegmentName, SMALLEST_SEGMENT_BYTES } from "./format.ts";
import { type OpenedLog, openLog, resolveDirectory, type SurveyListener } from "./opening.ts";
import { DEFAULT_RECOVERY_MODE, RECOVERY_MODES, type RecoveryMode, type WalOptions } from "./options.ts";
import { type Remedy, remedyFor } from "./remedy.ts";
import { asideNames } from "./replaced.ts";
import { reportOf, type WalReport } from "./report.ts";
import { detectRuntime } from "./runtime/detect.ts";
import type { Survey } from "./survey.ts";
import { listLog } from "./unlocked_survey.ts";
import { progressOf, surveyDirectory, type VerifyOptions } from "./verify.ts";

/**
 * What {@linkcode Wal.repair} takes.
 *
 * @example
 * ```ts
 * import { type RepairOptions, Wal } from "@walstream/wal";
 *
 * const careful: RepairOptions = { mode: "salvage", dryRun: true };
 * const wal = await Wal.open("data/wal");
 * await wal.close();
 * console.log((await Wal.repair("data/wal", careful)).outcome); // clean
 * ```
 */
export interface RepairOptions extends VerifyOptions {
  /** What is done about damage: `"tolerate-tail"` unless said, which cuts off what a crash tore, and no more. */
  readonly mode?: RecoveryMode;
  /** Only tells what would be done, without the lock; changes nothing. */
  readonly dryRun?: boolean;
  /** Hears what happens. */
  readonly onEvent?: (event: WalEvent) => void;
}

/**
 * What {@linkcode Wal.repair} found and did, or would do.
 *
 * @example
 * ```ts
 * import { Wal, type WalRepair } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * await wal.commit("hello");
 * await wal.close();
 * const { outcome, found, lastLsn, setAside }: WalRepair = await Wal.repair("data/wal");
 * console.log(outcome, found.state, lastLsn, setAside); // clean clean 1 []
 * ```
 */
export interface WalRepair {
  /** What was to be done about damage. */
  readonly mode: RecoveryMode;
  /** Whether it was only told. */
  readonly dryRun: boolean;
  /**
   * `"clean"`: there was nothing to do. `"mended"`: it was torn or corrupt, and is whole now; of a dry run: would be.
   * `"refused"`: this mode does not mend what was found, and nothing was changed.
   */
  readonly outcome: "clean" | "mended" | "refused";
  /** Why it was refused, and what to do. */
  readonly refusal: string | null;
  /** The log as it was found. */
  readonly found: WalReport;
  /** The first LSN there is afterwards, or will be. */
  readonly firstLsn: number;
  /** The last LSN that was given out, afterwards. */
  readonly lastLsn: number;
  /** How many entries there are afterwards, or will be. Those of the first file that lie before the first LSN are among them. */
  readonly entries: number;
  /** Bytes of frames that were copied, or will be: so much room is needed, and a little for each file. */
  readonly copiedBytes: number;
  /** Files that were put out of the log, by the names that they bear now. */
  readonly setAside: readonly string[];
}

const NAMES = ["mode", "dryRun", "onEvent", "onProgress", "signal", "runtime"];

/** Repairs the log in `directory`. Throws where the options are wrong. */
export async function repairLog(directory: string | URL, options: RepairOptions): Promise<WalRepair> {
  checkOptions("repair", options, NAMES);
  checkChoice("mode", options.mode, RECOVERY_MODES);
  checkFlag("dryRun", options.dryRun);
  checkFunction("onEvent", options.onEvent);
  checkFunction("onProgress", options.onProgress);
  const { mode = DEFAULT_RECOVERY_MODE, dryRun = false } = options;
  return dryRun ? await wouldRepair(directory, mode, options) : await repair(directory, mode, options);
}

async function wouldRepair(directory: string | URL, mode: RecoveryMode, options: RepairOptions): Promise<WalRepair> {
  const { place, names, survey } = await surveyDirectory(directory, options);
  return { ...foretell(place.directory, names, survey, remedyFor(place, survey, mode), mode), dryRun: true };
}

/** What will have been done. */
function foretell(
  directory: string,
  names: readonly string[],
  survey: Survey,
  { refusal, plan }: Remedy,
  mode: RecoveryMode,
): WalRepair {
  const found = reportOf(directory, names, survey);
  const { firstLsn, lastLsn, entries } = found;
  const unchanged = { mode, dryRun: false, found, firstLsn, lastLsn, entries, copiedBytes: 0, setAside: [] };
  if (refusal !== null) return { ...unchanged, outcome: "refused", refusal: refusal.message };
  const whole = { ...unchanged, outcome: "clean", refusal: null } as const;
  if (plan === null) return found.damage.length === 0 ? whole : { ...whole, outcome: "mended" };
  return {
    ...whole,
    outcome: "mended",
    firstLsn: plan.headLsn,
    lastLsn: Math.max(plan.predecessor.lastLsn, plan.lastLsn),
    entries: plan.entries,
    copiedBytes: plan.copiedBytes,
    setAside: [...asideNames(plan.replaced, names).values()],
  };
}

async function repair(directory: string | URL, mode: RecoveryMode, options: RepairOptions): Promise<WalRepair> {
  const runtime = options.runtime ?? await detectRuntime();
  const names = await listLog(runtime, resolveDirectory(runtime, directory));
  if (!names.some((name) => parseSegmentName(name) !== null)) {
    const planned = await wouldRepair(directory, mode, options);
    if (planned.outcome === "clean") return { ...planned, dryRun: false }; // no log is here: opening would make one
  }
  const { onEvent, signal } = options;
  let foretold: WalRepair | null = null;
  const listener: SurveyListener = {
    found: (path, names, survey, remedy) => foretold = foretell(path, names, survey, remedy, mode),
    onProgress: progressOf(options),
  };
  const given: WalOptions = {
    recovery: mode,
    runtime,
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(signal === undefined ? {} : { signal }),
  };
  const told = (): WalRepair => {
    if (foretold === null) throw new Error("the log was opened without a look at it");
    return foretold;
  };
  let log: OpenedLog;
  try {
    log = await openLog(directory, given, listener);
  } catch (error) {
    if (foretold === null || told().outcome !== "refused") throw error;
    return told();
  }
  await endWell(log).catch((error: unknown) => {
    throw hasNoRoom(error) ? notEnded(log, error) : error;
  });
  const { end, firstLsn, lastLsn, setAside } = log.recovery;
  return { ...told(), outcome: end === "torn" || end === "mended" ? "mended" : "clean", firstLsn, lastLsn, setAside };
}

/** Whether the log that was opened met a full disk; where a sync did, that has failed it. */
function hasNoRoom(error: unknown): error is WalError {
  return error instanceof WalDiskFullError || error instanceof WalFailedError && isNoRoom(error.cause);
}

/** Instead of the log's own error, which speaks to whoever has it open: after a repair nobody has. */
function notEnded({ recovery, place }: OpenedLog, { cause }: WalError): WalDiskFullError {
  const tried = recovery.end === "torn" ? "end what a crash tore in" : "mark the end of the log in";
  const neededBytes = 2 * SMALLEST_SEGMENT_BYTES; // the next segment, and the spare that is kept back
  const advice =
    `the log opens as before, and nothing that was whole is lost; see that there is room for ${neededBytes} ` +
    "bytes and repair it again";
  return new WalDiskFullError(`${tried} ${place.directory}`, cause, advice);
}

/** What a crash tore stays where it is; the next segment states where the log ended. */
async function endWell(log: OpenedLog): Promise<void> {
  const { committer, tail, recovery } = log;
  try {
    if (recovery.end === "torn") await committer.exclusive("end what a crash tore in", () => tail.makeRoom());
  } finally {
    await closeLog(log);
  }
}
