/**
 * Runs catchers on the log beside it, and says of each in a line of JSON what it came to. Started in a copy of the checkout:
 *
 * ```text
 * bun run tests/support/mutants/catching.ts '[{"by":"histories","count":100}]'
 * ```
 */

import process from "node:process";
import type { GatheredTest } from "./gathered_tests.ts";
import type { Answer, Catcher } from "./mutant.ts";

/** An error of these kinds is a slip of the program and no broken promise. */
const SLIPS: readonly string[] = [
  "SyntaxError",
  "TypeError",
  "ReferenceError",
  "RangeError",
  "ResolveMessage",
  "BuildMessage",
];

/** Whether the catcher has anything to run. */
async function run(catcher: Catcher): Promise<boolean> {
  if (catcher.by === "tests") return await runTests(catcher.file, catcher.name);
  if (catcher.by === "histories") {
    const { soak } = await import("../soak.ts");
    return (await soak(1, catcher.count)).histories > 0;
  }
  const { oldSegmentsAsSpares, WORKLOADS } = await import("../workloads.ts");
  const workload = WORKLOADS.find(({ name }) => name === catcher.workload);
  if (workload === undefined) return false;
  const { exploreCrashes, exploreFailures } = await import("../explorer.ts");
  const options = catcher.isPlanted ? { planted: await oldSegmentsAsSpares(), seed: 2 } : {};
  if (catcher.by === "crashes") await exploreCrashes(workload, options);
  else await exploreFailures(workload, catcher.code, options);
  return true;
}

/** The tests of the files that were imported. */
const testsOf = new Map<string, readonly GatheredTest[]>();

async function runTests(file: string, name: string): Promise<boolean> {
  if (!testsOf.has(file)) {
    await import(`../../${file}.test.ts`);
    const { gathered } = await import("./gathered_tests.ts");
    testsOf.set(file, gathered.splice(0));
  }
  const chosen = (testsOf.get(file) ?? []).filter((test) => test.name.includes(name));
  for (const { body } of chosen) await body();
  return chosen.length > 0;
}

/** From what was thrown down to what caused it. */
function chainOf(thrown: unknown): Error[] {
  const chain: Error[] = [];
  for (let error = thrown; error instanceof Error && chain.length < 10; error = error.cause) chain.push(error);
  return chain;
}

/** A broken promise is told by an oracle or an assertion, by an error of the log that nothing explains, or in plain words. */
function judge(thrown: unknown): Answer {
  const chain = chainOf(thrown);
  const slip = chain.find(({ name, constructor }) => SLIPS.includes(name) || SLIPS.includes(constructor.name));
  if (slip !== undefined) return { outcome: "broken", says: `${slip.name}: ${slip.message}` };
  const told = chain.find(({ constructor: { name } }) => ["Violation", "AssertionError"].includes(name)) ??
    chain.find(({ name }) => name.startsWith("Wal")) ?? chain[0];
  if (told === undefined) {
    return { outcome: "broken", says: `something was thrown that is no error: ${String(thrown)}` };
  }
  return { outcome: "failed", says: (told.message || told.name).replaceAll(/\s+/g, " ").trim() };
}

function answer(outcome: Answer): void {
  console.log(JSON.stringify(outcome));
}

let awaited = true;
process.on("beforeExit", () => {
  if (awaited) answer({ outcome: "stuck", says: "nothing goes on any more, and it has not ended" });
});
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (thrown: unknown) => {
    answer(judge(thrown));
    process.exit(1);
  });
}
for (const catcher of JSON.parse(process.argv[2] ?? "[]") as readonly Catcher[]) {
  const found = await run(catcher).catch(judge);
  if (found === true) answer({ outcome: "passed", says: "" });
  else if (found === false) answer({ outcome: "nothing", says: "there is no such test" });
  else answer(found);
}
awaited = false;
process.exit(0); // timers of what was left behind keep nobody
