/**
 * A timer that is set at most once at a time and has an owner who cancels it.
 *
 * @module
 */

import type { Runtime, RuntimeTimer } from "./runtime/port.ts";

/** Set it as often as you like: it rings once for all. */
export class Alarm {
  readonly #runtime: Runtime;
  readonly #keepAlive: boolean;
  readonly #ring: () => void;
  #timer: RuntimeTimer | null = null;

  /** @param keepAlive Whether the process stays for it. @param ring What is called. */
  constructor(runtime: Runtime, keepAlive: boolean, ring: () => void) {
    this.#runtime = runtime;
    this.#keepAlive = keepAlive;
    this.#ring = ring;
  }

  /** Rings after `delayMs`, unless it is set already. */
  set(delayMs: number): void {
    this.#timer ??= this.#runtime.setTimer(this.#onTimer, delayMs, this.#keepAlive);
  }

  /** Does not ring. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #onTimer = (): void => {
    this.#timer = null;
    this.#ring();
  };
}
