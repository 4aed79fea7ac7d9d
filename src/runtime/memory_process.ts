/**
 * One process on a disk in memory: it numbers its calls, lets the test's hook spoil them, and stops where it is told to.
 *
 * @module
 */
import { type MemoryCall, type MemoryCallName, type MemoryFault, ProcessStopped } from "./memory_call.ts";
import type { VirtualClock } from "./memory_clock.ts";
import { MemoryDiskError } from "./memory_error.ts";
import type { MemoryFlight, MemoryHandle, MemoryVolume } from "./memory_volume.ts";
import type { Random } from "./random.ts";

/** What a test may look at, and change, each time a process calls the disk. */
export interface MemoryHooks {
  readonly onCall: ((call: MemoryCall) => MemoryFault | undefined) | undefined;
  readonly onReturn: ((call: MemoryCall, error: Error | null) => void) | undefined;
}

/** A call before it has its number. */
export interface MemoryRequest<T> {
  readonly name: MemoryCallName;
  readonly path: string;
  readonly to?: string;
  readonly position?: number;
  readonly length?: number;
  /** The open file it is made on. */
  readonly handle?: MemoryHandle;
  /** What a read fills. */
  readonly target?: Uint8Array;
  /** Whether it can leave anything behind. */
  readonly changes: boolean;
  /** Does it, a write up to `limitBytes`. It may be done on a copy of the disk, to see what a crash would leave. */
  readonly take: (volume: MemoryVolume, limitBytes: number) => T;
}

interface Outcome<T> {
  readonly value: T | undefined;
  readonly error: Error | null;
}

const NO_FAULT: MemoryFault = {};
const settled = Promise.resolve();

/** Calls back after so many turns of the microtask queue. */
function hop(count: number, callback: () => void): void {
  if (count === 0) callback();
  else void settled.then(() => hop(count - 1, callback));
}

/** A process, from its first call to the moment it stops. */
export class MemoryProcess {
  readonly volume: MemoryVolume;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly pid: number;
  /** Resolves when the process stops. */
  readonly stopped: Promise<void>;
  readonly #hooks: MemoryHooks;
  readonly #flights: Set<MemoryFlight> = new Set();
  readonly #brokenInodes: Set<number> = new Set();
  #landings: { readonly handle: MemoryHandle; readonly resolve: () => void }[] = [];
  #tellStopped: () => void = () => {}; // taken from the promise at once
  #isStopped = false;
  #calls = 0;

  /** @param volume The disk. @param clock Its clock. @param random Decides when calls take effect. @param hooks The test's. */
  constructor(volume: MemoryVolume, clock: VirtualClock, random: Random, hooks: MemoryHooks) {
    this.volume = volume;
    this.clock = clock;
    this.random = random;
    this.pid = volume.start();
    this.#hooks = hooks;
    this.stopped = new Promise((resolve) => {
      this.#tellStopped = resolve;
    });
  }

  /** How many calls it has made. */
  get calls(): number {
    return this.#calls;
  }

  /** Whether it has stopped. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** It is killed: what is in flight may have its effect or not, and nothing it waits for ever comes. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.clock.stop();
    for (const flight of this.#flights) this.volume.flights.delete(flight);
    this.volume.land(this.#flights, this.random);
    this.#flights.clear();
    this.volume.stop(this.pid);
    this.#tellStopped();
  }

  /**
   * Makes a call as the pool does it: it takes effect at some later moment, so that of two calls in flight either may be first,
   * and returns some time after that.
   */
  start<T>(request: MemoryRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#isStopped) return;
      const call = this.#number(request, false);
      const fault = this.#admit(call, request); // what the hook throws rejects the promise
      if (fault === null) return;
      const flight = flightOf(request, fault);
      this.#flights.add(flight);
      this.volume.flights.add(flight);
      const land = (): void => {
        if (this.#isStopped) return;
        this.#flights.delete(flight);
        this.volume.flights.delete(flight);
        const outcome = this.#settle(request, fault);
        if (this.#landings.length > 0) this.#tellLanded();
        if (outcome !== null) hop(this.random.integer(0, 1), () => this.#return(call, outcome, resolve, reject));
      };
      if (fault.delayMs === undefined) hop(this.random.integer(1, 3), land);
      else this.clock.setTimer(() => hop(this.random.integer(1, 3), land), fault.delayMs, true);
    });
  }

  /** Resolves when no call of an open file is in flight. */
  whenLanded(handle: MemoryHandle): Promise<void> {
    return new Promise((resolve) => {
      this.#landings.push({ handle, resolve });
      this.#tellLanded();
    });
  }

  #tellLanded(): void {
    if (this.#isStopped) return;
    const busy = new Set([...this.#flights].map((flight) => flight.handle));
    const landed = this.#landings.filter(({ handle }) => !busy.has(handle));
    this.#landings = this.#landings.filter(({ handle }) => busy.has(handle));
    for (const { resolve } of landed) resolve();
  }

  /** Makes a call while the caller waits. */
  startBlocking<T>(request: MemoryRequest<T>): T {
    if (this.#isStopped) throw new ProcessStopped(`${request.name} ${request.path}`);
    const call = this.#number(request, true);
    const fault = this.#admit(call, request);
    if (fault?.delayMs !== undefined) this.clock.pass(fault.delayMs);
    const outcome = fault === null ? null : this.#settle(request, fault);
    if (outcome !== null) this.#hooks.onReturn?.(call, outcome.error);
    if (outcome === null || this.#isStopped) throw new ProcessStopped(`${request.name} ${request.path}`);
    if (outcome.error !== null) throw outcome.error;
    return outcome.value as T;
  }

  #number<T>(request: MemoryRequest<T>, blocking: boolean): MemoryCall {
    const { name, path, to = null, position = 0, length = 0 } = request;
    return { number: ++this.#calls, name, path, to, position, length, blocking };
  }

  /** What the hook makes of a call; null: the process has stopped before it. */
  #admit<T>(call: MemoryCall, request: MemoryRequest<T>): MemoryFault | null {
    this.clock.noteWork();
    const fault = this.#hooks.onCall?.(call) ?? NO_FAULT;
    if (fault.stop === "before") this.stop();
    if (this.#isStopped) return null;
    if (request.handle !== undefined) this.#watch(call, request.handle);
    return fault;
  }

  /** Writes down what a log must not do. */
  #watch(call: MemoryCall, handle: MemoryHandle): void {
    const accuse = (what: string): void => {
      this.volume.violations.push(`call ${call.number} of process ${this.pid}, ${call.name} ${call.path}: ${what}`);
    };
    const writes = call.name === "write" || call.name === "syncData" || call.name === "truncate";
    if (writes && this.#brokenInodes.has(handle.inode)) accuse("an earlier write or sync of this file met EIO");
    for (const flight of this.volume.flights) {
      if (flight.handle?.inode !== handle.inode) continue;
      if (call.name !== flight.name) continue;
      if (call.name === "syncData") accuse("another syncData of this file is in flight");
      const overlaps = call.position < flight.position + flight.length && flight.position < call.position + call.length;
      if (call.name === "write" && overlaps) accuse(`a write at ${flight.position}, which overlaps it, is in flight`);
    }
  }

  /** Has the effect of a call, as far as the fault lets it; null: the process has stopped. */
  #settle<T>(request: MemoryRequest<T>, fault: MemoryFault): Outcome<T> | null {
    this.volume.forgetSome();
    const outcome = fault.code === undefined ? this.#succeed(request, fault) : this.#fail(request, fault, fault.code);
    const { error } = outcome;
    if (error instanceof MemoryDiskError && error.code === "EIO" && request.handle !== undefined) {
      if (request.name === "write" || request.name === "syncData") this.#brokenInodes.add(request.handle.inode);
    }
    if (fault.stop !== "after") return outcome;
    this.stop();
    return null;
  }

  #succeed<T>(request: MemoryRequest<T>, fault: MemoryFault): Outcome<T> {
    try {
      const limitBytes = fault.stop === "after" ? fault.doneBytes : undefined;
      const value = request.take(this.volume, limitBytes ?? Infinity);
      if (fault.flipBits !== undefined && request.target !== undefined) flip(request.target, fault.flipBits);
      return { value, error: null };
    } catch (error) {
      return { value: undefined, error: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  #fail<T>(request: MemoryRequest<T>, fault: MemoryFault, code: string): Outcome<T> {
    if (request.name === "write" && fault.doneBytes !== undefined) {
      this.#succeed(request, { stop: "after", doneBytes: fault.doneBytes }); // a full disk may take even less
    }
    if (request.name === "syncData" && request.handle !== undefined) this.volume.failSync(request.handle.inode);
    return { value: undefined, error: new MemoryDiskError(code, request.name, request.path) };
  }

  #return<T>(
    call: MemoryCall,
    outcome: Outcome<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void {
    if (this.#isStopped) return;
    try {
      this.#hooks.onReturn?.(call, outcome.error);
    } catch (error) {
      return reject(error);
    }
    if (this.#isStopped) return;
    if (outcome.error === null) resolve(outcome.value as T);
    else reject(outcome.error);
  }
}

/** What a crash may find under way. A sync that is to fail changes nothing that was sure. */
function flightOf<T>(request: MemoryRequest<T>, fault: MemoryFault): MemoryFlight {
  const { name, handle = null, position = 0, length = 0 } = request;
  const doneBytes = fault.doneBytes ?? 0;
  let take: MemoryFlight["take"] = null;
  if (request.changes && fault.code === undefined) take = request.take;
  else if (name === "write") take = (volume, limitBytes) => request.take(volume, Math.min(limitBytes, doneBytes));
  return { name, handle, position, length, take };
}

function flip(bytes: Uint8Array, bits: readonly number[]): void {
  for (const bit of bits) if (bit >> 3 < bytes.length) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
}
