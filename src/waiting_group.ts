/**
 * Those who wait together: for LSNs that follow one another and will be settled at once, because they lie in one frame and
 * ask for the same. One resolution tells them all, in LSN order.
 *
 * A promise that is derived from one that all share takes half of the memory of one with a resolver of its own, and nearly
 * every commit waits so.
 *
 * @module
 */

import { WalAbortedError } from "./errors.ts";
import type { Durability } from "./options.ts";

/** One who came when others waited for the LSNs next to his already. */
interface Latecomer {
  readonly lsn: number;
  readonly resolve: (lsn: number) => void;
  readonly reject: (reason: unknown) => void;
  /** Nothing listens to his signal any more; null where he has none. */
  forget: (() => void) | null;
}

/** See the head of this file. */
export class WaitingGroup {
  readonly firstLsn: number;
  readonly #frameLsn: number;
  readonly #durability: Durability | null;
  /** Never rejects: who is told looks for himself. */
  readonly #settled: Promise<void>;
  readonly #settle: () => void;
  #lastLsn: number;
  #toldLsn: number;
  /** Why none of them will ever be. */
  #rejection: Error | null = null;
  /** By LSN; null as long as there is none: nearly always. */
  #latecomers: Latecomer[] | null = null;
  /** Called when it is settled. */
  forget: (() => void) | null = null;

  /**
   * Nobody waits yet.
   *
   * @param firstLsn The first that somebody will wait for.
   * @param frameLsn The first LSN of the frame that their entries lie in; 0: nobody may join the first one.
   * @param durability What each of them asks for.
   */
  constructor(firstLsn: number, frameLsn: number, durability: Durability | null) {
    this.firstLsn = firstLsn;
    this.#frameLsn = frameLsn;
    this.#durability = durability;
    this.#lastLsn = this.#toldLsn = firstLsn - 1;
    this.#settled = new Promise(keepResolve);
    this.#settle = lastResolve;
  }

  /** The last LSN that somebody waits for. */
  get lastLsn(): number {
    return this.#lastLsn;
  }

  /** Whether one who waits for `lsn`, an entry of this frame that asks for this, may join. */
  takes(lsn: number, frameLsn: number, durability: Durability): boolean {
    return lsn === this.#lastLsn + 1 && frameLsn === this.#frameLsn && durability === this.#durability;
  }

  /** Waits for the LSN behind the last one. */
  join(): Promise<number> {
    this.#lastLsn++;
    return this.#settled.then(this.#tell);
  }

  /** Waits for one of those before the last one; he is told before any of the LSNs behind his. */
  joinLate(lsn: number, signal?: AbortSignal): Promise<number> {
    const latecomers = this.#latecomers ??= [];
    return new Promise((resolve, reject) => {
      const latecomer: Latecomer = { lsn, resolve, reject, forget: null };
      let place = latecomers.length;
      while (place > 0 && (latecomers[place - 1]?.lsn ?? 0) > lsn) place--;
      latecomers.splice(place, 0, latecomer);
      if (signal === undefined) return;
      latecomer.forget = onAbort(signal, lsn, (reason) => {
        latecomers.splice(latecomers.indexOf(latecomer), 1);
        reject(reason);
      });
    });
  }

  /** All of them are durable. */
  resolve(): void {
    this.forget?.();
    this.#settle();
  }

  /** None of them ever will be, or nobody can know. */
  reject(reason: Error): void {
    this.#rejection = reason;
    this.resolve();
  }

  /** Called once for each who joined, in order: what is derived from a promise settles in the order in which it was. */
  readonly #tell = (): number => {
    const lsn = ++this.#toldLsn;
    if (this.#latecomers !== null) this.#tellLatecomers(this.#latecomers, lsn);
    if (this.#rejection !== null) throw this.#rejection;
    return lsn;
  };

  #tellLatecomers(latecomers: Latecomer[], beforeLsn: number): void {
    while ((latecomers[0]?.lsn ?? Infinity) < beforeLsn) {
      const { lsn, resolve, reject, forget } = latecomers.shift() as Latecomer;
      forget?.();
      if (this.#rejection === null) resolve(lsn);
      else reject(this.#rejection);
    }
  }
}

let lastResolve: () => void = () => {};

/** What its promise is made with. A closure for each group, and the scope that it keeps, would be 120 bytes more on V8. */
function keepResolve(resolve: () => void): void {
  lastResolve = resolve;
}

/** Calls `leave` with an error when the signal says so. What is returned ends that. */
export function onAbort(signal: AbortSignal, lsn: number, leave: (reason: WalAbortedError) => void): () => void {
  const listener = (): void => leave(new WalAbortedError(`waiting for LSN ${lsn}`, signal.reason));
  signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}
