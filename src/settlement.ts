/**
 * What is durable, what will never be, and those who wait to be told.
 *
 * @module
 */

import { type WalFailedError, WalRangeError } from "./errors.ts";
import { FrameKind } from "./format.ts";
import { Levels } from "./levels.ts";
import type { Durability } from "./options.ts";
import type { PendingFrame } from "./pending.ts";
import { RejectedLsns } from "./rejected_lsns.ts";
import { type AskedLevel, type Outcomes, Waiters } from "./waiters.ts";

const SKIPPED =
  "cannot wait for this LSN: it was skipped when the log, which had failed, was opened again, and will never be there";

/** How far the disk is. */
export interface Progress {
  /** The last LSN that a returned sync covers. */
  readonly syncedLsn: number;
  /** The last LSN that the operating system has. */
  readonly writtenLsn: number;
}

/** Settles those who wait, as far as the log has come. */
export class Settlement implements Outcomes {
  readonly #progress: Progress;
  readonly #levels: Levels = new Levels();
  readonly #rejected: RejectedLsns = new RejectedLsns();
  readonly #waiters: Waiters = new Waiters(this);
  #lastLsn: number;
  #failure: WalFailedError | null = null;
  #acknowledgedLsn = 0;

  /** @param progress The end of the log, as it was found. */
  constructor(progress: Progress) {
    this.#progress = progress;
    this.#lastLsn = progress.writtenLsn;
  }

  // -- what is durable

  /** Why nothing becomes durable any more, or null. */
  get failure(): WalFailedError | null {
    return this.#failure;
  }

  /** The highest LSN up to which every entry is as durable as it asked to be. */
  get durableLsn(): number {
    return this.durableAt("own");
  }

  /** The highest LSN that a reader in this process may be shown: the operating system has it. */
  get visibleLsn(): number {
    return Math.min(this.durableLsn, this.#progress.writtenLsn);
  }

  /** The highest LSN up to which all is durable at this level. */
  durableAt(level: AskedLevel): number {
    const { syncedLsn, writtenLsn } = this.#progress;
    // After a failure nobody knows what the operating system still has: it may have dropped what a sync was to write.
    if (level === "fsync" || this.#failure !== null) return syncedLsn;
    if (level === "write") return writtenLsn;
    return this.keptLsn(level === "none" ? this.#lastLsn : this.#levels.durableLsn(syncedLsn, writtenLsn));
  }

  /** Whether a write has told anyone anything: readers see more than up to `visibleLsn`, or somebody waits for a write. */
  isNews(visibleLsn: number): boolean {
    return this.visibleLsn > visibleLsn || this.#waiters.hasAt("write");
  }

  /** Whether something that is written asks for a sync. */
  get wantsSync(): boolean {
    const { syncedLsn, writtenLsn } = this.#progress;
    return this.#levels.askSync(syncedLsn + 1, writtenLsn);
  }

  /** Whether `lsn` will be synced without anyone asking again: it, or something behind it, asks for that. */
  willSync(lsn: number): boolean {
    return this.#levels.askSync(lsn, Infinity);
  }

  /** The highest LSN up to this one that was not rejected. */
  keptLsn(lsn: number): number {
    return this.#rejected.highestKept(lsn);
  }

  /** Why this LSN will never be, or null. */
  rejectionOf(lsn: number): Error | null {
    return this.#rejected.reasonOf(lsn);
  }

  /** Resolves to `lsn` when it is durable; rejects when it never will be, or nobody can know. */
  wait(lsn: number, level: AskedLevel, signal?: AbortSignal): Promise<number> {
    return this.#waiters.wait(lsn, level, signal);
  }

  /** Whether somebody waits for each entry of these frames, and for any of each batch. */
  isAllAwaited(frames: readonly PendingFrame[]): boolean {
    return frames.every(({ kind, firstLsn, count }) => {
      const step = kind === FrameKind.BATCH ? count : 1;
      for (let lsn = firstLsn; lsn < firstLsn + count; lsn += step) {
        if (!this.#waiters.isAwaited(lsn, lsn + step - 1)) return false;
      }
      return true;
    });
  }

  // -- what happens

  /** Everything up to `lastLsn` was accepted, and asks for this level. */
  accept(lastLsn: number, level: Durability): void {
    this.#lastLsn = lastLsn;
    this.#levels.note(lastLsn, level);
  }

  /** The disk has moved. */
  advance(): void {
    this.#levels.forget(this.#progress.syncedLsn);
    this.#waiters.wake();
  }

  /** Everything from `firstLsn` on will never be. */
  reject(firstLsn: number, reason: Error): void {
    this.#rejected.add(firstLsn, this.#lastLsn, reason);
    this.#levels.reject(firstLsn);
    this.#waiters.wake();
  }

  /** Nothing becomes durable any more. */
  fail(failure: WalFailedError): void {
    this.#acknowledgedLsn = Math.max(this.visibleLsn, this.#waiters.toldLsn);
    this.#failure = failure;
    this.#waiters.wake();
  }

  /** Up to here, when the log failed, somebody had been told of an entry at its own level, or a reader might have been. */
  get acknowledgedLsn(): number {
    return this.#acknowledgedLsn;
  }

  /** The log goes on: of all that was given out nothing above `keptLsn` will ever be. */
  reopen(keptLsn: number): void {
    if (keptLsn < this.#lastLsn) this.reject(keptLsn + 1, new WalRangeError(SKIPPED, this.#failure));
    this.#failure = null;
    this.advance();
  }
}
