/**
 * The log and the other stores as groups of bars, one group a runtime: for charts that have a few points beside each other.
 *
 * @module
 */

import type { PointLine } from "../harness/point_line.ts";
import type { BarGroup, BarRow } from "./bars.ts";
import type { Measured } from "./measured.ts";

/** A point as a column. */
export interface RivalColumn {
  readonly point: string;
  /** Which figure of it. */
  readonly what: string;
  readonly floor: string;
}

const LOG = "walstream";

/** The lines that such a chart is drawn of. */
export function linesOf(runtimes: readonly Measured[], columns: readonly RivalColumn[]): PointLine[] {
  return runtimes.flatMap((measured) => columns.flatMap(({ point }) => measured.line(point) ?? []));
}

/** A group for each runtime on which any of the points was measured. @param modes Other ways of the log that are shown. */
export function rivalGroups(
  runtimes: readonly Measured[],
  columns: readonly RivalColumn[],
  modes: readonly string[],
): BarGroup[] {
  return runtimes.filter((measured) => columns.some(({ point }) => measured.line(point) !== null)).map((measured) => ({
    title: measured.title,
    floors: columns.map(({ point, what, floor }) => measured.perSecond(point, floor, what)),
    rows: [
      ...[LOG, ...modes].map((name): BarRow => ({
        label: name,
        role: name === LOG ? "log" : "mode",
        values: columns.map(({ point, what }) => measured.perSecond(point, name, what)),
      })),
      ...peerRows(measured, columns),
    ].filter(({ values }) => values.some((value) => value !== null)),
  }));
}

function peerRows(measured: Measured, columns: readonly RivalColumn[]): BarRow[] {
  const peers = columns.map(({ point, what }) => measured.peers(point, what));
  const names = [...new Set(peers.flat().map(({ name }) => name))];
  return names.map((name) => {
    const found = peers.map((each) => each.find((peer) => peer.name === name));
    return {
      label: name,
      role: found.some((peer) => peer?.isTuned) ? "tuned" : "peer",
      values: found.map((peer) => peer?.perSecond ?? null),
    };
  });
}
