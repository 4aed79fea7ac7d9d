/**
 * Runs a workload and stops it at every call to the disk, looks at several things that a crash may leave of each, recovers,
 * checks, goes on, and crashes again; and crashes at every call of that recovery, and in the recovery from that.
 */

import { MemoryDisk } from "../../src/runtime/memory.ts";
import { type Explored, nothingExplored } from "./explored.ts";
import { exploreSurvival, recoverTwice, type Walk } from "./recoveries.ts";
import { EVERYTHING, type Share } from "./share.ts";
import { changes, Known, type Survival, survivals } from "./survivals.ts";
import { Trace } from "./trace.ts";
import { DIRECTORY, type Workload } from "./workload.ts";
import { Moments, type Run, type RunOptions, type Spoil, WorkloadRun } from "./workload_run.ts";

/** What an exploration may leave out to be quick, and where it begins. */
export interface ExplorerOptions {
  readonly seed?: number;
  /** Files that lie in the directory before the log is first opened. */
  readonly planted?: Readonly<Record<string, Uint8Array>>;
  /** Which calls are crash points, or fail; all, if not given. */
  readonly calls?: Share;
  /** At which calls of a recovery it crashes; at all, if not given. */
  readonly recovery?: Share;
}

/**
 * Crashes a workload before and in every call, and whenever somebody is told something. A crash before a call is looked at while
 * the workload goes on; for one in a call, or after it and before it returns, the process is stopped there.
 */
export async function exploreCrashes(workload: Workload, options: ExplorerOptions = {}): Promise<Explored> {
  const exploration = new Exploration(workload, options);
  const moments = new Moments(null);
  const { calls } = await exploration.runThrough(moments);
  for (const [nth, { name, survivals }] of moments.list.entries()) {
    if (!exploration.isChosen(nth)) continue;
    await exploration.point(`stopped ${name}`, async (walk) => {
      const found = walk.trace === null ? survivals : await exploration.findAgain(name, walk);
      walk.explored.crashPoints++;
      for (const survival of found) await exploreSurvival(survival, walk, nth);
    });
  }
  for (const [nth, call] of calls.entries()) {
    if (!exploration.isChosen(nth) || !changes(call)) continue;
    const at = call.number;
    const spoil: Spoil = ({ number }) => number === at ? { stop: "after", doneBytes: 512 * (at % 3) } : undefined;
    await exploration.point(`stopped in or after call ${at}`, async (walk) => {
      const run = await exploration.run(spoil, walk);
      walk.explored.crashPoints++;
      await exploreAll(run, walk, at);
    });
  }
  return exploration.explored;
}

/**
 * Lets every call fail with a code, and goes on as far as the log does, or as it can be brought back; then it is closed,
 * killed, or loses its power.
 */
export async function exploreFailures(
  workload: Workload,
  code: string,
  options: ExplorerOptions = {},
): Promise<Explored> {
  const exploration = new Exploration(workload, options);
  const { calls } = await exploration.runThrough();
  for (let at = 1; at <= calls.length; at++) {
    if (!exploration.isChosen(at)) continue;
    await exploration.point(`${code} at call ${at}`, async (walk) => {
      await exploreEnd(await exploration.run(failing(code, at), walk, { chance: at }), walk, at, 1);
    });
  }
  return exploration.explored;
}

/**
 * Lets every call fail, and brings the log back in place. Crashes at every call of that; and lets a call of that fail as well,
 * every one or another one each time, so that it is tried again.
 */
export async function exploreReopenings(
  workload: Workload,
  seconds: "every" | "one",
  options: ExplorerOptions = {},
): Promise<Explored> {
  const exploration = new Exploration({ ...workload, reopens: 3 }, options);
  const { calls } = await exploration.runThrough();
  for (let at = 1; at <= calls.length; at++) {
    if (!exploration.isChosen(at)) continue;
    const mending = await exploreMending(exploration, at, seconds === "every" ? undefined : 2);
    const chosen = seconds === "every" ? mending : mending.filter((_, nth) => nth === at % mending.length);
    for (const second of chosen) {
      await exploration.point(`EIO at call ${at} and at call ${second}`, async (walk) => {
        const run = await exploration.run(failing("EIO", at, second), walk, { chance: second });
        await exploreEnd(run, walk, second, 2);
      });
    }
  }
  return exploration.explored;
}

/** Lets one call fail, and crashes at every call that brings the log back; resolves to their numbers. */
async function exploreMending(exploration: Exploration, at: number, count?: number): Promise<readonly number[]> {
  const spoil = failing("EIO", at);
  const moments = new Moments(null, count);
  let mending: readonly number[] = [];
  await exploration.point(`EIO at call ${at}, and brought back`, async (walk) => {
    const run = await exploration.run(spoil, walk, { chance: at, mendingMoments: moments });
    mending = run.mending;
    await exploreEnd(run, walk, at, 1);
  });
  for (const { name, survivals } of moments.list) {
    await exploration.point(`EIO at call ${at}, stopped ${name}`, async (walk) => {
      const found = walk.trace === null ? survivals : await exploration.findAgain(name, walk, spoil, at);
      walk.explored.crashPoints++;
      for (const survival of found) await exploreSurvival(survival, walk, at);
    });
  }
  return mending;
}

async function exploreEnd(run: Run, walk: Walk, seed: number, faults: number): Promise<void> {
  walk.explored.crashPoints++;
  walk.explored.injectedFaults += faults;
  await exploreAll(run, walk, seed);
}

async function exploreAll(run: Run, walk: Walk, seed: number): Promise<void> {
  for (const survival of survivals(run, seed)) await exploreSurvival(survival, walk, seed);
}

/** Who may not sync the directories above is told so, and may lose a new log whole: nothing to explore. */
function failing(code: string, ...numbers: readonly number[]): Spoil {
  return ({ name, path, number }) => {
    const isAbove = name === "syncDirectory" && path !== DIRECTORY;
    if (!numbers.includes(number) || isAbove && code === "EACCES") return undefined;
    return { code, doneBytes: 512 * (number % 4) };
  };
}

/** One workload and all that was looked at of it. */
class Exploration {
  readonly explored: Explored = nothingExplored();
  readonly #workload: Workload;
  readonly #options: ExplorerOptions;
  readonly #known: Known = new Known();

  constructor(workload: Workload, options: ExplorerOptions) {
    this.#workload = workload;
    this.#options = options;
  }

  /** Whether this one of the calls, or of the moments, is looked at. */
  isChosen(nth: number): boolean {
    const { stride, offset } = this.#options.calls ?? EVERYTHING;
    return (nth + offset) % stride === 0;
  }

  /** Looks at one point; where that fails, once more, to tell how it came to that. */
  async point(label: string, explore: (walk: Walk) => Promise<void>): Promise<void> {
    const { recovery = EVERYTHING } = this.#options;
    try {
      await explore({ explored: this.explored, known: this.#known, recovery, trace: null });
    } catch (error) {
      const trace = new Trace();
      const what = await explore({ explored: nothingExplored(), known: new Known(), recovery, trace })
        .then(() => `${messageOf(error)}, but not a second time`, messageOf);
      throw new Error(`${this.#workload.name}: ${label}: ${what}\n${trace.text}`, { cause: error });
    }
  }

  /** Without a fault: then nothing may be complained of. */
  async runThrough(moments?: Moments): Promise<Run> {
    let through: Run | null = null;
    await this.point("nothing goes wrong", async (walk) => {
      through = await this.run(() => undefined, walk, {
        isSpoiled: false,
        ...(moments === undefined ? {} : { moments }),
      });
      await recoverTwice(through.disk.kill(), through.oracle, walk);
    });
    if (through === null) throw new Error("it has run");
    return through;
  }

  /** What would be left at one moment, and how it came to that. */
  async findAgain(
    name: string,
    walk: Walk,
    spoil: Spoil = () => undefined,
    chance: number = 0,
  ): Promise<readonly Survival[]> {
    const moments = new Moments(name);
    await this.run(spoil, walk, { chance, moments });
    return moments.list[0]?.survivals ?? [];
  }

  async run(spoil: Spoil, { trace }: Walk, options: RunOptions = {}): Promise<Run> {
    const { seed = 1, planted = {} } = this.#options;
    const files = Object.fromEntries(Object.entries(planted).map(([name, bytes]) => [`${DIRECTORY}/${name}`, bytes]));
    const run = new WorkloadRun(
      this.#workload,
      new MemoryDisk({ seed: seed + (options.chance ?? 0), files }),
      spoil,
      options,
    );
    return await run.run(seed, trace);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
