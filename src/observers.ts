/**
 * Streams that must know what becomes of what they have handed in.
 *
 * @module
 */

/** One of them. */
export interface Observer {
  /** Everything up to `lastLsn` has been handed to the operating system; the last flush bears this time. */
  written(lastLsn: number, time: number): void;
  /** Everything from `firstLsn` on that was accepted will never be: the disk was full. */
  rejected(firstLsn: number, reason: Error): void;
  /** The log takes no more: it has failed, or is being closed. */
  ended(reason: Error): void;
}

/** All of them. */
export class Observers {
  readonly #observers: Set<Observer> = new Set();

  /** From now on it is told. */
  add(observer: Observer): void {
    this.#observers.add(observer);
  }

  /** From now on it is not. */
  remove(observer: Observer): void {
    this.#observers.delete(observer);
  }

  /** See {@linkcode Observer}. */
  written(lastLsn: number, time: number): void {
    for (const observer of this.#observers) observer.written(lastLsn, time);
  }

  /** See {@linkcode Observer}. */
  rejected(firstLsn: number, reason: Error): void {
    for (const observer of [...this.#observers]) observer.rejected(firstLsn, reason);
  }

  /** See {@linkcode Observer}. */
  ended(reason: Error): void {
    for (const observer of [...this.#observers]) observer.ended(reason);
  }
}
