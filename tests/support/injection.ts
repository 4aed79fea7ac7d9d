/**
 * Has the system refuse calls of a process that runs: strace is attached to it and answers in the place of the kernel, which
 * never hears of them. What the process did to its log meanwhile is read off the same trace.
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { within } from "./deadline.ts";
import { logCallsOf, WATCHED } from "./log_calls.ts";
import { Program } from "./processes.ts";

/** Attaches to a process as it is done below, and sees whether that is permitted. When that process is gone, so is strace. */
const attempt = `sleep 10 & pid=$!
strace -o /dev/null -e trace=none -e inject=fdatasync:error=EIO -p $pid 2>&1 | {
  read line; kill -KILL $pid
  case "$line" in *attached*) exit 0;; *) exit 1;; esac
}`;

/** Why nothing can be injected here, or false where it can be: what a test takes as `skip`. */
export const cannotInject: string | false = spawnSync("sh", ["-c", attempt]).status === 0
  ? false
  : "strace is not installed, or may not attach to a process";

/** What the system is to answer. */
export interface Injection {
  /** Calls and answers, in strace's words: `fdatasync:error=EIO`. */
  readonly rules: readonly string[];
  /** Only calls on these files are answered so, and seen; all unless said. */
  readonly paths?: readonly string[];
}

/** The log that is watched, and where strace writes. */
export interface Place {
  readonly directory: string;
  readonly traceFile: string;
}

/** What was done to which file. */
export interface DoneCall {
  readonly what: string;
  readonly file: string;
}

/**
 * Runs `body` while the system answers so; resolves to what it came to, and to what was done to the log, in words. What is done
 * in the background to spares that are not used is left out: it may come at any moment.
 */
export async function underInjection<T>(
  program: Program,
  { rules, paths = [] }: Injection,
  place: Place,
  body: () => Promise<T>,
): Promise<{ result: T; calls: DoneCall[] }> {
  const { directory, traceFile } = place;
  const filters = [...rules.flatMap((rule) => ["-e", `inject=${rule}`]), ...paths.flatMap((path) => ["-P", path])];
  const others = ["pread64", "flock"].filter((name) => rules.some((rule) => rule.startsWith(name)));
  const trace = `trace=${[WATCHED, ...others].join()}`;
  const words = ["-f", "-y", "-s", "48", "-e", trace, ...filters, "-o", traceFile, "-p", String(program.pid)];
  // It says on stderr that it is there.
  const strace = new Program("sh", ["-c", 'exec strace "$@" 2>&1', "sh", ...words], {});
  let result: T;
  try {
    const line = await within(20, "strace", strace.nextLine());
    if (!line.includes("attached")) throw new Error(line);
    result = await within(20, "what was to be done under injection", body());
  } finally {
    // Told to end it lets the process go; killed it would leave a call half answered.
    strace.terminate();
    await strace.ended;
  }
  return { result, calls: withoutBackground(logCallsOf(readFileSync(traceFile, "utf8"), directory)) };
}

function withoutBackground(calls: readonly DoneCall[]): DoneCall[] {
  const used = calls.filter(({ what }) => /^(write spare: header|rename spare)/.test(what)).map(({ file }) => file);
  return calls.filter(({ what, file }) => used.includes(file) || !/^(create|write|sync|unlink) spare/.test(what));
}
