/**
 * The way from an open log to a closed one.
 *
 * @module
 */

import { isNoRoom } from "./errors.ts";
import { writeLockMark } from "./lock_mark.ts";
import type { OpenedLog } from "./opening.ts";

/** Writes and syncs what was accepted, marks the clean end, and unlocks. Rejects, when all of that is done, with what went wrong. */
export async function closeLog(log: OpenedLog): Promise<void> {
  const { committer, tail, spares, lock } = log;
  await committer.drain();
  // Without room for a mark the next open takes the end for unclean, and loses nothing; a failure is told below.
  await committer.exclusive("mark the end of", () => markEnd(log)).catch(() => {});
  await spares.settled();
  await tail.close();
  await lock.release().catch(() => {}); // a lock of the kernel goes with its descriptor; a numbered one is free when this process has ended
  if (committer.failure !== null) throw committer.failure;
  const untold = committer.takeUntold();
  if (untold !== null) throw untold;
}

async function markEnd({ committer, tail, lock, place }: OpenedLog): Promise<void> {
  const mark = await tail.markEnd(committer.lastLsn);
  if (mark === null) return;
  try {
    await writeLockMark(place, lock.file, mark);
  } catch (error) {
    if (!isNoRoom(error)) throw error; // the mark itself is there: its copy is only a second witness
  }
}
