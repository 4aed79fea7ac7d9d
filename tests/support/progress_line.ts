/**
 * How far something has come: one line that changes, or, where nobody sees it change, a line now and then.
 */

import process from "node:process";

const LIVE_MS = 250;
const PLAIN_MS = 30_000;

/** See the head of this file. */
export class ProgressLine {
  readonly #text: () => string;
  readonly #isLive: boolean = process.stdout.isTTY === true;
  #shownMs = performance.now();

  /** @param text What to say at the moment. */
  constructor(text: () => string) {
    this.#text = text;
  }

  /** Shows it, if that is due. */
  tick(): void {
    const nowMs = performance.now();
    if (nowMs - this.#shownMs < (this.#isLive ? LIVE_MS : PLAIN_MS)) return;
    this.#shownMs = nowMs;
    if (!this.#isLive) return void process.stdout.write(`${this.#text()}\n`);
    const width = process.stdout.columns ?? 80;
    process.stdout.write(`\r\x1b[K${this.#text().slice(0, width - 1)}`);
  }

  /** Says something that stays. */
  say(text: string): void {
    process.stdout.write(`${this.#isLive ? "\r\x1b[K" : ""}${text}\n`);
  }
}
