/**
 * Repairing a log: opening it in a recovery mode, once, and leaving an end that is no longer torn.
 *
 * @module
 */

import { checkChoice, checkFlag, checkFunction, checkOptions } from "./checks.ts";
import { closeLog } from "./closing.ts";
import { WalCorruptionError, type WalError, WalFormatError, WalLimitError, WalVersionError } from "./errors.ts";
import { quietly, type WalEvent } from "./event.ts";
import { parseSegmentName } from "./format.ts";
import { asideNames } from "./mending.ts";
import { type OpenedLog, openLog, resolveDirectory, type Thorough } from "./opening.ts";
import { RECOVERY_MODES, type RecoveryMode, type WalOptions } from "./options.ts";
import { remedyFor } from "./remedy.ts";
import { reportOf, type WalReport } from "./report.ts";
import { detectRuntime } from "./runtime/detect.ts";
import { inspect, listLog, type VerifyOptions } from "./verify.ts";

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
  const { mode = "tolerate-tail", dryRun = false } = options;
  return dryRun ? await wouldRepair(directory, mode, options) : await repair(directory, mode, options);
}

async function wouldRepair(directory: string | URL, mode: RecoveryMode, options: RepairOptions): Promise<WalRepair> {
  const { place, names, survey } = await inspect(directory, options);
  const found = reportOf(place.directory, names, survey);
  const { refusal, plan } = remedyFor(place, survey, mode);
  const unchanged = { mode, dryRun: true, found, firstLsn: found.firstLsn, lastLsn: found.lastLsn, setAside: [] };
  if (refusal !== null) return { ...unchanged, outcome: "refused", refusal: refusal.message };
  if (plan === null) {
    return { ...unchanged, outcome: found.damage.length === 0 ? "clean" : "mended", refusal: null };
  }
  return {
    ...unchanged,
    outcome: "mended",
    refusal: null,
    firstLsn: plan.headLsn,
    lastLsn: Math.max(plan.predecessor.lastLsn, plan.lastLsn),
    setAside: asideNames(plan.replaced, names),
  };
}

async function repair(directory: string | URL, mode: RecoveryMode, options: RepairOptions): Promise<WalRepair> {
  const runtime = options.runtime ?? await detectRuntime();
  const names = await listLog(runtime, resolveDirectory(runtime, directory));
  if (!names.some((name) => parseSegmentName(name) !== null)) {
    const planned = await wouldRepair(directory, mode, options);
    if (planned.outcome === "clean") return { ...planned, dryRun: false }; // whatever this directory is, it stays as it is
  }
  const { onEvent, signal } = options;
  let found: WalReport | null = null;
  const thorough: Thorough = {
    found: (path, names, survey) => found = reportOf(path, names, survey),
    surveyed: quietly(options.onProgress),
  };
  const given: WalOptions = {
    recovery: mode,
    runtime,
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(signal === undefined ? {} : { signal }),
  };
  const log = await openLog(directory, given, thorough).catch((error: unknown) => {
    if (found === null || !isRefusal(error)) throw error;
    return error.message;
  });
  const report = found as WalReport | null;
  if (report === null) throw new Error("the log was opened without a look at it");
  if (typeof log === "string") {
    const { firstLsn, lastLsn } = report;
    return { mode, dryRun: false, outcome: "refused", refusal: log, found: report, firstLsn, lastLsn, setAside: [] };
  }
  await endWell(log);
  const { end, firstLsn, lastLsn, setAside } = log.recovery;
  const outcome = end === "torn" || end === "mended" ? "mended" : "clean";
  return { mode, dryRun: false, outcome, refusal: null, found: report, firstLsn, lastLsn, setAside };
}

function isRefusal(error: unknown): error is WalError {
  return [WalCorruptionError, WalFormatError, WalVersionError, WalLimitError].some((each) => error instanceof each);
}

/** What a crash tore stays where it is; the next segment states where the log ended. */
async function endWell(log: OpenedLog): Promise<void> {
  const { committer, tail, recovery } = log;
  const done = recovery.end === "torn"
    ? committer.exclusive("end what a crash tore in", () => tail.makeRoom())
    : Promise.resolve();
  try {
    await done;
  } finally {
    await closeLog(log);
  }
}
