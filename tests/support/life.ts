/**
 * One life of a log: opened, used, closed.
 */

import { type Wal, WalCorruptionError, WalDiskFullError, WalError } from "../../mod.ts";
import type { MemoryRuntime } from "../../src/runtime/memory.ts";
import { literalOf } from "./literal.ts";
import { type Oracle, Violation } from "./oracle.ts";
import { tolerate } from "./session.ts";
import { type Surroundings, User } from "./user.ts";
import type { Workload } from "./workload.ts";

/** What else is to happen in a life. */
export interface LifeOptions extends Partial<Surroundings> {
  /** Whether errors of the log may have been caused from outside; what cannot be explained otherwise is a violation. */
  readonly isSpoiled?: () => boolean;
  /** Whether the log is closed at the end; it is, if nothing is said. */
  readonly closes?: boolean;
}

const NOBODY: Surroundings = {
  opened: () => Promise.resolve(),
  met: () => {},
  reopening: () => {},
  faults: () => Infinity,
  isSure: () => false,
};

/** One life of a log: opened, used until the steps are done, closed. Errors of the log end the life; violations are thrown. */
export async function live(
  runtime: MemoryRuntime,
  workload: Workload,
  oracle: Oracle,
  { isSpoiled = () => true, closes = true, ...given }: LifeOptions = {},
): Promise<void> {
  let user: User | null = null;
  const met = (newUser: User): void => {
    user = newUser;
    given.met?.(newUser);
  };
  try {
    const last = await takeSteps(runtime, workload, oracle, { ...NOBODY, ...given, met });
    if (closes) await last.close();
  } catch (error) {
    if (!(error instanceof WalError)) throw error;
    if (error instanceof WalCorruptionError) throw new Violation(`nobody had damaged anything: ${error.message}`);
    const isTold = error instanceof WalDiskFullError && hasRejections(user);
    if (!isSpoiled() && !isTold) throw new Violation(`nothing had gone wrong, and yet: ${error.message}`);
  }
}

function hasRejections(user: User | null): boolean {
  return user?.hasRejections ?? false;
}

/** Opens the log and does all steps; while it has failed only what brings it back. Resolves to the last user. */
async function takeSteps(
  runtime: MemoryRuntime,
  { options, steps, reopens = 0 }: Workload,
  oracle: Oracle,
  around: Surroundings,
): Promise<User> {
  const open = (): Promise<User> => User.open({ ...options, runtime }, oracle, around);
  let user = await open();
  for (const step of steps) {
    await bringBack(user, reopens);
    if (user.wal.state !== "open" && !("restart" in step) && !("reopen" in step)) continue;
    oracle.trace?.say(literalOf(step).replaceAll(/\s+/g, " "));
    if ("restart" in step) user = await restart(user, open);
    else if ("reopen" in step) await user.reopen();
    else await user.take(step);
  }
  await bringBack(user, reopens);
  return user;
}

/** Whoever reopens a log that has failed tries again so often. */
async function bringBack(user: User, times: number): Promise<void> {
  for (let time = 0; time < times && user.wal.state === "failed"; time++) await user.reopen();
}

/** A log that has failed is closed as well as it can be, and opened again like any other. */
async function restart(user: User, open: () => Promise<User>): Promise<User> {
  try {
    await user.close();
  } catch (error) {
    if (user.wal.error === null) throw error;
    tolerate(error);
  }
  return await open();
}

/** `waitFor` resolves for what is there, and for nothing else. Of many that are there only a few are tried. */
export async function checkWaits(wal: Wal, oracle: Oracle, seed: number = 0): Promise<void> {
  const { present, skipped } = oracle.lsns();
  const last = present.length - 1;
  const some = [present[0], present[last], present[seed % (last + 1)]].filter((lsn) => lsn !== undefined);
  for (const lsn of new Set(some)) if (lsn >= wal.firstLsn) await wal.waitFor(lsn);
  for (const lsn of [...skipped, wal.lastLsn + 1]) {
    await wal.waitFor(lsn).then(() => {
      throw new Violation(`waitFor resolved for ${lsn}, which is not there`);
    }, tolerate);
  }
}
