/**
 * The most memory that this process has held.
 *
 * The kernel's own mark of it (`VmHWM`) belongs to this program and begins when it does. What `resourceUsage` says is
 * kept across the start of a program: of a child it is at least what its parent held when it was made. So that is taken
 * only where there is no `/proc`.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import process from "node:process";

/** See the head of this file. */
export function peakResidentBytes(): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(statusText())?.[1];
  return 1024 *
    (kib === undefined ? process.resourceUsage().maxRSS : Number(kib));
}

function statusText(): string {
  try {
    return readFileSync("/proc/self/status", "utf8");
  } catch {
    return "";
  }
}
