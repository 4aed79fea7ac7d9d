/**
 * What a recovery mode does about damage before a log is recovered: nothing, a refusal, or a mending.
 *
 * @module
 */

import type { OutsideVoucher } from "./behind.ts";
import type { WalError } from "./errors.ts";
import type { Report } from "./event.ts";
import { parseSegmentName } from "./format.ts";
import { mend, type MendingPlan, planCut, planSalvage } from "./mending.ts";
import type { RecoveryMode } from "./options.ts";
import type { Place } from "./segment.ts";
import { Spares } from "./spares.ts";
import { type Flaw, flawsOf, type Survey } from "./survey.ts";
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
  const outcomes = new Set(flaws.map((flaw) => decide({ ...flaw, ending, mode }).outcome));
  if (outcomes.has("cut")) return { refusal: null, plan: planCut(survey) };
  if (!outcomes.has("gap")) return { refusal: null, plan: null };
  const plan = planSalvage(survey);
  // What a crash tore, with nothing good behind it, recovery cuts off as it does in every mode.
  return { refusal: null, plan: flaws.every(isTorn) && plan.sources.length === 0 ? null : plan };
}

function isTorn({ voucher }: Flaw): boolean {
  return voucher === "nothing";
}

/** Carries it out. Resolves to the new names of files that are not part of the log any more. */
export async function carryOut(
  place: Place,
  survey: Survey,
  plan: MendingPlan,
  { names, vouchers, report }: {
    readonly names: readonly string[];
    readonly vouchers: readonly OutsideVoucher[];
    readonly report: Report;
  },
): Promise<string[]> {
  const ids = [...names.map((name) => parseSegmentName(name)?.id ?? 0), ...vouchers.map(({ segmentId }) => segmentId)];
  const spares = new Spares(place, 0, 0, report);
  spares.adopt(names);
  try {
    return await mend(survey, plan, { place, spares, highestId: Math.max(...ids), names });
  } finally {
    await spares.settled();
  }
}
