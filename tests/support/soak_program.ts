/**
 * `npm run soak`: random histories for as long as one likes. {@linkcode SOAK_HELP} says how.
 */

import process from "node:process";
import { count, LiveLine } from "../../src/cli/table.ts";
import { nextHostTask } from "../../src/runtime/host_task.ts";
import { randomHistory } from "./histories.ts";
import { nothingSoaked, type Soaked } from "./history_run.ts";
import { BrokenHistory, soak, soakOne } from "./soak.ts";
import { readSoakPlan, SOAK_HELP, type SoakPlan, SoakUsageError } from "./soak_options.ts";

/** The first ones are told of elsewhere in the end: what the compiler and the caches take is no leak. */
const WARM_UP_HISTORIES = 1000;
/** How often it is told how far this is where nobody sees a line change. */
const TOLD_EVERY_MS = 30_000;
/** So long each kind of violation is made smaller. */
const SHRINK_MS = 60_000;
const MIB = 1024 * 1024;

const { gc } = globalThis as { gc?: () => void };

/** Histories one after the other, and what came of them. */
class Soaking {
  readonly #plan: SoakPlan;
  readonly #soaked: Soaked = nothingSoaked();
  readonly #startMs = performance.now();
  readonly #line: LiveLine = new LiveLine(TOLD_EVERY_MS);
  /** How often each kind of promise was broken. */
  readonly #kinds: Map<string, { count: number; readonly seed: number }> = new Map();
  #firstHeapMiB: number | null = null;
  #isInterrupted = false;

  constructor(plan: SoakPlan) {
    this.#plan = plan;
    process.on("SIGINT", () => this.#isInterrupted = true);
  }

  /** Resolves to how many kinds of promises were broken. */
  async run(): Promise<number> {
    const { seed: first, histories } = this.#plan;
    this.#line.end(`from seed ${first} on`);
    let seed = first;
    for (; seed < first + histories && !this.#isOver; seed++) {
      await this.#soakOne(seed);
      this.#line.show(this.#text());
      if (seed === first + WARM_UP_HISTORIES) this.#firstHeapMiB = await heapMiB();
    }
    await this.#summarize(first, seed - 1);
    return this.#kinds.size;
  }

  get #isOver(): boolean {
    return this.#isInterrupted || performance.now() - this.#startMs > this.#plan.mostMs;
  }

  async #soakOne(seed: number): Promise<void> {
    try {
      await soakOne(randomHistory(seed), this.#soaked, null, (kind) => this.#kinds.has(kind) ? 0 : SHRINK_MS);
    } catch (error) {
      if (!(error instanceof BrokenHistory)) throw error;
      const known = this.#kinds.get(error.kind);
      if (known === undefined) this.#line.end(`\n${error.message}\n`);
      this.#kinds.set(error.kind, { count: (known?.count ?? 0) + 1, seed: known?.seed ?? seed });
    }
  }

  #text(): string {
    const { histories, lives, crashPoints, calls } = this.#soaked;
    const elapsedMs = performance.now() - this.#startMs;
    const left = this.#plan.mostMs === Infinity ? "" : ` of ${timeOf(this.#plan.mostMs)}`;
    const broken = [...this.#kinds.values()].reduce((sum, { count }) => sum + count, 0);
    return [
      `${timeOf(elapsedMs)}${left}`,
      `${count(histories)} histories`,
      `${count(lives)} lives`,
      `${count(crashPoints)} crash points`,
      `${count(calls / (elapsedMs / 1000))} calls/s`,
      `${Math.round(process.memoryUsage().heapUsed / MIB)} MiB`,
      `${broken} violations`,
    ].join(", ");
  }

  async #summarize(first: number, last: number): Promise<void> {
    const { recoveries, calls } = this.#soaked;
    const lastHeapMiB = await heapMiB();
    this.#line.end(this.#text());
    this.#line.end(`seeds ${first} to ${last}, ${count(recoveries)} recoveries, ${count(calls)} calls`);
    if (this.#firstHeapMiB !== null && lastHeapMiB !== null) {
      const places = `${this.#firstHeapMiB.toFixed(1)} MiB after ${count(WARM_UP_HISTORIES)} histories, ` +
        `${lastHeapMiB.toFixed(1)} MiB at the end`;
      this.#line.end(`heap after a collection: ${places}`);
    }
    for (const [kind, { count, seed }] of this.#kinds) this.#line.end(`${count} x ${kind} (first: seed ${seed})`);
    if (this.#kinds.size === 0) this.#line.end("no promise was broken");
  }
}

/** What is in use; null where nobody can ask for a collection. */
async function heapMiB(): Promise<number | null> {
  if (gc === undefined) return null;
  await nextHostTask();
  gc();
  return process.memoryUsage().heapUsed / MIB;
}

function timeOf(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

async function tell({ seed }: SoakPlan): Promise<number> {
  try {
    await soak(seed, 1, { say: (line) => console.log(line), shrinkMs: SHRINK_MS });
  } catch (error) {
    if (!(error instanceof BrokenHistory)) throw error;
    console.log(`\n${error.message}`);
    return 1;
  }
  console.log(`seed ${seed}: no promise was broken`);
  return 0;
}

/** Kills real processes; false: a promise was broken. */
async function kill({ kills, seed }: SoakPlan): Promise<boolean> {
  const say = (line: string): void => console.log(line);
  const { soakKills } = await import("./kill_soak.ts"); // histories need none of what it needs
  try {
    await soakKills(kills, seed, say);
    return true;
  } catch (error) {
    say(`\n${error instanceof Error ? error.stack ?? error.message : String(error)}`);
    return false;
  }
}

async function main(given: readonly string[]): Promise<number> {
  try {
    const plan = readSoakPlan(given, Date.now());
    if (plan === null) {
      process.stdout.write(SOAK_HELP);
      return 0;
    }
    if (plan.isTold) return await tell(plan);
    if (plan.kills > 0 && !await kill(plan)) return 1;
    if (plan.histories === 0) return 0;
    return await new Soaking(plan).run() === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof SoakUsageError)) throw error;
    console.error(`${error.message}\n\n${SOAK_HELP}`);
    return 64;
  }
}

process.exitCode = await main(process.argv.slice(2));
