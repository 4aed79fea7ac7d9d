/**
 * A turn of the host's event loop: when it comes, every promise that could settle has settled.
 *
 * @module
 */

interface Host {
  readonly setTimeout: (callback: () => void, delayMs: number) => unknown;
  /** Not in browsers; elsewhere 1,000 times as quick as a timer. */
  readonly setImmediate?: (callback: () => void) => unknown;
}

// Kept at once, so that a test that puts its own timers in their place does not reach this.
const host: Host = globalThis;
const { setTimeout, setImmediate } = host;

/** Calls back in a later turn. With `keepAlive` false the host may end before. */
export function inHostTask(callback: () => void, keepAlive: boolean): void {
  if (keepAlive && setImmediate !== undefined) return void setImmediate(callback);
  const task = setTimeout(callback, 0); // Bun has been seen to leave out an immediate that keeps nothing alive
  if (keepAlive || typeof task !== "object" || task === null) return;
  if ("unref" in task && typeof task.unref === "function") task.unref();
}

/** Resolves in a later turn. */
export function nextHostTask(): Promise<void> {
  return new Promise((resolve) => inHostTask(resolve, true));
}
