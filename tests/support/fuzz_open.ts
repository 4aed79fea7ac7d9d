/**
 * Opening a log with spoiled files, and using what was opened: read, append, cut, close, open again.
 */

import { type RecoveryMode, Wal, type WalError, WalLimitError, type WalReport } from "../../mod.ts";
import type { MemoryRuntime } from "../../src/runtime/memory.ts";
import type { Ground } from "./fuzz_ground.ts";
import { checkGenuine, checkKept, checkWhole, readShown, type Shown } from "./fuzz_shown.ts";
import type { Trial } from "./fuzz_trial.ts";
import { DIRECTORY } from "./log_fixture.ts";
import { Violation } from "./oracle.ts";

/** Errors that say that a log is damaged: then nothing may have been changed. */
const REFUSALS: readonly string[] = ["WAL_CORRUPT", "WAL_FORMAT", "WAL_VERSION"];

function open(runtime: MemoryRuntime, recovery: RecoveryMode): Promise<Wal> {
  return Wal.open(DIRECTORY, { recovery, runtime, segmentBytes: 16 * 1024 });
}

/** Opens the specimen in a mode, and uses it where that is answered. */
export async function openSpecimen(ground: Ground, mode: RecoveryMode, report: WalReport | null): Promise<void> {
  const what = `open ${mode}`;
  const trial = ground.trial();
  const { value: wal, error } = await trial.run(what, (runtime) => open(runtime, mode));
  ground.say(`${what}: ${error?.message ?? JSON.stringify(wal?.recovery)}`);
  if (report !== null && !ground.isBarred) compare(what, mode, report, wal);
  if (wal !== null) {
    ground.fuzzed.answered++;
    return await use(ground, what, mode, wal, trial);
  }
  ground.fuzzed.rejected++;
  if (REFUSALS.includes(error.code)) await ground.checkUntouched(what, trial);
  else await trial.checkClosed(what);
}

/** What verify has seen is what open makes of it. */
function compare(what: string, mode: RecoveryMode, report: WalReport, wal: Wal | null): void {
  const isGood = report.damage.length === 0;
  const mustOpen = mode === "strict" ? isGood : report.state !== "corrupt";
  if (mustOpen && wal === null) throw new Violation(`${what}: refused what verify calls ${report.state}`);
  if (mode === "strict" && !isGood && wal !== null) {
    throw new Violation(`${what}: opened what verify calls ${report.state}`);
  }
  if (wal === null || report.state === "corrupt" || mode === "salvage") return;
  const { firstLsn, lastLsn } = wal;
  if (report.firstLsn === firstLsn && report.lastLsn === lastLsn) return;
  throw new Violation(`${what}: ${firstLsn} to ${lastLsn}, and verify: ${report.firstLsn} to ${report.lastLsn}`);
}

async function use(ground: Ground, what: string, mode: RecoveryMode, wal: Wal, trial: Trial): Promise<void> {
  const before = await readAll(ground, what, wal, trial);
  if (before !== null) checkRead(ground, what, mode, before);
  const lsns: number[] = [];
  for (let nth = 0; nth < 3; nth++) {
    const { value, error } = await trial.run(`${what}, commit`, () => wal.commit(`new ${nth}`));
    if (error !== null && !mayRefuse(ground, error)) {
      throw new Violation(`${what}: it takes no entry: ${error.message}`);
    }
    if (value !== null) lsns.push(value);
  }
  if (ground.random.chance(0.2)) await trial.run(`${what}, cut`, () => wal.truncateBefore(wal.lastLsn));
  const { firstLsn } = wal;
  const isClosed = await close(ground, what, wal, trial);
  if (!isClosed) return;
  const again = ground.trial(trial.disk.powerLoss({ keep: "none" }));
  const { value: next, error } = await again.run(`${what}, again`, (runtime) => open(runtime, "tolerate-tail"));
  if (next === null) throw new Violation(`${what}: it was opened and closed well, and then: ${error.message}`);
  const after = await readAll(ground, `${what}, again`, next, again);
  if (before?.error === null && after?.error === null) {
    checkKept(`${what}, again`, before, after, firstLsn);
    const lost = lsns.find((lsn) => lsn >= firstLsn && !after.entries.has(lsn));
    if (lost !== undefined) throw new Violation(`${what}: LSN ${lost} was acknowledged, and is lost`);
  } else if (before?.error === null) {
    throw new Violation(`${what}: it could be read, and then: ${after?.error?.message ?? "no stream"}`);
  }
  await close(ground, `${what}, again`, next, again);
}

/** Whether a log may be kept from working: a directory lies in a file's place, or the last number there is has been used. */
function mayRefuse({ specimen }: Ground, error: WalError): boolean {
  return specimen.directories.size > 0 || error instanceof WalLimitError || error.cause instanceof WalLimitError;
}

/** Null where there is not even a stream. */
async function readAll(ground: Ground, what: string, wal: Wal, trial: Trial): Promise<Shown | null> {
  const batches = ground.random.chance(0.5);
  const { value, error } = await trial.run(`${what}, read`, async () => {
    return await readShown(what, wal.readable({ batches }));
  });
  ground.say(`${what}, read: ${value?.entries.size} entries, ${(value ?? { error })?.error?.message ?? "to the end"}`);
  if (value === null) throw new Violation(`${what}: no stream: ${error.message}`);
  return value;
}

function checkRead({ specimen, bases }: Ground, what: string, mode: RecoveryMode, shown: Shown): void {
  const mends = mode === "salvage" || mode === "point-in-time";
  checkGenuine(what, shown, specimen, bases, mends);
  if (shown.error !== null && mode !== "tolerate-tail") {
    throw new Violation(`${what}: it had looked at everything, and then: ${shown.error.message}`);
  }
  const isOneAccident = specimen.base.isClosed && specimen.steps.length === 1 && specimen.donors.size === 0;
  if (isOneAccident && !specimen.isForged && !mends && shown.error === null) checkWhole(what, shown, specimen);
}

/** Whether it went well. */
async function close(ground: Ground, what: string, wal: Wal, trial: Trial): Promise<boolean> {
  const { error } = await trial.run(`${what}, close`, () => wal.close());
  await trial.checkClosed(what);
  if (error !== null && !mayRefuse(ground, error)) {
    throw new Violation(`${what}: it cannot be closed: ${error.message}`);
  }
  return error === null;
}
