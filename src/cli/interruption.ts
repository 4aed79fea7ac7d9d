/**
 * The wish that a command ends early and leaves nothing behind.
 *
 * @module
 */

import process from "node:process";

/** 128 and the signal's number, as shells have it. */
const STATUSES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const NOBODY_LISTENS_STATUS = 141;

/** Listens for signals, and for a stdout that nobody reads any more, until it is told to {@linkcode end}. */
export class Interruption {
  readonly #controller: AbortController = new AbortController();
  readonly #stopListening: (() => void)[] = [];
  #status = 0;

  constructor() {
    for (const [name, status] of Object.entries(STATUSES)) {
      const listener = (): void => this.#interrupt(status);
      process.on(name, listener);
      this.#stopListening.push(() => process.off(name, listener));
    }
    // Stays: what is written last may fail last.
    process.stdout.on("error", () => this.#interrupt(NOBODY_LISTENS_STATUS));
  }

  /** Aborted by the first wish. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What the process should end with; 0 while nobody has wished anything. */
  get status(): number {
    return this.#status;
  }

  /** From here on a signal does what it does by itself. */
  end(): void {
    for (const stop of this.#stopListening) stop();
  }

  #interrupt(status: number): void {
    if (this.#status === 0) this.#status = status;
    this.#controller.abort();
  }
}
