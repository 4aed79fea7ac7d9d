/**
 * The way from an open log to a closed one.
 *
 * @module
 */

import { isNoRoom } from "./errors.ts";
import { encodeLockMark } from "./format.ts";
import type { OpenedLog } from "./opening.ts";

/** Writes and syncs what was accepted, marks the clean end, and unlocks. Rejects, when all of that is done, with what went wrong. */
export async function closeLog(log: OpenedLog): Promise<void> {
  const { committer, tail, spares, lock } = log;
  await committer.drain();
  // Where there is no room for a mark the next open takes a closer look; a failure is told below.
  await committer.exclusive("mark the end of", () => markEnd(log)).catch(() => {});
  await spares.settled();
  await tail.close();
  await lock.release().catch(() => {}); // the kernel's goes with the descriptor, a number at the latest with this process
  if (committer.failure !== null) throw committer.failure;
  const untold = committer.takeUntold();
  if (untold !== null) throw untold;
}

async function markEnd({ committer, tail, lock, place }: OpenedLog): Promise<void> {
  const mark = await tail.markEnd(committer.lastLsn);
  if (mark === null) return;
  try {
    await lock.file.write(encodeLockMark(mark, place.crc32), 0);
    await lock.file.syncData();
  } catch (error) {
    if (!isNoRoom(error)) throw error; // the mark itself is there: its copy is only a second witness
  }
}
