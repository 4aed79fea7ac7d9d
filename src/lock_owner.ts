/**
 * How an opener writes down who it is: one line of JSON in a sector of its own.
 *
 * @module
 */

import { getHex } from "./bytes.ts";
import { isNoRoom } from "./errors.ts";
import type { WalLockOwner } from "./errors.ts";
import type { ProcessIdentity, Runtime, RuntimeFile } from "./runtime/port.ts";

/** The length of a record; what the line leaves over is zeros. */
export const LOCK_OWNER_BYTES = 512;

/** An opener: its process, its runtime, and a token that tells it from other openers of the same process. */
export interface LockOwnerRecord extends WalLockOwner, ProcessIdentity {
  /** Random, 16 hex digits. */
  readonly token: string;
  /** Set when the opener has given its lock back and the record stays only to hold the place. */
  readonly isReleased: boolean;
}

const MOST_NAME_CHARACTERS = 64;

/** The record of this process as an opener from now on. */
export async function describeSelf(runtime: Runtime): Promise<LockOwnerRecord> {
  const random = new Uint8Array(8);
  runtime.randomize(random);
  const { pid, startTicks, bootId, pidNamespace } = await runtime.identity();
  const token = getHex(random, 0, random.length);
  return {
    pid,
    runtime: runtime.name,
    since: runtime.now(),
    startTicks,
    bootId,
    pidNamespace,
    token,
    isReleased: false,
  };
}

/** What an error tells of an opener. */
export function nameOf(record: LockOwnerRecord | null): WalLockOwner | null {
  return record === null ? null : { pid: record.pid, runtime: record.runtime, since: record.since };
}

/** The bytes of a record. */
export function encodeLockOwner(record: LockOwnerRecord): Uint8Array<ArrayBuffer> {
  const whole = toLine(record);
  // An adapter's name or identity may be of any length. A part of an identity would be taken for another's, so all goes.
  const line = whole.length <= LOCK_OWNER_BYTES ? whole : toLine({
    ...record,
    runtime: record.runtime.slice(0, MOST_NAME_CHARACTERS).replace(/[^ -~]/g, "?"),
    bootId: null,
    pidNamespace: null,
  });
  const bytes = new Uint8Array(LOCK_OWNER_BYTES);
  bytes.set(line);
  return bytes;
}

/** The record in these bytes, or null where there is none or only a part of one. */
export function decodeLockOwner(bytes: Uint8Array): LockOwnerRecord | null {
  const end = bytes.indexOf(NEW_LINE);
  if (end < 0) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
    if (!isWritten(value)) return null;
    const { released, ...rest } = value;
    return { ...rest, isReleased: released === 1 };
  } catch {
    return null;
  }
}

/** The record that lies at `offsetBytes` of a file. */
export async function readLockOwner(file: RuntimeFile, offsetBytes: number): Promise<LockOwnerRecord | null> {
  const bytes = new Uint8Array(LOCK_OWNER_BYTES);
  const count = await file.read(bytes, offsetBytes);
  return decodeLockOwner(bytes.subarray(0, count));
}

/** Writes bytes of a record and says whether there was room: a full disk shall not keep a log from being opened. */
export async function writeIfRoom(file: RuntimeFile, bytes: Uint8Array, offsetBytes: number): Promise<boolean> {
  try {
    await file.write(bytes, offsetBytes);
    return true;
  } catch (error) {
    if (!isNoRoom(error)) throw error;
    return false;
  }
}

const NEW_LINE = 0x0a;

/** The same as it is written: with a digit, so that giving back changes one byte and is either seen or not, never a part. */
interface WrittenRecord extends Omit<LockOwnerRecord, "isReleased"> {
  readonly released: 0 | 1;
}

function toLine({ isReleased, ...rest }: LockOwnerRecord): Uint8Array {
  const written: WrittenRecord = { ...rest, released: isReleased ? 1 : 0 };
  return new TextEncoder().encode(JSON.stringify(written) + "\n");
}

function isWritten(value: unknown): value is WrittenRecord {
  if (typeof value !== "object" || value === null) return false;
  const { pid, runtime, since, startTicks, bootId, pidNamespace, token, released } = value as Record<string, unknown>;
  return isCount(pid) && typeof runtime === "string" && isTime(since) && (startTicks === null || isCount(startTicks)) &&
    isTextOrNull(bootId) && isTextOrNull(pidNamespace) && typeof token === "string" &&
    (released === 0 || released === 1);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

// Beyond it a Date has no text, and the error that names the owner would fail itself.
const MOST_TIME_MS = 8_640_000_000_000_000;

function isTime(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= MOST_TIME_MS;
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}
