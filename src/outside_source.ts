/**
 * Where the entries of {@linkcode Wal.read} come from: a reader without a lock, which looks again and again.
 *
 * @module
 */

import { createChecksum } from "./checksum.ts";
import type { Entry } from "./entry.ts";
import { describe, WalError, WalIoError, WalOptionsError } from "./errors.ts";
import { resolveDirectory } from "./opening.ts";
import { checkFlag, checkLsn, checkOptions } from "./checks.ts";
import { OutsideReader } from "./outside_reader.ts";
import type { BatchSource, ReadableOptions } from "./readable.ts";
import { detectRuntime } from "./runtime/detect.ts";
import type { Runtime } from "./runtime/port.ts";
import { Sleeper } from "./signal.ts";

/**
 * What {@linkcode Wal.read} takes.
 *
 * @example
 * ```ts
 * import { type ReadOptions, Wal } from "@walstream/wal";
 *
 * const options = { to: 100 } satisfies ReadOptions;
 * const wal = await Wal.open("data/wal");
 * await wal.close();
 * for await (const entry of Wal.read("data/wal", options)) console.log(entry.lsn);
 * ```
 */
export interface ReadOptions extends ReadableOptions {
  /** How often a follower looks for more: every 50 ms unless said. */
  readonly pollMs?: number;
  /** The adapter to the world around: found by itself unless given. */
  readonly runtime?: Runtime;
}

const NAMES = ["from", "to", "follow", "batches", "pollMs", "signal", "runtime"];
const DEFAULT_POLL_MS = 50;

/** The entries of the log in `directory`, read without its lock. Throws where the options are wrong. */
export function outsideEntries(directory: string | URL, options: ReadOptions): BatchSource {
  checkOptions("read", options, NAMES);
  const { from, to, follow, batches, pollMs = DEFAULT_POLL_MS } = options;
  for (const lsn of [from, to]) if (lsn !== undefined) checkLsn(lsn);
  checkFlag("follow", follow);
  checkFlag("batches", batches);
  if (!Number.isFinite(pollMs) || pollMs < 1) {
    throw new WalOptionsError(`pollMs must be a number from 1, not ${describe(pollMs)}`);
  }
  return new OutsideSource(directory, { ...options, pollMs });
}

class OutsideSource implements BatchSource {
  readonly #directory: string | URL;
  readonly #options: ReadOptions & { readonly pollMs: number };
  readonly #entries: AsyncGenerator<Entry[], void, undefined>;
  readonly #sleeper: Sleeper = new Sleeper();
  #isCancelled = false;

  constructor(directory: string | URL, options: ReadOptions & { readonly pollMs: number }) {
    this.#directory = directory;
    this.#options = options;
    this.#entries = this.#read();
  }

  async next(): Promise<Entry[] | null> {
    const { value } = await this.#entries.next();
    return value ?? null;
  }

  async cancel(): Promise<void> {
    this.#isCancelled = true;
    this.#sleeper.wake();
    await this.#entries.return();
  }

  async *#read(): AsyncGenerator<Entry[], void, undefined> {
    const { from, to = Infinity, follow = false, pollMs } = this.#options;
    let toLsn = to;
    const runtime = this.#options.runtime ?? await detectRuntime();
    const directory = resolveDirectory(runtime, this.#directory);
    const place = { runtime, directory, crc32: await createChecksum(runtime.crc32) };
    const reader = new OutsideReader(place, from ?? null);
    while (!this.#isCancelled) {
      let hasMoved = false;
      try {
        // A log that is being written would never come to an end.
        if (!follow && toLsn === to) toLsn = Math.min(to, await reader.findVouchedLsn());
        for await (const entries of reader.turn(toLsn)) {
          hasMoved = true;
          yield entries;
          if (this.#isCancelled) return;
        }
      } catch (error) {
        throw error instanceof WalError ? error : new WalIoError(`read the log in ${directory}`, error);
      }
      if (reader.nextLsn > toLsn) return;
      if (hasMoved) continue;
      if (!follow) return;
      await this.#sleep(runtime, pollMs);
    }
  }

  #sleep(runtime: Runtime, pollMs: number): Promise<void> {
    let timer = { cancel: (): void => {} };
    const rung = new Promise<void>((resolve) => timer = runtime.setTimer(resolve, pollMs, true));
    return this.#sleeper.sleep(rung).finally(() => timer.cancel());
  }
}
