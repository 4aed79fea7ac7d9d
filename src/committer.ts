/**
 * Writes what has gathered in one write, syncs it once, and wakes everyone who waits for it.
 *
 * One flush is in flight at a time; what arrives meanwhile is the next. The buffer is taken away before the first await of
 * a flush: entries that arrive during it go into the other one. Everything that touches the end of the log goes through the
 * pump, one after the other.
 *
 * @module
 */

import { Admission } from "./admission.ts";
import { Alarm } from "./alarm.ts";
import { DiskRoom } from "./disk_room.ts";
import { WalClosedError, WalDiskFullError, WalFailedError } from "./errors.ts";
import type { Report } from "./event.ts";
import { Intake } from "./intake.ts";
import { Observers } from "./observers.ts";
import type { Settings } from "./options.ts";
import { Pace } from "./pace.ts";
import { Pump, type Task } from "./pump.ts";
import type { Runtime } from "./runtime/port.ts";
import type { Place } from "./segment.ts";
import { Settlement } from "./settlement.ts";
import { Signal } from "./signal.ts";
import type { Counters } from "./stats.ts";
import type { Tail } from "./tail.ts";
import type { AskedLevel } from "./waiters.ts";

/** At `"write"` there is a sync after so many bytes, so that an open after a crash has little to write again. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;

/** More than this at once makes a flush no faster. */
const AHEAD_BYTES = 1024 * 1024;

/** What a committer is made with. */
export interface CommitterOptions {
  /** The end of the log; nobody else may write to it from now on. */
  readonly tail: Tail;
  /** May change while the log runs. */
  readonly settings: Settings;
  readonly place: Place;
  readonly report: Report;
  readonly counters: Counters;
}

/** See the head of this file. */
export class Committer {
  readonly #tail: Tail;
  readonly #settings: Settings;
  readonly #directory: string;
  readonly #runtime: Runtime;
  readonly #report: Report;
  readonly #counters: Counters;
  #pace: Pace;
  readonly #intake: Intake;
  readonly #pump: Pump;
  readonly #diskRoom: DiskRoom;
  readonly #settlement: Settlement;
  /** Wakes those who wait for whatever comes next. */
  readonly #moved: Signal = new Signal();
  /** Wakes those who have sent enough for one flush. */
  readonly #taken: Signal = new Signal();
  /** Everything that is appended goes through here. */
  readonly admission: Admission;
  /** Streams into the log. */
  readonly observers: Observers = new Observers();

  readonly #idleAlarm: Alarm;

  /** Up to here someone asked for a sync. */
  #syncWantedLsn = 0;
  #lastFlushMs = 0;
  #isClosing = false;
  #isDrained = false;

  /** @param options See {@linkcode CommitterOptions}. */
  constructor({ tail, settings, place, report, counters }: CommitterOptions) {
    const { runtime } = place;
    this.#tail = tail;
    this.#settings = settings;
    this.#directory = place.directory;
    this.#runtime = runtime;
    this.#report = report;
    this.#counters = counters;
    this.#pace = new Pace(settings.io);
    this.#intake = new Intake(settings, tail.writtenLsn);
    this.#settlement = new Settlement(tail);
    this.#pump = new Pump(() => this.#nextTask(), () => this.#onRest());
    this.#diskRoom = new DiskRoom(runtime, () => void this.#lookForRoom());
    this.#idleAlarm = new Alarm(runtime, false, () => this.#onIdle());
    this.admission = new Admission({
      settings,
      runtime,
      intake: this.#intake,
      settlement: this.#settlement,
      diskRoom: this.#diskRoom,
      moved: this.#moved,
      counters,
      host: {
        refusal: (tried) => this.#isClosing ? new WalClosedError(tried) : this.failure,
        kick: () => this.#pump.kick(),
        syncAll: () => this.#wantSync(this.lastLsn),
        lookForRoom: () => this.#lookForRoom(),
      },
    });
  }

  // -- where the log stands

  /** The last LSN that was given out. */
  get lastLsn(): number {
    return this.#intake.lastLsn;
  }

  /** The highest LSN up to which every entry is as durable as it asked to be. */
  get durableLsn(): number {
    return this.#settlement.durableLsn;
  }

  /** The highest LSN that a reader in this process may be shown. */
  get visibleLsn(): number {
    return this.#settlement.visibleLsn;
  }

  /** Why the log takes no more, or null. */
  get failure(): WalFailedError | null {
    return this.#settlement.failure;
  }

  /** Whether the log is being closed, or is. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Whether it is being closed, and nothing is left to be written. */
  get isDrained(): boolean {
    return this.#isDrained;
  }

  /** What waits to be written. */
  get bufferedBytes(): number {
    return this.#intake.bufferedBytes;
  }

  /** Whether enough for the next flush has gathered while something else is done: who can wait does well to. */
  get isAhead(): boolean {
    return this.#intake.pending.pendingBytes >= AHEAD_BYTES && this.#pump.isRunning;
  }

  /** Resolves when what has gathered was taken away to be written, or never will be: it is not kept waiting for company. */
  caughtUp(): Promise<void> {
    this.admission.hasten();
    return this.#taken.wait();
  }

  /** How many entries wait to be written. */
  get bufferedEntries(): number {
    return this.#intake.bufferedEntries;
  }

  /** The highest LSN up to this one that was not rejected. */
  keptLsn(lsn: number): number {
    return this.#settlement.keptLsn(lsn);
  }

  /** The settings have changed; `isStronger` says whether entries ask for more than before. Resolves when that holds. */
  async configured(isStronger: boolean): Promise<void> {
    this.#pace = new Pace(this.#settings.io);
    this.admission.hasten(); // what waits need not sit out a window that is none any more
    if (isStronger) await this.syncQuietly();
  }

  // -- wait

  /** Resolves to `lsn` when it is durable at `level`; rejects when it never will be, or nobody can know. */
  settled(lsn: number, level: AskedLevel, signal?: AbortSignal): Promise<number> {
    if (level === "fsync" && lsn > this.#tail.syncedLsn && !this.#settlement.willSync(lsn)) this.#wantSync(lsn);
    return this.#settlement.wait(lsn, level, signal);
  }

  /** Resolves when everything accepted by now is synced, whatever it asked for; the last LSN of it. */
  async flush(): Promise<number> {
    if (this.failure !== null) throw this.failure;
    const lsn = this.keptLsn(this.lastLsn);
    if (lsn > this.#tail.syncedLsn) this.#wantSync(lsn);
    await this.#settlement.wait(lsn, "fsync").catch((error: unknown) => {
      this.#diskRoom.takeUntold(); // whoever flushes hears of an error in any case
      throw error;
    });
    const untold = this.#diskRoom.takeUntold();
    if (untold !== null) throw untold;
    return lsn;
  }

  /**
   * The same for one who does not ask what becomes of it: resolves when everything accepted by now is synced or rejected, and
   * whoever is to be told of that still is.
   */
  async syncQuietly(): Promise<void> {
    const { lastLsn } = this;
    if (lastLsn > this.#tail.syncedLsn) this.#wantSync(lastLsn);
    while (this.failure === null && this.#tail.syncedLsn < this.keptLsn(lastLsn)) await this.#moved.wait();
    if (this.failure !== null) throw this.failure;
  }

  /** Resolves when the log has moved: something was written, synced or rejected, or it has failed or closed. */
  moved(): Promise<void> {
    return this.#moved.wait();
  }

  #wantSync(lsn: number): void {
    this.#syncWantedLsn = Math.max(this.#syncWantedLsn, lsn);
    this.admission.hasten();
  }

  // -- the pump

  /**
   * Runs `job` when no flush is in flight: it alone may use the tail until it settles. An error of the disk in it fails the
   * log, and `tried` says what was done to its directory; a full disk is the caller's.
   */
  exclusive(tried: string, job: Task): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pump.push(async () => {
        let full: WalDiskFullError | null = null;
        try {
          if (this.failure === null) await job();
        } catch (error) {
          if (error instanceof WalDiskFullError) full = error;
          else this.#fail(tried, error);
        }
        if (this.failure === null) this.#advanced(); // it may have synced what others wait for
        const reason = this.failure ?? full;
        if (reason === null) resolve();
        else reject(reason);
      });
    });
  }

  #nextTask(): Task | null {
    if (this.failure !== null) return null;
    const { taken, pending } = this.#intake;
    if (taken.frameCount > 0 || pending.frameCount > 0 && this.admission.isWindowClosed) return this.#flushGuarded;
    return this.#isSyncDue() ? this.#syncGuarded : null;
  }

  #isSyncDue(): boolean {
    const { syncedLsn, writtenLsn, unsyncedBytes } = this.#tail;
    if (syncedLsn >= writtenLsn) return false;
    return this.#syncWantedLsn > syncedLsn || unsyncedBytes >= SYNC_EVERY_BYTES || this.#settlement.wantsSync;
  }

  #flushGuarded = (): Promise<void> => this.#guarded("write to", this.#flush);

  #syncGuarded = (): Promise<void> => this.#guarded("sync", this.#sync);

  /** Any error of the disk fails the log; a full disk only rejects what waits. */
  async #guarded(tried: string, task: Task): Promise<void> {
    try {
      await task();
    } catch (error) {
      if (error instanceof WalDiskFullError) this.#rejectAll(error);
      else this.#fail(tried, error);
    }
  }

  #flush = async (): Promise<void> => {
    const tail = this.#tail;
    const intake = this.#intake;
    const { next } = intake;
    // Whatever is waited for, the first frame may grow meanwhile: then it must be looked again whether there is room for it.
    while (!tail.isReadyFor(next)) await tail.getReady(next);
    // From here to the write there is no await: what is taken is what was there, and what arrives goes elsewhere.
    if (next === intake.pending) {
      this.admission.take();
      this.#taken.notify();
    }
    const count = this.#settings.maxEntries === 1 ? 1 : tail.countThatFit(next);
    const { visibleLsn } = this;
    const { pendingBytes } = next;
    const blocksWrite = this.#pace.blocksWrite(pendingBytes);
    const startMs = this.#runtime.monotonicMs();
    const time = await tail.write(next, count, blocksWrite);
    this.#lastFlushMs = this.#runtime.monotonicMs();
    this.#pace.wrote(this.#lastFlushMs - startMs, blocksWrite);
    this.observers.written(tail.writtenLsn, time);
    const syncs = this.#isSyncDue();
    if (syncs) {
      if (this.#settlement.isNews(visibleLsn)) this.#tellWritten();
      const blocksSync = this.#pace.blocksSync(pendingBytes);
      const elapsedMs = await tail.sync(blocksSync);
      this.#pace.synced(elapsedMs, blocksSync);
      this.#lastFlushMs += elapsedMs;
    }
    const before = next.count;
    this.#counters.mostPendingBytes = Math.max(this.#counters.mostPendingBytes, this.bufferedBytes);
    next.drop(count);
    this.#counters.flushes++;
    this.#counters.entries += before - next.count;
    this.#counters.commit.record(this.admission.ages.takenAgeMs(this.#lastFlushMs));
    if (syncs) this.admission.ages.synced(next.count > 0);
    this.#advanced();
  };

  #sync = async (): Promise<void> => {
    await this.#tail.sync(false);
    this.#lastFlushMs = this.#runtime.monotonicMs();
    this.admission.ages.synced(this.#intake.taken.count > 0);
    this.#advanced();
  };

  /** Some of a flush that is still to be synced is durable as soon as it is written. */
  #tellWritten(): void {
    this.#settlement.advance();
    this.#moved.notify();
  }

  #advanced(): void {
    this.#settlement.advance();
    this.admission.serveLine();
    this.#moved.notify();
  }

  #onRest(): void {
    if (this.failure === null && !this.#isClosing && this.#tail.wantsIdle) this.#idleAlarm.set(this.#settings.idleMs);
  }

  /** An idle log vouches for what is synced, so that readers elsewhere see it. */
  #onIdle(): void {
    if (this.failure !== null || this.#isClosing || !this.#tail.wantsIdle) return;
    const restMs = this.#lastFlushMs + this.#settings.idleMs - this.#runtime.monotonicMs();
    if (this.#pump.isRunning || restMs > 1) return this.#idleAlarm.set(Math.max(restMs, 1));
    this.exclusive("write an idle frame to", () => this.#tail.idle()).catch(() => {}); // a failure is told to those who wait
  }

  // -- the full disk

  /** Everything that waits is rejected; its LSNs will never be. The log looks for room from now on. */
  #rejectAll(error: WalDiskFullError): void {
    const firstLsn = this.#intake.firstUnwrittenLsn ?? 0;
    const lastLsn = firstLsn === 0 ? 0 : this.lastLsn;
    const isNews = this.#diskRoom.error === null || firstLsn !== 0;
    this.#diskRoom.full(error, !this.#settlement.isAllAwaited(this.#intake.frames));
    if (firstLsn !== 0) {
      this.#counters.rejected += this.bufferedEntries;
      this.#intake.clear();
      this.#settlement.reject(firstLsn, error);
      this.observers.rejected(firstLsn, error);
    }
    this.#turnAway(error);
    if (!this.#isClosing) this.#diskRoom.lookAgain(false);
    if (isNews) this.#report({ type: "disk-full", level: "critical", firstLsn, lastLsn, reason: error.message });
  }

  /** Where the disk was full: looks whether it still is. */
  async #lookForRoom(): Promise<void> {
    if (this.#diskRoom.error === null) return;
    await this.exclusive("look for room in", this.#probe).catch(() => {}); // a failure is seen by whoever goes on
  }

  #probe = async (): Promise<void> => {
    if (this.#diskRoom.error === null || this.#isClosing) return;
    try {
      await this.#tail.probe();
    } catch (error) {
      if (!(error instanceof WalDiskFullError)) throw error;
      return this.#rejectAll(error);
    }
    this.#diskRoom.free();
    this.#report({ type: "disk-has-room", level: "info" });
    this.#moved.notify();
  };

  // -- the end

  /** That entries were rejected for which nobody waited; told once. */
  takeUntold(): WalDiskFullError | null {
    return this.#diskRoom.takeUntold();
  }

  /** Writes and syncs everything that was accepted, and takes no more. */
  async drain(): Promise<void> {
    this.#isClosing = true;
    const closed = new WalClosedError("append");
    this.admission.turnAway(closed);
    this.observers.ended(closed);
    await null; // this call may come from an entry that is being appended: then it is accepted first
    while (this.failure === null && (this.bufferedBytes > 0 || this.#tail.syncedLsn < this.#tail.writtenLsn)) {
      this.#wantSync(this.lastLsn);
      await this.#moved.wait();
    }
    this.#isDrained = true;
    this.#cancelAlarms();
    this.#settlement.advance();
    this.#turnAway(closed);
  }

  /** The log takes no more. Everyone who waits is told the one cause. */
  #fail(tried: string, cause: unknown): void {
    if (this.failure !== null) return;
    const failure = new WalFailedError(`${tried} ${this.#directory}`, this.#runtime.now(), cause);
    this.#settlement.fail(failure);
    this.#intake.clear();
    this.#cancelAlarms();
    this.observers.ended(failure);
    this.#turnAway(failure);
    this.#report({ type: "failed", level: "critical", reason: failure.message });
  }

  /** Who waits for room does so in vain; who looks at the log looks again. */
  #turnAway(reason: Error): void {
    this.admission.turnAway(reason);
    this.#taken.notify();
    this.#moved.notify();
  }

  #cancelAlarms(): void {
    this.admission.cancel();
    this.#diskRoom.cancel();
    this.#idleAlarm.cancel();
  }
}
