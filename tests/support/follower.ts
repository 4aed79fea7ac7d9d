/**
 * Somebody who reads along and notes what he sees, and how it ended.
 */

import type { Entry } from "../../mod.ts";
import { quiet } from "./log_fixture.ts";

/** See the head of this file. */
export class Follower {
  /** What he has not told yet. */
  readonly seen: Entry[] = [];
  /** Resolves to `closed`, or to the error. */
  readonly ended: Promise<unknown>;
  readonly #reader: ReadableStreamDefaultReader<Entry>;

  constructor(reader: ReadableStreamDefaultReader<Entry>) {
    this.#reader = reader;
    this.ended = this.#run().then(() => "closed", (error: unknown) => error);
  }

  async #run(): Promise<void> {
    for (let next = await this.#reader.read(); !next.done; next = await this.#reader.read()) this.seen.push(next.value);
  }

  /** What has been seen since the last look, as `lsn text`. */
  async news(): Promise<string[]> {
    await quiet();
    return this.seen.splice(0).map((entry) => `${entry.lsn} ${entry.text()}`);
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }
}
