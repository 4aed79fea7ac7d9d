/**
 * Frames that nobody may ever have synced are written once more, the same bytes in the same place, and synced: the page cache
 * may be lying about them, since a sync that failed in an earlier life has left them in memory, clean, and not on the disk.
 *
 * @module
 */

import type { Run } from "./runs.ts";
import { chunksOf, FrameScanner, type ScannedFrame } from "./scan.ts";
import type { OpenSegmentFile } from "./segment.ts";

/** False where they read differently than before, and then nothing is synced: what the cache has lost meanwhile is gone. */
export async function rewriteFrames(
  { file, checksum }: Pick<OpenSegmentFile, "file" | "checksum">,
  { offset, firstLsn, endOffset }: Pick<Run, "offset" | "firstLsn" | "endOffset">,
): Promise<boolean> {
  const scanner = new FrameScanner(chunksOf(file), checksum, offset, firstLsn, endOffset);
  let run: ScannedFrame[] = [];
  const writeRun = async (): Promise<void> => {
    const [first] = run;
    if (first === undefined) return;
    const lengthBytes = run.reduce((sum, { header }) => sum + header.lengthBytes, 0);
    await file.write(first.bytes.subarray(first.at, first.at + lengthBytes), first.offset);
    run = [];
  };
  for (let frame = scanner.take(); frame !== null || await scanner.more(); frame = scanner.take()) {
    if (frame === null) await writeRun(); // the next frames stand in another buffer
    else run.push(frame);
  }
  await writeRun();
  if (scanner.offset !== endOffset) return false;
  if (endOffset > offset) await file.syncData();
  return true;
}
