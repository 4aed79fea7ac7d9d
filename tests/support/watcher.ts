/**
 * A reader elsewhere, and what it holds the log to.
 */

import { crc32 } from "node:zlib";
import { WalDirectoryError, WalTruncatedError } from "../../mod.ts";
import { systemCode } from "../../src/errors.ts";
import { OutsideReader } from "../../src/outside_reader.ts";
import { nextHostTask } from "../../src/runtime/host_task.ts";
import { type MemoryDisk, MemoryRuntime } from "../../src/runtime/memory.ts";
import type { Oracle } from "./oracle.ts";
import { DIRECTORY } from "./workload.ts";

/** Whatever else is left to chance, he must not change what the one who writes does. */
const SEED = 7;

/** Somebody in another process who reads along: what he has seen, no crash may take. He outlives the one who writes. */
export class Watcher {
  readonly #runtime: MemoryRuntime;
  readonly #oracle: () => Oracle;
  readonly #watching: Promise<void>;
  #isOver = false;

  /** @param oracle The one that takes notes at the moment. */
  constructor(disk: MemoryDisk, oracle: () => Oracle) {
    this.#runtime = new MemoryRuntime({ crc32, disk, seed: SEED });
    this.#oracle = oracle;
    this.#watching = this.#watch();
    this.#watching.catch(() => {}); // told at the end
  }

  async #watch(): Promise<void> {
    const place = { runtime: this.#runtime, directory: DIRECTORY, crc32 };
    const reader = new OutsideReader(place, null);
    while (!this.#isOver) {
      try {
        for await (const entries of reader.turn(Infinity)) {
          for (const entry of entries) this.#oracle().shownElsewhere(entry);
        }
      } catch (error) {
        if (error instanceof WalTruncatedError) return; // the log was cut past a reader who was slow
        if (!(error instanceof WalDirectoryError) || systemCode(error.cause) !== "ENOENT") throw error; // or is yet to come
      }
      await nextHostTask();
    }
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#watching;
    this.#runtime.stop();
  }
}
