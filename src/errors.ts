/**
 * Everything the log throws. Each class has a `code` that stays; a message says what was tried, why it failed, and the value.
 *
 * @module
 */

/**
 * The codes that {@linkcode WalError.code} may bear.
 *
 * @example Which errors a later try may not meet
 * ```ts
 * import { WalError, type WalErrorCode } from "@walstream/wal";
 *
 * const passing: readonly WalErrorCode[] = ["WAL_BUFFER_FULL", "WAL_DISK_FULL", "WAL_LOCKED"];
 * const isPassing = (error: unknown): boolean => error instanceof WalError && passing.includes(error.code);
 * console.log(isPassing(new TypeError("no error of the log"))); // false
 * ```
 */
export type WalErrorCode =
  | "WAL_INPUT"
  | "WAL_OPTIONS"
  | "WAL_LIMIT"
  | "WAL_BUFFER_FULL"
  | "WAL_DIRECTORY"
  | "WAL_LOCKED"
  | "WAL_CLOSED"
  | "WAL_FAILED"
  | "WAL_DISK_FULL"
  | "WAL_RANGE"
  | "WAL_TRUNCATED"
  | "WAL_REWOUND"
  | "WAL_CORRUPT"
  | "WAL_FORMAT"
  | "WAL_VERSION"
  | "WAL_IO"
  | "WAL_ABORTED";

/**
 * The mother of all errors that the log throws.
 *
 * @example Telling errors apart
 * ```ts
 * import { Wal, WalError } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const wal = await Wal.open("/wal", { runtime: new MemoryRuntime() });
 * try {
 *   wal.append(new Uint8Array(17 * 1024 * 1024));
 * } catch (error) {
 *   if (!(error instanceof WalError)) throw error;
 *   console.log(error.code); // WAL_LIMIT
 * }
 * await wal.close();
 * ```
 */
export class WalError extends Error {
  /** Stays the same from version to version; the message may not. */
  readonly code: WalErrorCode;

  /** Made by the log; a program has no reason to. */
  constructor(code: WalErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/**
 * What was handed over is no entry, no batch or no LSN. Nothing was appended.
 *
 * @example
 * ```ts
 * import { Wal, WalInputError } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const wal = await Wal.open("/wal", { runtime: new MemoryRuntime() });
 * await wal.commitBatch([]).catch((error) => console.log(error instanceof WalInputError)); // true
 * console.log(wal.lastLsn); // 0
 * await wal.close();
 * ```
 */
export class WalInputError extends WalError {
  /** Made by the log. @param message What was handed over, and what is taken. */
  constructor(message: string, options?: ErrorOptions) {
    super("WAL_INPUT", message, options);
  }
}

/**
 * An option is out of range, or two of them contradict each other.
 *
 * @example
 * ```ts
 * import { Wal, WalOptionsError } from "@walstream/wal";
 *
 * await Wal.open("data/wal", { preset: "sync", windowMs: 5 }).catch((error) => {
 *   console.log(error instanceof WalOptionsError); // true: an entry alone waits for no company
 * });
 * ```
 */
export class WalOptionsError extends WalError {
  /** Made by the log. @param message Which option, its value, and what is taken. */
  constructor(message: string) {
    super("WAL_OPTIONS", message);
  }
}

/**
 * What a {@linkcode WalLimitError} may be about.
 *
 * @example Whether it was too large
 * ```ts
 * import { Wal, WalLimitError, type WalLimitName } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const tooLarge: readonly WalLimitName[] = ["maxEntryBytes", "maxBatchBytes"];
 * const wal = await Wal.open("/wal", { maxEntryBytes: 8, runtime: new MemoryRuntime() });
 * await wal.commit("far too long").catch((error) => {
 *   if (error instanceof WalLimitError) console.log(tooLarge.includes(error.limit)); // true
 * });
 * await wal.close();
 * ```
 */
export type WalLimitName = "maxEntryBytes" | "maxBatchBytes" | "maxLineBytes" | "lsn" | "segmentId";

/**
 * A stated limit would be passed: the entry, the batch, the line, the LSN, the segment id. Nothing was appended.
 *
 * @example
 * ```ts
 * import { Wal, WalLimitError } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const wal = await Wal.open("/wal", { maxEntryBytes: 1024, runtime: new MemoryRuntime() });
 * await wal.commit(new Uint8Array(2000)).catch((error) => {
 *   if (error instanceof WalLimitError) console.log(error.limit, error.value, error.most); // maxEntryBytes 2000 1024
 * });
 * await wal.close();
 * ```
 */
export class WalLimitError extends WalError {
  /** Which limit. */
  readonly limit: WalLimitName;
  /** The value that would pass it. */
  readonly value: number;
  /** The most there may be. */
  readonly most: number;

  /** Made by the log. @param limit Which limit. @param value What would pass it. @param most The most there may be. */
  constructor(limit: WalLimitName, value: number, most: number, message: string) {
    super("WAL_LIMIT", message);
    this.limit = limit;
    this.value = value;
    this.most = most;
  }
}

/**
 * `append` met a full buffer: `maxBufferedBytes` are accepted and not yet written. Wait for `ready`, or use `commit`.
 *
 * @example
 * ```ts
 * import { Wal, WalBufferFullError } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const wal = await Wal.open("/wal", { maxBufferedBytes: 1024, runtime: new MemoryRuntime() });
 * try {
 *   for (;;) wal.append("faster than any disk");
 * } catch (error) {
 *   console.log(error instanceof WalBufferFullError); // true
 * }
 * await wal.ready; // what was accepted is being written; now there is room
 * wal.append("one more");
 * await wal.close();
 * ```
 */
export class WalBufferFullError extends WalError {
  /** Bytes that wait to be written. */
  readonly bufferedBytes: number;

  /** Made by the log. @param bufferedBytes What waits. @param maxBufferedBytes What may. */
  constructor(bufferedBytes: number, maxBufferedBytes: number) {
    super(
      "WAL_BUFFER_FULL",
      `cannot append: ${bufferedBytes} bytes wait to be written and maxBufferedBytes is ${maxBufferedBytes}; ` +
        "await wal.ready before the next append, or use commit, which waits by itself",
    );
    this.bufferedBytes = bufferedBytes;
  }
}

/**
 * The directory cannot be made, listed or written, or something else stands in its place.
 *
 * @example
 * ```ts
 * import { Wal, WalDirectoryError } from "@walstream/wal";
 * import { MemoryDisk, MemoryRuntime } from "@walstream/wal/memory";
 *
 * const disk = new MemoryDisk({ files: { "/wal": new Uint8Array(1) } }); // a file, where the directory should be
 * await Wal.open("/wal", { runtime: new MemoryRuntime({ disk }) }).catch((error) => {
 *   if (error instanceof WalDirectoryError) console.log(error.message); // cannot make the directory /wal: …
 * });
 * ```
 */
export class WalDirectoryError extends WalError {
  /** Made by the log. @param message What was tried on which path, and why it failed. @param cause The runtime's error. */
  constructor(message: string, cause: unknown) {
    super("WAL_DIRECTORY", message, { cause });
  }
}

/**
 * Who holds the lock of a log, as far as it is known.
 *
 * @example Naming the owner
 * ```ts
 * import { Wal, WalLockedError, type WalLockOwner } from "@walstream/wal";
 *
 * const nameOf = (owner: WalLockOwner | null): string => owner === null ? "somebody" : `process ${owner.pid}`;
 * const wal = await Wal.open("data/wal").catch((error) => {
 *   if (error instanceof WalLockedError) console.log(`${nameOf(error.owner)} has the log`);
 *   throw error;
 * });
 * await wal.close();
 * ```
 */
export interface WalLockOwner {
  /** The process id, in its own pid namespace. */
  readonly pid: number;
  /** The runtime it runs on. */
  readonly runtime: string;
  /** When it took the lock, in milliseconds since 1970. */
  readonly since: number;
}

const UNLOCKED = "close it there first; Wal.read and Wal.verify need no lock";

/**
 * Another opener has the log: of this process or another.
 *
 * @example
 * ```ts
 * import { Wal, WalLockedError } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * await Wal.open("data/wal").catch((error) => console.log(error instanceof WalLockedError)); // true
 * await wal.close();
 * await (await Wal.open("data/wal")).close(); // it is free again
 * ```
 */
export class WalLockedError extends WalError {
  /** The owner, or null where the lock file does not tell. */
  readonly owner: WalLockOwner | null;

  /** Made by the log. @param path The lock file. @param owner Who has it. */
  constructor(path: string, owner: WalLockOwner | null, reason?: string) {
    const who = owner === null
      ? "another opener, which has not written its name yet"
      : `process ${owner.pid} (${owner.runtime}) since ${new Date(owner.since).toISOString()}`;
    super("WAL_LOCKED", `cannot open the log: ${path} is held by ${who}; ${reason ?? UNLOCKED}`);
    this.owner = owner;
  }
}

/**
 * The log was closed before the call.
 *
 * @example
 * ```ts
 * import { Wal, WalClosedError } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * await wal.close();
 * await wal.commit("too late").catch((error) => console.log(error instanceof WalClosedError)); // true
 * ```
 */
export class WalClosedError extends WalError {
  /** Made by the log. @param tried What was tried. */
  constructor(tried: string, options?: ErrorOptions) {
    super("WAL_CLOSED", `cannot ${tried}: the log is closed; open it again with Wal.open`, options);
  }
}

/**
 * The log has met an I/O error and takes no more. Of what was accepted and not yet acknowledged the outcome is unknown: it
 * may be there after the next open, or not.
 *
 * @example
 * ```ts
 * import { Wal, WalFailedError } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * let isBroken = false;
 * const runtime = new MemoryRuntime({ onCall: () => (isBroken ? { code: "EIO" } : undefined) });
 * const wal = await Wal.open("/wal", { runtime });
 * isBroken = true;
 * await wal.commit("there or not").catch((error) => console.log(error instanceof WalFailedError)); // true
 * console.log(wal.state, wal.error?.code); // failed WAL_FAILED
 * await wal.close().catch((error) => console.log(error === wal.error)); // true, and the lock is free
 * ```
 */
export class WalFailedError extends WalError {
  /** When it failed, in milliseconds since 1970. */
  readonly time: number;

  /** Made by the log. @param tried What failed. @param time When. @param cause The runtime's error. */
  constructor(tried: string, time: number, cause: unknown) {
    super(
      "WAL_FAILED",
      `the log has failed: cannot ${tried}: ${
        messageOf(cause)
      }; the outcome of what was not acknowledged is unknown; ` +
        "see to the disk and call reopen(), or close the log and open it again",
      { cause },
    );
    this.time = time;
  }
}

/**
 * The disk is full. What waited was rejected and will never be in the log; the log goes on by itself once there is room. Where a
 * damaged log was to be mended, the message says what could not be done, and what to do: it can be opened, or repaired again.
 *
 * @example
 * ```ts
 * import { Wal, WalDiskFullError } from "@walstream/wal";
 * import { MemoryDisk, MemoryRuntime } from "@walstream/wal/memory";
 *
 * const disk = new MemoryDisk({ sizeBytes: 1024 * 1024 });
 * const wal = await Wal.open("/wal", { runtime: new MemoryRuntime({ disk }) });
 * await wal.commit(new Uint8Array(2_000_000)).catch((error) => console.log(error instanceof WalDiskFullError)); // true
 * disk.sizeBytes = Infinity;
 * console.log(await wal.commit("there is room again")); // 2: LSN 1 will never be
 * await wal.close();
 * ```
 */
export class WalDiskFullError extends WalError {
  /** Made by the log. @param tried What found no room. @param cause The runtime's error. @param advice What now. */
  constructor(
    tried: string,
    cause: unknown,
    advice: string = "what waited was rejected, and the log goes on by itself once there is room",
  ) {
    super("WAL_DISK_FULL", `cannot ${tried}: the disk is full (${messageOf(cause)}); ${advice}`, { cause });
  }
}

/**
 * An LSN is asked for that the log never gave out, or that was skipped before it was opened, or opened again.
 *
 * @example
 * ```ts
 * import { Wal, WalRangeError } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const wal = await Wal.open("/wal", { runtime: new MemoryRuntime() });
 * await wal.waitFor(1).catch((error) => console.log(error instanceof WalRangeError)); // true
 * await wal.close();
 * ```
 */
export class WalRangeError extends WalError {
  /** Made by the log. @param message Which LSN was asked for, and which there are. @param cause Why it is not there. */
  constructor(message: string, cause?: unknown) {
    super("WAL_RANGE", message, cause === undefined ? {} : { cause });
  }
}

/**
 * An LSN is asked for that lies before the first there is.
 *
 * @example
 * ```ts
 * import { Wal, WalTruncatedError } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const wal = await Wal.open("/wal", { runtime: new MemoryRuntime() });
 * try {
 *   wal.readable({ from: 0 });
 * } catch (error) {
 *   if (error instanceof WalTruncatedError) console.log(error.firstLsn); // 1
 * }
 * await wal.close();
 * ```
 */
export class WalTruncatedError extends WalError {
  /** The first LSN there is. */
  readonly firstLsn: number;

  /** Made by the log. @param tried What was tried. @param firstLsn The first LSN there is. */
  constructor(tried: string, firstLsn: number) {
    super("WAL_TRUNCATED", `cannot ${tried}: the log begins with LSN ${firstLsn}`);
    this.firstLsn = firstLsn;
  }
}

/**
 * What proves that damage is no mere crash.
 *
 * @example A segment has vanished, and the lock file remembers it
 * ```ts
 * import { Wal, type WalEvidence } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const runtime = new MemoryRuntime();
 * const wal = await Wal.open("/wal", { runtime });
 * await wal.commit("hello");
 * await wal.close();
 * runtime.disk.remove(`/wal/${runtime.disk.names("/wal")[0]}`);
 * const proof: WalEvidence | null = await Wal.open("/wal", { runtime }).then(() => null, (error) => error.evidence);
 * console.log(proof); // lock-mark
 * ```
 */
export type WalEvidence =
  /** A valid frame behind the damage, or the head in the segment's header, says that the missing LSNs had been synced. */
  | "frame"
  /** A mark of a clean end stands behind the damage. */
  | "mark"
  /** The lock file remembers a clean end behind the damage. */
  | "lock-mark"
  /** A checkpoint names a place behind the damage. */
  | "checkpoint"
  /** The archive has what is missing here. */
  | "archive"
  /** The successor's header states an end behind the damage. */
  | "successor"
  /** The header of a segment is only named when it has been synced. */
  | "name"
  /** Nothing: a crash may have torn it. */
  | "nothing";

/**
 * Damage that no crash explains. Nothing was changed: the log lies as it was found.
 *
 * @example
 * ```ts
 * import { Wal, WalCorruptionError } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const runtime = new MemoryRuntime();
 * const wal = await Wal.open("/wal", { runtime });
 * await wal.commit("one");
 * await wal.commit("two"); // says that the first one is synced
 * await wal.close();
 * runtime.disk.flipBit(`/wal/${runtime.disk.names("/wal")[0]}`, 4096, 0); // where the first frame begins
 * await Wal.open("/wal", { runtime }).catch((error) => {
 *   if (error instanceof WalCorruptionError) console.log(error.offset, error.lsn, error.evidence); // 4096 1 frame
 * });
 * ```
 */
export class WalCorruptionError extends WalError {
  /** The file that is damaged or missing. */
  readonly segment: string;
  /** Where in it the damage begins, in bytes. */
  readonly offset: number;
  /** The first LSN that cannot be read. */
  readonly lsn: number;
  /** What proves that there was more. */
  readonly evidence: WalEvidence;

  /** Made by the log. @param damage The place and the proof. @param what What is wrong there, in words. */
  constructor(damage: { segment: string; offset: number; lsn: number; evidence: WalEvidence }, what: string) {
    super(
      "WAL_CORRUPT",
      `the log is corrupt: ${what} (segment ${damage.segment}, offset ${damage.offset}, LSN ${damage.lsn}, ` +
        `evidence: ${damage.evidence}); nothing was changed; restore the file from a copy, or see what Wal.verify tells and ` +
        "which mode of Wal.repair you can live with",
    );
    this.segment = damage.segment;
    this.offset = damage.offset;
    this.lsn = damage.lsn;
    this.evidence = damage.evidence;
  }
}

/**
 * A file bears the name of a segment and is none, or belongs to another log.
 *
 * @example
 * ```ts
 * import { Wal, WalFormatError } from "@walstream/wal";
 * import { MemoryDisk, MemoryRuntime } from "@walstream/wal/memory";
 *
 * const path = "/wal/0000000001-0000000000-0000000000000001.wal";
 * const disk = new MemoryDisk({ files: { [path]: new Uint8Array(8192).fill(1) } });
 * await Wal.open("/wal", { runtime: new MemoryRuntime({ disk }) }).catch((error) => {
 *   console.log(error instanceof WalFormatError); // true
 * });
 * ```
 */
export class WalFormatError extends WalError {
  /** Made by the log. @param path The file. @param what What it is instead. */
  constructor(path: string, what: string) {
    super(
      "WAL_FORMAT",
      `cannot read ${path}: ${what}; nothing was changed; give the right directory, restore the file from a copy, or move it ` +
        "out of the directory and see what Wal.verify tells then",
    );
  }
}

/**
 * A file was written by a later version, with something that this one must know to read it.
 *
 * @example
 * ```ts
 * import { Wal, WalVersionError } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const runtime = new MemoryRuntime({ crc32: () => 0 }); // all checksums are 0: none sees what is changed below
 * const wal = await Wal.open("/wal", { runtime });
 * await wal.commit("hello");
 * await wal.close();
 * runtime.disk.flipBit(`/wal/${runtime.disk.names("/wal")[0]}`, 8, 1); // from version 1 to version 3
 * await Wal.open("/wal", { runtime }).catch((error) => console.log(error instanceof WalVersionError)); // true
 * ```
 */
export class WalVersionError extends WalError {
  /** Made by the log. @param path The file. @param what The version or feature that is not known. */
  constructor(path: string, what: string) {
    super("WAL_VERSION", `cannot read ${path}: ${what}; open it with a newer version of this package`);
  }
}

/**
 * A reader elsewhere finds that the log does not go on from where it was: it was cut back and written anew, or replaced by
 * another one. What it has shown may not be in the log any more.
 *
 * It is told by the ids and lines of history that the files bear, and by the last frame that was read, while that one's file is there.
 * A reader that is started again with `from` has read none, and cannot tell an older copy of the same log that was put back. So
 * after a restore let followers begin anew.
 *
 * @example
 * ```ts
 * import { Wal, WalRewoundError } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * try {
 *   for await (const entry of Wal.read("data/wal")) console.log(entry.lsn);
 * } catch (error) {
 *   if (error instanceof WalRewoundError) console.log("begin again from the last state you trust");
 * }
 * await wal.close();
 * ```
 */
export class WalRewoundError extends WalError {
  /** Made by the log. @param directory Where. @param lsn The next LSN that the reader wants. */
  constructor(directory: string, lsn: number) {
    super(
      "WAL_REWOUND",
      `cannot read on from LSN ${lsn} in ${directory}: the log was cut back before it, or replaced by another one`,
    );
  }
}

/**
 * A read or a sync failed outside the write path: while opening, or in a reader. Nothing was changed.
 *
 * @example
 * ```ts
 * import { Wal, WalIoError } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const runtime = new MemoryRuntime({
 *   onCall: ({ name, path }) => (name === "read" && path.endsWith(".wal") ? { code: "EIO" } : undefined),
 * });
 * const wal = await Wal.open("/wal", { runtime });
 * await wal.commit("hello");
 * await wal.readable().getReader().read().catch((error) => console.log(error instanceof WalIoError)); // true
 * await wal.close();
 * ```
 */
export class WalIoError extends WalError {
  /** Made by the log. @param tried What was tried on which path. @param cause The runtime's error. */
  constructor(tried: string, cause: unknown) {
    super("WAL_IO", `cannot ${tried}: ${messageOf(cause)}`, { cause });
  }
}

/**
 * A signal ended the call. `cause` is the signal's reason.
 *
 * @example
 * ```ts
 * import { Wal, WalAbortedError } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const wal = await Wal.open("/wal", { runtime: new MemoryRuntime() });
 * const lsn = wal.append("hello");
 * const signal = AbortSignal.abort("no time");
 * await wal.waitFor(lsn, { signal }).catch((error) => {
 *   if (error instanceof WalAbortedError) console.log(error.cause); // no time
 * });
 * console.log(await wal.waitFor(lsn)); // 1: the entry is there all the same
 * await wal.close();
 * ```
 */
export class WalAbortedError extends WalError {
  /** Made by the log. @param tried What was ended. @param reason The signal's reason. */
  constructor(tried: string, reason: unknown) {
    super("WAL_ABORTED", `${tried} was aborted: ${messageOf(reason)}`, { cause: reason });
  }
}

/** The system's name of an error (`"ENOSPC"`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Whether an error says that the disk, or the user's share of it, is full. */
export function isNoRoom(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes(systemCode(error) ?? "");
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  try {
    if (error instanceof Error) return error.message;
    return typeof error === "object" ? describe(error) : String(error);
  } catch {
    return describe(error); // what was thrown throws itself when it is looked at
  }
}

/** Whether this is a proxy that was revoked: all that is asked of it throws. Asking this runs no code of whoever made it. */
export function isRevoked(value: unknown): boolean {
  try {
    Array.isArray(value);
    return false;
  } catch {
    return true;
  }
}

/** A value of any type, in words for a message. */
export function describe(value: unknown): string {
  if (typeof value === "symbol" || typeof value === "function") return `a ${typeof value}`;
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "bigint") return `${value}n`; // 5n is no 5
  if (value === null || typeof value !== "object") return String(value);
  try {
    const name: unknown = value.constructor?.name;
    return Array.isArray(value) ? "an array" : `an object of ${typeof name === "string" ? name : "no class"}`;
  } catch {
    return "an object that cannot be looked at"; // a proxy may throw whatever is asked of it
  }
}
