/**
 * Mutants of what "durable" means: who is told what, and when.
 */

import { crashes, type Mutant, tests } from "./mutant.ts";

export const acknowledging: readonly Mutant[] = [
  {
    rule: "2 durable = synced",
    name: "acknowledges before the sync",
    file: "src/levels.ts",
    find: `if (level === "fsync") break;`,
    replace: `if (level === "fsync" && lastLsn > writtenLsn) break;`,
    caughtBy: crashes("first entries of a new log"),
  },
  {
    rule: "2 the pending buffer is taken away before the first await of a flush",
    name: "clears the buffer after the await",
    file: "src/flusher.ts",
    find: `      admission.take();\n`,
    replace: `      admission.ages.taken();\n`,
    also: [{ file: "src/flusher.ts", find: `    pending.drop(frameCount);`, replace: `    pending.clear();` }],
    caughtBy: tests("arrivals", "is written"),
  },
  {
    rule: "3.5 no flush spans two segments",
    name: "forgets with a flush what found no room in its segment",
    file: "src/flusher.ts",
    find: `    pending.drop(frameCount);`,
    replace: `    pending.clear();`,
    caughtBy: tests("arrivals", "what arrives at any microtask of a flush that spans two segments"),
  },
  {
    rule: "2 a flush does what the strongest of its members asks",
    name: "gives a flush the durability of its last member",
    file: "src/settlement.ts",
    find: `return this.#levels.askSync(syncedLsn + 1, writtenLsn);`,
    replace: `return this.#levels.askSync(Math.max(syncedLsn + 1, writtenLsn), writtenLsn);`,
    caughtBy: tests("readable", "where entries of one frame ask for different levels"),
  },
  {
    rule: "2 a flush does what the strongest of its members asks",
    name: "gives a batch the durability of its last entry",
    file: "src/levels.ts",
    find: `strongest = Math.min(strongest, DURABILITIES.indexOf(levelOf(input, level)));`,
    replace: `strongest = DURABILITIES.indexOf(levelOf(input, level));`,
    caughtBy: tests("levels", "a batch asks for what the strongest"),
  },
  {
    rule: "2 at write there is a sync every 64 MiB",
    name: "never syncs at write unless somebody asks",
    file: "src/flusher.ts",
    find: `unsyncedBytes >= SYNC_EVERY_BYTES || `,
    replace: ``,
    caughtBy: tests("committer", "at write there is a sync after each 64 MiB"),
  },
  {
    rule: "2 at none it is written and synced behind, at the latest after a stated time",
    name: "never syncs at none unless somebody asks",
    file: "src/admission.ts",
    find: `if (isAnyLossy) this.#lossAlarm.set(settings.lossMs);`,
    replace: ``,
    caughtBy: crashes("merely accepted"),
  },
  {
    rule: "1 waitFor settles in LSN order",
    name: "settles waits in the order in which they came",
    file: "src/waiters.ts",
    find: `    while (place > this.#first && (waiters[place - 1]?.lsn ?? 0) > waiter.lsn) place--;\n`,
    replace: ``,
    caughtBy: tests("committer", "waits settle in LSN order, in whatever order"),
  },
  {
    rule: "1 readable never shows an entry that can still be lost while the process lives",
    name: "shows readers what is accepted, not what is written",
    file: "src/settlement.ts",
    find: `return Math.min(this.durableLsn, this.#progress.writtenLsn);`,
    replace: `return this.durableLsn;`,
    caughtBy: tests("committer", "a reader at none is shown what the operating system has"),
  },
];
