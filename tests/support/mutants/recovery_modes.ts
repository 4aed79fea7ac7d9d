/**
 * Mutants of section 4: the recovery modes, and what they keep.
 */

import { type Mutant, tests } from "./mutant.ts";

export const recoveryModes: readonly Mutant[] = [
  {
    rule: "4 strict: any damage refuses",
    name: "takes a torn tail in strict mode",
    file: "src/verdict.ts",
    find: `mode: ["tolerate-tail", "point-in-time"],`,
    replace: `mode: ["tolerate-tail", "point-in-time", "strict"],`,
    caughtBy: tests("recovery_modes", "a torn tail: strict refuses"),
  },
  {
    rule: "4 point-in-time: end at the first damage",
    name: "goes on behind the first damage in point-in-time mode",
    file: "src/verdict.ts",
    find: `{ mode: ["point-in-time"], outcome: "cut",`,
    replace: `{ mode: ["point-in-time"], outcome: "gap",`,
    caughtBy: tests("recovery_modes", "a bit in an earlier segment"),
  },
  {
    rule: "4 salvage: every frame that checks",
    name: "salvages only what lies before the damage",
    file: "src/verdict.ts",
    find: `{ mode: ["salvage"], outcome: "gap",`,
    replace: `{ mode: ["salvage"], outcome: "cut",`,
    caughtBy: tests("recovery_modes", "a bit in an earlier segment"),
  },
  {
    rule: "4 salvage: gaps reported; 3.6 a gap only where a skip says so",
    name: "salvages without a skip for what is lost",
    file: "src/mending.ts",
    find: `if (lastLsn > writtenLsn) await writer.put(skipOf(`,
    replace: `if (lastLsn > Infinity) await writer.put(skipOf(`,
    caughtBy: tests("recovery_modes", "a bit in an earlier segment"),
  },
  {
    rule: "4 salvage: LSNs that were lost are not given again",
    name: "gives LSNs that it could not salvage out again",
    file: "src/mending.ts",
    find: `sources.filter(({ runs }) => runs.length > 0), lostLsn);`,
    replace: `sources.filter(({ runs }) => runs.length > 0), 0 * lostLsn);`,
    caughtBy: tests("recovery_modes", "the last segment has vanished, as the lock file remembers"),
  },
  {
    rule: "4 no mode destroys evidence",
    name: "removes what it has replaced",
    file: "src/mending.ts",
    find: `await runtime.rename(runtime.join(directory, name), runtime.join(directory, aside[nth]`,
    replace: `await runtime.unlink(runtime.join(directory, name), runtime.join(directory, aside[nth]`,
    caughtBy: tests("repair", "no byte of what was put out of the log"),
  },
  {
    rule: "4 no mode destroys evidence",
    name: "sets a file aside over one that was set aside before",
    file: "src/mending.ts",
    find: `for (let nth = 2; taken.has(to); nth++) to =`,
    replace: `for (let nth = 2; nth < 2; nth++) to =`,
    caughtBy: tests("come_back", "what was set aside once is not written over"),
  },
  {
    rule: "3.2 a segment of an incomplete set does not exist",
    name: "salvages into segments of which each counts by itself",
    file: "src/mending.ts",
    find: `const setId = plan.sources.length === 0 ? 0 : highestId + plan.sources.length;`,
    replace: `const setId = 0;`,
    caughtBy: tests("recovery_modes", "a salvage that is killed twice"),
  },
  {
    rule: "3.2 a new epoch where history is cut",
    name: "mends a log without beginning a new line of history",
    file: "src/mending.ts",
    find: `  births.beginEpoch(plan.predecessor.lastLsn);\n`,
    replace: ``,
    caughtBy: tests("come_back", "a log is cut at damage and written anew"),
  },
  {
    rule: "4.6 the page cache may be lying about them",
    name: "mends behind frames that it has not written again",
    file: "src/mending.ts",
    find: `  await writeAgain(place, survey, plan);\n`,
    replace: ``,
    caughtBy: tests("recovery_modes", "salvage takes a whole frame behind a torn one"),
  },
];
