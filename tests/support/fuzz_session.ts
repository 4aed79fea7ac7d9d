/**
 * A program that calls a log in all the ways that there are: what it has at hand, and how it takes answers.
 */

import { type Wal, WalError, type WalErrorCode, type WalWritable } from "../../mod.ts";
import type { MemoryRuntime } from "../../src/runtime/memory.ts";
import type { Random } from "../../src/runtime/random.ts";
import { CallModel } from "./fuzz_model.ts";
import { type Maker, Mine, shown } from "./fuzz_values.ts";
import { Violation } from "./oracle.ts";

/** Callbacks within callbacks go so deep. */
const MOST_DEPTH = 3;

/** A stream into the log that is open. */
export interface OpenWriter {
  readonly stream: WalWritable;
  readonly writer: WritableStreamDefaultWriter<unknown>;
  /** It was closed, aborted or released: what follows is the platform's to refuse. */
  hasEnded: boolean;
}

/** What a call came to. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown; readonly code: WalErrorCode | null };

/** How a call is taken. */
export interface Taking {
  /** Whether it must return a promise, and never throw by itself. */
  readonly isAsync?: boolean;
  /** Whether a stream may refuse it as the platform does, mostly by a TypeError. */
  readonly isPlatform?: boolean;
  /** What else it may end in: what an abort was given. */
  readonly reasons?: readonly unknown[];
}

/** See the head of this file. */
export class Session implements Maker {
  readonly wal: Wal;
  readonly runtime: MemoryRuntime;
  readonly random: Random;
  readonly model: CallModel = new CallModel();
  readonly writers: OpenWriter[] = [];
  readonly readers: ReadableStreamDefaultReader<unknown>[] = [];
  /** What aborts were given: streams end in it. */
  readonly reasons: unknown[] = [];
  /** What nobody has waited for yet. */
  readonly #pending: Promise<unknown>[] = [];
  readonly #say: (line: string) => void;
  readonly #seed: number;
  #tags = 0;
  #depth = 0;
  /** What a callback calls; set by the steps. */
  onCallBack: () => void = () => {};
  violation: Violation | null = null;

  constructor(wal: Wal, runtime: MemoryRuntime, random: Random, seed: number, say: (line: string) => void) {
    this.wal = wal;
    this.runtime = runtime;
    this.random = random;
    this.#seed = seed;
    this.#say = say;
  }

  /** A text like no other. */
  tag(): string {
    return `#${this.#seed}-${++this.#tags} `;
  }

  /** The caller's code in the middle of a call: it calls the log again. */
  readonly callBack = (): void => {
    if (this.#depth >= MOST_DEPTH || !this.random.chance(0.5)) return;
    this.#depth++;
    try {
      this.onCallBack();
    } finally {
      this.#depth--;
    }
  };

  /** Makes a call, and hands on what it came to. What is no answer is a {@linkcode Violation}. */
  async take(what: string, call: () => unknown, taking: Taking = {}): Promise<Outcome> {
    let result: unknown;
    try {
      result = call();
    } catch (error) {
      if (taking.isAsync) throw new Violation(`${what}: it throws by itself, and does not reject: ${shown(error)}`);
      return this.#failed(what, error, taking);
    }
    if (taking.isAsync && !(result instanceof Promise)) throw new Violation(`${what}: it returns no promise`);
    try {
      const value = await result;
      this.#say(`${what} -> ${shown(value)}`);
      return { value };
    } catch (error) {
      return this.#failed(what, error, taking);
    }
  }

  #failed(what: string, error: unknown, { isPlatform = false, reasons = [] }: Taking): Outcome {
    this.#say(`${what} !! ${shown(error)}`);
    if (error instanceof WalError) return { error, code: error.code };
    const all = [...this.reasons, ...reasons];
    // Where no reason is given, a signal says this.
    const isUnnamed = all.includes(undefined) && error instanceof DOMException && error.name === "AbortError";
    const isOwn = error instanceof Mine || isUnnamed || all.includes(error);
    if (isOwn || isPlatform && error instanceof Error) return { error, code: null };
    const stack = error instanceof Error ? error.stack : "";
    throw new Violation(`${what}: it ended in what is no WalError: ${shown(error)}\n${stack}`, { cause: error });
  }

  /** Goes on without waiting; {@linkcode settle} waits. */
  later(outcome: Promise<unknown>): void {
    this.#pending.push(outcome.catch((error: unknown) => {
      this.violation ??= error instanceof Violation ? error : new Violation(String(error), { cause: error });
    }));
  }

  /** Waits for all that is under way, and throws what was wrong with it. */
  async settle(): Promise<void> {
    while (this.#pending.length > 0) await Promise.all(this.#pending.splice(0));
    if (this.violation !== null) throw this.violation;
  }
}
