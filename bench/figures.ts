/**
 * What came together of the readings of a point, and what its limits are held against.
 *
 * @module
 */

import type { Figure, Target } from "./point_line.ts";

/** The figures of a point, to be asked by name. */
export class Figures {
  /** As they stand in the line. */
  readonly all: readonly Figure[];
  readonly #peers: ReadonlySet<string>;

  /** @param peers The names of the contenders that are peers. */
  constructor(all: readonly Figure[], peers: ReadonlySet<string>) {
    this.all = all;
    this.#peers = peers;
  }

  /** The median, or null where it was not measured. */
  median(contender: string, what: string): number | null {
    return this.#find(contender, what)?.median ?? null;
  }

  /** The greatest of all rounds, or null. */
  most(contender: string, what: string): number | null {
    const rounds = this.#find(contender, what)?.rounds ?? [];
    return rounds.length === 0 ? null : Math.max(...rounds);
  }

  /** The best median of all peers, or null where there is none. */
  bestPeer(what: string): { readonly name: string; readonly value: number } | null {
    const found = this.all.filter((figure) => figure.what === what && this.#peers.has(figure.contender));
    const [best] = found.sort((a, b) => a.better === "lower" ? a.median - b.median : b.median - a.median);
    return best === undefined ? null : { name: best.contender, value: best.median };
  }

  #find(contender: string, what: string): Figure | undefined {
    return this.all.find((figure) => figure.contender === contender && figure.what === what);
  }
}

/** A limit that what is measured must not exceed. */
export function atMost(what: string, unit: string, allowed: number | null, measured: number | null): Target {
  return { what, unit, allowed, measured, met: allowed === null || measured === null ? null : measured <= allowed };
}

/** A limit that what is measured must reach. */
export function atLeast(what: string, unit: string, allowed: number | null, measured: number | null): Target {
  return { what, unit, allowed, measured, met: allowed === null || measured === null ? null : measured >= allowed };
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
