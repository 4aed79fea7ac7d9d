/**
 * What was found in a log, in words for a person.
 *
 * @module
 */

import type { WalDamage, WalReport } from "../../mod.ts";
import { count } from "./table.ts";

/** Of more names than that only the first and the last are told. */
const MOST_NAMES = 8;

const STATES: Readonly<Record<WalReport["state"], string>> = {
  empty: "there is no log in it yet",
  clean: "clean: it was closed, and all of it is whole",
  unclean: "whole; it is open, or was not closed",
  torn: "torn: a crash left a piece at its end, and nothing proves that it was ever synced",
  corrupt: "CORRUPT: there is damage that no crash explains",
};

/** One line for what it is, one for what is in it, and two for each damage. */
export function reportLines(report: WalReport): string[] {
  const { directory, state, damage, setAside } = report;
  return [
    `${directory}: ${STATES[state]}`,
    ...(state === "empty" ? [] : [`  ${contentsOf(report)}`]),
    ...damage.flatMap((each) => damageLines(each)),
    ...asideLines("kept for you to look at, from before", setAside),
  ];
}

/** Files beside the log: by their names where they are few, else from the first to the last. */
export function asideLines(what: string, names: readonly string[]): string[] {
  const [first] = names;
  if (first === undefined) return [];
  const told = names.length <= MOST_NAMES
    ? names.join(", ")
    : `${count(names.length)} files, from ${first} to ${names.at(-1)}`;
  return [`  ${what}: ${told}`];
}

/** How many entries there are, and from where to where. */
export function entriesIn({ entries, firstLsn, lastLsn }: Pick<WalReport, "entries" | "firstLsn" | "lastLsn">): string {
  return `${plural(entries, "entry", "entries")}, ${lsnRange(firstLsn, lastLsn)}`;
}

/** What to do about it. */
export function hintLines({ state, directory }: WalReport): string[] {
  if (state === "torn") {
    return [
      "  opening leaves it out and keeps its bytes; the first append, or `walstream repair`, ends the log before it",
    ];
  }
  if (state !== "corrupt") return [];
  const path = /^[\w@%+=:,./-]+$/.test(directory) ? directory : `'${directory.replaceAll("'", "'\\''")}'`;
  return [
    "  restore these files from a copy; or see what is left where every whole frame is kept, or all before the damage:",
    `    walstream repair ${path} --mode salvage --dry-run`,
    `    walstream repair ${path} --mode point-in-time --dry-run`,
  ];
}

function contentsOf(report: WalReport): string {
  const { segments, bytes } = report;
  return `${entriesIn(report)}, ${count(bytes)} bytes of frames in ${plural(segments.length, "segment", "segments")}`;
}

function damageLines({ kind, segment, offset, bytes, firstLsn, lastLsn, evidence, what }: WalDamage): string[] {
  const size = bytes === 0 ? "" : `, ${plural(bytes, "byte", "bytes")}`;
  const lost = firstLsn === 0
    ? "no LSN is known"
    : lastLsn === 0
    ? `LSN ${count(firstLsn)} on`
    : lastLsn < firstLsn
    ? "no LSN is lost"
    : lsnRange(firstLsn, lastLsn);
  const proof = evidence === "nothing" ? "nothing proves that it was ever synced" : `evidence: ${evidence}`;
  return [`  ${kind}: ${segment}, offset ${count(offset)}${size}: ${lost}`, `    ${what}; ${proof}`];
}

/** `LSN 3`, `LSN 3 to 5`, or that there is none. */
function lsnRange(firstLsn: number, lastLsn: number): string {
  if (lastLsn < firstLsn) return `no LSN from ${count(firstLsn)} on`;
  return lastLsn === firstLsn ? `LSN ${count(firstLsn)}` : `LSN ${count(firstLsn)} to ${count(lastLsn)}`;
}

function plural(value: number, one: string, many: string): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
