/**
 * Writes what has gathered in one write, syncs it once, and wakes everyone who waits for it.
 *
 * One flush is in flight at a time; what arrives meanwhile is the next. The buffer is taken away before the first await of
 * a flush: entries that arrive during it go into the other one. Everything that touches the end of the log goes through the
 * pump, one after the other.
 *
 * @module
 */

import { Ages } from "./ages.ts";
import { Alarm } from "./alarm.ts";
import type { EntryInput } from "./entry.ts";
import { WalClosedError, WalDiskFullError, WalFailedError } from "./errors.ts";
import type { Report } from "./event.ts";
import { FrameKind } from "./format.ts";
import { Intake } from "./intake.ts";
import { batchLevelOf, levelOf } from "./levels.ts";
import { Observers } from "./observers.ts";
import type { Durability, Settings } from "./options.ts";
import { Pace } from "./pace.ts";
import { RoomQueue } from "./room_queue.ts";
import { Pump, type Task } from "./pump.ts";
import type { Runtime } from "./runtime/port.ts";
import { Settlement } from "./settlement.ts";
import { Signal } from "./signal.ts";
import type { Counters } from "./stats.ts";
import type { Tail } from "./tail.ts";
import type { AskedLevel } from "./waiters.ts";
import { Window } from "./window.ts";

/** At `"write"` there is a sync after so many bytes, so that an open after a crash has little to write again. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;
/** How often a log on a full disk looks whether there is room again. */
const PROBE_MS = 100;

/** What a committer is made with. */
export interface CommitterOptions {
  /** The end of the log; nobody else may write to it from now on. */
  readonly tail: Tail;
  /** May change while the log runs. */
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly report: Report;
  readonly counters: Counters;
}

/** See the head of this file. */
export class Committer {
  readonly #tail: Tail;
  readonly #settings: Settings;
  readonly #runtime: Runtime;
  readonly #report: Report;
  readonly #counters: Counters;
  #pace: Pace;
  readonly #ages: Ages;
  readonly #intake: Intake;
  readonly #window: Window;
  readonly #pump: Pump;
  readonly #roomQueue: RoomQueue = new RoomQueue();
  readonly #settlement: Settlement;
  /** Wakes those who wait for whatever comes next. */
  readonly #moved: Signal = new Signal();
  /** Streams into the log. */
  readonly observers: Observers = new Observers();

  readonly #lossAlarm: Alarm;
  readonly #idleAlarm: Alarm;
  readonly #probeAlarm: Alarm;
  readonly #awaitedProbeAlarm: Alarm;

  /** Up to here someone asked for a sync. */
  #syncWantedLsn = 0;
  #lastFlushMs = 0;
  #fullError: WalDiskFullError | null = null;
  /** Entries were rejected for which nobody waited: whoever flushes or closes is told. */
  #untold: WalDiskFullError | null = null;
  #isClosing = false;

  /** @param options See {@linkcode CommitterOptions}. */
  constructor({ tail, settings, runtime, report, counters }: CommitterOptions) {
    this.#tail = tail;
    this.#settings = settings;
    this.#runtime = runtime;
    this.#report = report;
    this.#counters = counters;
    this.#pace = new Pace(settings.io);
    this.#ages = new Ages(runtime);
    this.#intake = new Intake(settings, tail.writtenLsn);
    this.#settlement = new Settlement(tail);
    this.#window = new Window(settings, runtime, () => this.#pump.kick());
    this.#pump = new Pump(() => this.#nextTask(), () => this.#onRest());
    // The process stays for what was accepted, and for who waits for room.
    this.#lossAlarm = new Alarm(runtime, true, () => this.#wantSync(this.lastLsn));
    this.#idleAlarm = new Alarm(runtime, false, () => this.#onIdle());
    this.#probeAlarm = new Alarm(runtime, false, () => void this.#settleFull());
    this.#awaitedProbeAlarm = new Alarm(runtime, true, () => void this.#settleFull());
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

  /** What the buffer may still take; zero or less: nothing. */
  get desiredBytes(): number {
    return this.failure !== null || this.mustQueue ? 0 : this.#intake.roomBytes;
  }

  /** What waits to be written. */
  get bufferedBytes(): number {
    return this.#intake.bufferedBytes;
  }

  /** How many entries wait to be written. */
  get bufferedEntries(): number {
    return this.#intake.bufferedEntries;
  }

  /** The highest LSN up to this one that was not rejected. */
  keptLsn(lsn: number): number {
    return this.#settlement.keptLsn(lsn);
  }

  // -- accept

  /**
   * Takes an entry of someone who may wait in line for room; returns its LSN, or 0 where there is none. It asks for `level`
   * unless it says so itself. Throws, and takes nothing, else.
   */
  tryAppend(input: EntryInput, level: Durability = this.#settings.durability): number {
    this.#checkAccepting("append");
    const asked = levelOf(input, level);
    return this.#accepted(this.#intake.add(input), asked);
  }

  /** The same for all of a batch, which asks for what the strongest of its entries does. */
  tryAppendBatch(inputs: readonly EntryInput[]): number {
    this.#checkAccepting("append a batch");
    this.#intake.checkBatch(inputs);
    const asked = batchLevelOf(inputs, this.#settings.durability);
    return this.#accepted(this.#intake.addBatch(inputs), asked);
  }

  /** Takes an entry of someone who does not wait; returns 0 where there is no room, or others wait for it already. */
  append(input: EntryInput): number {
    this.#checkAccepting("append");
    return this.#unlessRefused(this.hasRoomQueue ? 0 : this.tryAppend(input));
  }

  /** The same for all of a batch. */
  appendBatch(inputs: readonly EntryInput[]): number {
    this.#checkAccepting("append a batch");
    this.#intake.checkBatch(inputs);
    return this.#unlessRefused(this.hasRoomQueue ? 0 : this.tryAppendBatch(inputs));
  }

  #unlessRefused(lsn: number): number {
    if (lsn === 0) this.#counters.refused++;
    return lsn;
  }

  /** Throws where this is no batch, or one that is surely too large: it is refused, not queued. */
  checkBatch(inputs: readonly EntryInput[]): void {
    this.#intake.checkBatch(inputs);
  }

  /** Whether someone waits for room: then nobody may pass him. */
  get hasRoomQueue(): boolean {
    return !this.#roomQueue.isEmpty;
  }

  /** Whether an append that can wait must: in line, or to see whether a full disk has room again. */
  get mustQueue(): boolean {
    return this.#fullError !== null || this.hasRoomQueue;
  }

  /** Waits in line until `attempt`, which appends, returns an LSN; who gives up leaves the line. */
  appendInLine(attempt: () => number, signal?: AbortSignal): Promise<number> {
    if (this.#isClosing || this.failure !== null) return Promise.reject(this.failure ?? new WalClosedError("append"));
    const lsn = this.#roomQueue.join(attempt, signal); // at once: who comes after this call stands behind it
    void this.#settleFull().then(() => {
      if (this.#fullError === null) this.#roomQueue.serve();
      this.hasten();
    });
    return lsn;
  }

  /** Resolves when an append would find room, rejects when none ever will. */
  async roomAvailable(): Promise<void> {
    for (;;) {
      this.#checkAlive("append");
      if (this.desiredBytes > 0) return;
      if (this.#fullError !== null) this.#awaitedProbeAlarm.set(PROBE_MS);
      this.hasten();
      await this.#moved.wait();
    }
  }

  #checkAlive(tried: string): void {
    if (this.#isClosing) throw new WalClosedError(tried);
    if (this.failure !== null) throw this.failure;
  }

  #checkAccepting(tried: string): void {
    this.#checkAlive(tried);
    if (this.#fullError === null) return;
    this.#counters.refused++;
    throw this.#fullError;
  }

  #accepted(lsn: number, level: Durability): number {
    if (lsn === 0) return 0;
    this.#settlement.accept(lsn, level);
    this.#ages.arrived();
    if (level === "none") this.#lossAlarm.set(this.#settings.lossMs);
    if (this.#window.isClosed(this.#intake.pending)) this.#pump.kick();
    else this.#window.arrived();
    return lsn;
  }

  // -- wait

  /** Resolves to `lsn` when it is durable at `level`; rejects when it never will be, or nobody can know. */
  settled(lsn: number, level: AskedLevel): Promise<number> {
    if (level === "fsync" && lsn > this.#tail.syncedLsn && !this.#settlement.willSync(lsn)) this.#wantSync(lsn);
    return this.#settlement.wait(lsn, level);
  }

  /** Resolves when everything accepted by now is synced, whatever it asked for; the last LSN of it. */
  async flush(): Promise<number> {
    if (this.failure !== null) throw this.failure;
    const lsn = this.keptLsn(this.lastLsn);
    if (lsn > this.#tail.syncedLsn) this.#wantSync(lsn);
    await this.#settlement.wait(lsn, "fsync").finally(() => {
      const untold = this.takeUntold();
      if (untold !== null) throw untold;
    });
    return lsn;
  }

  /** That entries were rejected of which nobody has been told; told now. */
  takeUntold(): WalDiskFullError | null {
    const untold = this.#untold;
    this.#untold = null;
    return untold;
  }

  /** Resolves when the log has moved: something was written, synced or rejected, or it has failed or closed. */
  moved(): Promise<void> {
    return this.#moved.wait();
  }

  /** Sees to it that everything accepted by now is written soon. */
  hasten(): void {
    this.#window.close(this.#intake.pending);
    this.#pump.kick();
  }

  #wantSync(lsn: number): void {
    this.#syncWantedLsn = Math.max(this.#syncWantedLsn, lsn);
    this.hasten();
  }

  // -- the pump

  /**
   * Runs `job` when no flush is in flight: it alone may use the tail until it settles. An error of the disk in it fails the
   * log; a full disk is the caller's.
   */
  exclusive(tried: string, job: Task): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pump.push(async () => {
        try {
          if (this.failure === null) await job();
        } catch (error) {
          if (error instanceof WalDiskFullError) return reject(error);
          this.#fail(tried, error);
        }
        if (this.failure === null) resolve();
        else reject(this.failure);
      });
    });
  }

  #nextTask(): Task | null {
    if (this.failure !== null) return null;
    const { taken, pending } = this.#intake;
    if (taken.frameCount > 0 || pending.frameCount > 0 && this.#window.isClosed(pending)) return this.#flushGuarded;
    return this.#isSyncDue() ? this.#syncGuarded : null;
  }

  #isSyncDue(): boolean {
    const { syncedLsn, writtenLsn, unsyncedBytes } = this.#tail;
    if (syncedLsn >= writtenLsn) return false;
    return this.#syncWantedLsn > syncedLsn || unsyncedBytes >= SYNC_EVERY_BYTES || this.#settlement.wantsSync;
  }

  #flushGuarded = (): Promise<void> => this.#guarded("write to the log", this.#flush);

  #syncGuarded = (): Promise<void> => this.#guarded("sync the log", this.#sync);

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
    while (!tail.hasRoom(next.frameBytes(0))) await tail.makeRoom();
    // From here to the write there is no await: what is taken is what was there, and what arrives goes elsewhere.
    if (next === intake.pending) this.#take();
    const count = this.#settings.maxEntries === 1 ? 1 : tail.countThatFit(next);
    const startMs = this.#runtime.monotonicMs();
    const isBlocking = this.#pace.next(next.pendingBytes);
    const time = await tail.write(next, count, isBlocking);
    this.observers.written(tail.writtenLsn, time);
    const syncs = this.#isSyncDue();
    if (syncs) await tail.sync(isBlocking);
    this.#lastFlushMs = this.#runtime.monotonicMs();
    this.#pace.observe(this.#lastFlushMs - startMs, isBlocking, syncs);
    const before = next.count;
    next.drop(count);
    this.#counters.flushes++;
    this.#counters.entries += before - next.count;
    this.#counters.commit.record(this.#ages.sinceTaken(this.#lastFlushMs));
    if (syncs) this.#ages.synced(next.count > 0);
    this.#advanced();
  };

  #take(): void {
    this.#ages.taken();
    this.#intake.take();
    this.#window.taken();
  }

  #sync = async (): Promise<void> => {
    await this.#tail.sync(false);
    this.#lastFlushMs = this.#runtime.monotonicMs();
    this.#ages.synced(this.#intake.taken.count > 0);
    this.#advanced();
  };

  #advanced(): void {
    this.#settlement.advance();
    this.#roomQueue.serve();
    if (this.hasRoomQueue) this.#window.close(this.#intake.pending);
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
    this.exclusive("write an idle frame", () => this.#tail.idle()).catch(() => {}); // a failure is told to those who wait
  }

  // -- the full disk

  /** Everything that waits is rejected; its LSNs will never be. The log looks for room from now on. */
  #rejectAll(error: WalDiskFullError): void {
    const firstLsn = this.#intake.firstUnwrittenLsn ?? 0;
    const lastLsn = firstLsn === 0 ? 0 : this.lastLsn;
    const isNews = this.#fullError === null || firstLsn !== 0;
    this.#fullError = error;
    if (firstLsn !== 0) {
      if (!this.#isAllAwaited()) this.#untold = error;
      this.#counters.rejected += this.bufferedEntries;
      this.#intake.clear();
      this.#settlement.reject(firstLsn, error);
      this.observers.rejected(firstLsn, error);
    }
    this.#turnAway(error);
    if (!this.#isClosing) this.#probeAlarm.set(PROBE_MS);
    if (isNews) this.#report({ type: "disk-full", level: "critical", firstLsn, lastLsn, reason: error.message });
  }

  /** Whether somebody waits for each of the entries that are not written, and for any of each batch. */
  #isAllAwaited(): boolean {
    const frames = [...this.#intake.taken.frames, ...this.#intake.pending.frames];
    return frames.every(({ kind, firstLsn, count }) => {
      const step = kind === FrameKind.BATCH ? count : 1;
      for (let lsn = firstLsn; lsn < firstLsn + count; lsn += step) {
        if (!this.#settlement.isAwaited(lsn, lsn + step - 1)) return false;
      }
      return true;
    });
  }

  /** Where the disk was full: looks whether it still is. */
  async #settleFull(): Promise<void> {
    if (this.#fullError === null) return;
    await this.exclusive("look for room", this.#probe).catch(() => {}); // a failure is seen by whoever goes on
  }

  #probe = async (): Promise<void> => {
    if (this.#fullError === null || this.#isClosing) return;
    try {
      await this.#tail.probe();
    } catch (error) {
      if (!(error instanceof WalDiskFullError)) throw error;
      return this.#rejectAll(error);
    }
    this.#fullError = null;
    this.#report({ type: "disk-has-room", level: "info" });
    this.#moved.notify();
  };

  // -- the end

  /** Writes and syncs everything that was accepted, and takes no more. */
  async drain(): Promise<void> {
    this.#isClosing = true;
    const closed = new WalClosedError("append");
    this.#roomQueue.reject(closed);
    this.observers.ended(closed);
    await null; // this call may come from an entry that is being appended: then it is accepted first
    while (this.failure === null && (this.bufferedBytes > 0 || this.#tail.syncedLsn < this.#tail.writtenLsn)) {
      this.#wantSync(this.lastLsn);
      await this.#moved.wait();
    }
    this.#cancelAlarms();
    this.#settlement.advance();
    this.#turnAway(closed);
  }

  /** The log takes no more. Everyone who waits is told the one cause. */
  #fail(tried: string, cause: unknown): void {
    if (this.failure !== null) return;
    const failure = new WalFailedError(tried, this.#runtime.now(), cause);
    this.#settlement.fail(failure);
    this.#intake.clear();
    this.#cancelAlarms();
    this.observers.ended(failure);
    this.#turnAway(failure);
    this.#report({ type: "failed", level: "critical", reason: failure.message });
  }

  /** Who waits for room does so in vain; who looks at the log looks again. */
  #turnAway(reason: Error): void {
    this.#roomQueue.reject(reason);
    this.#moved.notify();
  }

  #cancelAlarms(): void {
    this.#window.taken();
    const alarms = [this.#lossAlarm, this.#idleAlarm, this.#probeAlarm, this.#awaitedProbeAlarm];
    for (const alarm of alarms) alarm.cancel();
  }
}
