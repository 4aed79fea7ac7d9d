/**
 * What each recovery mode must make of what is wrong with a log.
 */

import type { RecoveryMode } from "../../mod.ts";
import type { Expectation, ExpectedFlaw } from "./damage_model.ts";

/** What must come of an opening. */
export interface ExpectedOutcome {
  /** Why it must refuse; null where it must open. */
  readonly refusal: ExpectedFlaw | null;
  /** The first LSN there is then, or will be. */
  readonly firstLsn: number;
  /** The LSNs that must be shown, from the first on. */
  readonly shown: readonly number[];
  /** What must stop who reads on. */
  readonly stop: ExpectedFlaw | null;
  readonly end: "new" | "clean" | "unclean" | "torn" | "mended";
  /** What it must report. */
  readonly told: readonly ExpectedFlaw[];
  /** The last LSN that was found, from this one to that: what is known to be lost may be left out. */
  readonly lastLsn: readonly [number, number];
}

/** What must come of opening in this mode. */
export function outcomeIn(mode: RecoveryMode, expected: Expectation): ExpectedOutcome {
  const { flaws, before, intact, lastLsnBefore, highestLsns } = expected;
  const isCorrupt = flaws.some(({ kind }) => kind === "corrupt");
  if (mode === "strict") return { ...unmended(expected), refusal: flaws[0] ?? null };
  if (mode === "tolerate-tail") return tolerant(expected);
  const refusal = flaws.find(({ finding, isInLast }) => finding === "future" || finding === "foreign" && isInLast) ??
    null;
  const firstLsn = expected.mendedHeadLsn;
  const mended = { refusal, firstLsn, stop: null, end: "mended", told: flaws } as const;
  if (mode === "point-in-time") {
    if (!isCorrupt) return { ...unmended(expected), refusal };
    return { ...mended, shown: before, lastLsn: [lastLsnBefore, lastLsnBefore] };
  }
  if (!isCorrupt && intact.length === before.length) return { ...unmended(expected), refusal };
  return { ...mended, shown: intact, lastLsn: highestLsns };
}

/** What a crash explains is cut off; damage that the opening does not come by stops who reads. */
function tolerant(expected: Expectation): ExpectedOutcome {
  const { flaws, atOpening } = expected;
  const stop = flaws.find(({ kind, isOnTheWay }) => kind === "corrupt" && isOnTheWay) ?? null;
  const told = flaws.filter(({ kind }) => kind === "torn");
  return { ...unmended(expected), refusal: atOpening, told, stop };
}

function unmended({ flaws, headLsn, onTheWay, endLsn, end }: Expectation): ExpectedOutcome {
  const isTorn = flaws.some(({ kind }) => kind === "torn");
  return {
    refusal: null,
    firstLsn: headLsn,
    shown: onTheWay,
    stop: null,
    end: isTorn ? "torn" : end,
    told: flaws,
    lastLsn: [endLsn, endLsn],
  };
}

/** Whether a crash explains all that is wrong: then, and only then, all goes well for who asks for nothing special. */
export function isExplained(expected: Expectation): boolean {
  const { refusal, stop } = outcomeIn("tolerate-tail", expected);
  return refusal === null && stop === null;
}
