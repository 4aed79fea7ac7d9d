/**
 * What a recovery mode does about damage before a log is recovered: nothing, a refusal, or a mending.
 *
 * @module
 */

import { isNoRoom, WalDiskFullError, type WalError, WalLimitError } from "./errors.ts";
import type { Report } from "./event.ts";
import { isTorn } from "./flaws.ts";
import { MAX_NUMBER, SMALLEST_SEGMENT_BYTES } from "./format.ts";
import { mend, type MendingOptions } from "./mending.ts";
import { countNew, type MendingPlan, planCut, planSalvage } from "./mending_plan.ts";
import type { RecoveryMode } from "./options.ts";
import type { Place } from "./segment.ts";
import { Spares } from "./spares.ts";
import { flawsOf, type Survey } from "./survey.ts";
import { decide, refusalOf } from "./verdict.ts";

/** What a mode makes of a survey. */
export interface Remedy {
  /** Why it does not touch this log; null where it does not refuse. */
  readonly refusal: WalError | null;
  /** What it does; null: recovery alone will do. */
  readonly plan: MendingPlan | null;
}

/** What `mode` makes of a survey. */
export function remedyFor(place: Place, survey: Survey, mode: RecoveryMode): Remedy {
  const flaws = flawsOf(survey);
  const { ending } = survey;
  for (const { where, finding, voucher, segment, offset, firstLsn, what } of flaws) {
    const damage = { segment, offset, lsn: firstLsn, evidence: voucher };
    const path = finding === "missing" ? place.directory : place.runtime.join(place.directory, segment);
    const refusal = refusalOf({ where, finding, ending, mode }, what, damage, path);
    if (refusal !== null) return { refusal, plan: null };
  }
  const plan = planFor(survey, mode);
  if (plan === null || survey.highestId + countNew(plan) <= MAX_NUMBER) return { refusal: null, plan };
  return { refusal: noIdLeft(place, survey), plan: null };
}

/** No log gets so far: something that claims it has was forged, or is damaged. */
function noIdLeft({ directory }: Place, { highestId, segmentNames }: Survey): WalLimitError {
  const named = segmentNames.find(({ id }) => id === highestId);
  const advice = named === undefined
    ? "move the file that was set aside with this id out of the directory, or the lock file whose mark says so"
    : `move ${named.name}, whose name says so, out of the directory`;
  const message =
    `cannot mend the log in ${directory}: segment id ${highestId} has been used, and ${MAX_NUMBER} is the ` +
    `last there is; ${advice}`;
  return new WalLimitError("segmentId", highestId, MAX_NUMBER, message);
}

function planFor(survey: Survey, mode: RecoveryMode): MendingPlan | null {
  const flaws = flawsOf(survey);
  const { ending } = survey;
  const outcomes = new Set(flaws.map((flaw) => decide({ ...flaw, ending, mode }).outcome));
  if (outcomes.has("cut")) return planCut(survey);
  if (!outcomes.has("gap")) return null;
  const plan = planSalvage(survey);
  // What a crash tore, with nothing good behind it, recovery cuts off as it does in every mode.
  return flaws.every(isTorn) && plan.sources.length === 0 ? null : plan;
}

/** The advice where the copies found room, and then a name or a sync did not. */
const BEGUN_ADVICE = "what was done of it is whole; see that there is room, and try again";

/** What is needed to carry out the plan of a remedy. */
export interface CarryingOut extends Omit<MendingOptions, "spares"> {
  readonly report: Report;
}

/** Carries out the plan of a remedy. Resolves to the new names of files that are not part of the log any more. */
export async function carryOut(
  survey: Survey,
  plan: MendingPlan,
  { place, names, report, onProgress }: CarryingOut,
): Promise<string[]> {
  const spares = new Spares(place, SMALLEST_SEGMENT_BYTES, 0, report); // copies are as large as what they hold
  spares.adopt(names);
  try {
    return await mend(survey, plan, { place, spares, names, onProgress });
  } catch (error) {
    if (isNoRoom(error)) throw new WalDiskFullError(`mend the log in ${place.directory}`, error, BEGUN_ADVICE);
    if (!(error instanceof WalDiskFullError)) throw error;
    const neededBytes = plan.copiedBytes + countNew(plan) * SMALLEST_SEGMENT_BYTES;
    const isCutFree = plan.sources.length > 0 && planCut(survey).sources.length === 0;
    const advice = `the log was not changed; see that there is room for ${neededBytes} bytes` +
      (isCutFree ? ", or take the mode point-in-time, which copies nothing" : "");
    throw new WalDiskFullError(`mend the log in ${place.directory}`, error.cause, advice);
  } finally {
    await spares.settled();
  }
}
