/**
 * Time that passes only when a test wants it to, or when there is nothing else to do.
 *
 * @module
 */
import { inHostTask, nextHostTask } from "./host_task.ts";
import type { RuntimeTimer } from "./port.ts";

/**
 * The clock of a {@linkcode MemoryRuntime}, in a test's hand.
 *
 * @example An hour passes at once
 * ```ts
 * import { type MemoryClock, MemoryRuntime } from "@walstream/wal/memory";
 *
 * const runtime = new MemoryRuntime({ manualTime: true });
 * const clock: MemoryClock = runtime.clock;
 * runtime.setTimer(() => console.log("it is", clock.monotonicMs()), 3_600_000, true);
 * await clock.advance(3_600_000); // it is 3600000
 * ```
 */
export interface MemoryClock {
  /** Milliseconds since 1970, whole. */
  now(): number;
  /** Milliseconds since the process began. */
  monotonicMs(): number;
  /**
   * Lets time pass. The timers that come due are called in their order, and what each of them sets off goes as far as it can
   * before the next; then it resolves.
   */
  advance(durationMs: number): Promise<void>;
  /** Sets {@linkcode now} forward or (below 0) back, as somebody who sets the clock does. Timers do not notice. */
  jump(durationMs: number): void;
}

interface Timer extends RuntimeTimer {
  readonly dueMs: number;
  readonly callback: () => void;
  readonly keepAlive: boolean;
}

const TICKS_PER_MS = 1024;

/** Rounds up to what can be added without an error, so that no timer is early by a rounding. */
function inTicks(durationMs: number): number {
  return Math.ceil(durationMs * TICKS_PER_MS) / TICKS_PER_MS;
}

/** The clock and its timers. */
export class VirtualClock implements MemoryClock {
  readonly #isManual: boolean;
  #startMs: number;
  #elapsedMs = 0;
  /** Sorted by when they are due, of two at the same time the one that was set first. */
  #timers: Timer[] = [];
  #keepingAlive = 0;
  #isStopped = false;
  #advancing = 0;
  /** The turn of the host that will move the clock; another one takes its place when it is not enough. */
  #turn: { readonly keepAlive: boolean } | null = null;
  /** Whether the process has done anything since a background timer was last the reason to move the clock. */
  #hasWorked = true;

  /** @param nowMs What it shows at first. @param isManual Whether it moves by {@linkcode advance} alone. */
  constructor(nowMs: number, isManual: boolean) {
    this.#startMs = nowMs;
    this.#isManual = isManual;
  }

  /** Milliseconds since 1970, whole. */
  now(): number {
    return Math.floor(this.#startMs + this.#elapsedMs);
  }

  /** Milliseconds since the process began. */
  monotonicMs(): number {
    return this.#elapsedMs;
  }

  /** Sets the time of day, and nothing else. */
  jump(durationMs: number): void {
    this.#startMs += durationMs;
  }

  /** Calls back once, when `delayMs` have passed. */
  setTimer(callback: () => void, delayMs: number, keepAlive: boolean): RuntimeTimer {
    const dueMs = this.#elapsedMs + inTicks(delayMs > 0 ? delayMs : 0);
    const timer: Timer = { dueMs, callback, keepAlive, cancel: () => void this.#take(timer) };
    if (this.#isStopped) return timer;
    let place = this.#timers.length;
    while (place > 0 && (this.#timers[place - 1] as Timer).dueMs > dueMs) place--;
    this.#timers.splice(place, 0, timer);
    if (keepAlive) this.#keepingAlive++;
    this.#plan();
    return timer;
  }

  /** Lets time pass at once, as it does while a blocking call runs: no timer can be called before it returns. */
  pass(durationMs: number): void {
    this.#elapsedMs += inTicks(durationMs);
    this.#plan();
  }

  /** Lets time pass, and calls the timers that come due. */
  async advance(durationMs: number): Promise<void> {
    if (!(durationMs >= 0)) throw new RangeError(`cannot advance the clock by ${durationMs} ms: time does not go back`);
    const endMs = this.#elapsedMs + inTicks(durationMs);
    this.#advancing++;
    try {
      await nextHostTask();
      for (let timer = this.#timers[0]; timer !== undefined && timer.dueMs <= endMs; timer = this.#timers[0]) {
        this.#fire(timer);
        await nextHostTask();
      }
      this.#elapsedMs = Math.max(this.#elapsedMs, endMs);
    } finally {
      this.#advancing--;
      this.#plan();
    }
  }

  /** The process has called the disk: a background timer may have a reason again to move the clock. */
  noteWork(): void {
    if (this.#hasWorked) return;
    this.#hasWorked = true;
    this.#plan();
  }

  /** No timer is called any more. */
  stop(): void {
    this.#isStopped = true;
    this.#timers = [];
    this.#keepingAlive = 0;
  }

  /**
   * Asks the host for a turn, if there is a timer to move on to. A timer that keeps nothing alive is enough only after the
   * process has done something: one that sets itself again and again would turn for ever.
   */
  #plan(): void {
    if (this.#isManual || this.#advancing > 0 || this.#timers.length === 0) return;
    const keepAlive = this.#keepingAlive > 0;
    if (!keepAlive && !this.#hasWorked) return;
    if (this.#turn !== null && this.#turn.keepAlive >= keepAlive) return;
    const turn = { keepAlive };
    this.#turn = turn;
    inHostTask(() => {
      if (this.#turn !== turn) return;
      this.#turn = null;
      this.#moveOn();
    }, keepAlive);
  }

  #moveOn(): void {
    const timer = this.#timers[0];
    if (timer === undefined || this.#advancing > 0) return;
    if (this.#keepingAlive === 0) this.#hasWorked = false;
    try {
      this.#fire(timer);
    } finally {
      this.#plan();
    }
  }

  #fire(timer: Timer): void {
    this.#take(timer);
    this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueMs);
    timer.callback();
  }

  #take(timer: Timer): void {
    const place = this.#timers.indexOf(timer);
    if (place < 0) return;
    this.#timers.splice(place, 1);
    if (timer.keepAlive) this.#keepingAlive--;
  }
}
