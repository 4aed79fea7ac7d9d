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

/** The turns that one log owes the event loop. */
export class Turns {
  /** When the thread was blocked for the first time since the loop has turned; null: it was not. */
  #sinceMs: number | null = null;
  /** Whether it will be told when the loop turns by itself. */
  #isListening = false;

  /** The thread is about to be blocked. It listens from the second one on: behind the first there may be a call in the pool. */
  block(nowMs: number): void {
    if (this.#sinceMs === null) this.#sinceMs = nowMs;
    else if (!this.#isListening) {
      this.#isListening = true;
      inHostTask(this.#onTurn, true);
    }
  }

  /** Whether the loop is to turn before the thread is blocked again. After one call nobody knows whether it has by itself. */
  isDue(nowMs: number): boolean {
    return this.#isListening && this.#sinceMs !== null && nowMs - this.#sinceMs >= HOLD_MS;
  }

  /** Resolves when it has turned. */
  async next(): Promise<void> {
    await nextHostTask();
    this.turned();
  }

  /** It has turned: as it does while something runs in the pool. */
  turned(): void {
    this.#sinceMs = null;
  }

  readonly #onTurn = (): void => {
    this.#isListening = false;
    this.turned();
  };
}
