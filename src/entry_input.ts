/**
 * Looking at what callers hand over as an entry: it may be anything, say anything of itself, and change while it is read.
 *
 * @module
 */

import type { EntryFields, EntryInput } from "./entry.ts";
import { describe, isRevoked, WalInputError } from "./errors.ts";
import { MAX_APPEND_KIND } from "./format.ts";

/** What the language itself knows of the length: a subclass, or a property of its own, may say something else. */
const lengthGetter = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), "length")?.get;

/**
 * Whether this is an array of bytes, or looks like one. A proxy that was revoked is none; whether it was is asked only where the
 * question throws, since this is the way of every entry.
 */
export function isBytes(value: unknown): value is Uint8Array {
  try {
    return value instanceof Uint8Array;
  } catch (error) {
    if (isRevoked(value)) return false;
    throw error;
  }
}

/** Whether this is an array. A proxy that was revoked is none. */
export function isArray(value: unknown): value is readonly unknown[] {
  return !isRevoked(value) && Array.isArray(value);
}

/** Whether this is given by its fields. A proxy that was revoked has none. */
export function hasData(value: unknown): value is EntryFields {
  return typeof value === "object" && value !== null && !isRevoked(value) && "data" in value;
}

/** How long an array of bytes is. Throws where it only looks like one. */
export function lengthOf(bytes: Uint8Array): number {
  try {
    return lengthGetter?.call(bytes) as number;
  } catch (cause) {
    throw new WalInputError(`an entry's bytes must be a Uint8Array, not ${describe(bytes)} that inherits from one`, {
      cause,
    });
  }
}

/** Copies bytes to `at` of `target`. Throws where there is nothing to be read any more. */
export function copyBytes(target: Uint8Array, at: number, bytes: Uint8Array): void {
  try {
    target.set(bytes, at);
  } catch (cause) {
    throw unreadable(cause);
  }
}

/** Throws where there is nothing to be read any more: of such an array the language says that it is empty. */
export function checkReadable(bytes: Uint8Array): void {
  try {
    bytes.at(0);
  } catch (cause) {
    throw unreadable(cause);
  }
}

function unreadable(cause: unknown): WalInputError {
  return new WalInputError("the bytes cannot be read: their buffer was transferred to somebody else, or has shrunk", {
    cause,
  });
}

/** The kind of an entry that is given by its fields. Throws where it is none. */
export function kindOf(input: EntryFields): number {
  if (!hasData(input)) throw notAnEntry(input);
  const kind = input.kind ?? 0;
  if (Number.isInteger(kind) && kind >= 0 && kind <= MAX_APPEND_KIND) return kind;
  throw new WalInputError(`an entry's kind must be a whole number from 0 to ${MAX_APPEND_KIND}, not ${describe(kind)}`);
}

function notAnEntry(input: unknown): WalInputError {
  const hint = !isRevoked(input) && input instanceof ArrayBuffer ? "; wrap it: new Uint8Array(buffer)" : "";
  return new WalInputError(`an entry must be a Uint8Array, a string or { kind?, data }, not ${describe(input)}${hint}`);
}

/** How many bytes an entry takes at least, as far as that is known before it is read: no character takes less than one. */
export function leastBytes(input: EntryInput): number {
  const data: unknown = hasData(input) ? input.data : input;
  if (typeof data === "string") return data.length;
  if (isBytes(data)) return lengthOf(data);
  let sum = 0;
  if (!isArray(data)) return sum;
  for (const part of data) {
    if (!isBytes(part)) return sum; // it will be refused; an array may have billions of holes
    sum += lengthOf(part);
  }
  return sum;
}

/** How many bytes all of these take at least; stops where they are more than `most`. Throws at the first that is no entry. */
export function leastBytesOf(inputs: readonly EntryInput[], most: number): number {
  let sum = 0;
  for (const input of inputs) {
    if (typeof input !== "string" && (typeof input !== "object" || input === null)) throw notAnEntry(input);
    sum += leastBytes(input);
    if (sum > most) return sum;
  }
  return sum;
}
