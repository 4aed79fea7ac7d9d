/**
 * What befalls the disk in one life of a random history.
 */

import type { MemoryCall, MemoryFault } from "../../src/runtime/memory.ts";
import { Conduct } from "./conduct.ts";
import type { Life } from "./histories.ts";
import type { User } from "./user.ts";
import { DIRECTORY } from "./workload.ts";

/** What goes wrong in one life. */
export class Weather {
  user: User | null = null;
  /** Whether anything has happened that may make the log complain. */
  isSpoiled = false;
  hasFailedSync = false;
  readonly conduct: Conduct = new Conduct();
  readonly #life: Life;
  readonly #counts: Map<string, number> = new Map();

  constructor(life: Life) {
    this.#life = life;
  }

  readonly onCall = (call: MemoryCall): MemoryFault | undefined => {
    this.conduct.onCall(call);
    const arrivals = this.#life.arrivals.filter((arrival) => arrival.call === call.number);
    // Nobody can call the log while it calls the disk, but as soon as it waits.
    if (arrivals.length > 0) queueMicrotask(() => arrivals.forEach(({ length }) => this.user?.append(length)));
    let fault: MemoryFault | undefined;
    const counts = [this.#count("any"), this.#count(call.name)];
    for (const mishap of this.#life.mishaps) {
      const count = mishap.name === "any" ? counts[0] : mishap.name === call.name ? counts[1] : undefined;
      if (count === mishap.nth && isFair(call, mishap.fault)) fault = { ...fault, ...mishap.fault };
    }
    if (fault?.code !== undefined) this.isSpoiled = true;
    // The disk has dropped what it was to write, also where the process ends before it hears of that.
    if (fault?.code !== undefined && call.name === "syncData") this.hasFailedSync = true;
    return fault;
  };

  readonly onReturn = (call: MemoryCall, error: Error | null): void => {
    this.conduct.onReturn(call, error);
    if (call.name === "syncData" && error !== null) this.hasFailedSync = true;
  };

  #count(name: string): number {
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    return count;
  }
}

/** Who may not sync the directories above is told so, and may lose a new log whole: nothing to explore. */
function isFair({ name, path }: MemoryCall, { code }: MemoryFault): boolean {
  return name !== "syncDirectory" || path === DIRECTORY || code !== "EACCES";
}
