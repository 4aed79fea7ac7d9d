/**
 * Logs with spoiled files, through everything that reads or mends them.
 */

import { type RecoveryMode, Wal, type WalRepair, type WalReport } from "../../mod.ts";
import { RECOVERY_MODES } from "../../src/options.ts";
import { Random } from "../../src/runtime/random.ts";
import { bases } from "./fuzz_bases.ts";
import { checkBehind } from "./fuzz_behind.ts";
import { forge } from "./fuzz_forgery.ts";
import { type FuzzedFiles, Ground } from "./fuzz_ground.ts";
import { mutate } from "./fuzz_mutations.ts";
import { openSpecimen } from "./fuzz_open.ts";
import { checkGenuine, readShown } from "./fuzz_shown.ts";
import { Specimen } from "./fuzz_specimen.ts";
import { RejectionWatch } from "./fuzz_trial.ts";
import { DIRECTORY } from "./log_fixture.ts";
import { Violation } from "./oracle.ts";

/** The log of a seed, spoiled as the seed says. */
export async function specimenOf(seed: number): Promise<Specimen> {
  const all = await bases();
  const random = new Random(seed);
  const specimen = new Specimen(random.pick(all));
  const scene = { random, specimen, others: all.filter(({ name }) => name !== specimen.base.name) };
  const isForged = random.chance(0.35);
  for (let left = random.pick([1, 1, 1, 2, 3, 5]); left > 0; left--) {
    if (isForged && random.chance(0.8)) forge(scene);
    else mutate(scene);
  }
  return specimen;
}

/** All that is done with one specimen; each step on a disk of its own. */
async function fuzzOne(ground: Ground): Promise<void> {
  const { random } = ground;
  const report = await verify(ground);
  await read(ground);
  for (const mode of random.shuffle([...RECOVERY_MODES]).slice(0, 2)) await repair(ground, mode);
  await openSpecimen(ground, random.pick(RECOVERY_MODES), report);
}

// -- what only looks

async function verify(ground: Ground): Promise<WalReport | null> {
  const trial = ground.trial();
  const { value, error } = await trial.run("verify", (runtime) => Wal.verify(DIRECTORY, { runtime }));
  ground.say(`verify: ${error?.message ?? JSON.stringify(value)}`);
  await ground.checkUntouched("verify", trial);
  return value;
}

async function read(ground: Ground): Promise<void> {
  const { random, specimen } = ground;
  const { firstLsn, lastLsn } = specimen.base;
  const from = random.pick([undefined, undefined, 0, firstLsn, lastLsn + 1, 2 ** 53 - 1, random.integer(1, 60)]);
  const to = random.pick([undefined, undefined, lastLsn, random.integer(0, 60)]);
  const follow = random.chance(0.2);
  const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), follow };
  const what = `Wal.read ${JSON.stringify(range)}`;
  const trial = ground.trial();
  const { value } = await trial.run(what, async (runtime) => {
    const controller = new AbortController();
    if (follow) runtime.setTimer(() => controller.abort(), 500, true);
    const options = { ...range, batches: random.chance(0.5), runtime, signal: controller.signal };
    return await readShown(what, Wal.read(DIRECTORY, options));
  });
  if (value === null) throw new Violation(`${what}: there is no stream`);
  ground.say(`${what}: ${value.entries.size} entries, ${value.error?.message ?? "to the end"}`);
  checkGenuine(what, value, specimen, ground.bases, false);
  await ground.checkUntouched(what, trial);
}

// -- what mends

async function repair(ground: Ground, mode: RecoveryMode): Promise<void> {
  const told = await dryRun(ground, mode);
  const what = `repair ${mode}`;
  const trial = ground.trial();
  const { value, error } = await trial.run(what, (runtime) => Wal.repair(DIRECTORY, { mode, runtime }));
  ground.say(`${what}: ${error?.message ?? JSON.stringify(value)}`);
  await trial.checkClosed(what);
  ground.fuzzed[value === null ? "rejected" : "answered"]++;
  if (ground.isBarred) return;
  if (value === null) {
    throw new Violation(`${what}: a dry run tells ${told?.outcome}, and it rejects: ${error.message}`);
  }
  if (told === null) throw new Violation(`${what}: ${value.outcome}, and a dry run rejects`);
  checkForetold(what, told, value);
  if (value.outcome === "refused") await ground.checkUntouched(what, trial);
  else await checkBehind(what, value, ground, ground.trial(trial.disk.kill()));
}

async function dryRun(ground: Ground, mode: RecoveryMode): Promise<WalRepair | null> {
  const what = `repair ${mode} dry`;
  const trial = ground.trial();
  const { value, error } = await trial.run(what, (runtime) => Wal.repair(DIRECTORY, { mode, runtime, dryRun: true }));
  ground.say(`${what}: ${error?.message ?? JSON.stringify(value)}`);
  await ground.checkUntouched(what, trial);
  return value;
}

/** What was done is what a dry run has told. */
function checkForetold(what: string, told: WalRepair, done: WalRepair): void {
  for (const key of Object.keys(done) as (keyof WalRepair)[]) {
    const [told1, done1] = [JSON.stringify(told[key]), JSON.stringify(done[key])];
    if (key === "dryRun" || told1 === done1) continue;
    throw new Violation(`${what}: ${done.outcome} with ${key} ${done1}; a dry run tells ${told.outcome} and ${told1}`);
  }
}

/** Spoils logs from one seed on, so many. Rejects at the first that is not answered as it must be. */
export async function fuzzFiles(
  firstSeed: number,
  count: number,
  { say = () => {} }: { say?: (line: string) => void } = {},
): Promise<FuzzedFiles> {
  const counts = { specimens: 0, answered: 0, rejected: 0 };
  const fuzzed: FuzzedFiles = { ...counts, calls: 0, readBytes: 0, elapsedMs: 0 };
  const all = await bases();
  const rejections = new RejectionWatch().start();
  try {
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      const specimen = await specimenOf(seed);
      try {
        await fuzzOne(new Ground(specimen, all, seed, fuzzed, say));
        await rejections.check();
      } catch (error) {
        const what = `${specimen.isForged ? "forged" : "spoiled"}: ${
          error instanceof Error ? error.message : String(error)
        }`;
        throw new Error(`WALSTREAM_FUZZ_SEED=files-${seed}: ${what}\n  ${specimen.describe()}`, { cause: error });
      }
      fuzzed.specimens++;
    }
  } finally {
    rejections.stop();
  }
  return fuzzed;
}
