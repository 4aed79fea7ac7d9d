// What is undone when the run ends, also when somebody ends it early.

import process from "node:process";

/** 128 and the signal's number, as shells have it. @type {Record<string, number>} */
const statuses = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** See the head of this file. */
export class Interruption {
  /** What was begun last is undone first. @type {Set<() => void>} */
  #undone = new Set();

  constructor() {
    for (const [signal, status] of Object.entries(statuses)) {
      process.on(signal, () => {
        this.cleanUp();
        process.exit(status);
      });
    }
  }

  /** Calls `undo` at the end, unless what this returns is called before. @param {() => void} undo */
  atEnd(undo) {
    this.#undone.add(undo);
    return () => void this.#undone.delete(undo);
  }

  /** Undoes what is left. */
  cleanUp() {
    const left = [...this.#undone].reverse();
    this.#undone.clear();
    for (const undo of left) undo();
  }
}
