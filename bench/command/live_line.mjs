// The line that says what is being done: on a terminal it is written over and over, elsewhere now and then a new one.

import process from "node:process";

const everyMs = 2000;

/** See the head of this file. */
export class LiveLine {
  #isTerminal = process.stdout.isTTY === true;
  #shownMs = -Infinity;
  #what;

  /** @param {string} what */
  constructor(what) {
    this.#what = what;
  }

  /** Shows how far it is. @param {import("../harness/order.ts").Progress} progress */
  show({ round, rounds, who }) {
    const line = `${this.#what}: ${round === 0 ? "warming up" : `round ${round} of ${rounds}`}, ${who}`;
    if (this.#isTerminal) {
      process.stdout.write(`\r${line}\x1b[K`);
    } else if (performance.now() - this.#shownMs >= everyMs) {
      this.#shownMs = performance.now();
      process.stdout.write(`${line}\n`);
    }
  }

  /** Takes it away, where it can be. */
  clear() {
    if (this.#isTerminal) process.stdout.write("\r\x1b[K");
  }
}
