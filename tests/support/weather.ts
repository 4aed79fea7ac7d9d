/**
 * What befalls the disk in one life of a random history.
 */

import type { MemoryCall, MemoryFault } from "../../src/runtime/memory.ts";
import { Conduct } from "./conduct.ts";
import type { Life } from "./histories.ts";
import type { Oracle } from "./oracle.ts";
import type { Trace } from "./trace.ts";
import { DIRECTORY } from "./workload.ts";

/** What goes wrong in one life. */
export class Weather {
  /** How often the process was stopped in the middle. */
  stops = 0;
  readonly conduct: Conduct;
  readonly #life: Life;
  readonly #trace: Trace | null;
  readonly #counts: Map<string, number> = new Map();

  constructor(life: Life, oracle: Oracle, trace: Trace | null) {
    this.#life = life;
    this.conduct = new Conduct(oracle);
    this.#trace = trace;
  }

  readonly onCall = (call: MemoryCall): MemoryFault | undefined => {
    const arrivals = this.#life.arrivals.filter((arrival) => arrival.call === call.number);
    // Nobody can call the log while it calls the disk, but as soon as it waits.
    if (arrivals.length > 0) queueMicrotask(() => arrivals.forEach(({ length }) => this.conduct.user?.append(length)));
    let fault: MemoryFault | undefined;
    const counts = [this.#count("any"), this.#count(call.name)];
    for (const mishap of this.#life.mishaps) {
      const count = mishap.name === "any" ? counts[0] : mishap.name === call.name ? counts[1] : undefined;
      if (count === mishap.nth && isFair(call, mishap.fault)) fault = { ...fault, ...mishap.fault };
    }
    if (fault?.stop !== undefined) this.stops++;
    this.conduct.onCall(call, fault);
    this.#trace?.call(call, fault);
    return fault;
  };

  readonly onReturn = (call: MemoryCall, error: Error | null): void => {
    this.conduct.onReturn(call, error);
    if (error !== null) this.#trace?.say(`  ${call.number} has failed: ${error.message}`);
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
