/**
 * What came together of the readings of a point, and what its limits are held against.
 *
 * @module
 */

import { median } from "./statistics.ts";
import type { Absence, Figure, Target } from "./point_line.ts";

/** Whose median is the best, and what it is. */
export interface Best {
  readonly name: string;
  readonly value: number;
}

/** What has to be known of a contender. */
interface Entrant {
  readonly name: string;
  readonly isPeer?: boolean;
  readonly isTuned?: boolean;
}

/** The figures of a point, to be asked by name. */
export class Figures {
  /** As they stand in the line. */
  readonly all: readonly Figure[];
  readonly #peers: ReadonlySet<string>;
  readonly #tuned: ReadonlySet<string>;
  readonly #isAnyMissed: boolean;

  /** @param contenders All who were to be measured. @param absent Those who could not be. */
  constructor(all: readonly Figure[], contenders: readonly Entrant[], absent: readonly Absence[]) {
    this.all = all;
    this.#peers = namesOf(contenders, ({ isPeer, isTuned }) => isPeer === true && isTuned !== true);
    this.#tuned = namesOf(contenders, ({ isTuned }) => isTuned === true);
    this.#isAnyMissed = absent.some(({ contender, isMissed }) => isMissed && this.#peers.has(contender));
  }

  /** The median, or null where it was not measured. */
  median(contender: string, what: string): number | null {
    return this.#find(contender, what)?.median ?? null;
  }

  /** The one by the other, round by round, and the median of that: a disk that is slow for some rounds is so for both. Or null. */
  medianRatio(contender: string, other: string, what: string): number | null {
    const [ours, theirs] = [this.#find(contender, what)?.rounds ?? [], this.#find(other, what)?.rounds ?? []];
    const ratios = ours.flatMap((value, nth) => ratio(value, theirs[nth] ?? null) ?? []);
    return ratios.length === 0 ? null : median(ratios);
  }

  /** The greatest of all rounds, or null. */
  most(contender: string, what: string): number | null {
    const rounds = this.#find(contender, what)?.rounds ?? [];
    return rounds.length === 0 ? null : Math.max(...rounds);
  }

  /** The best median of the peers that limits are held against; null where there is none, or a better one may be missing. */
  bestPeer(what: string): Best | null {
    return this.#isAnyMissed ? null : this.#best(what, (name) => this.#peers.has(name));
  }

  /** The best median of the others. */
  bestTuned(what: string): Best | null {
    return this.#best(what, (name) => this.#tuned.has(name));
  }

  #best(what: string, counts: (name: string) => boolean): Best | null {
    const found = this.all.filter((figure) => figure.what === what && counts(figure.contender));
    const [best] = found.sort((a, b) => a.better === "lower" ? a.median - b.median : b.median - a.median);
    return best === undefined ? null : { name: best.contender, value: best.median };
  }

  #find(contender: string, what: string): Figure | undefined {
    return this.all.find((figure) => figure.contender === contender && figure.what === what);
  }
}

function namesOf(contenders: readonly Entrant[], counts: (contender: Entrant) => boolean): ReadonlySet<string> {
  return new Set(contenders.filter(counts).map(({ name }) => name));
}

/** A limit that what is measured must not exceed. */
export function atMost(what: string, unit: string, allowed: number | null, measured: number | null): Target {
  const met = allowed === null || measured === null ? null : measured <= allowed;
  return { what, unit, isLimit: true, allowed, measured, met };
}

/** A limit that what is measured must reach. */
export function atLeast(what: string, unit: string, allowed: number | null, measured: number | null): Target {
  const met = allowed === null || measured === null ? null : measured >= allowed;
  return { what, unit, isLimit: true, allowed, measured, met };
}

/** What is told beside the limits and has none. */
export function shown(what: string, unit: string, measured: number | null): Target {
  return { what, unit, isLimit: false, allowed: null, measured, met: null };
}

/** How the log's rate compares with that of the best peer that is tuned, as {@linkcode shown}. */
export function besideTuned(best: Best | null, times: number | null): readonly Target[] {
  return best === null ? [] : [shown(`rate over the best tuned peer's (${best.name})`, "times", times)];
}

/** `a / b`, or null where either is not there. */
export function ratio(a: number | null, b: number | null): number | null {
  return a === null || b === null || b === 0 ? null : a / b;
}

/** `a - b`, or null where either is not there. */
export function difference(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b;
}

/** `a + b`, or null where either is not there. */
export function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
