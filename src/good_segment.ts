/**
 * Opens a segment that must be good: its header holds, says what its name says, and is this log's.
 *
 * @module
 */

import { WalIoError } from "./errors.ts";
import { type HeaderFault, parseSegmentName } from "./format.ts";
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
  { name, logId, where }: Expected,
  mode: "read" | "write",
): Promise<OpenSegmentFile> {
  const path = place.runtime.join(place.directory, name);
  const opened = await openSegmentFile(place, name, mode).catch((error: unknown) => {
    throw new WalIoError(`open ${path}`, error);
  });
  const fault = "fault" in opened ? faultOf(opened) : mismatchOf(opened, name, logId);
  if (fault === null) return opened as OpenSegmentFile;
  if (!("fault" in opened)) await release(opened.file);
  const evidence = where === "last" ? "name" : "successor";
  return refuse(where, fault, { segment: name, offset: 0, lsn: parseSegmentName(name)?.baseLsn ?? 1, evidence }, path);
}

function faultOf(header: HeaderFault): Fault {
  if (header.fault === "damaged") return { finding: "damaged-header", what: "its header is damaged" };
  if (header.fault === "future") return { finding: "future", what: header.what };
  return { finding: "foreign", what: "it is no segment of a log, though it is named like one" };
}

function mismatchOf({ header }: OpenSegmentFile, name: string, logId: string | null): Fault | null {
  const { id, baseLsn, predecessor } = header;
  if (logId !== null && header.logId !== logId) return { finding: "foreign", what: "it belongs to another log" };
  const named = parseSegmentName(name);
  if (named?.id === id && named.baseLsn === baseLsn && named.predecessorId === predecessor.id) return null;
  return { finding: "damaged-header", what: `the header says segment ${id} with base LSN ${baseLsn}` };
}
