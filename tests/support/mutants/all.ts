/**
 * Every mutant, by the sections of the design.
 */

import { acknowledging } from "./acknowledging.ts";
import { failingDisks } from "./failing_disks.ts";
import { frames } from "./frames.ts";
import { locking } from "./locking.ts";
import type { Mutant } from "./mutant.ts";
import { opening } from "./opening.ts";
import { readingElsewhere } from "./reading_elsewhere.ts";
import { recoveryModes } from "./recovery_modes.ts";
import { reopen } from "./reopen.ts";
import { rotatingAndCutting } from "./rotating_and_cutting.ts";
import { segments } from "./segments.ts";

export const mutants: readonly Mutant[] = [
  ...acknowledging,
  ...segments,
  ...frames,
  ...opening,
  ...recoveryModes,
  ...readingElsewhere,
  ...locking,
  ...rotatingAndCutting,
  ...failingDisks,
  ...reopen,
];
