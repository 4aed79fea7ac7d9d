/**
 * Runs a workload and stops it at every call to the disk, looks at several things that a crash may leave of each, recovers,
 * checks, goes on, and crashes again.
 */

import { crc32 } from "node:zlib";
import { type Entry, Wal } from "../../mod.ts";
import { type MemoryCall, MemoryDisk, type MemoryFault, MemoryRuntime } from "../../src/runtime/memory.ts";
import { type Ending, Oracle, Violation } from "./oracle.ts";
import { checkWaits, DIRECTORY, live, type Workload } from "./workload.ts";

/** How much was looked at. */
export interface Explored {
  crashPoints: number;
  survivals: number;
  opens: number;
}

/** A disk as a crash left it, and how. */
interface Survival {
  readonly disk: MemoryDisk;
  readonly ending: Ending;
  readonly name: string;
}

/** What an exploration may leave out to be quick. */
export interface ExplorerOptions {
  readonly seed?: number;
  /** Files that lie in the directory before the log is first opened. */
  readonly planted?: Readonly<Record<string, Uint8Array>>;
  /** Only every so many calls are crash points. */
  readonly stride?: number;
}

/** What is done to a call. */
type Spoil = (call: MemoryCall) => MemoryFault | undefined;

/** Crashes a workload at every call, before and after its effect. */
export async function exploreCrashes(workload: Workload, options: ExplorerOptions = {}): Promise<Explored> {
  const explored: Explored = { crashPoints: 0, survivals: 0, opens: 0 };
  const calls = await countCalls(workload, options);
  for (let at = 1; at <= calls; at += options.stride ?? 1) {
    for (const stop of ["before", "after"] as const) {
      await labelled(`${workload.name}: stopped ${stop} call ${at}`, async () => {
        const spoil: Spoil = ({ number }) => number === at ? { stop, doneBytes: 512 * (at % 3) } : undefined;
        const { runtime, oracle } = await run(workload, options, spoil);
        explored.crashPoints++;
        for (const survival of survivals(runtime, at, "kill")) await exploreSurvival(survival, oracle, explored, at);
      });
    }
  }
  return explored;
}

/** Lets every call fail with a code, and goes on as far as the log does; then it is closed, killed, or loses its power. */
export async function exploreFailures(
  workload: Workload,
  code: string,
  options: ExplorerOptions = {},
): Promise<Explored> {
  const explored: Explored = { crashPoints: 0, survivals: 0, opens: 0 };
  const calls = await countCalls(workload, options);
  for (let at = 1; at <= calls; at += options.stride ?? 1) {
    await labelled(`${workload.name}: ${code} at call ${at}`, async () => {
      const spoil: Spoil = (call) => {
        // Who may not sync the directories above is told so, and may lose a new log whole: nothing to explore.
        const isAbove = call.name === "syncDirectory" && call.path !== DIRECTORY;
        return call.number !== at || isAbove && code === "EACCES" ? undefined : { code, doneBytes: 512 * (at % 4) };
      };
      const { runtime, oracle } = await run(workload, options, spoil);
      explored.crashPoints++;
      // After a failed sync a page cache may show what the disk does not have: no life after it is sure of what was not synced.
      for (const survival of survivals(runtime, at, "power")) await exploreSurvival(survival, oracle, explored, at);
    });
  }
  return explored;
}

async function labelled(label: string, task: () => Promise<unknown>): Promise<void> {
  try {
    await task();
  } catch (error) {
    throw new Error(`${label}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

async function countCalls(workload: Workload, options: ExplorerOptions): Promise<number> {
  const { runtime, oracle } = await run(workload, options, () => undefined);
  const again = new MemoryRuntime({ crc32, disk: runtime.disk.kill() });
  await recoverAndCheck(again, oracle.clone(), "kill", { crashPoints: 0, survivals: 0, opens: 0 });
  return runtime.calls;
}

async function run(
  workload: Workload,
  { seed = 1, planted = {} }: ExplorerOptions,
  spoil: Spoil,
): Promise<{ runtime: MemoryRuntime; oracle: Oracle }> {
  const files = Object.fromEntries(Object.entries(planted).map(([name, bytes]) => [`${DIRECTORY}/${name}`, bytes]));
  const disk = new MemoryDisk({ seed, files });
  const runtime = new MemoryRuntime({ crc32, disk, seed, onCall: spoil });
  const oracle = new Oracle();
  await Promise.race([live(runtime, workload, oracle), runtime.stopped]);
  // The lock file's owner record is no part of the log: it is taken back even where the mark before it failed.
  const violations = disk.violations.filter((violation) => !violation.includes(`${DIRECTORY}/lock`));
  if (violations.length > 0) throw new Violation(violations.join("; "));
  return { runtime, oracle };
}

function survivals({ disk }: MemoryRuntime, seed: number, killed: Ending): Survival[] {
  return [
    { disk: disk.kill(seed), ending: killed, name: "kill" },
    { disk: disk.powerLoss({ keep: "none", seed }), ending: "power", name: "power loss, nothing kept" },
    { disk: disk.powerLoss({ keep: "all", seed }), ending: "power", name: "power loss, all kept" },
    { disk: disk.powerLoss({ keep: "any", seed }), ending: "power", name: "power loss, any kept" },
    { disk: disk.powerLoss({ keep: "first", seed }), ending: "power", name: "power loss, the first kept" },
  ];
}

/** So many of them, another choice for each seed. */
function some<T>(all: readonly T[], seed: number, count: number): T[] {
  return all.filter((_, nth) => (nth + seed) % all.length < count);
}

/** Recovers, checks, appends, crashes, recovers, checks; and crashes in the middle of the first recovery as well. */
async function exploreSurvival(survival: Survival, before: Oracle, explored: Explored, seed: number): Promise<void> {
  explored.survivals++;
  await labelled(survival.name, async () => {
    const oracle = before.clone();
    const runtime = new MemoryRuntime({ crc32, disk: survival.disk.kill(), seed });
    const found = await recoverAndCheck(runtime, oracle, survival.ending, explored);
    await goOn(runtime, oracle);
    for (const second of some(survivals(runtime, seed + 7, survival.ending), seed, 1)) {
      const again = new MemoryRuntime({ crc32, disk: second.disk, seed });
      await labelled(`then ${second.name}`, () => recoverAndCheck(again, oracle.clone(), second.ending, explored));
    }
    const at = 1 + (seed * 7) % found.calls;
    await labelled(
      `then crashed at call ${at} of the recovery`,
      () => crashInRecovery(survival, before.clone(), explored, at),
    );
  });
}

/** Opens, reads everything, compares; then opens once more, which must change nothing. */
async function recoverAndCheck(
  runtime: MemoryRuntime,
  oracle: Oracle,
  ending: Ending,
  explored: Explored,
): Promise<{ calls: number }> {
  const first = await openAndRead(runtime, explored);
  const { calls } = runtime;
  oracle.checkRecovered(first.wal, first.entries, ending);
  await checkWaits(first.wal, oracle);
  const again = await openAndRead(
    new MemoryRuntime({ crc32, disk: runtime.disk.powerLoss({ keep: "none" }) }),
    explored,
  );
  oracle.clone().checkRecovered(again.wal, again.entries, "kill");
  if (again.wal.lastLsn !== first.wal.lastLsn || again.wal.firstLsn !== first.wal.firstLsn) {
    throw new Violation(`a second recovery moved the end from ${first.wal.lastLsn} to ${again.wal.lastLsn}`);
  }
  runtime.stop();
  return { calls };
}

async function openAndRead(runtime: MemoryRuntime, explored: Explored): Promise<{ wal: Wal; entries: Entry[] }> {
  explored.opens++;
  const wal = await Wal.open(DIRECTORY, { runtime, segmentBytes: 16 * 1024 });
  const entries: Entry[] = [];
  for await (const entry of wal.readable()) entries.push(entry);
  return { wal, entries };
}

/** A second life on the same disk. */
async function goOn({ disk }: MemoryRuntime, oracle: Oracle): Promise<void> {
  const runtime = new MemoryRuntime({ crc32, disk });
  const options = { segmentBytes: 16 * 1024 };
  await live(runtime, { name: "go on", options, steps: [{ commit: [10, 600] }, { append: [40] }] }, oracle);
  runtime.stop();
}

async function crashInRecovery(survival: Survival, oracle: Oracle, explored: Explored, at: number): Promise<void> {
  const onCall = ({ number }: { number: number }): MemoryFault | undefined =>
    number === at ? { stop: at % 2 === 0 ? "before" : "after" } : undefined;
  const crashed = new MemoryRuntime({ crc32, disk: survival.disk.kill(), seed: at, onCall });
  const opened = Wal.open(DIRECTORY, { runtime: crashed, segmentBytes: 16 * 1024 });
  opened.catch(() => {});
  await Promise.race([opened, crashed.stopped]);
  for (const second of some(survivals(crashed, at, survival.ending), at, 2)) {
    const ending = survival.ending === "power" ? "power" : second.ending;
    const runtime = new MemoryRuntime({ crc32, disk: second.disk, seed: at });
    await labelled(`then ${second.name}`, () => recoverAndCheck(runtime, oracle.clone(), ending, explored));
  }
}
