/**
 * What stands below a chart: what its figures were measured on, and when.
 *
 * @module
 */

import type { PointLine } from "../harness/point_line.ts";

/** The parts of a caption, for lines that may come from several runtimes, days or machines. */
export function captionOf(lines: readonly PointLine[]): string[] {
  const each = (part: (line: PointLine) => string): string => [...new Set(lines.map(part))].join(" and ");
  return [
    ...(isQuick(lines) ? ["A quick run, whose figures mean nothing"] : []),
    each((line) => `walstream ${line.package}`),
    each(({ machine }) => machine.cpu),
    each(({ machine }) => machine.cores === 1 ? "1 core" : `${machine.cores} cores`),
    each(({ machine }) => machine.kernel),
    `fdatasync of 4 KiB ${between(lines.map(({ disk }) => Math.round(disk.fdatasync.p50Us)))} µs`,
    "entries of 100 bytes unless said",
    lines.every(({ rounds }) => rounds === 1)
      ? "one round"
      : `median of ${between(lines.map(({ rounds }) => rounds))} rounds`,
    between(lines.map(({ at }) => at.slice(0, 10))),
  ];
}

/** Whether any of them means nothing. */
export function isQuick(lines: readonly PointLine[]): boolean {
  return lines.some(({ quick }) => quick);
}

/** `"3"`, or `"3 to 5"`. */
function between(values: readonly (number | string)[]): string {
  const sorted = [...new Set(values)].sort((a, b) => a < b ? -1 : 1);
  const [least, most] = [sorted[0], sorted.at(-1)];
  return least === most ? `${least}` : `${least} to ${most}`;
}
