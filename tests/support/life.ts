/**
 * One life of a log: opened, used, closed.
 */

import { type Wal, WalDiskFullError, WalError } from "../../mod.ts";
import type { MemoryRuntime } from "../../src/runtime/memory.ts";
import { type Oracle, Violation } from "./oracle.ts";
import { tolerate, User } from "./user.ts";
import type { Workload } from "./workload.ts";

/** What else is to happen in a life. */
export interface LifeOptions {
  /** Called with each log that is opened, before anything is done with it. */
  readonly opened?: (wal: Wal) => Promise<void>;
  /** Told of the user when there is one. */
  readonly met?: (user: User) => void;
  /** Whether errors of the log may have been caused from outside; what cannot be explained otherwise is a violation. */
  readonly isSpoiled?: () => boolean;
  /** Whether the log is closed at the end; it is, if nothing is said. */
  readonly closes?: boolean;
}

/** One life of a log: opened, used until the steps are done, closed. Errors of the log end the life; violations are thrown. */
export async function live(
  runtime: MemoryRuntime,
  workload: Workload,
  oracle: Oracle,
  { opened = () => Promise.resolve(), met = () => {}, isSpoiled = () => true, closes = true }: LifeOptions = {},
): Promise<void> {
  const options = { ...workload.options, runtime };
  let user: User | null = null;
  try {
    user = await User.open(options, oracle, opened, met);
    for (const step of workload.steps) {
      if (user.wal.state !== "open") break;
      if ("reopen" in step) {
        await user.close();
        user = await User.open(options, oracle, opened, met);
      } else await user.take(step);
    }
    if (closes) await user.close();
  } catch (error) {
    if (!(error instanceof WalError)) throw error;
    const isTold = error instanceof WalDiskFullError && (user?.hasRejections ?? false);
    if (!isSpoiled() && !isTold) throw new Violation(`nothing had gone wrong, and yet: ${error.message}`);
  }
}

/** `waitFor` resolves for what is there, and for nothing else. */
export async function checkWaits(wal: Wal, oracle: Oracle): Promise<void> {
  const { present, skipped } = oracle.lsns();
  for (const lsn of present) if (lsn >= wal.firstLsn) await wal.waitFor(lsn);
  for (const lsn of [...skipped, wal.lastLsn + 1]) {
    await wal.waitFor(lsn).then(() => {
      throw new Violation(`waitFor resolved for ${lsn}, which is not there`);
    }, tolerate);
  }
}
