/**
 * How much of an exploration a runtime takes upon itself. The disk and the clock are virtual and the same everywhere; what
 * differs from one runtime to the next is the order of microtasks and the streams. So the quickest one explores everything, and
 * the others divide among them what there is most of.
 */

import process from "node:process";
import { currentRuntime } from "./processes.ts";

/** Every so many, from this one on. */
export interface Share {
  readonly stride: number;
  readonly offset: number;
}

/** Each of them. */
export const EVERYTHING: Share = { stride: 1, offset: 0 };

/** The suites of `npm test`. */
const SUITES = ["deno", "bun", "node20", "node24"] as const;

/** The suite that this runtime runs. */
export const suiteName: typeof SUITES[number] = currentRuntime !== "node"
  ? currentRuntime
  : process.version.startsWith("v20.")
  ? "node20"
  : "node24";

const runtimeNumber: number = SUITES.indexOf(suiteName);

/** What this runtime explores of what there is most of. */
export const share: Share = currentRuntime === "deno" ? EVERYTHING : { stride: 3, offset: runtimeNumber };

/** The first seed of so many that are this runtime's own. */
export function firstSeed(count: number): number {
  return 1 + runtimeNumber * count;
}
