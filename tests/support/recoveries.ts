/**
 * What comes after a crash: recovery, crashes in the middle of it, recovery from those; and a life that goes on.
 */

import { crc32 } from "node:zlib";
import { Wal } from "../../mod.ts";
import { nextHostTask } from "../../src/runtime/host_task.ts";
import { type MemoryCall, type MemoryDisk, MemoryRuntime } from "../../src/runtime/memory.ts";
import { checkKept, checkTorn, type Piece } from "./evidence.ts";
import type { Explored } from "./explored.ts";
import { checkWaits, live } from "./life.ts";
import { readAll } from "./log_contents.ts";
import { type Oracle, Violation } from "./oracle.ts";
import type { Share } from "./share.ts";
import { type Known, type Survival, survival } from "./survivals.ts";
import { Tape } from "./tape.ts";
import { toTheEnd } from "./to_the_end.ts";
import type { Trace } from "./trace.ts";
import { DIRECTORY, type Workload } from "./workload.ts";

/** What an exploration carries along. */
export interface Walk {
  readonly explored: Explored;
  readonly known: Known;
  /** At which calls of a recovery it crashes; at others each time, where not at all of them. */
  readonly recovery: Share;
  /** Where it tells how it came to where it is; null where all goes well. */
  readonly trace: Trace | null;
}

/** A log that was recovered. */
interface Recovered {
  readonly wal: Wal;
  readonly runtime: MemoryRuntime;
  /** What is promised from now on. */
  readonly oracle: Oracle;
  /** What it has cut off. */
  readonly torn: Piece | null;
  /** What crashes at the calls of the recovery would have left. */
  readonly survivals: readonly Survival[];
}

const segmentBytes = 16 * 1024;
const GOING_ON: Workload = {
  name: "go on",
  options: { segmentBytes },
  steps: [{ commit: [10, 600] }, { append: [40] }, { cut: 0 }],
};
const NEVER: Share = { stride: Infinity, offset: 0 };

/** Says what was being done when it fails. */
async function labelled<T>(label: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${label}: ${message}`, { cause: error });
  }
}

/** Does one thing of many; what it tells is forgotten when it went well. */
async function branch(label: string, { trace }: Walk, task: () => Promise<unknown>): Promise<void> {
  const length = trace?.length ?? 0;
  trace?.say(`-- ${label}`);
  await labelled(label, task);
  trace?.cut(length);
}

/** Recovers, checks, goes on, crashes, recovers; and looks at crashes at every call of the first recovery. */
export async function exploreSurvival(survived: Survival, walk: Walk, seed: number): Promise<void> {
  if (!walk.known.isNew(survived)) return;
  walk.explored.survivals++;
  await branch(survived.name, walk, async () => {
    const recovered = await recover(survived, walk, seed, walk.recovery);
    const { wal, runtime, oracle, torn } = recovered;
    await checkWaits(wal, oracle, seed);
    runtime.stop();
    for (const crash of recovered.survivals) await exploreCrashInRecovery(crash, walk, seed);
    // Much comes to the same in the end.
    const end: Survival = { ...survived, disk: runtime.disk, oracle, ending: "kill", name: "killed" };
    if (walk.known.isNew(end, "go on")) await goOn(end, torn, walk, seed);
  });
}

async function exploreCrashInRecovery(crash: Survival, walk: Walk, seed: number): Promise<void> {
  if (!walk.known.isNew(crash)) return;
  walk.explored.crashesInRecovery++;
  await branch(`then ${crash.name} of the recovery`, walk, async () => {
    const { survivals, runtime } = await recover(crash, walk, seed, { stride: 3, offset: 0 });
    runtime.stop();
    const next = survivals.find((each) => walk.known.isNew(each));
    if (next === undefined) return;
    walk.explored.crashesInRecovery++;
    await branch(`then ${next.name} of the second recovery`, walk, () => recover(next, walk, seed, NEVER));
  });
}

/** Opens twice; the second time nothing must have changed. */
export async function recoverTwice(disk: MemoryDisk, oracle: Oracle, walk: Walk): Promise<void> {
  const killed: Survival = { disk, oracle, ending: "kill", name: "killed", isLying: false };
  const first = await recover(killed, walk, 1, NEVER);
  await checkWaits(first.wal, first.oracle);
  const second = { ...killed, disk: disk.powerLoss({ keep: "none" }), oracle: first.oracle };
  const { wal } = await recover(second, walk, 1, NEVER);
  if (wal.lastLsn !== first.wal.lastLsn || wal.firstLsn !== first.wal.firstLsn) {
    throw new Violation(`a second recovery moved the end from ${first.wal.lastLsn} to ${wal.lastLsn}`);
  }
}

/**
 * Opens, reads everything, compares; and lets what goes on in the background come to an end, where anyone asks what a crash
 * would leave: at every so many calls, and after them all.
 */
async function recover(survived: Survival, walk: Walk, seed: number, share: Share): Promise<Recovered> {
  const { disk, ending } = survived;
  const { trace } = walk;
  walk.explored.recoveries++;
  const oracle = survived.oracle.clone();
  oracle.trace = trace;
  const tape = new Tape(survived, seed, share);
  const onCall = (call: MemoryCall): undefined => {
    trace?.call(call, undefined);
    tape.onCall(call);
  };
  const runtime = new MemoryRuntime({ crc32, disk, seed, onCall });
  let torn: Piece | null = null;
  const open = async (): Promise<Wal> => {
    const wal = await Wal.open(DIRECTORY, { runtime, segmentBytes });
    trace?.say(`opened: ${JSON.stringify(wal.recovery)}`);
    torn = checkTorn(disk, wal.recovery, oracle.mostLsn, survived.isLying);
    oracle.checkRecovered(wal, await readAll(wal), ending);
    return wal;
  };
  const wal = await toTheEnd(open(), runtime);
  if (wal === undefined) throw new Violation("the process has stopped by itself");
  if (share !== NEVER) {
    tape.used = { ...survived, oracle: oracle.clone(), ending: "kill" }; // all that was found is synced now
    await untilNoCalls(runtime);
    tape.end();
  }
  return { wal, runtime, oracle, torn, survivals: tape.survivals };
}

/** Waits until nothing goes on in the background. */
async function untilNoCalls(runtime: MemoryRuntime): Promise<void> {
  for (let calls = -1; calls !== runtime.calls;) {
    calls = runtime.calls;
    await nextHostTask();
  }
}

/** A second life on the same disk, in which nothing goes wrong and all old files go; and what a crash leaves of it. */
async function goOn(
  { disk, oracle: before, isLying }: Survival,
  torn: Piece | null,
  walk: Walk,
  seed: number,
): Promise<void> {
  const { trace } = walk;
  const oracle = before.clone();
  oracle.trace = trace;
  const onCall = (call: MemoryCall): undefined => void trace?.call(call, undefined);
  const runtime = new MemoryRuntime({ crc32, disk, onCall });
  await toTheEnd(live(runtime, GOING_ON, oracle, { isSpoiled: () => false }), runtime);
  if (torn !== null) checkKept(disk, [torn]);
  const crash = survival({ disk, oracle: oracle.clone(), ending: "kill", isLying }, seed + 7, seed);
  runtime.stop();
  await branch(`then ${crash.name} after another life`, walk, () => recover(crash, walk, seed, NEVER));
}
