/**
 * Where a reader without the lock is, and whether what it has passed is still there.
 *
 * Ids and salts do not tell that: an older copy of the same log, put back and written anew, bears the same ones. But what was
 * passed had been synced, and never changes while it is part of the log.
 *
 * @module
 */

import { viewOf } from "./bytes.ts";
import { frameSumOf } from "./format.ts";
import type { ScannedFrame } from "./scan.ts";
import type { OpenSegmentFile } from "./segment.ts";

/** Behind the last frame that a reader has passed, or at its start, if a successor cuts it in the middle. */
export interface Anchor {
  readonly id: number;
  readonly epochId: string;
  readonly offset: number;
  /** The first LSN of the frame at `offset`. */
  readonly lsn: number;
  /** The LSN behind all that it has passed. */
  readonly nextLsn: number;
  /** The last frame that it has passed; null where that is known to be damaged. */
  readonly passed: PassedFrame | null;
}

/** A frame, known again by its checksum. */
interface PassedFrame {
  readonly offset: number;
  readonly sum: number;
}

/** The place of a reader that has passed this frame, as far as `lastLsn`. */
export function anchorBehind({ header }: OpenSegmentFile, frame: ScannedFrame, lastLsn: number): Anchor {
  const { id, epoch } = header;
  const place = lastLsn === frame.lastLsn
    ? { offset: frame.offset + frame.header.lengthBytes, lsn: lastLsn + 1 }
    : { offset: frame.offset, lsn: frame.header.firstLsn };
  const passed = { offset: frame.offset, sum: frameSumOf(frame.view, frame.at) };
  return { id, epochId: epoch.id, ...place, nextLsn: lastLsn + 1, passed };
}

/** Whether a file still holds the last frame that was passed in it: its checksum depends on the segment's salt, too. */
export async function holdsPassed({ file }: OpenSegmentFile, { passed }: Anchor): Promise<boolean> {
  if (passed === null) return true;
  const bytes = new Uint8Array(4);
  return await file.read(bytes, passed.offset) === bytes.length && frameSumOf(viewOf(bytes), 0) === passed.sum;
}
