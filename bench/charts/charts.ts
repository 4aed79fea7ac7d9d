/**
 * The README's charts, as SVG, from the lines that the bench wrote.
 *
 * @module
 */

import type { PointLine } from "../harness/point_line.ts";
import { drawBulk } from "./bulk.ts";
import { drawCallers } from "./callers.ts";
import { type Card, svgOf } from "./card.ts";
import { drawCommits } from "./commits.ts";
import { drawFloor } from "./floor.ts";
import { byRuntime } from "./measured.ts";

/** The charts that these lines are enough for, by the names of their files. */
export function drawCharts(lines: readonly PointLine[]): Map<string, string> {
  const runtimes = byRuntime(lines);
  const cards = [drawFloor, drawCallers, drawCommits, drawBulk].map((draw) => draw(runtimes));
  return new Map(cards.filter((card): card is Card => card !== null).map((card) => [`${card.name}.svg`, svgOf(card)]));
}
