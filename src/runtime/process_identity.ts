/**
 * Who a process is, and whether it is proven to be gone, as Linux tells it under /proc.
 *
 * @module
 */

import { readFileSync, readlinkSync } from "node:fs";
import process from "node:process";
import { systemCode } from "../errors.ts";
import type { ProcessIdentity } from "./port.ts";

/** Whether this runtime may read a path, asked so that nobody is prompted. */
export type MayRead = (path: string) => boolean;

/** Whether a process bears this number, or null where that may not be asked. */
export type HasProcess = (pid: number) => boolean | null;

interface ProcessStatus {
  readonly pid: number;
  readonly hasEnded: boolean;
  readonly startTicks: number;
}

/** This process. */
export function readIdentity(mayRead: MayRead): ProcessIdentity {
  const status = readStatus("self", mayRead);
  // A /proc of another pid namespace than ours calls us by another number, and others by numbers that mean nothing here.
  const isOurProc = status !== null && status.pid === process.pid;
  return {
    pid: process.pid,
    startTicks: isOurProc ? status.startTicks : null,
    bootId: readText("/proc/sys/kernel/random/boot_id", mayRead)?.trim() || null,
    pidNamespace: isOurProc ? readNamespace(mayRead) : null,
  };
}

/** False if `owner` is proven to be gone, true if it is proven to run, else null. */
export function judgeAlive(
  owner: ProcessIdentity,
  self: ProcessIdentity,
  mayRead: MayRead,
  hasProcess: HasProcess,
): boolean | null {
  if (owner.bootId === null || self.bootId === null) return null;
  if (owner.bootId !== self.bootId) return false;
  if (owner.pidNamespace === null || owner.pidNamespace !== self.pidNamespace) return null;
  if (!Number.isSafeInteger(owner.pid) || owner.pid < 1) return null;
  // Asked first, because a /proc mounted with hidepid shows no processes of others: there a missing name proves nothing.
  if (hasProcess(owner.pid) === false) return false;
  const status = readStatus(String(owner.pid), mayRead);
  if (status === null || owner.startTicks === null) return null;
  return status.startTicks === owner.startTicks && !status.hasEnded;
}

/** Asks by signal 0, which is never delivered. */
export function hasProcess(pid: number): boolean | null {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ESRCH") return false;
    return code === "EPERM" ? true : null;
  }
}

function readNamespace(mayRead: MayRead): string | null {
  const pid = readLink("/proc/self/ns/pid", mayRead);
  if (pid === null) return null;
  // In a time namespace of its own a process reads other start ticks than its neighbours do.
  const time = readLink("/proc/self/ns/time", mayRead);
  return time === null ? pid : `${pid} ${time}`;
}

function readStatus(name: string, mayRead: MayRead): ProcessStatus | null {
  const line = readText(`/proc/${name}/stat`, mayRead);
  if (line === null) return null;
  // The second field is the program's name in brackets and may hold spaces and brackets itself.
  const [state, ...numbers] = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const threads = Number(numbers[16]);
  const startTicks = Number(numbers[18]);
  if (!Number.isSafeInteger(startTicks)) return null;
  // Killed and not yet waited for by its parent: it runs no more, unless only its first thread has ended.
  const hasEnded = (state === "Z" || state === "X") && threads <= 1;
  return { pid: Number.parseInt(line, 10), hasEnded, startTicks };
}

function readText(path: string, mayRead: MayRead): string | null {
  return attempt(path, mayRead, () => readFileSync(path, "utf8"));
}

function readLink(path: string, mayRead: MayRead): string | null {
  return attempt(path, mayRead, () => readlinkSync(path));
}

function attempt(path: string, mayRead: MayRead, read: () => string): string | null {
  if (!mayRead(path)) return null;
  try {
    return read();
  } catch {
    // Not Linux, not mounted, not permitted: each only means that it is not known.
    return null;
  }
}
