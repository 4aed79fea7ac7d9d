/**
 * Histories that are a little simpler than a given one, the greatest steps first.
 */

import type { WalOptions } from "../../mod.ts";
import type { MemoryFault } from "../../src/runtime/memory.ts";
import type { History, Life, Mishap } from "./histories.ts";
import type { Step } from "./workload.ts";

/** So far a crash or a fault is moved to an earlier call when steps before it go. */
const MOST_CALLS_EARLIER = 24;

/** Each differs in one thing. */
export function* simplerHistories(history: History): Generator<History> {
  for (const lives of shorter(history.lives)) yield { ...history, lives };
  if (history.hasOldFiles) yield { ...history, hasOldFiles: false };
  if (history.hasShortFiles) yield { ...history, hasShortFiles: false };
  for (const lives of withOneOf(history.lives, simplerLives)) yield { ...history, lives };
}

/** One step less each, and something that happens that much earlier. */
export function* aimedElsewhere(history: History): Generator<History> {
  for (const lives of withOneOf(history.lives, livesAimedElsewhere)) yield { ...history, lives };
}

function* livesAimedElsewhere(life: Life): Generator<Life> {
  const lists = [life.steps, ...shorter(life.steps), ...withOneOf(life.steps, simplerSteps)];
  for (const steps of lists) {
    for (const mishaps of withOneOf(life.mishaps, earlier)) yield { ...life, steps, mishaps };
  }
}

function* earlier(mishap: Mishap): Generator<Mishap> {
  const least = Math.max(1, mishap.nth - MOST_CALLS_EARLIER);
  for (let nth = mishap.nth - 1; nth >= least; nth--) yield { ...mishap, nth };
}

function* simplerLives(life: Life): Generator<Life> {
  for (const steps of shorter(life.steps)) yield { ...life, steps };
  for (const mishaps of shorter(life.mishaps)) yield { ...life, mishaps };
  for (const arrivals of shorter(life.arrivals)) yield { ...life, arrivals };
  if (life.misread !== null) yield { ...life, misread: null };
  if (life.isWatched) yield { ...life, isWatched: false };
  if (life.roomBytes !== Infinity) yield { ...life, roomBytes: Infinity };
  if (life.reopens !== undefined && life.reopens > 0) yield { ...life, reopens: life.reopens - 1 };
  if (life.closes) yield { ...life, closes: false };
  if (life.after !== "kill" && life.after !== "none") yield { ...life, after: "none" };
  for (const options of simplerOptions(life.options)) yield { ...life, options };
  for (const mishaps of withOneOf(life.mishaps, simplerMishaps)) yield { ...life, mishaps };
  for (const steps of withOneOf(life.steps, simplerSteps)) yield { ...life, steps };
  for (const arrivals of withOneOf(life.arrivals, simplerArrivals)) yield { ...life, arrivals };
}

function* simplerArrivals(arrival: Life["arrivals"][number]): Generator<Life["arrivals"][number]> {
  for (const length of simplerNumbers(arrival.length)) yield { ...arrival, length };
}

function* simplerOptions(options: WalOptions): Generator<WalOptions> {
  for (const name of Object.keys(options)) {
    if (name === "lossMs" && options.durability === "none") continue; // without it, it may last longer than anyone waits
    yield Object.fromEntries(Object.entries(options).filter(([each]) => each !== name));
  }
}

function* simplerMishaps(mishap: Mishap): Generator<Mishap> {
  const { code, doneBytes, delayMs, stop } = mishap.fault;
  const withFault = (fault: MemoryFault): Mishap => ({ ...mishap, fault });
  const only = { ...(code === undefined ? {} : { code }), ...(stop === undefined ? {} : { stop }) };
  if (doneBytes !== undefined || delayMs !== undefined) yield withFault(only);
  if (doneBytes !== undefined && doneBytes > 0) yield withFault({ ...mishap.fault, doneBytes: 0 });
  if (code !== undefined && code !== "EIO") yield withFault({ ...mishap.fault, code: "EIO" });
  if (stop === "after") yield withFault({ ...mishap.fault, stop: "before" });
}

function* simplerSteps(step: Step): Generator<Step> {
  if ("later" in step) {
    yield step.later;
    for (const later of simplerSteps(step.later)) yield { later };
  }
  if ("at" in step) {
    const { at: _at, ...rest } = step;
    yield rest;
  }
  for (const name of ["commit", "append", "stream", "through", "drop", "batch", "appendBatch"] as const) {
    for (const lengths of simplerLengths(step, name)) yield { ...step, [name]: lengths } as Step;
  }
  if ("through" in step) yield { stream: step.through };
  if ("stream" in step || "batch" in step) yield { commit: "stream" in step ? step.stream : step.batch };
  if ("commit" in step) {
    const { commit, ...rest } = step;
    yield { ...rest, append: commit };
  }
  if ("idle" in step && step.idle !== true) yield { idle: true };
  if ("read" in step && step.read !== true) yield { read: true };
}

function* simplerLengths(step: Step, name: string): Generator<readonly number[]> {
  const lengths = (step as Readonly<Record<string, readonly number[] | undefined>>)[name];
  if (lengths === undefined) return;
  for (const fewer of shorter(lengths)) if (fewer.length > 0) yield fewer;
  yield* withOneOf(lengths, simplerNumbers);
}

function* simplerNumbers(number: number): Generator<number> {
  for (const simple of [0, 10, 100, 1000]) if (simple < number) yield simple;
  if (number > 2000) yield Math.floor(number / 2);
}

/** A list without a part of it, the largest parts first. */
function* shorter<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let count = list.length; count > 0; count = Math.floor(count / 2)) {
    for (let from = 0; from < list.length; from += count) {
      yield [...list.slice(0, from), ...list.slice(from + count)];
    }
  }
}

/** A list with another one in the place of one of its members. */
function* withOneOf<T>(list: readonly T[], others: (member: T) => Iterable<T>): Generator<readonly T[]> {
  for (const [nth, member] of list.entries()) {
    for (const other of others(member)) yield list.with(nth, other);
  }
}
