/**
 * Programs in pid namespaces of their own, as in containers: there they are number 1, and here nobody knows them by that.
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { type Program, type RuntimeName, startProgram } from "./processes.ts";

/** Whether the namespace has a `/proc` of its own, or sees ours, where its own number means another process. */
export type ProcKind = "its own /proc" | "our /proc";

export const procKinds: readonly ProcKind[] = ["its own /proc", "our /proc"];

/** Who is not root is it in a namespace of users. Should `unshare` be killed, what it started goes with it. */
const unshare: readonly string[] = ["unshare", process.getuid?.() === 0 ? "-pf" : "-Urpf", "--kill-child"];
const mountsProc = (proc: ProcKind): readonly string[] => proc === "its own /proc" ? ["--mount-proc"] : [];

const [command = "", ...words] = [...unshare, ...mountsProc("its own /proc"), "true"];

/** Why there are none here, or false where there are: what a test takes as `skip`. */
export const cannotUnshare: string | false = spawnSync(command, words).status === 0
  ? false
  : "unshare is not installed, or pid namespaces are not permitted, neither to root nor in a namespace of users";

/** Starts `tests/support/<name>` as number 1 of a pid namespace. */
export function startInNamespace(
  runtime: RuntimeName,
  name: string,
  options: { readonly arguments: readonly string[]; readonly proc: ProcKind },
): Program {
  return startProgram(runtime, name, { ...options, under: [...unshare, ...mountsProc(options.proc)] });
}

/** Kills the program itself, by the number that it has here; when `unshare` has ended, all that it held is free. */
export async function killInNamespace(program: Program): Promise<void> {
  const [child = ""] = readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, "utf8").split(" ");
  process.kill(Number(child), "SIGKILL");
  await program.ended;
}
