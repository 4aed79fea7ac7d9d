/**
 * The copy of a log's last mark that stands in its lock file: a second witness of how far the log had come when it was closed.
 *
 * @module
 */

import type { OutsideVoucher } from "./behind.ts";
import { decodeLockMark, encodeLockMark, LOCK_MARK_BYTES, type LockMark, MAX_NUMBER } from "./format.ts";
import type { RuntimeFile } from "./runtime/port.ts";
import type { Place } from "./segment.ts";

/** What the lock file says of the last clean end. */
export async function readLockMark({ crc32 }: Place, lockFile: RuntimeFile): Promise<OutsideVoucher[]> {
  const bytes = new Uint8Array(LOCK_MARK_BYTES);
  await lockFile.read(bytes, 0); // what a short file lacks reads as zeros, as it will once an owner has written his name behind the mark
  const mark = decodeLockMark(bytes, crc32);
  // A mark at the highest LSN there is cannot be true: nothing could ever be appended behind it.
  return mark === null || mark.lsn >= MAX_NUMBER ? [] : [{ evidence: "lock-mark", ...mark }];
}

/** Writes it, and resolves when it is there after a power loss. */
export async function writeLockMark({ crc32 }: Place, lockFile: RuntimeFile, mark: LockMark): Promise<void> {
  await lockFile.write(encodeLockMark(mark, crc32), 0);
  await lockFile.syncData();
}
