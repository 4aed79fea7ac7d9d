/**
 * Which calls of the next flush block the calling thread, and which go through the runtime's pool.
 *
 * A write goes into the page cache in less time than a hop through the pool takes, so it blocks unless it is large or one has
 * been seen to take long. A sync waits for the disk: on a fast one a blocking call saves the hop, which costs a third of it;
 * on a slow one it holds up everything else in the process. A large one blocks only where nothing came during the last one in
 * the pool: else there is something better to do meanwhile. `"auto"` begins in the pool and goes by the times it sees.
 *
 * @module
 */

import type { IoMode } from "./options.ts";

/** A sync that takes no longer, besides the time for its bytes, is fast. */
const FAST_MS = 1;
/** One that takes longer sends the next ones to the pool; so does a write. */
const SLOW_MS = 2;
/** The time for its bytes: so many a millisecond. */
const BYTES_PER_MS = 1024 * 1024;
/** So many fast ones in a row are believed. After each slow one that blocks, twice as many are asked for. */
const FIRST_TRIAL = 8;
const LONGEST_TRIAL = 1024;
/** After a slow write so many go through the pool; after the next slow one twice as many, and half of that after a run of quick ones. */
const FIRST_WARY_WRITES = 4;
const MOST_WARY_WRITES = 1024;
const QUICK_RUN = 32;
/** A slow one after more than so many good ones is forgiven: every disk is slow now and then. */
const LONG_RUN = 256;
/** A larger sync blocks only where nothing comes meanwhile. */
const LARGE_SYNC_BYTES = 256 * 1024;
/** So much of a flush must have come during its sync that the next one is made in the pool. */
const COMPANY_SHARE = 1 / 8;
/** What is larger blocks only with `"blocking"`: even into the page cache it takes long. */
const HUGE_BYTES = 2 * 1024 * 1024;
/**
 * So many large flushes block before one is made in the pool again, to see whether something comes meanwhile; where nothing
 * does, twice as many before the next.
 */
const FIRST_UNSEEN_SYNCS = 16;
const MOST_UNSEEN_SYNCS = 256;

/** Remembers how fast the disk has been. */
export class Pace {
  /** What the user asked for. */
  readonly mode: IoMode;
  #isBlocking: boolean;
  #fastInARow = 0;
  #trial = FIRST_TRIAL;
  /** How many syncs have blocked since the last slow one. */
  #blockedSyncs = 0;
  /** So many writes are still to go through the pool. */
  #waryWrites = 0;
  #nextWaryWrites = FIRST_WARY_WRITES;
  /** How many quick writes have blocked since the last slow one. */
  #quickWrites = 0;
  /** Whether something has come during the last sync in the pool, or that is to be seen again. */
  #hasCompany = true;
  #unseenSyncs = 0;
  #mostUnseenSyncs = FIRST_UNSEEN_SYNCS;

  /** @param mode What the user asked for. */
  constructor(mode: IoMode) {
    this.mode = mode;
    this.#isBlocking = mode === "blocking";
  }

  /** Whether the next write, of so many bytes, blocks. */
  blocksWrite(lengthBytes: number): boolean {
    if (this.mode === "blocking") return true;
    return this.#waryWrites === 0 && lengthBytes <= HUGE_BYTES;
  }

  /** Whether the next sync, of so many bytes, blocks. */
  blocksSync(lengthBytes: number): boolean {
    const mostBytes = this.mode === "blocking" ? Infinity : this.#hasCompany ? LARGE_SYNC_BYTES : HUGE_BYTES;
    return this.#isBlocking && lengthBytes <= mostBytes;
  }

  /** Takes note of how long a write took. */
  wrote(elapsedMs: number, wasBlocking: boolean): void {
    if (!wasBlocking) {
      if (this.#waryWrites > 0) this.#waryWrites--;
      return;
    }
    if (elapsedMs > SLOW_MS) {
      this.#quickWrites = 0;
      this.#waryWrites = this.#nextWaryWrites;
      this.#nextWaryWrites = Math.min(2 * this.#nextWaryWrites, MOST_WARY_WRITES);
    } else if (++this.#quickWrites % QUICK_RUN === 0) {
      this.#nextWaryWrites = Math.max(this.#nextWaryWrites / 2, FIRST_WARY_WRITES);
    }
  }

  /** Takes note of how long a sync of so many bytes took, and how many have come meanwhile. */
  synced(elapsedMs: number, wasBlocking: boolean, lengthBytes: number, arrivedBytes: number): void {
    this.#notice(wasBlocking, lengthBytes, arrivedBytes);
    if (this.mode !== "auto") return;
    const overheadMs = elapsedMs - lengthBytes / BYTES_PER_MS;
    this.#fastInARow = overheadMs <= FAST_MS ? this.#fastInARow + 1 : 0;
    if (wasBlocking) this.#blockedSyncs++;
    if (this.#isBlocking && wasBlocking && overheadMs > SLOW_MS) {
      this.#isBlocking = false;
      this.#trial = this.#blockedSyncs > LONG_RUN ? FIRST_TRIAL : Math.min(2 * this.#trial, LONGEST_TRIAL);
      this.#blockedSyncs = 0;
    } else if (!this.#isBlocking && this.#fastInARow >= this.#trial) {
      this.#isBlocking = true;
    }
  }

  /** Only a sync in the pool shows whether something comes meanwhile. */
  #notice(wasBlocking: boolean, lengthBytes: number, arrivedBytes: number): void {
    if (!wasBlocking) {
      this.#hasCompany = arrivedBytes > COMPANY_SHARE * lengthBytes;
      if (this.#hasCompany) this.#mostUnseenSyncs = FIRST_UNSEEN_SYNCS;
    } else if (lengthBytes > LARGE_SYNC_BYTES && ++this.#unseenSyncs >= this.#mostUnseenSyncs) {
      this.#unseenSyncs = 0;
      this.#mostUnseenSyncs = Math.min(2 * this.#mostUnseenSyncs, MOST_UNSEEN_SYNCS);
      this.#hasCompany = true;
    }
  }
}
