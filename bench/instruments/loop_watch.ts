/**
 * How long the event loop is held: a timer that should go off every millisecond, and how late it does at worst.
 *
 * On a machine that is not alone a timer is late also because another program has the processor. The kernel counts how
 * long a thread that could have run had to wait for one: that much is taken off, where the kernel tells it.
 *
 * @module
 */

import * as fs from "node:fs";

const EVERY_MS = 1;
/** Of the thread that runs this: nanoseconds on a processor, and nanoseconds of waiting for one. */
const SCHEDULED = "/proc/self/schedstat";

/** The longest times that nothing else could run, in milliseconds. */
export interface Held {
  /** As a clock on the wall has it. */
  readonly wallMs: number;
  /** Less what others had the processor for. */
  readonly ownMs: number;
}

/** See the head of this file. Runs until it is stopped. */
export class LoopWatch {
  readonly #descriptor: number | null = openScheduled();
  readonly #text: Uint8Array = new Uint8Array(128);
  #wallMs = 0;
  #ownMs = 0;
  #isStopped = false;

  constructor() {
    this.#wait();
  }

  /** Ends it. */
  stop(): Held {
    this.#isStopped = true;
    if (this.#descriptor !== null) fs.closeSync(this.#descriptor);
    return { wallMs: this.#wallMs, ownMs: this.#ownMs };
  }

  #wait(): void {
    const waitedMs = this.#waitedMs();
    const setMs = performance.now();
    setTimeout(() => {
      if (this.#isStopped) return;
      const lateMs = performance.now() - setMs - EVERY_MS;
      this.#wallMs = Math.max(this.#wallMs, lateMs);
      this.#ownMs = Math.max(this.#ownMs, lateMs - Math.min(lateMs, this.#waitedMs() - waitedMs));
      this.#wait();
    }, EVERY_MS);
  }

  #waitedMs(): number {
    if (this.#descriptor === null) return 0;
    const length = fs.readSync(this.#descriptor, this.#text, 0, this.#text.length, 0);
    return Number(String.fromCharCode(...this.#text.subarray(0, length)).split(" ")[1]) / 1e6;
  }
}

function openScheduled(): number | null {
  try {
    return fs.openSync(SCHEDULED, "r");
  } catch {
    return null;
  }
}
