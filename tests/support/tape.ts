/**
 * Takes down what crashes at the calls of a process would leave, while it goes on.
 */

import type { MemoryCall } from "../../src/runtime/memory.ts";
import type { Share } from "./share.ts";
import { changes, NOTHING_KEPT, type Survival, survival, type Used } from "./survivals.ts";
import { DIRECTORY } from "./workload.ts";

/** See the head of this file. Of each call one survival is taken, another kind each time. */
export class Tape {
  readonly survivals: Survival[] = [];
  /** How things stand at the moment. */
  used: Used;
  readonly #seed: number;
  readonly #offset: number;
  #stride: number;

  /** @param share Of which calls; a stride of Infinity: of none. */
  constructor(used: Used, seed: number, { stride, offset }: Share) {
    this.used = used;
    this.#seed = seed;
    this.#stride = stride;
    this.#offset = seed + offset;
  }

  readonly onCall = (call: MemoryCall): void => {
    if ((call.number + this.#offset) % this.#stride !== 0 || !changes(call) || isOwnerRecord(call)) return;
    // It is under way then, and may have its effect, a part of it, or none.
    const seed = this.#seed + call.number;
    queueMicrotask(() => this.#take(`in call ${call.number}`, seed, seed));
  };

  /** All calls were made: from now on nothing must be lost, and nothing is taken down any more. */
  end(): void {
    this.#take("after the last call", this.#seed, NOTHING_KEPT);
    this.#stride = Infinity;
  }

  /** What a crash would leave at this moment. */
  #take(moment: string, seed: number, nth: number): void {
    const taken = survival(this.used, seed, nth);
    this.survivals.push({ ...taken, name: `${taken.name} ${moment}` });
  }
}

/** Who had the lock matters to nobody who gets it. */
function isOwnerRecord({ name, path, position }: MemoryCall): boolean {
  return name === "write" && path === `${DIRECTORY}/lock` && position === 512;
}
