/**
 * Writes what has gathered in one write, syncs it once, and wakes everyone who waits for it.
 *
 * One flush is in flight at a time; what arrives meanwhile is the next. The buffer is taken away before the first await of
 * a flush: entries that arrive during it go into the other one. Everything that touches the end of the log goes through the
 * pump, one after the other.
 *
 * @module
 */

import { Alarm } from "./alarm.ts";
import type { EntryInput } from "./entry.ts";
import { WalClosedError, WalDiskFullError, WalFailedError } from "./errors.ts";
import type { Report } from "./event.ts";
import { Intake } from "./intake.ts";
import type { Durability, Settings } from "./options.ts";
import { Pace } from "./pace.ts";
import { RejectedLsns } from "./rejected_lsns.ts";
import type { Runtime } from "./runtime/port.ts";
import { Signal } from "./signal.ts";
import type { Tail } from "./tail.ts";
import { Waiters } from "./waiters.ts";

/** At `"write"` there is a sync after so many bytes, so that an open after a crash has little to write again. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;
/** How often a log on a full disk looks whether there is room again. */
const PROBE_MS = 100;

type Task = () => Promise<void>;

/** See the head of this file. */
export class Committer {
  readonly #tail: Tail;
  readonly #settings: Settings;
  readonly #runtime: Runtime;
  readonly #report: Report;
  readonly #pace: Pace;
  readonly #isSolo: boolean;
  readonly #intake: Intake;
  readonly #rejected: RejectedLsns = new RejectedLsns();
  readonly #waiters: { readonly [level in Durability]: Waiters };
  /** Wakes those who wait for whatever comes next. */
  readonly #moved: Signal = new Signal();

  readonly #windowAlarm: Alarm;
  readonly #lossAlarm: Alarm;
  readonly #idleAlarm: Alarm;
  readonly #probeAlarm: Alarm;

  #isPumping = false;
  readonly #jobs: Task[] = [];
  /** Someone cannot wait for the window to close. */
  #isUrgent = false;
  #isWindowOver = false;
  /** Up to here someone asked for a sync. */
  #syncWantedLsn = 0;
  #lastFlushMs = 0;
  #fullError: WalDiskFullError | null = null;
  #failure: WalFailedError | null = null;
  #isClosing = false;

  /** @param tail The end of the log; nobody else may write to it from now on. */
  constructor(tail: Tail, settings: Settings, runtime: Runtime, report: Report) {
    this.#tail = tail;
    this.#settings = settings;
    this.#runtime = runtime;
    this.#report = report;
    this.#pace = new Pace(settings.io);
    this.#isSolo = settings.maxEntries === 1;
    this.#intake = new Intake(settings, tail.writtenLsn, this.#isSolo);
    this.#waiters = { fsync: this.#waitersAt("fsync"), write: this.#waitersAt("write"), none: this.#waitersAt("none") };
    // The process stays for what was accepted, and for nothing else.
    this.#windowAlarm = new Alarm(runtime, true, () => this.#onWindowOver());
    this.#lossAlarm = new Alarm(runtime, true, () => this.#wantSync(this.lastLsn));
    this.#idleAlarm = new Alarm(runtime, false, () => this.#onIdle());
    this.#probeAlarm = new Alarm(runtime, false, () => void this.#settleFull());
  }

  // -- where the log stands

  /** The last LSN that was given out. */
  get lastLsn(): number {
    return this.#intake.lastLsn;
  }

  /** The highest LSN up to which everything is durable at the log's own level. */
  get durableLsn(): number {
    return this.#durableAt(this.#settings.durability);
  }

  /** The highest LSN that a reader in this process may be shown. */
  get visibleLsn(): number {
    return this.#durableAt(this.#settings.durability === "fsync" ? "fsync" : "write");
  }

  /** Why the log takes no more, or null. */
  get failure(): WalFailedError | null {
    return this.#failure;
  }

  /** What the buffer may still take; zero or less: nothing. */
  get desiredBytes(): number {
    return this.#failure !== null || this.mustQueue ? 0 : this.#intake.roomBytes;
  }

  /** What waits to be written. */
  get bufferedBytes(): number {
    return this.#intake.bufferedBytes;
  }

  /** The highest LSN up to this one that was not rejected. */
  keptLsn(lsn: number): number {
    return this.#rejected.highestKept(lsn);
  }

  #durableAt(level: Durability): number {
    if (level === "fsync") return this.#tail.syncedLsn;
    return level === "write" || this.#failure !== null ? this.#tail.writtenLsn : this.keptLsn(this.lastLsn);
  }

  // -- accept

  /** Takes an entry and returns its LSN, or 0 where the buffer has no room. Throws, and takes nothing, else. */
  tryAppend(input: EntryInput): number {
    this.#checkAccepting("append");
    return this.#accepted(this.#intake.add(input));
  }

  /** Throws where this is no batch, or one that is surely too large: it is refused, not queued. */
  checkBatch(inputs: readonly EntryInput[]): void {
    this.#intake.checkBatch(inputs);
  }

  /** Takes all of a batch and returns its last LSN, or 0 where the buffer has no room. Throws, and takes nothing, else. */
  tryAppendBatch(inputs: readonly EntryInput[]): number {
    this.#checkAccepting("append a batch");
    return this.#accepted(this.#intake.addBatch(inputs));
  }

  /** Whether someone waits for room: then nobody may pass him. */
  get hasRoomQueue(): boolean {
    return !this.#intake.isQueueEmpty;
  }

  /** Whether an append that can wait must: in line, or to see whether a full disk has room again. */
  get mustQueue(): boolean {
    return this.#fullError !== null || this.hasRoomQueue;
  }

  /** Waits in line until `attempt`, which appends, returns an LSN. */
  appendInLine(attempt: () => number): Promise<number> {
    if (this.#isClosing || this.#failure !== null) return Promise.reject(this.#failure ?? new WalClosedError("append"));
    const lsn = this.#intake.queue(attempt); // at once: who comes after this call stands behind it
    void this.#settleFull().then(() => {
      if (this.#fullError === null) this.#intake.serveQueue();
      this.hasten();
    });
    return lsn;
  }

  /** Resolves when an append would find room, rejects when none ever will. */
  async roomAvailable(): Promise<void> {
    for (;;) {
      this.#checkAlive("append");
      if (this.desiredBytes > 0) return;
      this.hasten();
      await this.#moved.wait();
    }
  }

  #checkAlive(tried: string): void {
    if (this.#isClosing) throw new WalClosedError(tried);
    if (this.#failure !== null) throw this.#failure;
  }

  #checkAccepting(tried: string): void {
    this.#checkAlive(tried);
    if (this.#fullError !== null) throw this.#fullError;
  }

  #accepted(lsn: number): number {
    if (lsn === 0) return 0;
    const { windowMs, durability, lossMs } = this.#settings;
    if (durability === "none") this.#lossAlarm.set(lossMs);
    if (this.#isWindowClosed()) this.#kick();
    else this.#windowAlarm.set(windowMs);
    return lsn;
  }

  #onWindowOver(): void {
    this.#isWindowOver = true;
    this.#kick();
  }

  #isWindowClosed(): boolean {
    const { windowMs, maxEntries, maxBytes } = this.#settings;
    if (windowMs === 0 || this.#isUrgent || this.#isWindowOver) return true;
    return this.#intake.pending.count >= maxEntries || this.#intake.pending.pendingBytes >= maxBytes;
  }

  // -- wait

  /** Resolves to `lsn` when it is durable at `level`; rejects when it never will be, or nobody can know. */
  settled(lsn: number, level: Durability): Promise<number> {
    // Below its own level, the log would not sync by itself.
    if (level === "fsync" && this.#settings.durability !== "fsync" && lsn > this.#tail.syncedLsn) this.#wantSync(lsn);
    return this.#waiters[level].wait(lsn);
  }

  /** Resolves when everything accepted by now is synced, whatever its level; the last LSN of it. */
  async flush(): Promise<number> {
    if (this.#failure !== null) throw this.#failure;
    const lsn = this.keptLsn(this.lastLsn);
    if (lsn > this.#tail.syncedLsn) this.#wantSync(lsn);
    return await this.#waiters.fsync.wait(lsn);
  }

  /** Resolves when the log has moved: something was written, synced or rejected, or it has failed or closed. */
  moved(): Promise<void> {
    return this.#moved.wait();
  }

  /** Sees to it that everything accepted by now is written soon. */
  hasten(): void {
    this.#closeWindow();
    this.#kick();
  }

  /** What waits is not kept waiting; what is in flight already has nothing to do with the window after it. */
  #closeWindow(): void {
    if (this.#intake.pending.frameCount > 0) this.#isUrgent = true;
  }

  #waitersAt(level: Durability): Waiters {
    return new Waiters((lsn) => this.#isDurable(lsn, level));
  }

  /** True when it is, false when not yet; throws when never. */
  #isDurable(lsn: number, level: Durability): boolean {
    const rejection = this.#rejected.reasonOf(lsn);
    if (rejection !== null) throw rejection;
    if (lsn <= this.#durableAt(level)) return true;
    if (this.#failure !== null) throw this.#failure;
    return false;
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
      this.#jobs.push(async () => {
        try {
          if (this.#failure === null) await job();
        } catch (error) {
          if (error instanceof WalDiskFullError) return reject(error);
          this.#fail(tried, error);
        }
        if (this.#failure === null) resolve();
        else reject(this.#failure);
      });
      this.#kick();
    });
  }

  #kick(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    queueMicrotask(this.#pump);
  }

  #pump = async (): Promise<void> => {
    // No await between finding nothing to do and saying so: whoever appended in between would wait for ever.
    for (let task = this.#nextTask(); task !== null; task = this.#nextTask()) await task();
    this.#isPumping = false;
    if (this.#failure === null && !this.#isClosing && this.#tail.wantsIdle) this.#idleAlarm.set(this.#settings.idleMs);
  };

  #nextTask(): Task | null {
    const job = this.#jobs.shift();
    if (job !== undefined) return job;
    if (this.#failure !== null) return null;
    const { taken, pending } = this.#intake;
    if (taken.frameCount > 0 || pending.frameCount > 0 && this.#isWindowClosed()) return this.#flushGuarded;
    return this.#isSyncDue() ? this.#syncGuarded : null;
  }

  #isSyncDue(): boolean {
    const { syncedLsn, writtenLsn, unsyncedBytes } = this.#tail;
    if (syncedLsn >= writtenLsn) return false;
    const isWanted = this.#settings.durability === "fsync" || this.#syncWantedLsn > syncedLsn;
    return isWanted || unsyncedBytes >= SYNC_EVERY_BYTES;
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
    const count = this.#isSolo ? 1 : tail.countThatFit(next);
    const startMs = this.#runtime.monotonicMs();
    const isBlocking = this.#pace.next(next.pendingBytes);
    await tail.write(next, count, isBlocking);
    const syncs = this.#isSyncDue();
    if (syncs) await tail.sync(isBlocking);
    this.#lastFlushMs = this.#runtime.monotonicMs();
    if (syncs) this.#pace.observe(this.#lastFlushMs - startMs, isBlocking);
    next.drop(count);
    this.#advanced();
  };

  #take(): void {
    this.#intake.take();
    this.#isUrgent = false;
    this.#isWindowOver = false;
    this.#windowAlarm.cancel();
  }

  #sync = async (): Promise<void> => {
    await this.#tail.sync(false);
    this.#lastFlushMs = this.#runtime.monotonicMs();
    this.#advanced();
  };

  #advanced(): void {
    this.#wakeWaiters();
    this.#intake.serveQueue();
    if (this.hasRoomQueue) this.#closeWindow();
    this.#moved.notify();
  }

  /** An idle log vouches for what is synced, so that readers elsewhere see it. */
  #onIdle(): void {
    if (this.#failure !== null || this.#isClosing || !this.#tail.wantsIdle) return;
    const restMs = this.#lastFlushMs + this.#settings.idleMs - this.#runtime.monotonicMs();
    if (this.#isPumping || restMs > 1) return this.#idleAlarm.set(Math.max(restMs, 1));
    this.exclusive("write an idle frame", () => this.#tail.idle()).catch(() => {}); // a failure is told to those who wait
  }

  // -- the full disk

  /** Everything that waits is rejected; its LSNs will never be. The log looks for room from now on. */
  #rejectAll(error: WalDiskFullError): void {
    const firstLsn = this.#intake.firstUnwrittenLsn ?? 0;
    const lastLsn = firstLsn === 0 ? 0 : this.lastLsn;
    if (firstLsn !== 0) this.#rejected.add(firstLsn, lastLsn, error);
    this.#intake.clear();
    const isNews = this.#fullError === null || firstLsn !== 0;
    if (isNews) this.#report({ type: "disk-full", level: "critical", firstLsn, lastLsn, reason: error.message });
    this.#fullError = error;
    this.#wakeAll(error);
    if (!this.#isClosing) this.#probeAlarm.set(PROBE_MS);
  }

  /** Where the disk was full: looks whether it still is. */
  async #settleFull(): Promise<void> {
    if (this.#fullError === null) return;
    await this.exclusive("look for room", this.#probe).catch((error: unknown) => {
      if (error instanceof WalDiskFullError) this.#rejectAll(error); // a failure is seen by whoever goes on
    });
  }

  #probe = async (): Promise<void> => {
    if (this.#fullError === null || this.#isClosing) return;
    await this.#tail.probe();
    this.#fullError = null;
    this.#report({ type: "disk-has-room", level: "info" });
    this.#moved.notify();
  };

  // -- the end

  /** Writes and syncs everything that was accepted, and takes no more. */
  async drain(): Promise<void> {
    this.#isClosing = true;
    this.#intake.rejectQueue(new WalClosedError("append"));
    while (this.#failure === null && (this.#intake.bufferedBytes > 0 || this.#tail.syncedLsn < this.#tail.writtenLsn)) {
      this.#wantSync(this.lastLsn);
      await this.#moved.wait();
    }
    this.#cancelAlarms();
    this.#wakeAll(new WalClosedError("append"));
  }

  /** The log takes no more. Everyone who waits is told the one cause. */
  #fail(tried: string, cause: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = new WalFailedError(tried, this.#runtime.now(), cause);
    this.#intake.clear();
    this.#cancelAlarms();
    this.#report({ type: "failed", level: "critical", reason: this.#failure.message });
    this.#wakeAll(this.#failure);
  }

  #wakeAll(reason: Error): void {
    this.#wakeWaiters();
    this.#intake.rejectQueue(reason);
    this.#moved.notify();
  }

  #wakeWaiters(): void {
    this.#waiters.fsync.wake();
    this.#waiters.write.wake();
    this.#waiters.none.wake();
  }

  #cancelAlarms(): void {
    for (const alarm of [this.#windowAlarm, this.#lossAlarm, this.#idleAlarm, this.#probeAlarm]) alarm.cancel();
  }
}
