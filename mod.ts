/**
 * A write-ahead log for Deno, Bun and Node, spoken to in web streams.
 *
 * @example
 * ```ts
 * import { Wal } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * await wal.commit("hello"); // durable when it resolves
 * for await (const entry of wal.readable()) console.log(entry.lsn, entry.text()); // 1 hello
 * await wal.close();
 * ```
 *
 * @module
 */

export type { Acknowledgement, AcknowledgeOptions } from "./src/acknowledge.ts";
export type { Truncation } from "./src/cut.ts";
export { Entry, type EntryData, type EntryFields, type EntryInput } from "./src/entry.ts";
export {
  WalAbortedError,
  WalBufferFullError,
  WalClosedError,
  WalCorruptionError,
  WalDirectoryError,
  WalDiskFullError,
  WalError,
  type WalErrorCode,
  type WalEvidence,
  WalFailedError,
  WalFormatError,
  WalInputError,
  WalIoError,
  WalLimitError,
  type WalLimitName,
  WalLockedError,
  type WalLockOwner,
  WalOptionsError,
  WalRangeError,
  WalRewoundError,
  WalTruncatedError,
  WalVersionError,
} from "./src/errors.ts";
export type { WalEvent, WalEventLevel } from "./src/event.ts";
export { decodeJson, encodeJson, type EncodeJsonOptions, type JsonEntry } from "./src/json.ts";
export { splitLines, type SplitLinesOptions } from "./src/lines.ts";
export type { RepairOptions, WalRepair } from "./src/repair.ts";
export type { SegmentReport, WalDamage, WalRecovery, WalReport } from "./src/report.ts";
export type { Durability, IoMode, Preset, RecoveryMode, WalChanges, WalOptions } from "./src/options.ts";
export type { TornReport } from "./src/recovery.ts";
export type {
  Crc32,
  MissingCapability,
  OpenMode,
  ProcessIdentity,
  Runtime,
  RuntimeFile,
  RuntimeTimer,
} from "./src/runtime/port.ts";
export type { ReadOptions } from "./src/outside_source.ts";
export type { ReadableOptions, WalReadable } from "./src/readable.ts";
export type { LatencyStats, WalStats } from "./src/stats.ts";
export type { WalProgress } from "./src/survey.ts";
export type { VerifyOptions } from "./src/verify.ts";
export { type WaitOptions, Wal, type WalState } from "./src/wal.ts";
export type { WalWritable, WritableOptions } from "./src/writable.ts";
