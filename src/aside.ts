/**
 * What a crash tore is evidence: before a file goes, the torn bytes in it are copied aside.
 *
 * @module
 */

import { isNoRoom } from "./errors.ts";
import { readFooter } from "./footer.ts";
import { HEADER_BYTES, tornName } from "./format.ts";
import { openGoodSegment } from "./good_segment.ts";
import { chunksOf, FrameScanner, searchHeaders } from "./scan.ts";
import { type OpenSegmentFile, type Place, release } from "./segment.ts";

const CHUNK_BYTES = 256 * 1024;

/**
 * Copies the torn bytes of a segment that goes: from its first bad frame to the end of the last one behind it whose header is
 * good. Where its successor states that it ends is known, that is where to look. Returns the size of the file; the copy is
 * synced by then. Rejects where the file is not this log's, or damaged: that stays.
 */
export async function setTornAside(
  place: Place,
  { name, logId, endOffset }: { name: string; logId: string | null; endOffset: number | null },
): Promise<number> {
  const opened = await openGoodSegment(place, { name, logId, where: "earlier" }, "read");
  try {
    const offset = endOffset ?? await endOfGoodFrames(opened);
    if (await readFooter(opened, offset) !== null) return opened.sizeBytes; // it was sealed: nothing is torn
    let end = offset;
    for await (const found of searchHeaders(opened.file, opened.checksum, offset, opened.sizeBytes)) {
      end = Math.max(end, Math.min(found.offset + found.header.lengthBytes, opened.sizeBytes));
    }
    if (end > offset) await copyAside(place, opened, offset, end);
    return opened.sizeBytes;
  } finally {
    await release(opened.file);
  }
}

async function endOfGoodFrames({ file, checksum, header, sizeBytes }: OpenSegmentFile): Promise<number> {
  const scanner = new FrameScanner(chunksOf(file), checksum, HEADER_BYTES, header.baseLsn, sizeBytes);
  while (scanner.take() !== null || await scanner.more());
  return scanner.offset;
}

async function copyAside(place: Place, from: OpenSegmentFile, offset: number, end: number): Promise<void> {
  const { runtime, directory } = place;
  const path = runtime.join(directory, tornName(from.header.id, offset));
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
}
