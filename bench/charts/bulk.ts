/**
 * Entries a second in bulk against the other stores: piped in, and read back.
 *
 * @module
 */

import { AN_ENTRY, floorName } from "../harness/words.ts";
import { type BarColumn, Bars } from "./bars.ts";
import type { Card } from "./card.ts";
import type { Measured } from "./measured.ts";
import { short } from "./numbers.ts";
import { linesOf, type RivalColumn, rivalGroups } from "./rivals.ts";

const POINTS: readonly RivalColumn[] = [
  { point: "stream", what: AN_ENTRY, floor: floorName("growing") },
  { point: "recover", what: "rate", floor: "floor, reading the files" },
];
const COLUMNS: readonly BarColumn[] = ["piped into a new log", "read back from the start"].map((title) => ({
  title: `Entries/s: ${title}`,
  format: short,
}));

/** The chart, or null where nothing of it was measured. */
export function drawBulk(runtimes: readonly Measured[]): Card | null {
  const lines = linesOf(runtimes, POINTS);
  if (lines.length === 0) return null;
  return {
    name: "bulk",
    title: "Entries a second in bulk, beside other stores",
    subtitle:
      "Longer is better. Piped in: until all of it is on the disk; the other stores by transactions of 1,000 or 10,000, " +
      "whichever suits them better. Floor: the disk alone, 512 KiB a sync at the end of a file; or only reading the files. " +
      "Tuned: set and used as few would.",
    ...new Bars(COLUMNS, rivalGroups(runtimes, POINTS, [])).draw(),
    lines,
  };
}
