/**
 * Those who wait for an LSN to become durable at one level.
 *
 * @module
 */

interface Waiter {
  readonly lsn: number;
  readonly resolve: (lsn: number) => void;
  readonly reject: (reason: unknown) => void;
}

/** Waits settle in LSN order, in whatever order they came. */
export class Waiters {
  readonly #isDurable: (lsn: number) => boolean;
  /** Sorted by LSN; nearly all come in that order. */
  #waiting: Waiter[] = [];

  /** @param isDurable True when it is, false when not yet; throws when never. */
  constructor(isDurable: (lsn: number) => boolean) {
    this.#isDurable = isDurable;
  }

  /** Resolves to `lsn` when it is durable; rejects when it never will be. */
  wait(lsn: number): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#isDurable(lsn)) return resolve(lsn); // what this throws rejects
      let place = this.#waiting.length;
      while (place > 0 && (this.#waiting[place - 1]?.lsn ?? 0) > lsn) place--;
      const waiter = { lsn, resolve, reject };
      if (place === this.#waiting.length) this.#waiting.push(waiter);
      else this.#waiting.splice(place, 0, waiter);
    });
  }

  /** Durability has moved: settles all up to the first that is not durable yet. */
  wake(): void {
    let settled = 0;
    for (const { lsn, resolve, reject } of this.#waiting) {
      try {
        if (!this.#isDurable(lsn)) break;
        resolve(lsn);
      } catch (error) {
        reject(error);
      }
      settled++;
    }
    if (settled === this.#waiting.length) this.#waiting = [];
    else if (settled > 0) this.#waiting.splice(0, settled);
  }
}
