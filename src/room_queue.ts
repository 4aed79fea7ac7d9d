/**
 * Those who wait for room in the buffer, first come, first served.
 *
 * @module
 */

interface RoomWaiter {
  /** Appends, and returns an LSN; 0 where there is still no room. */
  readonly attempt: () => number;
  readonly resolve: (lsn: number) => void;
  readonly reject: (reason: unknown) => void;
  /** It has given up. */
  isGone: boolean;
}

/** See the head of this file. */
export class RoomQueue {
  #waiters: RoomWaiter[] = [];

  /** Whether nobody waits. */
  get isEmpty(): boolean {
    return this.#waiters.every(({ isGone }) => isGone);
  }

  /** Waits in line; resolves to what `attempt` returned when it was its turn. Rejects when the signal says so. */
  join(attempt: () => number, signal?: AbortSignal): Promise<number> {
    let leave = (): void => {};
    const turn = new Promise<number>((resolve, reject) => {
      const waiter = { attempt, resolve, reject, isGone: false };
      this.#waiters.push(waiter);
      leave = () => {
        waiter.isGone = true;
        reject(signal?.reason);
      };
    });
    if (signal === undefined) return turn;
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave);
    return turn.finally(() => signal.removeEventListener("abort", leave));
  }

  /** Lets in as many as find room, in their order. */
  serve(): void {
    let served = 0;
    for (const { attempt, resolve, reject, isGone } of this.#waiters) {
      try {
        const lsn = isGone ? -1 : attempt();
        if (lsn === 0) break;
        resolve(lsn); // of one that is gone nobody hears
      } catch (error) {
        reject(error);
      }
      served++;
    }
    if (served > 0) this.#waiters = this.#waiters.slice(served);
  }

  /** Turns everyone away. */
  reject(reason: unknown): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(reason);
  }
}
