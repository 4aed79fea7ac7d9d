/**
 * A promise that many wait for and one resolution settles, again and again.
 *
 * @module
 */

/** Waits are cheap: all between two notifications share one promise. It never rejects; who wakes looks for himself. */
export class Signal {
  #promise: Promise<void> | null = null;
  #resolve: (() => void) | null = null;

  /** Resolves at the next {@linkcode notify}. */
  wait(): Promise<void> {
    this.#promise ??= new Promise((resolve) => this.#resolve = resolve);
    return this.#promise;
  }

  /** Wakes all who wait now. */
  notify(): void {
    const resolve = this.#resolve;
    this.#promise = null;
    this.#resolve = null;
    resolve?.();
  }
}

/** One who waits for a signal, and may be woken by something else as well. */
export class Sleeper {
  #wake: () => void = () => {};

  /** Resolves when `until` does, or somebody wakes it. */
  sleep(until: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      void until.then(resolve);
    });
  }

  /** Wakes it, if it sleeps. */
  wake(): void {
    this.#wake();
  }
}
