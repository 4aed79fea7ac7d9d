/**
 * How the time of a bench is shared out, and the line that says what it is spent on.
 *
 * @module
 */

import process from "node:process";
import { LiveLine } from "./table.ts";

/** However late it is, each measurement gets so much. */
const LEAST_MS = 50;

/** The time of one bench. */
export class BenchTime {
  readonly #endMs: number;
  readonly #signal: AbortSignal;
  /** On stderr, so that stdout has the figures alone; and only where somebody looks. */
  readonly #line: LiveLine = new LiveLine(Infinity, process.stderr);
  #sharesLeft: number;

  /** @param shares How many shares will be asked for, in all. @param signal The wish to end early. */
  constructor(seconds: number, shares: number, signal: AbortSignal) {
    this.#endMs = performance.now() + seconds * 1000;
    this.#sharesLeft = shares;
    this.#signal = signal;
  }

  /** The next measurement begins. What others have left or taken too much of is shared by all that follow. */
  begin(what: string, shares: number): number {
    this.check();
    const nowMs = performance.now();
    this.#line.show(`measuring ${what}; about ${Math.max(1, Math.round((this.#endMs - nowMs) / 1000))} s left`);
    const shareMs = (this.#endMs - nowMs) * shares / this.#sharesLeft;
    this.#sharesLeft -= shares;
    return nowMs + Math.max(LEAST_MS, shareMs);
  }

  /** Whether somebody wishes to end early. */
  get isInterrupted(): boolean {
    return this.#signal.aborted;
  }

  /** Throws where somebody does. */
  check(): void {
    this.#signal.throwIfAborted();
  }

  /** Nothing is being measured just now. */
  pause(): void {
    this.#line.show("");
  }
}
