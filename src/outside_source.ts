/**
 * Where the entries of {@linkcode Wal.read} come from: a reader without a lock, which looks again and again.
 *
 * @module
 */

import { createChecksum } from "./checksum.ts";
import type { Entry } from "./entry.ts";
import { describe, messageOf, WalAbortedError, WalDirectoryError, WalError, WalOptionsError } from "./errors.ts";
import { resolveDirectory } from "./opening.ts";
import { checkLsn, checkOptions } from "./options.ts";
import { OutsideReader } from "./outside_reader.ts";
import type { BatchSource } from "./readable.ts";
import { detectRuntime } from "./runtime/detect.ts";
import type { Runtime } from "./runtime/port.ts";
import { Sleeper } from "./signal.ts";

/**
 * What {@linkcode Wal.read} takes.
 *
 * @example
 * ```ts
 * import { type OutsideReadOptions, Wal } from "@walstream/wal";
 *
 * const options = { to: 100 } satisfies OutsideReadOptions;
 * const wal = await Wal.open("data/wal");
 * await wal.close();
 * for await (const entry of Wal.read("data/wal", options)) console.log(entry.lsn);
 * ```
 */
export interface OutsideReadOptions {
  /** The first LSN; the first there is unless said. */
  readonly from?: number;
  /** The last LSN; the last that something vouches for unless said. A follower may wait for one that is to come. */
  readonly to?: number;
  /** Whether the stream goes on with what comes. */
  readonly follow?: boolean;
  /** Whether the stream carries arrays, the entries of one frame each, instead of single entries. */
  readonly batches?: boolean;
  /** How often a follower looks for more: every 50 ms unless said. */
  readonly pollMs?: number;
  /** Ends the reading. */
  readonly signal?: AbortSignal;
  /** The adapter to the world around: found by itself unless given. */
  readonly runtime?: Runtime;
}

const NAMES = ["from", "to", "follow", "batches", "pollMs", "signal", "runtime"];
const DEFAULT_POLL_MS = 50;

/** The entries of the log in `directory`, read without its lock. Throws where the options are wrong. */
export function outsideEntries(directory: string | URL, options: OutsideReadOptions): BatchSource {
  checkOptions("read", options, NAMES);
  const { from, to, pollMs = DEFAULT_POLL_MS } = options;
  for (const lsn of [from, to]) if (lsn !== undefined) checkLsn(lsn);
  if (!Number.isFinite(pollMs) || pollMs < 1) {
    throw new WalOptionsError(`pollMs must be a number from 1, not ${describe(pollMs)}`);
  }
  return new OutsideSource(directory, { ...options, pollMs });
}

class OutsideSource implements BatchSource {
  readonly #directory: string | URL;
  readonly #options: OutsideReadOptions & { readonly pollMs: number };
  readonly #entries: AsyncGenerator<Entry[], void, undefined>;
  readonly #sleeper: Sleeper = new Sleeper();
  #isCancelled = false;

  constructor(directory: string | URL, options: OutsideReadOptions & { readonly pollMs: number }) {
    this.#directory = directory;
    this.#options = options;
    this.#entries = this.#read();
    options.signal?.addEventListener("abort", this.#onAbort);
    if (options.signal?.aborted) this.#onAbort();
  }

  async next(): Promise<Entry[] | null> {
    const { value } = await this.#entries.next();
    const { signal } = this.#options;
    if (signal?.aborted) throw new WalAbortedError("reading the log", signal.reason);
    if (value === undefined) signal?.removeEventListener("abort", this.#onAbort);
    return value ?? null;
  }

  async cancel(): Promise<void> {
    this.#isCancelled = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#sleeper.wake();
    await this.#entries.return();
  }

  #onAbort = (): void => void this.cancel().catch(() => {});

  async *#read(): AsyncGenerator<Entry[], void, undefined> {
    const { from, to = Infinity, follow = false, pollMs } = this.#options;
    const runtime = this.#options.runtime ?? await detectRuntime();
    const directory = resolveDirectory(runtime, this.#directory);
    const place = { runtime, directory, crc32: await createChecksum(runtime.crc32) };
    const reader = new OutsideReader(place, from ?? null);
    while (!this.#isCancelled) {
      let hasMoved = false;
      try {
        for await (const entries of reader.turn(to)) {
          hasMoved = true;
          yield entries;
          if (this.#isCancelled) return;
        }
      } catch (error) {
        throw error instanceof WalError ? error : new WalDirectoryError(
          `cannot read the log in ${directory}: ${messageOf(error)}`,
          error,
        );
      }
      if (reader.nextLsn > to) return;
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
