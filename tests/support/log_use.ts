/**
 * What several tests do with a log, many times over or to its end.
 */

import type { EntryInput, Wal } from "../../mod.ts";

/** Accepts the same entry so many times, and then syncs all of it. */
export async function appendAll(wal: Wal, input: EntryInput, count: number): Promise<void> {
  for (let nth = 0; nth < count; nth++) wal.append(input);
  await wal.flush();
}

/** One caller, who awaits each commit before the next. */
export async function commitInTurn(wal: Wal, input: EntryInput, count: number): Promise<void> {
  for (let nth = 0; nth < count; nth++) await wal.commit(input);
}

/** Takes all that comes, and keeps none of it. */
export async function exhaust(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _chunk of stream);
}
