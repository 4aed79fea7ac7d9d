/**
 * Reads off strace which system calls a program really makes, and on which thread.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { runProgram } from "./processes.ts";
import type { RuntimeName } from "./processes.ts";

/** One call that concerns an open file. */
export interface SystemCall {
  readonly name: string;
  /** The file, as the kernel names it at the time of the call. */
  readonly path: string;
  /** Whether it was made by the thread that runs the program's own code. */
  readonly isOnMainThread: boolean;
}

const WATCHED = "read,pread64,write,pwrite64,pwritev,pwritev2,fsync,fdatasync,sync_file_range,ftruncate,flock";

/** Why no calls can be read here, or false where they can: what a test takes as `skip`. */
export const cannotTrace: string | false = spawnSync("strace", ["-f", "-e", "trace=none", "true"]).status === 0
  ? false
  : "strace is not installed, or not permitted to trace";

/** Runs `tests/support/<name>` under strace; resolves to its calls, in order, on the files whose path begins with `below`. */
export async function traceProgram(
  runtime: RuntimeName,
  name: string,
  options: { readonly arguments: readonly string[]; readonly below: string; readonly traceFile: string },
): Promise<SystemCall[]> {
  const under = ["strace", "-f", "-y", "-qq", "-s", "0", "-e", `trace=${WATCHED}`, "-o", options.traceFile];
  const { pid } = await runProgram<{ pid: number }>(runtime, name, { arguments: options.arguments, under });
  const calls: SystemCall[] = [];
  for (const line of readFileSync(options.traceFile, "utf8").split("\n")) {
    const [, thread, call = "", path = ""] = /^(\d+) +(\w+)\(\d+<([^>]*)>/.exec(line) ?? [];
    if (path.startsWith(options.below)) calls.push({ name: call, path, isOnMainThread: Number(thread) === pid });
  }
  return calls;
}
