/**
 * Who gets in: the checks before an entry is accepted, the window that it opens, and the line of those who wait for room.
 *
 * @module
 */

import { Ages } from "./ages.ts";
import { Alarm } from "./alarm.ts";
import type { DiskRoom } from "./disk_room.ts";
import type { EntryInput } from "./entry.ts";
import type { Intake } from "./intake.ts";
import { batchLevelOf, levelOf } from "./levels.ts";
import type { Durability, Settings } from "./options.ts";
import { RoomQueue } from "./room_queue.ts";
import type { Runtime } from "./runtime/port.ts";
import type { Settlement } from "./settlement.ts";
import type { Signal } from "./signal.ts";
import type { Counters } from "./stats.ts";
import { Window } from "./window.ts";

/** What the admission asks of the committer, and tells it. */
export interface AdmissionHost {
  /** Why nothing is taken any more, or null; `tried` is what for. */
  refusal(tried: string): Error | null;
  /** There may be something to write. */
  kick(): void;
  /** Everything accepted by now is to be synced. */
  syncAll(): void;
  /** Looks whether a full disk has room again. */
  lookForRoom(): Promise<void>;
}

/** What an admission is made with. */
export interface AdmissionOptions {
  /** May change while the log runs. */
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly intake: Intake;
  readonly settlement: Settlement;
  readonly diskRoom: DiskRoom;
  readonly moved: Signal;
  readonly counters: Counters;
  readonly host: AdmissionHost;
}

/** The door of one log. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #window: Window;
  readonly #roomQueue: RoomQueue = new RoomQueue();
  readonly #lossAlarm: Alarm;
  /** Since when what was taken has waited. */
  readonly ages: Ages;

  /** @param options See {@linkcode AdmissionOptions}. */
  constructor(options: AdmissionOptions) {
    const { settings, runtime, host } = options;
    this.#options = options;
    this.#window = new Window(settings, runtime, () => host.kick());
    this.#lossAlarm = new Alarm(runtime, true, () => host.syncAll()); // the process stays for what was accepted
    this.ages = new Ages(runtime);
  }

  // -- entries

  /**
   * Takes an entry of someone who may wait in line for room; returns its LSN, or 0 where there is none. It asks for `level`
   * unless it says so itself. Throws, and takes nothing, else.
   */
  tryAppend(input: EntryInput, level: Durability = this.#options.settings.durability): number {
    this.#check("append");
    const asked = levelOf(input, level);
    return this.#accepted(this.#options.intake.add(input), asked);
  }

  /**
   * The same for the entries of an array, from the `from`th on, as many as find room; `accepted` is told the LSN of each. Returns
   * which is the next to be taken. What was taken before something that is no entry stays.
   */
  tryAppendAll(
    inputs: readonly EntryInput[],
    from: number,
    level: Durability | undefined,
    accepted: (lsn: number) => void,
  ): number {
    const { intake, settlement, settings } = this.#options;
    let nth = from;
    let isAnyLossy = false;
    try {
      for (; nth < inputs.length; nth++) {
        this.#check("append"); // each: a getter of the one before may have closed the log
        const input = inputs[nth] as EntryInput;
        const asked = levelOf(input, level ?? settings.durability);
        const lsn = intake.add(input);
        if (lsn === 0) break;
        settlement.accept(lsn, asked);
        accepted(lsn);
        isAnyLossy ||= asked === "none";
      }
    } finally {
      if (nth > from) this.#arrived(isAnyLossy);
    }
    return nth;
  }

  /** The same for all of a batch, which asks for what the strongest of its entries does. */
  tryAppendBatch(inputs: readonly EntryInput[], level: Durability = this.#options.settings.durability): number {
    this.#check("append a batch");
    const { intake } = this.#options;
    intake.checkBatch(inputs);
    const asked = batchLevelOf(inputs, level);
    return this.#accepted(intake.addBatch(inputs), asked);
  }

  /** Throws where this is no batch, or one that is surely too large: it is refused, not queued. */
  checkBatch(inputs: readonly EntryInput[]): void {
    this.#options.intake.checkBatch(inputs);
  }

  /** Takes an entry of someone who does not wait; returns 0 where there is no room, or others wait for it already. */
  append(input: EntryInput): number {
    if (this.hasLine) this.#check("append");
    return this.#unlessRefused(this.hasLine ? 0 : this.tryAppend(input));
  }

  /** The same for all of a batch. */
  appendBatch(inputs: readonly EntryInput[]): number {
    if (this.hasLine) this.#check("append a batch");
    if (this.hasLine) this.checkBatch(inputs);
    return this.#unlessRefused(this.hasLine ? 0 : this.tryAppendBatch(inputs));
  }

  #unlessRefused(lsn: number): number {
    if (lsn === 0) this.#options.counters.refused++;
    return lsn;
  }

  #check(tried: string): void {
    const { host, diskRoom, counters } = this.#options;
    const refusal = host.refusal(tried);
    if (refusal !== null) throw refusal;
    if (diskRoom.error === null) return;
    counters.refused++;
    throw diskRoom.error;
  }

  #accepted(lsn: number, level: Durability): number {
    if (lsn === 0) return 0;
    this.#options.settlement.accept(lsn, level);
    this.#arrived(level === "none");
    return lsn;
  }

  /** Something was taken, and may have to be written soon. */
  #arrived(isAnyLossy: boolean): void {
    const { intake, settings, host } = this.#options;
    this.ages.arrived();
    if (isAnyLossy) this.#lossAlarm.set(settings.lossMs);
    if (this.#window.isClosed(intake.pending)) host.kick();
    else this.#window.arrived();
  }

  // -- room

  /** What the buffer may still take; zero or less: nothing. */
  get desiredBytes(): number {
    return this.#options.host.refusal("append") !== null || this.mustQueue ? 0 : this.#options.intake.roomBytes;
  }

  /** Whether someone waits for room: then nobody may pass him. */
  get hasLine(): boolean {
    return !this.#roomQueue.isEmpty;
  }

  /** Whether an append that can wait must: in line, or to see whether a full disk has room again. */
  get mustQueue(): boolean {
    return this.#options.diskRoom.error !== null || this.hasLine;
  }

  /** Waits in line until `attempt`, which appends, returns an LSN; who gives up leaves the line. */
  appendInLine(attempt: () => number, signal?: AbortSignal): Promise<number> {
    const { host, diskRoom } = this.#options;
    const refusal = host.refusal("append");
    if (refusal !== null) return Promise.reject(refusal);
    const lsn = this.#roomQueue.join(attempt, signal); // at once: who comes after this call stands behind it
    void host.lookForRoom().then(() => {
      if (diskRoom.error === null) this.#roomQueue.serve();
      this.hasten();
    });
    return lsn;
  }

  /** Resolves when an append would find room, rejects when none ever will. */
  async roomAvailable(): Promise<void> {
    const { host, diskRoom, moved } = this.#options;
    for (;;) {
      const refusal = host.refusal("append");
      if (refusal !== null) throw refusal;
      if (this.desiredBytes > 0) return;
      if (diskRoom.error !== null) diskRoom.lookAgain(true);
      this.hasten();
      await moved.wait();
    }
  }

  /** Something was written: there may be room for those in line. */
  serveLine(): void {
    this.#roomQueue.serve();
    if (this.hasLine) this.#window.close(this.#options.intake.pending);
  }

  /** Who waits for room does so in vain. */
  turnAway(reason: Error): void {
    this.#roomQueue.reject(reason);
  }

  // -- the window

  /** Whether what has arrived may go out. */
  get isWindowClosed(): boolean {
    return this.#window.isClosed(this.#options.intake.pending);
  }

  /** Sees to it that everything accepted by now is written soon. */
  hasten(): void {
    this.#window.close(this.#options.intake.pending);
    this.#options.host.kick();
  }

  /** Takes away what has arrived; what arrives from now on goes elsewhere, into another window. */
  take(): void {
    this.ages.taken();
    this.#options.intake.take();
    this.#window.taken();
  }

  /** Nothing is accepted any more. */
  cancel(): void {
    this.#window.taken();
    this.#lossAlarm.cancel();
  }
}
