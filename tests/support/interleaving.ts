/**
 * Runs several processes step by step, a step being one call to the runtime, in an order that the test decides.
 *
 * @module
 */

import type { OpenMode, ProcessIdentity, Runtime, RuntimeFile } from "../../src/runtime/port.ts";
import { DelegatingFile, DelegatingRuntime } from "./delegating_runtime.ts";

/** Resolves when the process may take its next step. */
export type Turn = () => Promise<void>;

/** Says which of the processes that wait takes the next step: an index into `waiting`, which is never empty. */
export type Choose = (waiting: readonly number[], step: number) => number;

/** Runs every process to its end, only one of them at a time, and resolves to who took each step. */
export async function interleave(
  processes: readonly ((turn: Turn) => Promise<void>)[],
  choose: Choose,
): Promise<number[]> {
  const goOn = new Map<number, () => void>();
  const failures: unknown[] = [];
  let running = processes.length;
  let ended = 0;
  let allWait = (): void => {};
  const pause = (): void => {
    running--;
    if (running === 0) allWait();
  };
  const waitForAll = (): Promise<void> =>
    new Promise((resolve) => {
      allWait = resolve;
      if (running === 0) resolve();
    });

  processes.forEach((process, index) => {
    const turn: Turn = () =>
      new Promise((resolve) => {
        goOn.set(index, resolve);
        pause();
      });
    const end = (): void => {
      ended++;
      pause();
    };
    turn().then(() => process(turn)).then(end, (error) => {
      failures.push(error);
      end();
    });
  });

  await waitForAll();
  const trace: number[] = [];
  while (ended < processes.length) {
    const waiting = [...goOn.keys()].sort((a, b) => a - b);
    const chosen = waiting[choose(waiting, trace.length) % waiting.length] ?? 0;
    trace.push(chosen);
    const resume = goOn.get(chosen);
    goOn.delete(chosen);
    running++;
    resume?.();
    await waitForAll();
  }
  if (failures.length > 0) throw failures[0];
  return trace;
}

/**
 * Every order in which processes run until they end or are interrupted, with at most `interruptions` of them: few enough
 * to be tried one by one, and nearly all races show in them. `run` resolves to who took each step. Resolves to the number
 * of orders.
 */
export async function everyOrder(
  processes: number,
  interruptions: number,
  run: (choose: Choose, name: string) => Promise<number[]>,
): Promise<number> {
  let orders = 0;
  const extend = async (switches: readonly Switch[], left: number): Promise<void> => {
    const name = switches.map(({ step, to }) => `${to} from step ${step}`).join(", ");
    const trace = await run(follow(switches), name);
    orders++;
    if (left === 0) return;
    for (let step = (switches.at(-1)?.step ?? 0) + 1; step < trace.length; step++) {
      for (let to = 0; to < processes; to++) {
        // No interruption: it goes on by itself, or has ended.
        if (trace[step] === to || trace.lastIndexOf(to) < step) continue;
        await extend([...switches, { step, to }], left - 1);
      }
    }
  };
  for (let first = 0; first < processes; first++) await extend([{ step: 0, to: first }], interruptions);
  return orders;
}

interface Switch {
  readonly step: number;
  readonly to: number;
}

function follow(switches: readonly Switch[]): Choose {
  let current = 0;
  return (waiting, step) => {
    current = switches.find((entry) => entry.step === step)?.to ?? current;
    const index = waiting.indexOf(current);
    if (index >= 0) return index;
    // The current one has ended: the next in the row goes on.
    const next = waiting.findIndex((process) => process > current);
    current = waiting[Math.max(next, 0)] ?? current;
    return Math.max(next, 0);
  };
}

/** A process of its own on a shared disk, of which each call is a step. */
export class SteppedRuntime extends DelegatingRuntime {
  readonly #turn: Turn;
  readonly #pid: number;
  readonly #living: ReadonlySet<number>;

  /** @param living The numbers of the processes that run; who is not in it is gone. */
  constructor(inner: Runtime, turn: Turn, pid: number, living: ReadonlySet<number>) {
    super(inner);
    this.#turn = turn;
    this.#pid = pid;
    this.#living = living;
  }

  override identity(): Promise<ProcessIdentity> {
    return Promise.resolve({ pid: this.#pid, startTicks: this.#pid, bootId: "boot", pidNamespace: "all" });
  }

  override async isAlive(owner: ProcessIdentity): Promise<boolean> {
    await this.#turn();
    return this.#living.has(owner.pid);
  }

  override async list(path: string): Promise<string[]> {
    await this.#turn();
    return await this.inner.list(path);
  }

  override async link(from: string, to: string): Promise<void> {
    await this.#turn();
    await this.inner.link(from, to);
  }

  override async unlink(path: string): Promise<void> {
    await this.#turn();
    await this.inner.unlink(path);
  }

  override async open(path: string, mode: OpenMode): Promise<RuntimeFile> {
    await this.#turn();
    return new SteppedFile(await this.inner.open(path, mode), this.#turn);
  }
}

class SteppedFile extends DelegatingFile {
  readonly #turn: Turn;

  constructor(inner: RuntimeFile, turn: Turn) {
    super(inner);
    this.#turn = turn;
  }

  override async read(target: Uint8Array, position: number): Promise<number> {
    await this.#turn();
    return await this.inner.read(target, position);
  }

  override async write(bytes: Uint8Array, position: number): Promise<void> {
    await this.#turn();
    await this.inner.write(bytes, position);
  }

  override async tryLock(): Promise<boolean | null> {
    await this.#turn();
    return await this.inner.tryLock();
  }

  override async close(): Promise<void> {
    await this.#turn();
    await this.inner.close();
  }
}
