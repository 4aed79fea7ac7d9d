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
  /** It has had its turn, or has given up. */
  isGone: boolean;
}

/** The line of those who wait. */
export class RoomQueue {
  #waiters: RoomWaiter[] = [];
  /** How many of them are not gone. */
  #count = 0;
  /** Whose turn it is just now. */
  #served: RoomWaiter | null = null;
  #reasonOfServed: unknown = null;

  /** Whether nobody waits. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Waits in line; resolves to what `attempt` returned when it was its turn. Rejects when the signal says so. */
  join(attempt: () => number, signal?: AbortSignal): Promise<number> {
    let leave = (): void => {};
    const turn = new Promise<number>((resolve, reject) => {
      const waiter = { attempt, resolve, reject, isGone: false };
      this.#waiters.push(waiter);
      this.#count++;
      leave = () => this.#turnAway(waiter, signal?.reason);
    });
    if (signal === undefined) return turn;
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave);
    return turn.finally(() => signal.removeEventListener("abort", leave));
  }

  /** Lets in as many as find room, in their order. */
  serve(): void {
    let served = 0;
    for (const waiter of this.#waiters) {
      if (!waiter.isGone && !this.#serveOne(waiter)) break;
      served++;
    }
    if (served > 0) this.#waiters = this.#waiters.slice(served);
  }

  /** Turns everyone away. */
  reject(reason: unknown): void {
    for (const waiter of this.#waiters.splice(0)) this.#turnAway(waiter, reason);
  }

  /** Whose turn it is just now may have called this himself, from a getter of his entry: what became of that decides. */
  #turnAway(waiter: RoomWaiter, reason: unknown): void {
    this.#goes(waiter);
    if (waiter === this.#served) this.#reasonOfServed = reason;
    else waiter.reject(reason);
  }

  /** False where there is no room yet. */
  #serveOne(waiter: RoomWaiter): boolean {
    this.#served = waiter;
    try {
      const lsn = waiter.attempt();
      if (lsn !== 0) waiter.resolve(lsn);
      else if (waiter.isGone) waiter.reject(this.#reasonOfServed);
      else return false;
    } catch (error) {
      waiter.reject(error);
    } finally {
      this.#served = null;
    }
    this.#goes(waiter);
    return true;
  }

  #goes(waiter: RoomWaiter): void {
    if (!waiter.isGone) this.#count--;
    waiter.isGone = true;
  }
}
