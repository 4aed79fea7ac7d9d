/**
 * What a recovery mode does about damage before a log is recovered: nothing, a refusal, or a mending.
 *
 * @module
 */

import { type WalError, WalLimitError } from "./errors.ts";
import type { Report } from "./event.ts";
import type { Flaw } from "./flaws.ts";
import { MAX_NUMBER } from "./format.ts";
import { countNew, mend, type MendingPlan, planCut, planSalvage } from "./mending.ts";
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
  const message =
    `cannot mend the log in ${place.directory}: segment id ${survey.highestId} has been used, and ${MAX_NUMBER} ` +
    "is the last there is; move the file or remove the lock file that says so";
  return { refusal: new WalLimitError("segmentId", survey.highestId, MAX_NUMBER, message), plan: null };
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

function isTorn({ voucher }: Flaw): boolean {
  return voucher === "nothing";
}

/** Carries it out. Resolves to the new names of files that are not part of the log any more. */
export async function carryOut(
  place: Place,
  survey: Survey,
  plan: MendingPlan,
  names: readonly string[],
  report: Report,
): Promise<string[]> {
  const spares = new Spares(place, 0, 0, report);
  spares.adopt(names);
  try {
    return await mend(survey, plan, { place, spares, names });
  } finally {
    await spares.settled();
  }
}
