/**
 * Reads off strace what a program did to the files of its logs, step by step, in the words of the log.
 */

import { mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { runProgram, type RuntimeName } from "./processes.ts";

/** What a log did to a file or a directory, in one call to the system. */
export interface LogCall {
  /** What was done, in words: `write segment: entries`, `sync spare`, `rename spare` … */
  readonly what: string;
  /** The log whose file it is, by the name of its directory. */
  readonly log: string;
  /** The name of the file at that moment. */
  readonly file: string;
  readonly isOnMainThread: boolean;
  /** The lines of the trace where the call begins and where it returns. */
  readonly began: number;
  readonly returned: number;
}

/** The calls that were made during each step, to whatever log. */
export type LogSteps = ReadonlyMap<string, readonly LogCall[]>;

/** One call to the system, as strace shows it. */
interface SystemCall {
  readonly thread: number;
  readonly name: string;
  readonly parameters: string;
  readonly result: string;
  /** How it was refused, such as `EIO`; what came of it in truth where strace answered for the kernel; else "". */
  readonly answer: string;
  /** The lines where it begins and where it returns. */
  readonly began: number;
  readonly returned: number;
}

/** The calls that change anything on a disk, as strace takes them. */
export const WATCHED: string = [
  "?open,openat,?openat2,?creat,?mkdir,mkdirat,?rename,?renameat,renameat2,?link,linkat,?unlink,unlinkat",
  "write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,sync,syncfs,sync_file_range,ftruncate,fallocate",
  "sendfile,copy_file_range",
].join(",");

/**
 * Runs `tests/support/<name>` under strace with `<sandbox>/logs` as the place for its logs, each in a directory there, and
 * resolves to what it did to them. The program says what comes next by writing `<directory>: <step>` to the file `steps`.
 */
export async function traceLogs(runtime: RuntimeName, name: string, sandbox: string): Promise<LogSteps> {
  const logs = join(sandbox, "logs");
  const traceFile = join(sandbox, "trace");
  mkdirSync(logs);
  const under = ["strace", "-f", "-y", "-qq", "-s", "48", "-e", `trace=${WATCHED}`, "-o", traceFile];
  const { pid } = await runProgram<{ pid: number }>(runtime, name, { arguments: [logs], under });
  const calls = readCalls(readFileSync(traceFile, "utf8")).filter(({ answer }) => answer === "");
  return sortIntoSteps(calls, logs, pid);
}

/** What was done to the log in `directory` by the calls of a trace; also what was refused: `sync segment EIO`. */
export function logCallsOf(trace: string, directory: string): { readonly what: string; readonly file: string }[] {
  const calls = readCalls(trace).sort((a, b) => momentOf(a) - momentOf(b));
  return calls.flatMap((call) => {
    const path = pathOf(call);
    const { what, log } = describe(call, path, dirname(directory), "");
    if (what === null || log !== basename(directory)) return [];
    return [{ what: call.answer === "" ? what : `${what} ${call.answer}`, file: basename(path) }];
  });
}

/** Puts the two lines together that a call has when another thread came in between. */
function readCalls(trace: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const unfinished = new Map<string, { text: string; began: number }>();
  for (const [index, line] of trace.split("\n").entries()) {
    const [, thread = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const open = /^(.*) <unfinished \.\.\.>$/.exec(rest)?.[1];
    if (open !== undefined) {
      unfinished.set(thread, { text: open, began: index });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1];
    const { text = "", began = index } = resumed === undefined ? {} : unfinished.get(thread) ?? {};
    const whole = /^(\w+)\((.*)\) += (.*)$/.exec(text + (resumed ?? rest));
    if (whole === null) continue;
    const [, name = "", parameters = "", result = ""] = whole;
    const answer = /^-1 (\w+)/.exec(result)?.[1] ?? (result.includes("(INJECTED)") ? `= ${parseInt(result)}` : "");
    calls.push({ thread: Number(thread), name, parameters, result, answer, began, returned: index });
  }
  return calls;
}

/** When it counts: a write from its first moment, a sync or a rename only when it has returned. */
function momentOf({ name, began, returned }: SystemCall): number {
  return /write/.test(name) ? began : returned;
}

function sortIntoSteps(calls: readonly SystemCall[], logs: string, pid: number): LogSteps {
  const steps = new Map<string, LogCall[]>();
  let step = "";
  for (const call of calls.toSorted((a, b) => momentOf(a) - momentOf(b))) {
    const path = pathOf(call);
    if (path === join(logs, "steps") && call.name === "write") {
      step = textOf(call);
      if (!steps.has(step)) steps.set(step, []);
      continue;
    }
    const { what, log } = describe(call, path, logs, step);
    if (what === null) continue;
    const { thread, began, returned } = call;
    steps.get(step)?.push({ what, log, file: basename(path), isOnMainThread: thread === pid, began, returned });
  }
  return steps;
}

/** The file that a call is about: an open one, or one that it names. */
function pathOf({ parameters, result }: SystemCall): string {
  return /^\d+<([^>]*)>/.exec(parameters)?.[1] ?? /^\d+<([^>]*)>/.exec(result)?.[1] ??
    /"([^"]*)"/.exec(parameters)?.[1] ??
    "";
}

/** A call in words, null where it changes nothing, and the log that it is about. */
function describe(
  call: SystemCall,
  path: string,
  logs: string,
  step: string,
): { readonly what: string | null; readonly log: string } {
  const isSync = /^f.*sync$/.test(call.name);
  if (path === logs) return { what: isSync ? "sync parent" : null, log: step.split(":")[0] ?? "" };
  if (dirname(path) === logs) return { what: isSync ? "sync directory" : null, log: basename(path) };
  if (dirname(dirname(path)) !== logs) return { what: null, log: "" };
  return { what: describeFile(call, basename(path)), log: basename(dirname(path)) };
}

function describeFile(call: SystemCall, file: string): string | null {
  const { name, parameters } = call;
  const kind = /^(spare|torn|lock)/.exec(file)?.[0] ?? "segment";
  if (/^open|^creat/.test(name)) return /O_CREAT/.test(parameters) ? `create ${kind}` : null;
  if (name === "fdatasync") return `sync ${kind}`;
  if (name === "pread64") return `read ${kind}`;
  if (/^(p?write(64)?)$/.test(name)) return `write ${kind}: ${contentOf(call, kind)}`;
  return `${name} ${kind}`;
}

const FRAME_KINDS: Readonly<Record<number, string>> = {
  1: "entries",
  2: "batch",
  16: "head",
  17: "skip",
  18: "mark",
  19: "idle",
  20: "footer",
};

/** What is written, by its first bytes. */
function contentOf(call: SystemCall, kind: string): string {
  const text = textOf(call);
  if (kind === "lock") return text.startsWith("{") ? "owner" : text.slice(4, 8) === "mark" ? "mark" : "nobody";
  if (text.slice(1, 8) === "walstrm") return "header";
  if (text.slice(8, 12) === "frm1") return FRAME_KINDS[text.charCodeAt(44)] ?? "an unknown frame";
  return /^\0*$/.test(text) ? "zeros" : "something else";
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", v: "\v", f: "\f" };

/** The first bytes of what is written, a character each. */
function textOf({ parameters }: SystemCall): string {
  const quoted = /"((?:[^"\\]|\\.)*)"/.exec(parameters)?.[1] ?? "";
  return quoted.replace(
    /\\([0-7]{1,3}|.)/g,
    (_, escape: string) =>
      /^[0-7]/.test(escape) ? String.fromCharCode(Number.parseInt(escape, 8)) : ESCAPES[escape] ?? escape,
  );
}
