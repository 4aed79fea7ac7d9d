/**
 * Opens a log after crashes of those who wrote to it, and looks whether what they had said is true.
 */

import { Wal } from "../../mod.ts";
import type { Crash } from "./crash.ts";
import type { Submission } from "./crash_entries.ts";
import { Ledger } from "./crash_ledger.ts";
import { readAll } from "./log_contents.ts";
import { quickRuntime } from "./quick_runtime.ts";

/** Opens it; fails unless all that was acknowledged is in it, and nothing that was never submitted. */
export async function openAfterCrashes(
  directory: string,
  crashes: readonly Crash[],
): Promise<{ wal: Wal; found: Submission[] }> {
  const wal = await Wal.open(directory, { runtime: await quickRuntime() });
  const ledger = new Ledger();
  for (const { life, statements } of crashes) ledger.hear(life, statements);
  return { wal, found: ledger.check(await readAll(wal), wal) };
}
