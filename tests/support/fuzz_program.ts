/**
 * The fuzzers as a program, for as many seeds as it is told; of what it finds it tells the first of each kind:
 *
 * ```text
 * deno run -A tests/support/fuzz_program.ts files 100000 1      which, how many, and the first seed
 * node tests/support/fuzz_program.ts calls 1 4711               one seed, told step by step
 * ```
 */

import process from "node:process";
import { fuzzCalls } from "./fuzz_calls.ts";
import { fuzzFiles } from "./fuzz_files.ts";

/** So often it says where it is. */
const SAY_EVERY_SEEDS = 1000;

const FUZZERS = { files: fuzzFiles, calls: fuzzCalls } as const;

async function main([which = "files", count = "1000", firstSeed = "1"]: readonly string[]): Promise<void> {
  const fuzz = FUZZERS[which as keyof typeof FUZZERS];
  const [first, seeds] = [Number(firstSeed), Number(count)];
  const kinds = new Map<string, { count: number; seed: number }>();
  const startMs = performance.now();
  const costs: Record<string, number> = {};
  for (let seed = first; seed < first + seeds; seed++) {
    if (seed % SAY_EVERY_SEEDS === 0) {
      console.log(`at seed ${seed} after ${seconds(startMs)} s, ${JSON.stringify(costs)}`);
    }
    try {
      const fuzzed = await fuzz(seed, 1, seeds === 1 ? { say: console.log } : {});
      for (const [key, value] of Object.entries(fuzzed)) {
        const isMost = which === "files" && ["calls", "readBytes", "elapsedMs"].includes(key);
        costs[key] = isMost ? Math.max(costs[key] ?? 0, value) : (costs[key] ?? 0) + value;
      }
    } catch (error) {
      if (seeds === 1) throw error;
      const told = error instanceof Error ? error.message : String(error);
      const kind = told.split("\n")[0]?.replaceAll(/[0-9a-f]*\d[0-9a-f]*/g, "N").slice(0, 200) ?? "";
      const known = kinds.get(kind) ?? { count: 0, seed };
      if (known.count++ === 0) console.log(`seed ${seed}: ${told}`);
      kinds.set(kind, known);
    }
  }
  console.log(`${seeds} seeds of ${which} from ${first} in ${seconds(startMs)} s, ${kinds.size} kinds of violations`);
  for (const [kind, { count, seed }] of kinds) console.log(`${count} x ${kind} (seed ${seed})`);
  process.exitCode = kinds.size === 0 ? 0 : 1;
}

function seconds(startMs: number): number {
  return Math.round((performance.now() - startMs) / 1000);
}

await main(process.argv.slice(2));
