/**
 * What the lines of the bench say, as charts ask for it.
 *
 * @module
 */

import type { Figure, PointLine } from "../harness/point_line.ts";

/** A store that is not the log, in the way in which it is best. */
export interface Peer {
  /** `"lmdb"`, `"better-sqlite3, tuned"`. */
  readonly name: string;
  readonly isTuned: boolean;
  readonly perSecond: number;
}

const RUNTIMES: Readonly<Record<string, string>> = { node: "Node", node24: "Node", deno: "Deno", bun: "Bun" };
/** What was measured on one runtime: the newest line of each point. */
export class Measured {
  /** `"Node 20.20.2"`. */
  readonly title: string;
  readonly #lines: ReadonlyMap<string, PointLine>;

  /** @param lines Of one runtime, at least one; what stands later is newer. */
  constructor(lines: readonly PointLine[]) {
    this.#lines = new Map(lines.map((line) => [line.point, line]));
    const newest = lines.at(-1);
    this.title = newest === undefined ? "" : `${RUNTIMES[newest.runtime] ?? newest.runtime} ${newest.version}`;
  }

  /** The line of a point, where there is one. */
  line(point: string): PointLine | null {
    return this.#lines.get(point) ?? null;
  }

  /** What a contender comes to in a second, or null where that was not measured. */
  perSecond(point: string, contender: string, what: string): number | null {
    const figure = this.#figures(point, what).find((each) => each.contender === contender);
    return figure === undefined ? null : rateOf(figure);
  }

  /** The other stores, each in its best way, in the order in which they were measured. */
  peers(point: string, what: string): Peer[] {
    const line = this.line(point);
    const best = new Map<string, Peer>();
    for (const figure of this.#figures(point, what)) {
      const store = line === null ? null : storeOf(line, figure.contender);
      if (store === null) continue;
      const isTuned = line?.unlimited.includes(figure.contender) ?? false;
      const name = isTuned ? `${store}, tuned` : store;
      const perSecond = rateOf(figure);
      if (perSecond > (best.get(name)?.perSecond ?? 0)) best.set(name, { name, isTuned, perSecond });
    }
    return [...best.values()];
  }

  /** What was not measured stands as null in JSON, and nothing has a place on a logarithmic axis that is 0. */
  #figures(point: string, what: string): Figure[] {
    const figures = this.line(point)?.figures ?? [];
    return figures.filter((figure) => figure.what === what && figure.median > 0);
  }
}

/** What was measured on each runtime, in the order in which the runtimes first stand in the lines. */
export function byRuntime(lines: readonly PointLine[]): Measured[] {
  const runtimes = [...new Set(lines.map(({ runtime }) => runtime))];
  return runtimes.map((runtime) => new Measured(lines.filter((line) => line.runtime === runtime)));
}

function rateOf({ unit, median }: Figure): number {
  return unit === "µs" ? 1e6 / median : median;
}

/** A store may take part in more than one way, which it says behind its name: `"lmdb, blocking, 1,000 a transaction"`. */
function storeOf(line: PointLine, contender: string): string | null {
  const isPeer = Object.keys(line.peers).some((name) => contender === name || contender.startsWith(`${name}, `));
  return isPeer ? contender.split(", ")[0] ?? null : null;
}
