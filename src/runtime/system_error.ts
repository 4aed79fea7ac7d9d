/**
 * The system's name on every error that leaves an adapter.
 *
 * @module
 */

import { constants } from "node:os";
import { systemCode } from "../errors.ts";

/** A failure that the runtime reported without the system's name of it, or that an adapter found itself. */
export class SystemError extends Error {
  /** The system's name of the failure: `"EIO"`, `"EACCES"` … */
  readonly code: string;

  /** Made where the runtime's own error does not say enough. */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = "SystemError";
  }
}

// Deno's own classes carry no code where the failure is Deno's and not the system's.
const CODE_BY_NAME: Readonly<Record<string, string>> = {
  NotCapable: "EACCES",
  PermissionDenied: "EACCES",
  BadResource: "EBADF",
  Interrupted: "EINTR",
};

// Node's permission model has a code, but not the system's.
const CODE_BY_CODE: Readonly<Record<string, string>> = { ERR_ACCESS_DENIED: "EACCES" };

/** The error itself if it bears the system's name, else one that does, with the error as its cause. */
export function withSystemCode(error: unknown): Error {
  const code = systemCode(error);
  const better = code === undefined ? undefined : CODE_BY_CODE[code] ?? codeOfUnknown(code, error);
  if (error instanceof Error && code !== undefined && better === undefined) return error;
  if (!(error instanceof Error)) return new SystemError(code ?? "UNKNOWN", String(error), { cause: error });
  const found = better ?? CODE_BY_NAME[error.name] ?? codeInMessage(error.message) ?? "UNKNOWN";
  return new SystemError(found, error.message, { cause: error });
}

// Node and Deno do not know every name (a quota that is used up, for one), but the system's number is there.
function codeOfUnknown(code: string, error: unknown): string | undefined {
  if (!/^unknown/i.test(code) || !(error instanceof Error) || !("errno" in error)) return undefined;
  return codeOf(Math.abs(Number(error.errno)));
}

// Deno knows the names of some failures only, and of the others writes the system's number into the message.
function codeInMessage(message: string): string | undefined {
  return codeOf(Number(/\(os error (\d+)\)/.exec(message)?.[1]));
}

function codeOf(number: number): string | undefined {
  return Object.entries(constants.errno).find(([, errno]) => errno === number)?.[0];
}
