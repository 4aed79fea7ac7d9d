/**
 * One flush: takes away what has gathered, writes it in one write, syncs it once where that is asked for, and has those told
 * who wait for it.
 *
 * What may have to be waited for comes first: a turn of the event loop, room, zeros. From the taking of the buffer to the write
 * there is no await; what arrives goes into the other one. Where write and sync block, there is none at all.
 *
 * @module
 */

import type { Admission } from "./admission.ts";
import { type Eventual, proceed } from "./eventual.ts";
import type { Intake } from "./intake.ts";
import type { Observers } from "./observers.ts";
import type { Settings } from "./options.ts";
import { Pace } from "./pace.ts";
import type { Pending } from "./pending.ts";
import type { Runtime } from "./runtime/port.ts";
import type { Settlement } from "./settlement.ts";
import type { Signal } from "./signal.ts";
import type { Counters } from "./stats.ts";
import type { Tail } from "./tail.ts";
import { Turns } from "./turns.ts";

/** At `"write"` there is a sync after so many bytes, so that an open after a crash has little to write again. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;

/** What a flusher is made with. */
export interface FlusherOptions {
  readonly tail: Tail;
  /** May change while the log runs. */
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly intake: Intake;
  readonly admission: Admission;
  readonly settlement: Settlement;
  readonly observers: Observers;
  readonly counters: Counters;
  /** Told when what had gathered was taken away. */
  readonly taken: Signal;
  /** Told when the log has moved. */
  readonly moved: Signal;
}

/** A flush that is on its way. */
interface Flight {
  readonly pending: Pending;
  /** How many of its frames go out: the others find no room in the segment. */
  readonly frameCount: number;
  /** What readers were shown before. */
  readonly visibleLsn: number;
  readonly startMs: number;
  readonly blocksWrite: boolean;
}

/** Makes the flushes of one log. One task of it is in flight at a time. */
export class Flusher {
  readonly #options: FlusherOptions;
  #pace: Pace;
  readonly #turns: Turns = new Turns();
  /** Up to here someone asked for a sync. */
  #syncWantedLsn = 0;
  #lastFlushMs = 0;

  /** @param options See {@linkcode FlusherOptions}. */
  constructor(options: FlusherOptions) {
    this.#options = options;
    this.#pace = new Pace(options.settings.io);
  }

  /** When the last flush ended. */
  get lastFlushMs(): number {
    return this.#lastFlushMs;
  }

  /** The settings have changed. Under another `io` it is to be seen again how fast the disk is. */
  configured(): void {
    const { io } = this.#options.settings;
    if (io !== this.#pace.mode) this.#pace = new Pace(io);
  }

  /** Everything up to `lsn` is to be synced, whatever it asked for. */
  wantSync(lsn: number): void {
    this.#syncWantedLsn = Math.max(this.#syncWantedLsn, lsn);
  }

  /** What is to be done: a flush, a sync of what is written already, or nothing. */
  get due(): "flush" | "sync" | null {
    const { intake: { taken, pending }, admission } = this.#options;
    if (taken.frameCount > 0 || pending.frameCount > 0 && admission.isWindowClosed) return "flush";
    return this.#isSyncDue() ? "sync" : null;
  }

  #isSyncDue(): boolean {
    const { tail: { syncedLsn, writtenLsn, unsyncedBytes }, settlement } = this.#options;
    if (syncedLsn >= writtenLsn) return false;
    return this.#syncWantedLsn > syncedLsn || unsyncedBytes >= SYNC_EVERY_BYTES || settlement.wantsSync;
  }

  /** Writes what has gathered. */
  readonly flush = (): Eventual<void> => {
    const { tail, runtime, intake } = this.#options;
    const { next } = intake;
    const isTurnDue = this.#turns.isDue(runtime.monotonicMs());
    return tail.isReadyFor(next) && !isTurnDue ? this.#writeOut(next) : this.#writeOutWhenReady(next, isTurnDue);
  };

  async #writeOutWhenReady(pending: Pending, isTurnDue: boolean): Promise<void> {
    const { tail } = this.#options;
    if (isTurnDue) await this.#turns.next();
    // Whatever is waited for, the first frame may grow meanwhile: then it must be looked again whether there is room for it.
    while (!tail.isReadyFor(pending)) await tail.getReady(pending);
    await this.#writeOut(pending);
  }

  /** From here to the write there is no await: what is taken is what was there, and what arrives goes elsewhere. */
  #writeOut(pending: Pending): Eventual<void> {
    const { tail, settings, runtime, intake, admission, settlement, taken } = this.#options;
    if (pending === intake.pending) {
      admission.take();
      taken.notify();
    }
    const frameCount = settings.maxEntries === 1 ? 1 : tail.countThatFit(pending);
    const lengthBytes = pending.bytesOf(frameCount);
    const flight: Flight = {
      pending,
      frameCount,
      visibleLsn: settlement.visibleLsn,
      startMs: runtime.monotonicMs(),
      blocksWrite: this.#pace.blocksWrite(lengthBytes),
    };
    if (flight.blocksWrite) this.#turns.block(flight.startMs);
    const time = tail.write(pending, frameCount, flight.blocksWrite);
    return proceed(time, (time) => this.#written(flight, time));
  }

  #written(flight: Flight, time: number): Eventual<void> {
    const { tail, runtime, intake, settlement, observers, moved } = this.#options;
    const { startMs, blocksWrite, visibleLsn } = flight;
    this.#lastFlushMs = runtime.monotonicMs();
    if (!blocksWrite) this.#turns.turned();
    this.#pace.wrote(this.#lastFlushMs - startMs, blocksWrite);
    observers.written(tail.writtenLsn, time);
    if (!this.#isSyncDue()) return this.#ended(flight, false);
    if (settlement.isNews(visibleLsn)) { // some of it is durable as soon as it is written
      settlement.advance();
      moved.notify();
    }
    const { unsyncedBytes } = tail; // of this flush, and of those before it that asked for no sync
    const blocksSync = this.#pace.blocksSync(unsyncedBytes);
    if (blocksSync) this.#turns.block(this.#lastFlushMs);
    return proceed(blocksSync ? tail.syncSync() : tail.sync(), (elapsedMs) => {
      if (!blocksSync) this.#turns.turned();
      this.#pace.synced(elapsedMs, blocksSync, unsyncedBytes, intake.pending.pendingBytes);
      this.#lastFlushMs += elapsedMs;
      this.#ended(flight, true);
    });
  }

  #ended({ pending, frameCount }: Flight, isSynced: boolean): void {
    const { intake, admission, counters } = this.#options;
    const before = pending.count;
    counters.mostPendingBytes = Math.max(counters.mostPendingBytes, intake.bufferedBytes);
    pending.drop(frameCount);
    counters.flushes++;
    counters.entries += before - pending.count;
    counters.commit.record(admission.ages.takenAgeMs(this.#lastFlushMs));
    if (isSynced) admission.ages.synced(pending.count > 0);
    this.advanced();
  }

  /** Syncs what is written. */
  readonly sync = async (): Promise<void> => {
    const { tail, runtime, intake, admission } = this.#options;
    await tail.sync();
    this.#lastFlushMs = runtime.monotonicMs();
    admission.ages.synced(intake.taken.count > 0);
    this.advanced();
  };

  /** Something was written or synced: those who wait for it are told, and there may be room for those in line. */
  advanced(): void {
    const { settlement, admission, moved } = this.#options;
    settlement.advance();
    admission.serveLine();
    moved.notify();
  }
}
