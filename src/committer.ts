/**
 * Has what has gathered written, one flush after the other; knows who waits for what, and what becomes of the log when the
 * disk refuses.
 *
 * One flush is in flight at a time; what arrives meanwhile is the next. Everything that touches the end of the log goes
 * through the pump, one after the other.
 *
 * @module
 */

import { Admission } from "./admission.ts";
import { Alarm } from "./alarm.ts";
import { DiskRoom } from "./disk_room.ts";
import { WalClosedError, WalDiskFullError, WalFailedError, WalIoError } from "./errors.ts";
import type { Report } from "./event.ts";
import type { Eventual } from "./eventual.ts";
import { Flusher } from "./flusher.ts";
import { Intake } from "./intake.ts";
import { Observers } from "./observers.ts";
import type { Settings } from "./options.ts";
import { Pump, type Task } from "./pump.ts";
import type { Runtime } from "./runtime/port.ts";
import type { Place } from "./segment.ts";
import { Settlement } from "./settlement.ts";
import { Signal } from "./signal.ts";
import type { Counters } from "./stats.ts";
import type { Tail } from "./tail.ts";
import type { AskedLevel } from "./waiters.ts";

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

/** The one way from a caller to the end of the log. */
export class Committer {
  readonly #tail: Tail;
  readonly #settings: Settings;
  readonly #directory: string;
  readonly #runtime: Runtime;
  readonly #report: Report;
  readonly #counters: Counters;
  readonly #intake: Intake;
  readonly #flusher: Flusher;
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
    this.#flusher = new Flusher({
      tail,
      settings,
      runtime,
      intake: this.#intake,
      admission: this.admission,
      settlement: this.#settlement,
      observers: this.observers,
      counters,
      taken: this.#taken,
      moved: this.#moved,
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

  /** The last LSN that a returned sync covers. */
  get syncedLsn(): number {
    return this.#tail.syncedLsn;
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
    this.#flusher.configured();
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
    this.#flusher.wantSync(lsn);
    this.admission.hasten();
  }

  // -- the pump

  /**
   * Runs `job` when no flush is in flight: it alone may use the tail until it settles. An error of the disk in it fails the
   * log, and `tried` says what was done to its directory; a full disk is the caller's.
   */
  exclusive(tried: string, job: () => Eventual<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pump.push(async () => {
        let full: WalDiskFullError | null = null;
        try {
          if (this.failure === null) await job();
        } catch (error) {
          if (error instanceof WalDiskFullError) full = error;
          else this.#fail(tried, error);
        }
        if (this.failure === null) this.#flusher.advanced(); // it may have synced what others wait for
        const reason = this.failure ?? full;
        if (reason === null) resolve();
        else reject(reason);
      });
    });
  }

  #nextTask(): Task | null {
    if (this.failure !== null) return null;
    const { due } = this.#flusher;
    if (due === null) return null;
    return due === "flush" ? this.#flush : this.#sync;
  }

  #flush = (): Eventual<void> => this.#guarded("write to", this.#flusher.flush);

  #sync = (): Eventual<void> => this.#guarded("sync", this.#flusher.sync);

  #guarded(tried: string, task: () => Eventual<void>): Eventual<void> {
    try {
      const done = task();
      if (done instanceof Promise) return done.catch((error: unknown) => this.#refused(tried, error));
    } catch (error) {
      this.#refused(tried, error);
    }
  }

  /** Any error of the disk fails the log; a full disk only rejects what waits. */
  #refused(tried: string, error: unknown): void {
    if (error instanceof WalDiskFullError) this.#rejectAll(error);
    else this.#fail(tried, error);
  }

  #onRest(): void {
    if (this.failure === null && !this.#isClosing && this.#tail.wantsIdle) this.#idleAlarm.set(this.#settings.idleMs);
  }

  /** An idle log vouches for what is synced, and for a cut, so that readers elsewhere see it. */
  #onIdle(): void {
    if (this.failure !== null || this.#isClosing || !this.#tail.wantsIdle) return;
    const restMs = this.#flusher.lastFlushMs + this.#settings.idleMs - this.#runtime.monotonicMs();
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

  /**
   * From failed back to open, in place: once the call in flight has settled. Rejects where the disk refuses once more; the log is
   * as it was then, and this may be tried again.
   */
  reopen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pump.push(() => this.#goOn().then(resolve, reject));
    });
  }

  async #goOn(): Promise<void> {
    if (this.#isClosing) throw new WalClosedError("reopen");
    if (this.failure === null) return;
    const { lastLsn } = this;
    await this.#tail.reopen(lastLsn, this.#settlement.acknowledgedLsn, (keptLsn) => {
      this.#settlement.reopen(keptLsn);
      this.admission.ages.taken();
      this.admission.ages.synced(false);
      const isAnySkipped = keptLsn < lastLsn;
      const [firstSkippedLsn, lastSkippedLsn] = isAnySkipped ? [keptLsn + 1, lastLsn] : [0, 0];
      this.#report({ type: "reopened", level: "info", firstSkippedLsn, lastSkippedLsn });
    }).catch((error: unknown) => {
      throw new WalIoError(`reopen the log in ${this.#directory}, which stays failed`, error);
    });
    if (this.#diskRoom.error !== null) this.#diskRoom.lookAgain(false);
    this.#moved.notify();
  }

  #cancelAlarms(): void {
    this.admission.cancel();
    this.#diskRoom.cancel();
    this.#idleAlarm.cancel();
  }
}
