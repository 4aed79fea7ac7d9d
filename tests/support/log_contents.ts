import { createHash } from "node:crypto";
import type { Entry, Wal } from "../../mod.ts";

/** Everything that a log shows. */
export async function readAll(wal: Wal): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of wal.readable()) entries.push(entry);
  return entries;
}

/** One text for all that entries hold, so that two processes can compare what they read. */
export function digestOf(entries: readonly Entry[]): string {
  const hash = createHash("sha256");
  for (const { lsn, kind, time, data } of entries) hash.update(`${lsn} ${kind} ${time} ${data.length}\n`).update(data);
  return hash.digest("hex");
}
