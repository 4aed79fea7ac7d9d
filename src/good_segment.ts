/**
 * Opens a segment that must be good: its header holds, says what its name says, and is this log's.
 *
 * @module
 */

import { WalError, type WalEvidence, WalIoError } from "./errors.ts";
import { DAMAGED_HEADER, NO_SEGMENT, OF_ANOTHER_LOG } from "./fault_words.ts";
import { type HeaderFault, parseSegmentName, type SegmentHeader } from "./format.ts";
import { type OpenSegmentFile, openSegmentFile, type Place, release } from "./segment.ts";
import { type Fault, refuse, type Where } from "./verdict.ts";

/** What is known of a segment before its file is opened. */
export interface Expected {
  readonly name: string;
  /** Of which log it must be; null where it is the first that is looked at. */
  readonly logId: string | null;
  /** Whether it is the last one, or one that a successor names. */
  readonly where: Where;
}

/** The open file, or what the decision table says is thrown, and no file is open. */
export async function openGoodSegment(
  place: Place,
  expected: Expected,
  mode: "read" | "write",
): Promise<OpenSegmentFile> {
  const opened = await inspectSegment(place, expected, mode);
  if (!("finding" in opened)) return opened;
  const { name, where } = expected;
  const evidence = evidenceOf(where);
  const damage = { segment: name, offset: 0, lsn: parseSegmentName(name)?.baseLsn ?? 1, evidence };
  return refuse(where, opened, damage, place.runtime.join(place.directory, name));
}

/** What proves that a segment was whole: its own name where it is the last one, else its successor. */
export function evidenceOf(where: Where): WalEvidence {
  return where === "last" ? "name" : "successor";
}

/** The open file, or what is wrong with it, and no file is open. */
export async function inspectSegment(
  place: Place,
  { name, logId }: Pick<Expected, "name" | "logId">,
  mode: "read" | "write",
): Promise<OpenSegmentFile | Fault> {
  const opened = await openSegmentFile(place, name, mode).catch((error: unknown) => {
    throw new WalIoError(`open ${place.runtime.join(place.directory, name)}`, error);
  });
  if ("fault" in opened) return faultOf(opened);
  const fault = mismatchOf(opened, name, logId);
  if (fault === null) return opened;
  await release(opened.file);
  return fault;
}

/** What `look` finds in a segment, of whatever log; null where it cannot be used. */
export async function lookInto<T>(
  place: Place,
  name: string,
  look: (opened: OpenSegmentFile) => T | Promise<T>,
): Promise<T | null> {
  const opened = await inspectSegment(place, { name, logId: null }, "read");
  if ("finding" in opened) return null;
  try {
    return await look(opened);
  } catch (error) {
    throw error instanceof WalError ? error : new WalIoError(`read ${name}`, error);
  } finally {
    await release(opened.file);
  }
}

/** The header of a segment, of whatever log; null where it cannot be used. */
export async function readHeader(place: Place, name: string): Promise<SegmentHeader | null> {
  return await lookInto(place, name, ({ header }) => header);
}

function faultOf(header: HeaderFault): Fault {
  if (header.fault === "damaged") return { finding: "damaged-header", what: DAMAGED_HEADER };
  if (header.fault === "future") return { finding: "future", what: header.what };
  return { finding: "no-segment", what: NO_SEGMENT };
}

function mismatchOf({ header }: OpenSegmentFile, name: string, logId: string | null): Fault | null {
  const { id, baseLsn, predecessor } = header;
  if (logId !== null && header.logId !== logId) return { finding: "foreign", what: OF_ANOTHER_LOG };
  const named = parseSegmentName(name);
  if (named?.id === id && named.baseLsn === baseLsn && named.predecessorId === predecessor.id) return null;
  const what = `its name is wrong: the header says segment ${id} behind ${predecessor.id}, with base LSN ${baseLsn}`;
  return { finding: "damaged-header", what, header };
}
