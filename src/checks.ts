/**
 * What callers without types may get wrong, refused by name before anything is touched.
 *
 * @module
 */

import { describe, isRevoked, WalInputError, WalOptionsError } from "./errors.ts";

/** Throws where `options` are none, name something else than `names`, or hold a signal or a runtime that is none. */
export function checkOptions(call: string, options: object, names: readonly string[]): void {
  if (typeof options !== "object" || options === null || isRevoked(options)) {
    throw new WalOptionsError(`the options of ${call} must be an object, not ${describe(options)}`);
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new WalOptionsError(`${call} has no option ${unknown}; there are ${names.join(", ")}`);
  }
  checkSignal("signal" in options ? options.signal : undefined);
  checkRuntime("runtime" in options ? options.runtime : undefined);
}

/** Throws where this is given and neither true nor false: the text "false" would count as true. */
export function checkFlag(name: string, value: boolean | undefined): void {
  if (value === undefined || typeof value === "boolean") return;
  throw new WalOptionsError(`${name} must be true or false, not ${describe(value)}`);
}

/** Throws where this is given and no number, or below `least`. */
export function checkNumber(name: string, value: number | undefined, least: number = -Infinity): void {
  if (value === undefined || typeof value === "number" && value >= least) return;
  const range = least === -Infinity ? "" : ` from ${least}`;
  throw new WalOptionsError(`${name} must be a number${range}, not ${describe(value)}`);
}

/** Throws where this is given and no function. */
export function checkFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === "function") return;
  throw new WalOptionsError(`${name} must be a function, not ${describe(value)}`);
}

/** Throws where this is given and none of the choices. */
export function checkChoice(name: string, value: string | undefined, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value)) return;
  throw new WalOptionsError(`${name} must be one of ${choices.join(", ")}, not ${describe(value)}`);
}

/** Throws where this is no LSN. */
export function checkLsn(lsn: number): void {
  if (Number.isSafeInteger(lsn) && lsn >= 0) return;
  throw new WalInputError(`an LSN must be a whole number from 0, not ${describe(lsn)}`);
}

/** Whether a text is a URL that was written out, in the place of a path. */
export function isWrittenUrl(text: string): boolean {
  return /^(file:|[a-z][a-z\d+.-]+:\/\/)/i.test(text);
}

/** Throws where this is given and no signal. */
export function checkSignal(signal: unknown): void {
  if (signal === undefined || isSignal(signal)) return;
  throw new WalOptionsError(`signal must be an AbortSignal, not ${describe(signal)}`);
}

/** What only looks like one, a proxy for one, throws where it is asked. */
function isSignal(value: unknown): boolean {
  try {
    return value instanceof AbortSignal && typeof value.aborted === "boolean";
  } catch {
    return false;
  }
}

/** Throws where this is given and no adapter. */
export function checkRuntime(runtime: unknown): void {
  if (runtime === undefined) return;
  const isObject = typeof runtime === "object" && !isRevoked(runtime);
  if (isObject && typeof (runtime as { open?: unknown } | null)?.open === "function") return;
  throw new WalOptionsError(`runtime must be a Runtime, an adapter to files and clock, not ${describe(runtime)}`);
}
