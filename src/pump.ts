/**
 * Runs one task after the other, as long as there is one.
 *
 * @module
 */

import type { Eventual } from "./eventual.ts";

/** Something that must not overlap with another. Whoever hands it over sees to it that it neither throws nor rejects. */
export type Task = () => Eventual<void>;

/** Begins in a microtask: a thousand calls in a row are one task. */
export class Pump {
  readonly #next: () => Task | null;
  readonly #onRest: () => void;
  readonly #jobs: Task[] = [];
  #isRunning = false;

  /** @param next What is to be done now that no job waits; null: nothing. @param onRest Called when nothing is left to do. */
  constructor(next: () => Task | null, onRest: () => void) {
    this.#next = next;
    this.#onRest = onRest;
  }

  /** Whether a task runs, or is about to. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** There may be something to do. */
  kick(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    queueMicrotask(this.#run);
  }

  /** Does this before anything else. */
  push(job: Task): void {
    this.#jobs.push(job);
    this.kick();
  }

  /** Goes on by itself after a task that takes its time. */
  #run = (): void => {
    // No await between finding nothing to do and saying so: whoever came in between would wait for ever.
    for (let task = this.#jobs.shift() ?? this.#next(); task !== null; task = this.#jobs.shift() ?? this.#next()) {
      const done = task();
      if (done instanceof Promise) return void done.then(this.#run);
    }
    this.#isRunning = false;
    this.#onRest();
  };
}
