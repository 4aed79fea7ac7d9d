/**
 * Somebody in this process who follows a log by batches, from where it ends just now.
 *
 * @module
 */

import type { Wal } from "../../mod.ts";

/** Tells the LSN of the last entry of each batch. The follower ends when what this returns has been called. */
export function startFollower(wal: Wal, seen: (lsn: number) => void): () => Promise<void> {
  const reader = wal.readable({ from: wal.lastLsn + 1, follow: true, batches: true }).getReader();
  const following = (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const last = value.at(-1);
      if (last !== undefined) seen(last.lsn);
    }
  })();
  return async () => {
    await reader.cancel();
    await following;
  };
}
