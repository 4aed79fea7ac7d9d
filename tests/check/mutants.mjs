// Faulty copies of the log, each of which some test must catch: see tests/support/mutants.

import { run, runtimes } from "./process.mjs";
import { failure } from "./result.mjs";

/** Several times what all of them take on a quiet machine. */
const mutantSeconds = 900;

/** @typedef {import("./result.mjs").Result} Result */

/** @returns {Promise<Result>} */
export async function tryMutants() {
  const { code, output } = await run(runtimes.bun, ["run", "tests/support/mutants/main.ts"], {
    seconds: mutantSeconds,
  });
  const [, caught, all] = /^mutants: (\d+) of (\d+) caught/m.exec(output) ?? [];
  if (caught === undefined || all === undefined) return failure(output);
  const failed = Number(all) - Number(caught);
  return { passed: Number(caught), failed: code !== 0 && failed === 0 ? 1 : failed, output, told: output };
}
