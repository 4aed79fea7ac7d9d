/**
 * Runs a workload and stops it at every call to the disk, looks at several things that a crash may leave of each, recovers,
 * checks, goes on, and crashes again.
 */

import { crc32 } from "node:zlib";
import { Wal } from "../../mod.ts";
import {
  type MemoryCall,
  type MemoryCallName,
  MemoryDisk,
  type MemoryFault,
  MemoryRuntime,
} from "../../src/runtime/memory.ts";
import { readAll } from "./log_contents.ts";
import { Conduct } from "./conduct.ts";
import { type Ending, Oracle, Violation } from "./oracle.ts";
import { toTheEnd } from "./to_the_end.ts";
import { checkWaits, live } from "./life.ts";
import { DIRECTORY, type Workload } from "./workload.ts";

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

/** A run of a workload, up to the moment when its process was no more. */
interface Run {
  readonly runtime: MemoryRuntime;
  readonly oracle: Oracle;
  readonly calls: readonly MemoryCall[];
}

/** Calls after which a crash finds something else than before them. */
const CHANGING: ReadonlySet<MemoryCallName> = new Set<MemoryCallName>(
  ["open", "write", "syncData", "truncate", "makeDirectory", "rename", "unlink", "syncDirectory"],
);

/** The disks that were looked at already, with all that the oracle knew: twice is no better than once. */
type Known = Set<string>;

/** Crashes a workload at every call, before and after its effect. */
export async function exploreCrashes(workload: Workload, options: ExplorerOptions = {}): Promise<Explored> {
  const explored: Explored = { crashPoints: 0, survivals: 0, opens: 0 };
  const known: Known = new Set();
  const { calls } = await runThrough(workload, options);
  for (let nth = 0; nth < calls.length; nth += options.stride ?? 1) {
    const at = nth + 1;
    const changes = CHANGING.has(calls[nth]?.name ?? "open");
    for (const stop of changes ? ["before", "after"] as const : ["before"] as const) {
      await labelled(`${workload.name}: stopped ${stop} call ${at}`, async () => {
        const spoil: Spoil = ({ number }) => number === at ? { stop, doneBytes: 512 * (at % 3) } : undefined;
        const { runtime, oracle } = await run(workload, options, spoil);
        explored.crashPoints++;
        for (const survival of survivals(runtime, at, "kill")) {
          await exploreSurvival(survival, oracle, explored, known, at);
        }
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
  const known: Known = new Set();
  const { calls } = await runThrough(workload, options);
  for (let at = 1; at <= calls.length; at += options.stride ?? 1) {
    await labelled(`${workload.name}: ${code} at call ${at}`, async () => {
      const spoil: Spoil = (call) => {
        // Who may not sync the directories above is told so, and may lose a new log whole: nothing to explore.
        const isAbove = call.name === "syncDirectory" && call.path !== DIRECTORY;
        return call.number !== at || isAbove && code === "EACCES" ? undefined : { code, doneBytes: 512 * (at % 4) };
      };
      const { runtime, oracle } = await run(workload, options, spoil);
      explored.crashPoints++;
      // After a failed sync a page cache may show what the disk does not have: no life after it is sure of what was not synced.
      for (const survival of survivals(runtime, at, "power")) {
        await exploreSurvival(survival, oracle, explored, known, at);
      }
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

/** Without a fault: then nothing may be complained of. */
async function runThrough(workload: Workload, options: ExplorerOptions): Promise<Run> {
  const through = await run(workload, options, () => undefined, false);
  const again = new MemoryRuntime({ crc32, disk: through.runtime.disk.kill() });
  await recoverTwice(again, through.oracle.clone(), "kill", { crashPoints: 0, survivals: 0, opens: 0 });
  return through;
}

async function run(
  workload: Workload,
  { seed = 1, planted = {} }: ExplorerOptions,
  spoil: Spoil,
  isSpoiled = true,
): Promise<Run> {
  const files = Object.fromEntries(Object.entries(planted).map(([name, bytes]) => [`${DIRECTORY}/${name}`, bytes]));
  const disk = new MemoryDisk({ seed, files });
  const conduct = new Conduct();
  const calls: MemoryCall[] = [];
  const onCall = (call: MemoryCall): MemoryFault | undefined => {
    calls.push(call);
    conduct.onCall(call);
    return spoil(call);
  };
  const runtime = new MemoryRuntime({ crc32, disk, seed, onCall, onReturn: conduct.onReturn });
  const oracle = new Oracle();
  await toTheEnd(live(runtime, workload, oracle, { isSpoiled: () => isSpoiled }), runtime);
  conduct.check(disk);
  return { runtime, oracle: oracle.clone(), calls }; // the code of a process that is dead may go on, and nobody listens
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
async function exploreSurvival(
  survival: Survival,
  before: Oracle,
  explored: Explored,
  known: Known,
  seed: number,
): Promise<void> {
  // What a power loss leaves is all there is of it; behind what a kill leaves there is a page cache.
  const fingerprint = survival.name === "kill" ? "" : `${before.fingerprint} ${fingerprintOf(survival.disk)}`;
  if (known.has(fingerprint)) return;
  if (fingerprint !== "") known.add(fingerprint);
  explored.survivals++;
  await labelled(survival.name, async () => {
    const oracle = before.clone();
    const runtime = new MemoryRuntime({ crc32, disk: survival.disk.kill(), seed });
    const found = await recoverTwice(runtime, oracle, survival.ending, explored);
    await goOn(runtime, oracle);
    for (const second of some(survivals(runtime, seed + 7, survival.ending), seed, 1)) {
      const again = new MemoryRuntime({ crc32, disk: second.disk, seed });
      await labelled(`then ${second.name}`, () => recover(again, oracle.clone(), second.ending, explored));
    }
    const at = 1 + (seed * 7) % found.calls;
    await labelled(
      `then crashed at call ${at} of the recovery`,
      () => crashInRecovery(survival, before.clone(), explored, at),
    );
  });
}

function fingerprintOf(disk: MemoryDisk): string {
  if (!disk.names("/").includes("data") || !disk.names("/data").includes("wal")) return "";
  return disk.names(DIRECTORY).map((name) => {
    const bytes = disk.read(`${DIRECTORY}/${name}`);
    return `${name} ${bytes.length} ${crc32(bytes)}`;
  }).join();
}

/** Opens, waits for every LSN, and opens once more, which must change nothing. */
async function recoverTwice(
  runtime: MemoryRuntime,
  oracle: Oracle,
  ending: Ending,
  explored: Explored,
): Promise<{ calls: number }> {
  const first = await recover(runtime, oracle, ending, explored);
  const { calls } = runtime;
  await checkWaits(first, oracle);
  const again = await recover(
    new MemoryRuntime({ crc32, disk: runtime.disk.powerLoss({ keep: "none" }) }),
    oracle.clone(),
    "kill",
    explored,
  );
  if (again.lastLsn !== first.lastLsn || again.firstLsn !== first.firstLsn) {
    throw new Violation(`a second recovery moved the end from ${first.lastLsn} to ${again.lastLsn}`);
  }
  runtime.stop();
  return { calls };
}

/** Opens, reads everything, compares. */
async function recover(runtime: MemoryRuntime, oracle: Oracle, ending: Ending, explored: Explored): Promise<Wal> {
  explored.opens++;
  const wal = await Wal.open(DIRECTORY, { runtime, segmentBytes: 16 * 1024 });
  oracle.checkRecovered(wal, await readAll(wal), ending);
  return wal;
}

/** A second life on the same disk, in which nothing goes wrong. */
async function goOn({ disk }: MemoryRuntime, oracle: Oracle): Promise<void> {
  const runtime = new MemoryRuntime({ crc32, disk });
  const options = { segmentBytes: 16 * 1024 };
  const workload = { name: "go on", options, steps: [{ commit: [10, 600] }, { append: [40] }] };
  await toTheEnd(live(runtime, workload, oracle, { isSpoiled: () => false }), runtime);
  runtime.stop();
}

async function crashInRecovery(survival: Survival, oracle: Oracle, explored: Explored, at: number): Promise<void> {
  const onCall = ({ number }: { number: number }): MemoryFault | undefined =>
    number === at ? { stop: at % 2 === 0 ? "before" : "after" } : undefined;
  const crashed = new MemoryRuntime({ crc32, disk: survival.disk.kill(), seed: at, onCall });
  const opened = Wal.open(DIRECTORY, { runtime: crashed, segmentBytes: 16 * 1024 });
  opened.catch(() => {});
  await Promise.race([opened, crashed.stopped]);
  for (const second of some(survivals(crashed, at, survival.ending), at, 1)) {
    const ending = survival.ending === "power" ? "power" : second.ending;
    const runtime = new MemoryRuntime({ crc32, disk: second.disk, seed: at });
    await labelled(`then ${second.name}`, () => recover(runtime, oracle.clone(), ending, explored));
  }
}
