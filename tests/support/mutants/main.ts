/**
 * Tries every mutant, two at a time, and prints who has caught it: `npm test -- --on mutants`. By Bun alone, the quickest to start
 * on sources as they are: which test sees which fault is a matter of the log and of its tests, and the same on each runtime.
 *
 * ```text
 * bun run tests/support/mutants/main.ts           all
 * bun run tests/support/mutants/main.ts rotation  only those with this in their rule, name or file
 * ```
 */

import process from "node:process";
import { mutants } from "./all.ts";
import { type Catcher, type Mutant, nameOf } from "./mutant.ts";
import { Bench } from "./workshop.ts";

const AT_ONCE = 2;
/** So many catchers are tried on the log as it is by one child. */
const CATCHERS_A_CHILD = 6;

/** What became of a mutant. */
interface Verdict {
  readonly mutant: Mutant;
  readonly isCaught: boolean;
  readonly says: string;
  readonly ms: number;
}

type Job = (bench: Bench) => Promise<void>;

const wanted = process.argv[2] ?? "";
const chosen = mutants.filter(({ rule, name, file }) => `${rule} ${name} ${file}`.includes(wanted));
const verdicts = new Map<Mutant, Verdict>();
const complaints: string[] = [];
const startMs = performance.now();

await runJobs([...catcherJobs(), ...chosen.map((mutant): Job => (bench) => tryMutant(mutant, bench))]);
printTable(chosen.flatMap((mutant) => verdicts.get(mutant) ?? []));
for (const complaint of complaints) console.log(complaint);
const caught = [...verdicts.values()].filter(({ isCaught }) => isCaught).length;
console.log(`mutants: ${caught} of ${chosen.length} caught in ${Math.round((performance.now() - startMs) / 1000)} s`);
process.exitCode = caught === chosen.length && caught > 0 && complaints.length === 0 ? 0 : 1;

async function runJobs(jobs: readonly Job[]): Promise<void> {
  const left = [...jobs];
  const work = async (): Promise<void> => {
    const bench = await Bench.make();
    try {
      for (let job = left.shift(); job !== undefined; job = left.shift()) await job(bench);
    } finally {
      await bench.remove();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** A catcher that fails where nothing is wrong catches nothing: each is tried once on the log as it is. */
function catcherJobs(): Job[] {
  const catchers = [...new Map(chosen.map(({ caughtBy }) => [nameOf(caughtBy), caughtBy])).values()];
  catchers.sort((a, b) => nameOf(a).localeCompare(nameOf(b))); // those of one file go to one child
  const jobs: Job[] = [];
  for (let first = 0; first < catchers.length; first += CATCHERS_A_CHILD) {
    const group = catchers.slice(first, first + CATCHERS_A_CHILD);
    jobs.push((bench) => tryCatchers(group, bench));
  }
  return jobs;
}

async function tryCatchers(catchers: readonly Catcher[], bench: Bench): Promise<void> {
  const answers = await bench.tryCatchers(catchers);
  for (const [nth, catcher] of catchers.entries()) {
    const answer = answers[nth];
    if (answer?.outcome === "passed") continue;
    complaints.push(`"${nameOf(catcher)}" proves nothing, since it fails on the log as it is: ${answer?.says}`);
  }
}

async function tryMutant(mutant: Mutant, bench: Bench): Promise<void> {
  const began = performance.now();
  const { outcome, says } = await bench.tryMutant(mutant);
  const isCaught = outcome === "failed" || outcome === "stuck" && mutant.hangs === true;
  verdicts.set(mutant, { mutant, isCaught, says, ms: Math.round(performance.now() - began) });
  if (isCaught) return;
  const what = outcome === "passed" ? "survives" : outcome === "nothing" ? "cannot be tried" : `is ${outcome}`;
  const where = `${mutant.rule}; ${nameOf(mutant.caughtBy)}`;
  complaints.push(`"${mutant.name}" ${what} (${where})${says === "" ? "" : `: ${says}`}`);
}

function printTable(lines: readonly Verdict[]): void {
  const rows = lines.map(({ mutant: { rule, name, caughtBy }, isCaught, says, ms }) => [
    rule.split(" ")[0] ?? "",
    cut(name, 72),
    cut(nameOf(caughtBy), 56),
    isCaught ? cut(says, 64) : "NOT CAUGHT",
    `${ms}`.padStart(6),
  ]);
  const head = ["rule", "a log that …", "is caught by", "which says", "    ms"];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of [head, ...rows]) {
    console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd());
  }
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
