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
}

/** See the head of this file. */
export class RoomQueue {
  #waiters: RoomWaiter[] = [];

  /** Whether nobody waits. */
  get isEmpty(): boolean {
    return this.#waiters.length === 0;
  }

  /** Waits in line; resolves to what `attempt` returned when it was its turn. */
  join(attempt: () => number): Promise<number> {
    return new Promise((resolve, reject) => this.#waiters.push({ attempt, resolve, reject }));
  }

  /** Lets in as many as find room, in their order. */
  serve(): void {
    let served = 0;
    for (const { attempt, resolve, reject } of this.#waiters) {
      try {
        const lsn = attempt();
        if (lsn === 0) break;
        resolve(lsn);
      } catch (error) {
        reject(error);
      }
      served++;
    }
    this.#waiters = this.#waiters.slice(served);
  }

  /** Turns everyone away. */
  reject(reason: unknown): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(reason);
  }
}
