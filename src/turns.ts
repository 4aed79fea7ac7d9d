/**
 * Sees to it that the event loop turns while a log blocks the thread: whoever waits for a timer or a socket is served now and then.
 *
 * What counts is the time since the first call that blocked after a turn, whatever was done in it: the log's calls, and what its
 * callers do in between.
 *
 * @module
 */

import { inHostTask, nextHostTask } from "./runtime/host_task.ts";

/** After so long it is to turn. */
const HOLD_MS = 2;

/** See the head of this file. */
export class Turns {
  /** When the thread was blocked for the first time since the loop has turned; null: it was not. */
  #sinceMs: number | null = null;

  /** The thread is about to be blocked. */
  block(nowMs: number): void {
    if (this.#sinceMs !== null) return;
    this.#sinceMs = nowMs;
    inHostTask(this.turned, true);
  }

  /** Whether the loop is to turn before the thread is blocked again. */
  isDue(nowMs: number): boolean {
    return this.#sinceMs !== null && nowMs - this.#sinceMs >= HOLD_MS;
  }

  /** Resolves when it has turned. */
  async next(): Promise<void> {
    await nextHostTask();
    this.turned();
  }

  /** It has turned: as it does while something runs in the pool. */
  readonly turned = (): void => {
    this.#sinceMs = null;
  };
}
