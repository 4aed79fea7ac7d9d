/**
 * The way from a directory to an open log: made, locked, synced into its ancestors, recovered. Whatever rejects on the way
 * leaves no lock and no open file behind.
 *
 * @module
 */

import type { OutsideVoucher } from "./behind.ts";
import { isWrittenUrl } from "./checks.ts";
import { createChecksum } from "./checksum.ts";
import { Committer } from "./committer.ts";
import { Cut } from "./cut.ts";
import {
  describe,
  messageOf,
  systemCode,
  WalAbortedError,
  WalDirectoryError,
  WalError,
  WalInputError,
  WalIoError,
} from "./errors.ts";
import { type Report, reporter } from "./event.ts";
import { parseSegmentName, segmentsOf } from "./format.ts";
import { freeLeftovers } from "./leftovers.ts";
import { DirectoryLock } from "./lock.ts";
import { readLockMark } from "./lock_mark.ts";
import { type Settings, settle, type WalOptions } from "./options.ts";
import { recover } from "./recovery.ts";
import { carryOut, type Remedy, remedyFor } from "./remedy.ts";
import { damageOf, type Findings, recoveryOf, type WalRecovery } from "./report.ts";
import { detectRuntime } from "./runtime/detect.ts";
import type { Runtime } from "./runtime/port.ts";
import type { Place } from "./segment.ts";
import { SegmentFiles } from "./segment_files.ts";
import { Spares } from "./spares.ts";
import { Counters } from "./stats.ts";
import { flawsOf, type Survey, surveyLog, type WalProgress } from "./survey.ts";
import { Tail } from "./tail.ts";

/** The parts of an open log. */
export interface OpenedLog {
  readonly place: Place;
  readonly settings: Settings;
  readonly lock: DirectoryLock;
  readonly spares: Spares;
  readonly tail: Tail;
  /** As readers see them. */
  readonly files: SegmentFiles;
  readonly committer: Committer;
  readonly cut: Cut;
  readonly counters: Counters;
  readonly recovery: WalRecovery;
}

/** Who wants all of a log to be looked at before it is recovered, also where its mode does not ask for that. */
export interface SurveyListener {
  /** Told of what was found and what the mode makes of it, before anything is refused or changed. */
  readonly found: (directory: string, names: readonly string[], survey: Survey, remedy: Remedy) => void;
  readonly onProgress: WalProgress;
}

/** Opens the log in `directory`, which is made if it is not there. */
export async function openLog(
  directory: string | URL,
  options: WalOptions,
  listener: SurveyListener | null = null,
): Promise<OpenedLog> {
  const settings = settle(options);
  const runtime = options.runtime ?? await detectRuntime();
  const startMs = runtime.monotonicMs();
  const report = reporter(options.onEvent, () => runtime.now());
  const path = resolveDirectory(runtime, directory);
  const step = async <T>(tried: string, call: () => Promise<T>): Promise<T> => {
    if (options.signal?.aborted) throw new WalAbortedError("opening the log", options.signal.reason);
    return await call().catch((cause: unknown) => {
      throw cause instanceof WalError
        ? cause
        : new WalDirectoryError(`cannot ${tried} ${path}: ${messageOf(cause)}`, cause);
    });
  };
  const place = { runtime, directory: path, crc32: await createChecksum(runtime.crc32) };
  await step("make the directory", () => runtime.makeDirectory(path));
  const lock = await step("lock a log in", () => DirectoryLock.acquire(runtime, path));
  try {
    for (const { name, reason } of runtime.missing) {
      report({ type: "capability-missing", level: "warning", name, reason });
    }
    const listed = await step("list", () => listSynced(runtime, path, report));
    const vouchers = await step("read the lock file of", () => readLockMark(place, lock.file));
    const { mode, names, ...looked } = await step(
      "look at the log in",
      () => lookAt(place, settings, listed, vouchers, report, listener),
    );
    const found = await step("recover the log in", () => recover(place, names, vouchers));
    const durationMs = Math.round(10 * (runtime.monotonicMs() - startMs)) / 10;
    return start(place, settings, report, lock, names, { mode, found, durationMs, ...looked });
  } catch (error) {
    await lock.release().catch(() => {}); // what went wrong before is worth more
    throw error;
  }
}

/** The absolute path of a log's directory; throws where it is none. */
export function resolveDirectory(runtime: Runtime, directory: string | URL): string {
  try {
    if (typeof directory !== "string" && !(directory instanceof URL)) throw new TypeError("it is neither");
    if (directory === "") throw new TypeError("it is empty");
    if (directory instanceof URL && directory.protocol !== "file:") throw new TypeError("it names no file");
    // Throws where a percent sign encodes nothing: Bun takes such a path as it is written, or for the working directory.
    if (directory instanceof URL) decodeURIComponent(directory.pathname);
    if (typeof directory === "string" && isWrittenUrl(directory)) {
      throw new TypeError("a URL is handed over as a URL: new URL(…)");
    }
    return runtime.resolve(directory);
  } catch (error) {
    throw new WalInputError(
      `the directory of a log must be a path or a file URL, not ${shown(directory)}: ${messageOf(error)}`,
    );
  }
}

function shown(directory: unknown): string {
  try {
    if (directory instanceof URL) return directory.href;
  } catch {
    // It only looks like one: a proxy for a URL, or one that was revoked.
  }
  return describe(directory);
}

/** The names in the directory, each of which will be there after a power loss. */
async function listSynced(runtime: Runtime, path: string, report: Report): Promise<string[]> {
  const names = await runtime.list(path);
  // Until the first segment lasts, nobody knows whether the directory itself does: an open before may have died too early.
  if (!names.some((name) => parseSegmentName(name) !== null)) await syncAncestors(runtime, path, report);
  await runtime.syncDirectory(path);
  return names;
}

async function syncAncestors(runtime: Runtime, path: string, report: Report): Promise<void> {
  for (const ancestor of runtime.ancestors(path)) {
    try {
      await runtime.syncDirectory(ancestor);
    } catch (error) {
      const code = systemCode(error) ?? "";
      if (!["EACCES", "EPERM", "EROFS", "EINVAL", "ENOTSUP"].includes(code)) {
        throw new WalIoError(`sync the directory ${ancestor}, which holds the log's`, error);
      }
      const reason = `${ancestor} cannot be synced (${code}): a new log may vanish whole if the power fails soon`;
      return report({ type: "capability-missing", level: "warning", name: "directory-sync", reason });
    }
  }
}

/** What was looked at, and what is there after the mode has done with it what it does. */
interface Looked extends Pick<Findings, "mode" | "damage" | "setAside" | "isMended"> {
  readonly names: readonly string[];
}

/** Looks at all of a log where its mode wants that, and mends it where its mode does. Rejects where it refuses. */
async function lookAt(
  place: Place,
  { recovery: mode }: Settings,
  names: readonly string[],
  vouchers: readonly OutsideVoucher[],
  report: Report,
  listener: SurveyListener | null,
): Promise<Looked> {
  const untouched = { mode, names, damage: [], setAside: [], isMended: false };
  if (mode === "tolerate-tail" && listener === null) return untouched;
  const { onProgress = () => {} } = listener ?? {};
  const survey = await surveyLog(place, names, vouchers, onProgress);
  const remedy = remedyFor(place, survey, mode);
  listener?.found(place.directory, names, survey, remedy);
  const damage = damageOf(flawsOf(survey));
  const { refusal, plan } = remedy;
  if (refusal !== null) throw refusal;
  if (plan === null) return { ...untouched, damage };
  const setAside = await carryOut(survey, plan, { place, names, report, onProgress });
  return { mode, names: await place.runtime.list(place.directory), damage, setAside, isMended: true };
}

function start(
  place: Place,
  settings: Settings,
  report: Report,
  lock: DirectoryLock,
  names: readonly string[],
  findings: Omit<Findings, "bytes">,
): OpenedLog {
  const { found } = findings;
  const segments = segmentsOf(names);
  const highestId = segments[0]?.id ?? 0;
  const spares = new Spares(place, settings.segmentBytes, settings.spares, report);
  const counters = new Counters();
  const tail = new Tail({ place, spares, segmentBytes: settings.segmentBytes, report, counters, highestId, found });
  const committer = new Committer({ tail, settings, place, report, counters });
  const cut = new Cut({ place, tail, spares, committer, report });
  const recovery = recoveryOf({ ...findings, bytes: tail.retainedBytes });
  const { end, firstLsn, lastLsn, damage } = recovery;
  const level = end === "mended" ? "critical" : end === "torn" ? "warning" : "info";
  report({ type: "recovered", level, end, damages: damage.length, firstLsn, lastLsn });
  spares.adopt(names);
  if (found !== null) {
    const current = found.segment.header;
    freeLeftovers({ place, spares, segments, links: tail.chain.links, current, report });
    spares.prepare(false);
  }
  return { place, settings, lock, spares, tail, files: new SegmentFiles(place), committer, cut, counters, recovery };
}
