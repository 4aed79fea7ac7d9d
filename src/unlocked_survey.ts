/**
 * Looking at all of a log without its lock, while somebody else may be writing it: what looks damaged is damaged only if it looks so
 * twice in a row.
 *
 * @module
 */

import type { OutsideVoucher } from "./behind.ts";
import { messageOf, systemCode, WalDirectoryError, WalError, WalIoError } from "./errors.ts";
import { isTorn } from "./flaws.ts";
import { LOCK_NAME } from "./format.ts";
import { readLockMark } from "./lock_mark.ts";
import type { Runtime } from "./runtime/port.ts";
import { type Place, release } from "./segment.ts";
import { flawsOf, type Survey, surveyLog, type WalProgress } from "./survey.ts";

/** So often a log is looked at until two looks in a row agree. */
const MOST_TRIES = 10;

/** A log as it was found. */
export interface UnlockedSurvey {
  readonly place: Place;
  /** What lies in its directory. */
  readonly names: readonly string[];
  readonly survey: Survey;
}

/** What lies in a directory. Rejects where it cannot be looked at. */
export async function listLog(runtime: Runtime, directory: string): Promise<string[]> {
  return await runtime.list(directory).catch((error: unknown) => {
    throw new WalDirectoryError(`cannot look at the log in ${directory}: ${messageOf(error)}`, error);
  });
}

/** Looks at a log until it is known what is damaged. */
export async function surveyUnlocked(place: Place, onProgress: WalProgress): Promise<UnlockedSurvey> {
  let before = "";
  for (let tries = 1;; tries++) {
    try {
      const found = await surveyOnce(place, onProgress);
      const damage = corruptionOf(found.survey);
      if (damage === "" || damage === before) return found;
      if (tries === MOST_TRIES) throw busy(place);
      before = damage;
    } catch (error) {
      const isStale = error instanceof WalError && systemCode(error.cause) === "ENOENT"; // a file was freed
      if (!isStale || error instanceof WalDirectoryError || tries === MOST_TRIES) throw error;
    }
  }
}

async function surveyOnce(place: Place, onProgress: WalProgress): Promise<UnlockedSurvey> {
  const vouchers = await readVouchers(place); // before the files: what it says of them held by then
  const names = await listLog(place.runtime, place.directory);
  return { place, names, survey: await surveyLog(place, names, vouchers, onProgress) };
}

async function readVouchers(place: Place): Promise<OutsideVoucher[]> {
  const { runtime, directory } = place;
  const file = await runtime.open(runtime.join(directory, LOCK_NAME), "read").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return null;
    throw new WalDirectoryError(`cannot read the lock file of ${directory}: ${messageOf(error)}`, error);
  });
  if (file === null) return [];
  try {
    return await readLockMark(place, file);
  } catch (error) {
    throw new WalIoError(`read the lock file of ${directory}`, error);
  } finally {
    await release(file);
  }
}

/** Where it is corrupt, in one word. */
function corruptionOf(survey: Survey): string {
  return flawsOf(survey).filter((flaw) => !isTorn(flaw))
    .map(({ finding, segment, offset, firstLsn }) => `${finding} ${segment} ${offset} ${firstLsn}`).join();
}

function busy({ directory }: Place): WalIoError {
  const cause = new Error(`it changed ${MOST_TRIES} times while it was looked at; try again when less is written`);
  return new WalIoError(`look at the log in ${directory}`, cause);
}
