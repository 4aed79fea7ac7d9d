/**
 * What goes wrong on a disk in memory, said in words: `faults().fail("syncData", { path: /\.wal$/ }).stopAt(17)`.
 *
 * @module
 */
import type { MemoryCall, MemoryCallName, MemoryFault } from "../../src/runtime/memory.ts";

/** Which calls of a name are meant; all of them, if nothing is said. */
export interface Where {
  /** Its path, or what that looks like. Of a rename or link either of the two. */
  readonly path?: string | RegExp;
  /** Whether the caller waits for it. */
  readonly blocking?: boolean;
}

/** Which of those calls it is, counted from the moment when the plan is told; the next one, if nothing is said. */
export interface Which extends Where {
  readonly nth?: number;
}

/** A failure, and how many calls it meets from the first one on. */
export interface Failure extends Which {
  /** `EIO` if nothing is said. */
  readonly code?: string;
  /** 1 if nothing is said; `Infinity` is a disk that has broken for good. */
  readonly times?: number;
}

interface Rule {
  readonly meets: (call: MemoryCall) => boolean;
  readonly first: number;
  readonly last: number;
  readonly fault: (call: MemoryCall) => MemoryFault | undefined;
  met: number;
}

/**
 * A plan of faults. Hand its `onCall` to a MemoryRuntime; it may be told more at any time. Where several faults meet one call,
 * the one told last wins what they disagree about. A plan counts the calls of one process: a new process takes a new plan.
 */
export class FaultPlan {
  readonly #rules: Rule[] = [];
  readonly #calls: MemoryCall[] = [];

  /** For the option of the same name. */
  readonly onCall = (call: MemoryCall): MemoryFault | undefined => {
    this.#calls.push(call);
    let fault: MemoryFault | undefined;
    for (const rule of this.#rules) {
      if (!rule.meets(call) || ++rule.met < rule.first || rule.met > rule.last) continue;
      const more = rule.fault(call);
      fault = fault === undefined || more === undefined ? more ?? fault : { ...fault, ...more };
    }
    return fault;
  };

  /** The calls so far, in their order. */
  get calls(): readonly MemoryCall[] {
    return this.#calls;
  }

  /** How many calls there were so far. */
  countCalls(name?: MemoryCallName, where: Where = {}): number {
    return this.#calls.filter((call) => (name === undefined || call.name === name) && isAt(call, where)).length;
  }

  /** The call of this number fails. */
  failAt(number: number, code = "EIO"): this {
    return this.#add((call) => call.number === number, 1, 1, () => ({ code }));
  }

  /** A call of this name fails. */
  fail(name: MemoryCallName, { nth = 1, times = 1, code = "EIO", ...where }: Failure = {}): this {
    return this.#add(named(name, where), nth, nth + times - 1, () => ({ code }));
  }

  /** The process stops at the call of this number: before its effect, or after it and before it returns. */
  stopAt(number: number, stop: "before" | "after" = "before"): this {
    return this.#add((call) => call.number === number, 1, 1, () => ({ stop }));
  }

  /** The process stops at a call of this name. */
  stop(name: MemoryCallName, stop: "before" | "after", { nth = 1, ...where }: Which = {}): this {
    return this.#add(named(name, where), nth, nth, () => ({ stop }));
  }

  /** The process stops inside of a write, when so many bytes of it are done. */
  stopInWrite(doneBytes: number, { nth = 1, ...where }: Which = {}): this {
    return this.#add(named("write", where), nth, nth, () => ({ stop: "after", doneBytes }));
  }

  /** A write comes to an end after so many bytes. */
  shortWrite(nth: number, doneBytes: number, code = "ENOSPC", where: Where = {}): this {
    return this.#add(named("write", where), nth, nth, () => ({ code, doneBytes }));
  }

  /** Every call of this name takes so long, from now on. */
  slow(name: MemoryCallName, delayMs: number, where: Where = {}): this {
    return this.#add(named(name, where), 1, Infinity, () => ({ delayMs }));
  }

  /** Every read that covers this byte of a file gets it with one bit turned over; on the disk it is as it was. */
  misread(path: string | RegExp, byteOffset: number, bit = 0): this {
    const covers = (call: MemoryCall): boolean =>
      call.name === "read" && isAt(call, { path }) && call.position <= byteOffset &&
      byteOffset < call.position + call.length;
    return this.#add(covers, 1, Infinity, (call) => ({ flipBits: [(byteOffset - call.position) * 8 + bit] }));
  }

  /** The test's own code at every call from now on, when it is made and has had no effect yet. */
  onEvery(callback: (call: MemoryCall) => MemoryFault | undefined): this {
    return this.#add(() => true, 1, Infinity, callback);
  }

  /** From now on nothing goes wrong. */
  clear(): this {
    this.#rules.length = 0;
    return this;
  }

  #add(meets: Rule["meets"], first: number, last: number, fault: Rule["fault"]): this {
    this.#rules.push({ meets, first, last, fault, met: 0 });
    return this;
  }
}

/** A plan in which nothing goes wrong yet. */
export function faults(): FaultPlan {
  return new FaultPlan();
}

function named(name: MemoryCallName, where: Where): (call: MemoryCall) => boolean {
  return (call) => call.name === name && isAt(call, where);
}

function isAt(call: MemoryCall, { path, blocking }: Where): boolean {
  if (blocking !== undefined && call.blocking !== blocking) return false;
  if (path === undefined) return true;
  const paths = call.to === null ? [call.path] : [call.path, call.to];
  return paths.some((each) => typeof path === "string" ? each === path : path.test(each));
}
