/**
 * Makes a history that breaks a promise as small as can be while it still breaks it.
 */

import type { History } from "./histories.ts";
import { aimedElsewhere, simplerHistories } from "./simpler.ts";

/** What a shrinking came to. */
export interface Shrunk {
  readonly history: History;
  /** How many histories were tried. */
  readonly tries: number;
  readonly elapsedMs: number;
}

/** The same for violations of the same kind: what it says without the numbers in it. */
export function kindOfFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [first = ""] = message.split(/; |\n/);
  return first.replaceAll(/\d+/g, "N").replaceAll(/(<N>)+/g, "<N>").slice(0, 120);
}

/**
 * Tries simpler histories until none breaks the same promise any more, or the time is over. `failureOf` resolves to the kind of
 * what a history breaks, or to null.
 */
export async function shrink(
  history: History,
  failureOf: (history: History) => Promise<string | null>,
  mostMs: number,
): Promise<Shrunk> {
  const startMs = performance.now();
  const isLate = (): boolean => performance.now() - startMs > mostMs;
  const kind = await failureOf(history);
  const tried = new Set<string>();
  const fails = async (candidate: History): Promise<boolean> => {
    const key = JSON.stringify(candidate);
    if (tried.has(key)) return false;
    tried.add(key);
    return await failureOf(candidate) === kind;
  };
  let smallest = history;
  for (;;) {
    const next = await firstOf(simplerHistories(smallest), fails, isLate) ??
      await firstOf(aimedElsewhere(smallest), fails, isLate); // what happened at a call may happen at an earlier one now
    if (next === null) break;
    smallest = next;
  }
  return { history: smallest, tries: tried.size, elapsedMs: performance.now() - startMs };
}

async function firstOf(
  candidates: Iterable<History>,
  fails: (history: History) => Promise<boolean>,
  isLate: () => boolean,
): Promise<History | null> {
  for (const candidate of candidates) {
    if (isLate()) return null;
    if (await fails(candidate)) return candidate;
  }
  return null;
}
