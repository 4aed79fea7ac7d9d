/**
 * Somebody with a log, who does what a workload says while an oracle takes notes.
 */

import { type Durability, Wal, type WalChanges, type WalEvent, type WalOptions } from "../../mod.ts";
import { nextHostTask } from "../../src/runtime/host_task.ts";
import type { MemoryRuntime } from "../../src/runtime/memory.ts";
import { readAll } from "./log_contents.ts";
import { type Failed, type Oracle, Violation } from "./oracle.ts";
import { Session, tolerate } from "./session.ts";
import { append, appendBatch, commit, commitBatch, drop } from "./user_entries.ts";
import { follow, readShare, writeStream, writeThrough } from "./user_streams.ts";
import { DIRECTORY, type Step } from "./workload.ts";

/** Longer than any window, delay or loss that a workload asks for. */
const LONG_MS = 200;

/** Enough turns of the event loop for what is due. */
const IDLE_TURNS = 5;

/** A step for which the log stays open. */
export type PlainStep = Exclude<Step, { readonly restart: true } | { readonly reopen: true }>;

/** What somebody who has a log knows of the world around. */
export interface Surroundings {
  /** Called with each log that is opened, before anything is done with it. */
  readonly opened: (wal: Wal) => Promise<void>;
  /** Told of the user when there is one. */
  readonly met: (user: User) => void;
  /** Told when the log is about to be brought back, and when that has ended. */
  readonly reopening: (isUnderWay: boolean) => void;
  /** How many calls to the disk were made to fail so far. */
  readonly faults: () => number;
  /** Whether what was written and not synced is still where it was: no sync has failed in this life. */
  readonly isSure: () => boolean;
}

/** Somebody with a log. */
export class User {
  readonly wal: Wal;
  /** Whether entries were rejected because the disk was full. */
  hasRejections = false;
  readonly #session: Session;
  readonly #around: Surroundings;
  /** How the log stood when it failed, until it has come back. */
  #failed: Failed | null = null;
  /** The same, once it has come back and nobody has looked yet at what there is. */
  #reopened: Failed | null = null;
  #isReopening = false;

  private constructor(wal: Wal, session: Session, around: Surroundings) {
    this.wal = wal;
    this.#session = session;
    this.#around = around;
  }

  static async open(
    options: WalOptions & { readonly runtime: MemoryRuntime },
    oracle: Oracle,
    around: Surroundings,
  ): Promise<User> {
    let user: User | null = null;
    const onEvent = (event: WalEvent): void => {
      if (event.type === "disk-full" && event.firstLsn > 0) {
        for (let lsn = event.firstLsn; lsn <= event.lastLsn; lsn++) oracle.rejected(lsn);
      }
      if (user !== null) user.#hear(event);
    };
    const wal = await Wal.open(DIRECTORY, { ...options, onEvent });
    await around.opened(wal);
    const session = new Session(wal, options.runtime, oracle, levelOf(options));
    user = new User(wal, session, around);
    around.met(user);
    return user;
  }

  #hear(event: WalEvent): void {
    const { dropped, oracle } = this.#session;
    if (event.type === "disk-full" && event.firstLsn > 0) {
      this.hasRejections = true;
      for (let lsn = event.firstLsn; lsn <= event.lastLsn; lsn++) this.#session.isUntold ||= dropped.has(lsn);
    }
    if (event.type === "failed") {
      const { syncedLsn, durableLsn, lastLsn } = this.wal;
      this.#failed = { syncedLsn, durableLsn, lastLsn };
      if (this.#isReopening) oracle.reopening(this.#failed);
    }
    if (event.type === "reopened") {
      oracle.reopened();
      this.#reopened = this.#failed;
      this.#failed = null;
    }
  }

  /** Closes the log; then everything that was begun must be settled. */
  async close(): Promise<void> {
    if (this.wal.state === "open") await this.checkSkipped();
    const failure = await this.wal.close().then(() => null, (error: unknown) => error);
    this.#session.mustBeTold(failure, "a close");
    if (failure === null) this.#session.oracle.closed(this.wal);
    await this.#session.settled("closed");
    if (failure !== null) throw failure;
  }

  /** Throws what an answer that nobody was waiting for has revealed. */
  check(isSpoiled = false): void {
    this.#session.check(isSpoiled);
  }

  /** Somebody else appends. */
  append(length: number): void {
    append(this.#session, length);
  }

  /** Does a step. */
  async take(step: PlainStep): Promise<void> {
    const session = this.#session;
    if ("commit" in step) await Promise.all(step.commit.map((length) => commit(session, length, step.at)));
    if ("append" in step) { for (const length of step.append) append(session, length, step.at); }
    if ("stream" in step) await writeStream(session, step.stream, step.at);
    if ("through" in step) await writeThrough(session, step.through);
    if ("follow" in step) session.begin(follow(session));
    if ("cut" in step) await this.#cut(this.wal.lastLsn - step.cut);
    if ("drop" in step) { for (const length of step.drop) drop(session, length); }
    if ("batch" in step) await commitBatch(session, step.batch);
    if ("appendBatch" in step) appendBatch(session, step.appendBatch);
    if ("wait" in step) await this.#waitFor(this.wal.lastLsn - step.wait, step.level);
    if ("flush" in step) await this.#flush();
    if ("ready" in step) await this.#ready();
    if ("idle" in step) await this.#idle(step.idle);
    if ("read" in step) await readShare(session, ...(step.read === true ? [0, 1] as const : step.read));
    if ("configure" in step) await this.#configure(step.configure);
    if ("room" in step) this.#setRoom(step.room);
    if ("jump" in step) session.runtime.clock.jump(step.jump);
    if ("later" in step && !("restart" in step.later) && !("reopen" in step.later)) {
      session.begin(this.take(step.later));
    }
    this.check();
    session.oracle.checkSynced(this.wal.syncedLsn);
  }

  /** Brings a log that has failed back, and looks at what there is then. An open one may fail meanwhile, and comes back too. */
  async reopen(): Promise<void> {
    const { wal } = this;
    if (wal.state === "failed") await this.#session.settled("failed");
    const faults = this.#around.faults();
    this.#isReopening = true;
    if (this.#failed !== null) this.#session.oracle.reopening(this.#failed);
    this.#around.reopening(true);
    try {
      await wal.reopen();
    } catch (error) {
      this.#session.tolerate(error);
      this.#mustHaveReason(error, faults);
    } finally {
      this.#isReopening = false;
      this.#around.reopening(false);
    }
    if (this.#reopened !== null) await this.#checkReopened(this.#reopened);
    this.#reopened = null;
  }

  /** Nothing was made to fail meanwhile, and there was room: then it must have come back. */
  #mustHaveReason(error: unknown, faultsBefore: number): void {
    if (this.wal.state === "open") throw new Violation(`a reopening rejected, and the log is open: ${String(error)}`);
    const { sizeBytes } = this.#session.runtime.disk;
    if (this.wal.state !== "failed" || this.#around.faults() > faultsBefore || sizeBytes !== Infinity) return;
    throw new Violation(`a reopening failed, and nothing had gone wrong: ${String(error)}`);
  }

  async #checkReopened(failed: Failed): Promise<void> {
    const { wal } = this;
    const { oracle } = this.#session;
    if (wal.state !== "open") return; // it has failed again since, or somebody closed it
    if (wal.syncedLsn < failed.lastLsn) throw new Violation(`reopened, and ${failed.lastLsn} is not synced`);
    const isSure = this.#around.isSure();
    const entries = (await readAll(wal)).filter(({ lsn }) => lsn <= failed.lastLsn); // others may append by now
    oracle.checkReopened(failed, { firstLsn: wal.firstLsn, entries, isSure });
    oracle.trace?.say(`reopened: ${entries.map(({ lsn }) => lsn).join(", ")} of ${failed.lastLsn} are there`);
    await this.checkSkipped();
  }

  /** Nobody is ever told that an LSN is there which was skipped. */
  async checkSkipped(): Promise<void> {
    const { wal } = this;
    const { skipped } = this.#session.oracle.lsns();
    const { dropped } = this.#session; // who waits for one of those does not hear of it from a flush any more
    const isIn = (lsn: number): boolean => lsn >= wal.firstLsn && lsn <= wal.lastLsn;
    for (const lsn of skipped) {
      if (!isIn(lsn) || dropped.has(lsn)) continue;
      await wal.waitFor(lsn).then(() => {
        if (isIn(lsn)) throw new Violation(`waitFor resolved for ${lsn}, which was skipped`);
      }, tolerate);
    }
  }

  #setRoom(roomBytes: number): void {
    const { disk } = this.#session.runtime;
    disk.sizeBytes = disk.usedBytes + roomBytes;
  }

  async #cut(lsn: number): Promise<void> {
    if (lsn < 1) return;
    this.#session.oracle.cutting(lsn);
    try {
      const { firstLsn } = await this.wal.truncateBefore(lsn);
      this.#session.oracle.cut(firstLsn);
    } catch (error) {
      this.#session.tolerate(error);
    }
  }

  async #waitFor(lsn: number, level: Durability): Promise<void> {
    if (lsn < this.wal.firstLsn) return;
    this.#session.dropped.delete(lsn); // now somebody asks for it
    try {
      await this.#session.inOrder(this.wal.waitFor(lsn, { durability: level }), lsn, level);
      this.#session.oracle.waitedFor(lsn, level);
    } catch (error) {
      this.#session.tolerate(error);
    }
  }

  async #flush(): Promise<void> {
    const { lastLsn } = this.wal;
    try {
      await this.wal.flush();
    } catch (error) {
      this.#session.mustBeTold(error, "a flush");
      return this.#session.tolerate(error);
    }
    this.#session.mustBeTold(null, "a flush");
    this.#mustBeSynced(lastLsn, "a flush");
  }

  /** Only at `"write"` may anything wait longer than that for its sync. */
  async #idle(durationMs: true | number): Promise<void> {
    const { lastLsn } = this.wal;
    const { runtime, level, hasLaxEntries } = this.#session;
    await runtime.clock.advance(durationMs === true ? LONG_MS : durationMs);
    // Where others let time pass too, it has passed in fewer turns of the event loop than a log may wait for.
    for (let turn = 0; turn < IDLE_TURNS && this.wal.syncedLsn < lastLsn; turn++) await nextHostTask();
    if (durationMs === true && this.wal.state === "open" && level !== "write" && !hasLaxEntries) {
      this.#mustBeSynced(lastLsn, `${LONG_MS} ms`);
    }
  }

  async #ready(): Promise<void> {
    try {
      await this.wal.ready;
    } catch (error) {
      this.#session.tolerate(error);
    }
  }

  /** A stronger level syncs everything first. */
  async #configure(changes: WalChanges): Promise<void> {
    const { lastLsn } = this.wal;
    const { level } = this.#session;
    const next = changes.durability ?? level;
    try {
      const changed = this.wal.configure(changes);
      if (this.wal.state === "open") this.#session.setLevel(next);
      await changed;
    } catch (error) {
      return this.#session.tolerate(error);
    }
    const isStronger = next !== level && (level === "none" || next === "fsync");
    if (isStronger) this.#mustBeSynced(lastLsn, `configuring ${next}`);
  }

  #mustBeSynced(lsn: number, after: string): void {
    const keptLsn = this.#session.oracle.lastKeptLsn(lsn);
    if (this.wal.syncedLsn < keptLsn) throw new Violation(`after ${after}, ${keptLsn} is still not synced`);
    this.#session.oracle.synced(keptLsn);
  }
}

function levelOf({ durability, preset }: WalOptions): Durability {
  return durability ?? (preset === "async" ? "none" : "fsync");
}
