/**
 * A timer that keeps the port's promise on top of one that does not quite.
 *
 * @module
 */

import { clearTimeout, setTimeout } from "node:timers";
import type { RuntimeTimer } from "./port.ts";

// A longer delay is taken for 1 ms by the runtimes.
const MOST_DELAY_MS = 2 ** 31 - 1;

/** Calls back once, not before `delayMs`: the runtimes cut off fractions and may be up to a millisecond early. */
export function setSystemTimer(callback: () => void, delayMs: number, keepAlive: boolean): RuntimeTimer {
  const dueMs = performance.now() + delayMs;
  const arm = (leftMs: number): ReturnType<typeof setTimeout> => {
    const handle = setTimeout(fire, Math.min(Math.ceil(leftMs), MOST_DELAY_MS));
    if (!keepAlive) handle.unref();
    return handle;
  };
  const fire = (): void => {
    const leftMs = dueMs - performance.now();
    if (leftMs > 0) handle = arm(leftMs);
    else callback();
  };
  let handle = arm(delayMs);
  return { cancel: () => clearTimeout(handle) };
}
