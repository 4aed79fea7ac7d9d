/**
 * What opening, verifying and repairing tell, as plain data.
 *
 * @module
 */

import type { WalEvidence } from "./errors.ts";
import { type Flaw, isTorn, type SurveyedSegment } from "./flaws.ts";
import { parseAsideName, parseTornName } from "./format.ts";
import type { RecoveryMode } from "./options.ts";
import type { Found, TornReport } from "./recovery.ts";
import { flawsOf, type Survey } from "./survey.ts";

/**
 * Something in the files of a log that is not as it was written, or is not there.
 *
 * @example
 * ```ts
 * import { Wal, type WalDamage } from "@walstream/wal";
 *
 * const tell = ({ kind, segment, offset, what }: WalDamage): string => `${kind}: ${segment}, offset ${offset}: ${what}`;
 * const wal = await Wal.open("data/wal");
 * await wal.close();
 * for (const damage of (await Wal.verify("data/wal")).damage) console.warn(tell(damage));
 * ```
 */
export interface WalDamage {
  /** `"torn"`: a crash explains it. `"corrupt"`: none does. */
  readonly kind: "torn" | "corrupt";
  /** The file, or which one is missing. */
  readonly segment: string;
  /** Where in it the damage begins, in bytes. */
  readonly offset: number;
  /** How much cannot be read, as far as that is known. */
  readonly bytes: number;
  /** The first LSN that cannot be read; of something torn, the first that the torn frames bore, 0 where they tell none. */
  readonly firstLsn: number;
  /** The last one; one less than the first where no entry is lost, 0 where nothing tells. */
  readonly lastLsn: number;
  /** What proves that there was more. */
  readonly evidence: WalEvidence;
  /** What is wrong, in words. */
  readonly what: string;
}

/**
 * One file of a log.
 *
 * @example
 * ```ts
 * import { type SegmentReport, Wal } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * await wal.commit("hello");
 * await wal.close();
 * const [first]: readonly SegmentReport[] = (await Wal.verify("data/wal")).segments;
 * console.log(first?.entries, first?.firstLsn); // 1 1
 * ```
 */
export interface SegmentReport {
  /** The name of the file. */
  readonly name: string;
  /** The first LSN that belongs in it. */
  readonly firstLsn: number;
  /** The last LSN that was found in it; one less than the first where it holds none. */
  readonly lastLsn: number;
  /** Entries in whole frames, also those behind damage. */
  readonly entries: number;
  /** Bytes of whole frames. */
  readonly bytes: number;
  /** The size of the file, with what is prepared in it; 0 where it cannot be used. */
  readonly sizeBytes: number;
}

/**
 * What {@linkcode Wal.verify} found.
 *
 * @example
 * ```ts
 * import { Wal, type WalReport } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * await wal.commit("hello");
 * await wal.close();
 * const { state, entries, damage }: WalReport = await Wal.verify("data/wal");
 * console.log(state, entries, damage.length); // clean 1 0
 * ```
 */
export interface WalReport {
  /** The absolute path. */
  readonly directory: string;
  /**
   * `"empty"`: there is no log. `"clean"`: it was closed. `"unclean"`: it is open, or was not closed, and all of it is whole.
   * `"torn"`: a crash left torn frames at its end, which opening it cuts off. `"corrupt"`: opening or reading it refuses.
   */
  readonly state: "empty" | "clean" | "unclean" | "torn" | "corrupt";
  /** The first LSN there is, or will be. */
  readonly firstLsn: number;
  /** The last LSN that was found, or left out; 0 in an empty log. */
  readonly lastLsn: number;
  /** Entries in whole frames. Those of the first file that lie before the first LSN are among them. */
  readonly entries: number;
  /** Bytes of whole frames. */
  readonly bytes: number;
  /** Its files, oldest first. */
  readonly segments: readonly SegmentReport[];
  /** What is torn or corrupt, oldest first. */
  readonly damage: readonly WalDamage[];
  /** Files beside the log that keep what it has put out: torn bytes (`torn-…`) and segments that a repair has replaced (`aside-…`). */
  readonly setAside: readonly string[];
}

/**
 * What opening found, as plain data.
 *
 * @example
 * ```ts
 * import { Wal, type WalRecovery } from "@walstream/wal";
 * import { MemoryDisk, MemoryRuntime } from "@walstream/wal/memory";
 *
 * const disk = new MemoryDisk();
 * const killed = await Wal.open("/wal", { runtime: new MemoryRuntime({ disk }) });
 * await killed.commit("hello");
 *
 * const wal = await Wal.open("/wal", { runtime: new MemoryRuntime({ disk: disk.kill() }) });
 * const { end, lastLsn, torn }: WalRecovery = wal.recovery;
 * console.log(end, lastLsn, torn); // unclean 1 null
 * await wal.close();
 * ```
 */
export interface WalRecovery {
  /** How it was opened. */
  readonly mode: RecoveryMode;
  /**
   * `"new"`: no log was there. `"clean"`: it had been closed. `"unclean"`: it had not. `"torn"`: and a crash left torn frames.
   * `"mended"`: it was corrupt, and the recovery mode has made of it what is there now. An end that is neither new nor clean
   * stays so until something is appended: only then is there a place for a mark.
   */
  readonly end: "new" | "clean" | "unclean" | "torn" | "mended";
  /** The first LSN there is, or will be. */
  readonly firstLsn: number;
  /** The last LSN that was found; 0 in a new log. */
  readonly lastLsn: number;
  /** How many LSNs that is: as many as there are entries, unless some were skipped. */
  readonly entries: number;
  /** Bytes of frames in the files, as far as the header of the first one could be read. */
  readonly bytes: number;
  /** How many files the log has. */
  readonly segments: number;
  /** What a crash tore off; it is not part of the log, and is kept for you to look at. */
  readonly torn: TornReport | null;
  /**
   * What was torn or corrupt, oldest first. The modes `"strict"`, `"point-in-time"` and `"salvage"` look at every file,
   * `"tolerate-tail"` at the end of the log alone.
   */
  readonly damage: readonly WalDamage[];
  /** Files that the recovery mode has put out of the log, by the names that they bear now. */
  readonly setAside: readonly string[];
  /**
   * Bytes of frames that nothing vouched for, and that were therefore written and synced again. Of a clean end it is the
   * mark itself.
   */
  readonly rewrittenBytes: number;
  /** How long opening took. */
  readonly durationMs: number;
}

/** The damage that flaws are. */
export function damageOf(flaws: readonly Flaw[]): WalDamage[] {
  return flaws.map((flaw) => {
    const { voucher: evidence, segment, offset, bytes, firstLsn, lastLsn, what } = flaw;
    return { kind: isTorn(flaw) ? "torn" : "corrupt", segment, offset, bytes, firstLsn, lastLsn, evidence, what };
  });
}

/** What a crash tore, as damage. */
function tornDamage({ segment, offset, bytes, firstLsn, lastLsn }: TornReport): WalDamage {
  const what = `a crash tore what follows offset ${offset}`;
  return { kind: "torn", segment, offset, bytes, firstLsn, lastLsn, evidence: "nothing", what };
}

/** A survey in the words of its report; `names` is what lies in the directory. */
export function reportOf(directory: string, names: readonly string[], survey: Survey): WalReport {
  const damage = damageOf(flawsOf(survey));
  const state = stateOf(survey, damage);
  // Behind what a crash tore nothing is part of the log, however good it looks.
  const segments = survey.segments.map((segment, nth) =>
    segmentReport(segment, state === "torn" && nth === survey.segments.length - 1 ? 1 : Infinity)
  );
  const sumOf = (count: (segment: SegmentReport) => number): number =>
    segments.reduce((sum, segment) => sum + count(segment), 0);
  return {
    directory,
    state,
    firstLsn: survey.headLsn,
    lastLsn: segments.at(-1)?.lastLsn ?? survey.headLsn - 1,
    entries: sumOf(({ entries }) => entries),
    bytes: sumOf(({ bytes }) => bytes),
    segments,
    damage,
    setAside: names.filter((name) => parseTornName(name) !== null || parseAsideName(name) !== null).sort(),
  };
}

function stateOf({ segments, ending }: Survey, damage: readonly WalDamage[]): WalReport["state"] {
  if (damage.some(({ kind }) => kind === "corrupt")) return "corrupt";
  if (damage.length > 0) return "torn";
  return segments.length === 0 ? "empty" : ending;
}

function segmentReport({ name, firstLsn, runs: all, sizeBytes }: SurveyedSegment, mostRuns: number): SegmentReport {
  const runs = all.slice(0, mostRuns);
  return {
    name: name.name,
    firstLsn,
    lastLsn: runs.at(-1)?.lastLsn ?? firstLsn - 1,
    entries: runs.reduce((sum, { entries }) => sum + entries, 0),
    bytes: runs.reduce((sum, { offset, endOffset }) => sum + endOffset - offset, 0),
    sizeBytes,
  };
}

/** What open has to tell of what it found. */
export interface Findings {
  readonly mode: RecoveryMode;
  readonly found: Found | null;
  /** What was wrong before it was mended. */
  readonly damage: readonly WalDamage[];
  readonly setAside: readonly string[];
  readonly isMended: boolean;
  readonly bytes: number;
  readonly durationMs: number;
}

/** The same in the words of its report. */
export function recoveryOf({ found, damage, isMended, ...told }: Findings): WalRecovery {
  const { headLsn = 1, lastLsn = 0, torn = null, rewrittenBytes = 0, links = [], mark = null } = found ?? {};
  const end = found === null ? "new" : torn !== null ? "torn" : mark !== null ? "clean" : "unclean";
  return {
    ...told,
    end: isMended ? "mended" : end,
    firstLsn: headLsn,
    lastLsn,
    entries: lastLsn - headLsn + 1,
    segments: links.length,
    torn,
    damage: damage.length === 0 && torn !== null ? [tornDamage(torn)] : damage,
    rewrittenBytes,
  };
}
