/**
 * Commits a second against the other stores: one after the other, and those of a thousand callers.
 *
 * @module
 */

import { commitWith, floorName, STEADY } from "../harness/words.ts";
import { type BarColumn, Bars } from "./bars.ts";
import type { Card } from "./card.ts";
import type { Measured } from "./measured.ts";
import { short } from "./numbers.ts";
import { linesOf, type RivalColumn, rivalGroups } from "./rivals.ts";

const POINTS: readonly RivalColumn[] = [
  { point: "serial", what: "rate", floor: floorName("prepared") },
  { point: "clients", what: commitWith(1000), floor: floorName("prepared") },
];
const COLUMNS: readonly BarColumn[] = ["one caller", "1,000 callers"].map((title) => ({
  title: `Commits/s: ${title}`,
  format: short,
}));

/** The chart, or null where nothing of it was measured. */
export function drawCommits(runtimes: readonly Measured[]): Card | null {
  const lines = linesOf(runtimes, POINTS);
  if (lines.length === 0) return null;
  return {
    name: "commits",
    title: "Durable commits a second, beside other stores",
    subtitle:
      "Longer is better. Each caller awaits its commit before the next. Floor: the disk alone, as many bytes written into " +
      "a prepared file and synced, with no format. Steady: a log whose files are used again. With 1,000 callers the other " +
      "stores get transactions of 1,000, or their own batching where that is quicker. Tuned: set and used as few would.",
    ...new Bars(COLUMNS, rivalGroups(runtimes, POINTS, [STEADY])).draw(),
    lines,
  };
}
