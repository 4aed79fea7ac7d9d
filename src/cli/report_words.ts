/**
 * What was found in a log, in words for a person.
 *
 * @module
 */

import type { WalDamage, WalReport } from "../../mod.ts";
import { count } from "./table.ts";

const STATES: Readonly<Record<WalReport["state"], string>> = {
  empty: "there is no log in it yet",
  clean: "clean: it was closed, and all of it is whole",
  unclean: "whole; it is open, or was not closed",
  torn: "torn: a crash left a piece at its end that was never acknowledged as synced",
  corrupt: "CORRUPT: there is damage that no crash explains",
};

/** One line for what it is, one for what is in it, and two for each damage. */
export function reportLines(report: WalReport): string[] {
  const { directory, state, damage, setAside } = report;
  return [
    `${directory}: ${STATES[state]}`,
    ...(state === "empty" ? [] : [`  ${contentsOf(report)}`]),
    ...damage.flatMap((each) => damageLines(each)),
    ...(setAside.length === 0 ? [] : [`  kept for you to look at: ${setAside.join(", ")}`]),
  ];
}

/** What to do about it. */
export function hintLines({ state, directory }: WalReport): string[] {
  if (state === "torn") return ["  the next opening cuts it off, and keeps its bytes; so does `walstream repair`"];
  if (state !== "corrupt") return [];
  return [
    "  restore these files from a copy; or see what each mode would keep:",
    `    walstream repair ${directory} --mode salvage --dry-run`,
    `    walstream repair ${directory} --mode point-in-time --dry-run`,
  ];
}

function contentsOf({ entries, segments, bytes, firstLsn, lastLsn }: WalReport): string {
  const entriesText = plural(entries, "entry", "entries");
  const segmentsText = plural(segments.length, "segment", "segments");
  return `${entriesText}, ${lsnRange(firstLsn, lastLsn)}, ${count(bytes)} bytes of frames in ${segmentsText}`;
}

function damageLines({ kind, segment, offset, bytes, firstLsn, lastLsn, evidence, what }: WalDamage): string[] {
  const size = bytes === 0 ? "" : `, ${plural(bytes, "byte", "bytes")}`;
  const lost = firstLsn === 0
    ? "no LSN is known"
    : lastLsn === 0
    ? `LSN ${count(firstLsn)} on`
    : lsnRange(firstLsn, lastLsn);
  const proof = evidence === "nothing" ? "nothing proves that it was ever synced" : `evidence: ${evidence}`;
  return [`  ${kind}: ${segment}, offset ${count(offset)}${size}: ${lost}`, `    ${what}; ${proof}`];
}

/** `LSN 3`, `LSN 3 to 5`, or that there is none. */
export function lsnRange(firstLsn: number, lastLsn: number): string {
  if (lastLsn < firstLsn) return `no LSN from ${count(firstLsn)} on`;
  return lastLsn === firstLsn ? `LSN ${count(firstLsn)}` : `LSN ${count(firstLsn)} to ${count(lastLsn)}`;
}

function plural(value: number, one: string, many: string): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
