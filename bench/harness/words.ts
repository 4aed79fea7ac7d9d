/**
 * The words of contenders and figures that are asked for elsewhere: by limits of the same point, and by charts.
 *
 * @module
 */

import type { FileKind } from "./synced_file.ts";

/** The log whose files are used again. */
export const STEADY = "walstream, steady";

/** A floor. @param way Where the same kind of file takes part in more than one way. */
export function floorName(kind: FileKind, way?: string): string {
  return way === undefined ? `floor, ${kind}` : `floor, ${kind}, ${way}`;
}

/** Of the streams: the time of one. */
export const AN_ENTRY = "an entry";

/** Of `serial`: the p50 of the prepared floor that took turns with the log. */
export const FLOOR_IN_TURNS = "p50 of the floor, in turns";

/** `1 caller`, `10,000 callers`. */
export function callersText(callers: number): string {
  return callers === 1 ? "1 caller" : `${callers.toLocaleString("en")} callers`;
}

/** Of `clients`: the time of a commit. */
export function commitWith(callers: number): string {
  return `a commit, ${callersText(callers)}`;
}
