/**
 * What a crash tore is evidence: before a file goes, the torn bytes in it are copied aside.
 *
 * @module
 */

import { lookBehind } from "./behind.ts";
import type { Link } from "./chain.ts";
import { isNoRoom } from "./errors.ts";
import type { Report } from "./event.ts";
import { readFooter } from "./footer.ts";
import { HEADER_BYTES, type SegmentHeader, tornName } from "./format.ts";
import { openGoodSegment } from "./good_segment.ts";
import { type OpenSegmentFile, type Place, release } from "./segment.ts";
import type { Spares } from "./spares.ts";

const CHUNK_BYTES = 256 * 1024;

/** A segment that goes, and what of it is not part of the log. */
export interface Leaving {
  readonly name: string;
  readonly logId: string | null;
  /** Where the log leaves it. */
  readonly endOffset: number;
  /** Whether it is known to be a copy whose set was never completed: then it is no evidence of anything. */
  readonly isUnfinished?: (header: SegmentHeader) => boolean;
}

/**
 * Copies the torn bytes of a segment that goes: from where the log leaves it to the end of the last frame behind that whose
 * header is good. Returns the size of the file; the copy is synced by then. Rejects where the file is not this log's, or
 * damaged: that stays.
 */
export async function setTornAside(
  place: Place,
  { name, logId, endOffset: offset, isUnfinished = () => false }: Leaving,
  report: Report,
): Promise<number> {
  const opened = await openGoodSegment(place, { name, logId, where: "earlier" }, "read");
  try {
    if (isUnfinished(opened.header)) return opened.sizeBytes;
    if (await readFooter(opened, offset) !== null) return opened.sizeBytes; // it was sealed: nothing is torn
    const { tornEnd: end } = await lookBehind(opened, offset);
    if (end > offset) {
      const file = await copyAside(place, opened, offset, end);
      report({ type: "set-aside", level: "info", segment: name, offset, bytes: end - offset, file });
    }
    return opened.sizeBytes;
  } finally {
    await release(opened.file);
  }
}

/**
 * Removes failed segments of which nothing is part of the log, in the background: they are evidence, and nobody is to find them in the
 * log. Their frames are set aside; the files go for good, since they are not to be written any more. One that somebody reads
 * stays for now.
 */
export function removeFailed(place: Place, spares: Spares, links: readonly Link[], report: Report): void {
  const names = links.filter(({ pins }) => pins.size === 0).map(({ name }) => name);
  const saved = (name: string): Promise<number> =>
    setTornAside(place, { name, logId: null, endOffset: HEADER_BYTES }, report);
  void spares.free(names, saved, () => true);
}

/** The name of the copy. */
async function copyAside(place: Place, from: OpenSegmentFile, offset: number, end: number): Promise<string> {
  const { runtime, directory } = place;
  const name = tornName(from.header.id, offset);
  const path = runtime.join(directory, name);
  const to = await runtime.open(path, "create-or-write");
  try {
    for (let at = offset; at < end; at += CHUNK_BYTES) {
      const bytes = new Uint8Array(Math.min(CHUNK_BYTES, end - at));
      await from.file.read(bytes, at);
      await to.write(bytes, at - offset);
    }
    await to.syncData();
  } catch (error) {
    await release(to);
    if (isNoRoom(error)) await runtime.unlink(path); // half a copy is none: the file stays until there is room
    throw error;
  }
  await release(to);
  await runtime.syncDirectory(directory);
  return name;
}
