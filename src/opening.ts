/**
 * The way from a directory to an open log: made, locked, synced into its ancestors, recovered. Whatever rejects on the way
 * leaves no lock and no open file behind.
 *
 * @module
 */

import { setTornAside } from "./aside.ts";
import type { Chain } from "./chain.ts";
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
import { decodeLockMark, HEADER_BYTES, LOCK_MARK_BYTES, parseSegmentName, type SegmentName } from "./format.ts";
import { DirectoryLock } from "./lock.ts";
import { type Settings, settle, type WalOptions } from "./options.ts";
import { type Found, type OutsideVoucher, recover, type TornReport } from "./recovery.ts";
import { detectRuntime } from "./runtime/detect.ts";
import type { Runtime } from "./runtime/port.ts";
import type { Place } from "./segment.ts";
import { SegmentFiles } from "./segment_files.ts";
import { Spares } from "./spares.ts";
import { Counters } from "./stats.ts";
import { Tail } from "./tail.ts";

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
  /**
   * `"new"`: no log was there. `"clean"`: it had been closed. `"unclean"`: it had not. `"torn"`: and a crash left torn frames.
   * An end that is not clean stays so until something is appended: only then there is a place for a mark.
   */
  readonly end: "new" | "clean" | "unclean" | "torn";
  /** The first LSN there is, or will be. */
  readonly firstLsn: number;
  /** The last LSN that was found; 0 in a new log. */
  readonly lastLsn: number;
  /** How many files the log has. */
  readonly segments: number;
  /** What a crash tore off; it is not part of the log, and is kept for you to look at. */
  readonly torn: TornReport | null;
  /**
   * Bytes of frames that nothing vouched for, and that were therefore written and synced again. Of a clean end it is the
   * mark itself.
   */
  readonly rewrittenBytes: number;
  /** How long opening took. */
  readonly durationMs: number;
}

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

/** Opens the log in `directory`, which is made if it is not there. */
export async function openLog(directory: string | URL, options: WalOptions): Promise<OpenedLog> {
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
    const names = await step("list", () => listSynced(runtime, path, report));
    const vouchers = await step("read the lock file of", () => readLockMark(place, lock));
    const found = await step("recover the log in", () => recover(place, names, vouchers));
    return start(place, settings, report, lock, names, found, Math.round(10 * (runtime.monotonicMs() - startMs)) / 10);
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
    if (String(directory).startsWith("file:") && !(directory instanceof URL)) {
      throw new TypeError("a URL is handed over as a URL: new URL(…)");
    }
    return runtime.resolve(directory);
  } catch (error) {
    throw new WalInputError(
      `the directory of a log must be a path or a file URL, not ${
        directory instanceof URL ? directory.href : describe(directory)
      }: ${messageOf(error)}`,
    );
  }
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

async function readLockMark({ crc32 }: Place, lock: DirectoryLock): Promise<OutsideVoucher[]> {
  const bytes = new Uint8Array(LOCK_MARK_BYTES);
  const count = await lock.file.read(bytes, 0);
  const mark = decodeLockMark(bytes.subarray(0, count), crc32);
  return mark === null ? [] : [{ evidence: "lock-mark", ...mark }];
}

function start(
  place: Place,
  settings: Settings,
  report: Report,
  lock: DirectoryLock,
  names: readonly string[],
  found: Found | null,
  durationMs: number,
): OpenedLog {
  const segments = names.map(parseSegmentName).filter((each) => each !== null);
  const highestId = segments.reduce((highest, { id }) => Math.max(highest, id), 0);
  const spares = new Spares(place, settings.segmentBytes, settings.spares, report);
  const counters = new Counters();
  const tail = new Tail({ place, spares, segmentBytes: settings.segmentBytes, report, counters, highestId, found });
  const committer = new Committer({ tail, settings, place, report, counters });
  const cut = new Cut({ place, tail, spares, committer, report });
  const recovery = recoveryReport(found, durationMs);
  const { firstLsn, lastLsn } = recovery;
  report({ type: "recovered", level: "info", torn: recovery.torn !== null, firstLsn, lastLsn });
  spares.adopt(names);
  freeLeftOver(place, spares, segments, tail.chain, found?.segment.header.logId ?? null, report);
  if (found !== null) spares.prepare(false);
  return { place, settings, lock, spares, tail, files: new SegmentFiles(place), committer, cut, counters, recovery };
}

/** What lies below the chain was cut, and only what is torn in it is worth keeping; what lies beside it was never the log's. */
function freeLeftOver(
  place: Place,
  spares: Spares,
  segments: readonly SegmentName[],
  { links }: Chain,
  logId: string | null,
  report: Report,
): void {
  const onChain = new Set(links.map(({ name }) => name));
  const leftOver = new Map(segments.filter(({ name }) => !onChain.has(name)).map((each) => [each.name, each]));
  if (leftOver.size === 0) return;
  const firstLsn = links[0]?.baseLsn ?? 0;
  void spares.free([...leftOver.keys()], (name) => {
    const endOffset = (leftOver.get(name)?.baseLsn ?? 0) >= firstLsn ? HEADER_BYTES : null;
    return setTornAside(place, { name, logId, endOffset }, report);
  });
}

function recoveryReport(found: Found | null, durationMs: number): WalRecovery {
  if (found === null) {
    return { end: "new", firstLsn: 1, lastLsn: 0, segments: 0, torn: null, rewrittenBytes: 0, durationMs };
  }
  const { headLsn, lastLsn, torn, rewrittenBytes, links, mark } = found;
  const end = torn !== null ? "torn" : mark !== null ? "clean" : "unclean";
  return { end, firstLsn: headLsn, lastLsn, segments: links.length, torn, rewrittenBytes, durationMs };
}
