/**
 * What a repair leaves behind it: a log that is whole, with everything in it that could be kept.
 */

import { Wal, type WalRepair } from "../../mod.ts";
import type { Ground } from "./fuzz_ground.ts";
import { checkEvidence, checkGenuine, checkPrefix, checkSalvaged, readShown, type Shown } from "./fuzz_shown.ts";
import type { Trial } from "./fuzz_trial.ts";
import { DIRECTORY } from "./log_fixture.ts";
import { Violation } from "./oracle.ts";

/** Looks at a log that was repaired, in another process. */
export async function checkBehind(
  what: string,
  done: WalRepair,
  { specimen, bases }: Ground,
  trial: Trial,
): Promise<void> {
  const { value: report, error } = await trial.run(`${what}, verify`, (runtime) => Wal.verify(DIRECTORY, { runtime }));
  if (report === null) throw new Violation(`${what}: afterwards verify rejects: ${error.message}`);
  const { damage: [damage], firstLsn, lastLsn, state } = report;
  if (damage !== undefined) throw new Violation(`${what}: ${done.outcome}, and verify says: ${damage.what}, ${state}`);
  if (firstLsn !== done.firstLsn || lastLsn !== done.lastLsn) {
    throw new Violation(`${what}: ${done.firstLsn} to ${done.lastLsn}, and verify: ${firstLsn} to ${lastLsn}`);
  }
  const shown = await readStrict(what, trial);
  const mends = done.mode === "salvage" || done.mode === "point-in-time";
  checkGenuine(what, shown, specimen, bases, mends);
  for (const lsn of shown.entries.keys()) {
    if (lsn < firstLsn || lsn > lastLsn) {
      throw new Violation(`${what}: LSN ${lsn} is shown, of ${firstLsn} to ${lastLsn}`);
    }
  }
  if (specimen.isForged) return;
  checkEvidence(what, shown, specimen, trial.disk);
  if (specimen.donors.size > 0 || specimen.hasStrangers) return;
  if (done.mode === "salvage") checkSalvaged(what, shown, specimen);
  if (done.mode === "point-in-time") checkPrefix(what, shown, specimen);
}

async function readStrict(what: string, trial: Trial): Promise<Shown> {
  const { value: wal, error } = await trial.run(
    `${what}, open`,
    (runtime) => Wal.open(DIRECTORY, { recovery: "strict", runtime, segmentBytes: 16 * 1024 }),
  );
  if (wal === null) throw new Violation(`${what}: it cannot be opened in strict mode then: ${error.message}`);
  const { value: shown } = await trial.run(`${what}, read`, async () => await readShown(what, wal.readable()));
  if (shown === null || shown.error !== null) {
    throw new Violation(`${what}: and it cannot be read then: ${shown?.error?.message ?? "no stream"}`);
  }
  const { error: failure } = await trial.run(`${what}, close`, () => wal.close());
  if (failure !== null) throw new Violation(`${what}: and it cannot be closed then: ${failure.message}`);
  await trial.checkClosed(what);
  return shown;
}
