/**
 * The log against the floor: how much of what the disk does by itself is left when there is a log. A column a runtime.
 *
 * @module
 */

import { AN_ENTRY, commitWith, FLOOR_IN_TURNS, floorName, STEADY } from "../harness/words.ts";
import { type BarColumn, type BarRow, Bars } from "./bars.ts";
import type { Card } from "./card.ts";
import type { Measured } from "./measured.ts";
import { percent } from "./numbers.ts";

/** The log's figure and that of the floor which does the same. */
interface Comparison {
  readonly label: string;
  readonly point: string;
  readonly what: string;
  readonly log: string;
  readonly floor: string;
  /** Where the floor's figure has another name. */
  readonly floorWhat?: string;
}

const LOG = "walstream";
const [PREPARED, GROWING] = [floorName("prepared"), floorName("growing")];
const MANY = commitWith(1000);

/** The floor that took turns with the log, fifty calls each: from one minute to the next the disk changes by more. */
function inTurns(log: string): Omit<Comparison, "label"> {
  return { point: "serial", what: "p50", log, floor: log, floorWhat: FLOOR_IN_TURNS };
}

const COMPARISONS: readonly Comparison[] = [
  { label: "one caller", ...inTurns(LOG) },
  { label: "one caller, blocking", ...inTurns(`${LOG}, blocking`) },
  { label: "1,000 callers, steady", point: "clients", what: MANY, log: STEADY, floor: PREPARED },
  { label: "1,000 callers, new log", point: "clients", what: MANY, log: LOG, floor: PREPARED },
  { label: "stream, new log", point: "stream", what: AN_ENTRY, log: LOG, floor: GROWING },
  { label: "stream, steady", point: "stream_reuse", what: AN_ENTRY, log: LOG, floor: PREPARED },
  { label: "entries of 64 KiB", point: "large", what: "entries of 64 KiB", log: LOG, floor: GROWING },
  { label: "entries of 1 MiB", point: "large", what: "entries of 1 MiB", log: LOG, floor: GROWING },
];

/** The chart, or null where nothing of it was measured. */
export function drawFloor(runtimes: readonly Measured[]): Card | null {
  const drawn = runtimes.filter((measured) => COMPARISONS.some((each) => shareOf(each, measured) !== null));
  const points = new Set(COMPARISONS.map(({ point }) => point));
  const lines = drawn.flatMap((measured) => [...points].flatMap((point) => measured.line(point) ?? []));
  if (lines.length === 0) return null;
  const columns = drawn.map(({ title }): BarColumn => ({ title, format: percent }));
  const rows = COMPARISONS.map((each): BarRow => ({
    label: each.label,
    role: "log",
    values: drawn.map((measured) => shareOf(each, measured)),
  })).filter(({ values }) => values.some((value) => value !== null));
  return {
    name: "floor",
    title: "How near to the disk: the log's speed by that of the floor",
    subtitle:
      "Longer is better. The line is the floor: the same bytes written and synced on the calling thread, with no format " +
      "and nobody to wake. For callers and steady, where files are used again, its file is prepared; else it grows one.",
    ...new Bars(columns, [{ title: "", floors: drawn.map(() => 1), rows }]).draw(),
    lines,
  };
}

function shareOf({ point, what, log, floor, floorWhat = what }: Comparison, measured: Measured): number | null {
  const [ours, floors] = [measured.perSecond(point, log, what), measured.perSecond(point, floor, floorWhat)];
  return ours === null || floors === null ? null : ours / floors;
}
