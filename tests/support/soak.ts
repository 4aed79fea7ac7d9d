/**
 * Random histories of a log: lives one after the other on one disk, with faults, crashes and full disks, all drawn from a
 * seed. A few are part of the tests; `npm run soak` runs as many as it is told to.
 */

import { type History, randomHistory } from "./histories.ts";
import { HistoryRun, nothingSoaked, type Soaked } from "./history_run.ts";
import { literalOf } from "./literal.ts";
import { suiteName } from "./share.ts";
import { kindOfFailure, shrink } from "./shrink.ts";
import { Trace } from "./trace.ts";

export type { Soaked } from "./history_run.ts";

/** How a soaking is done. */
export interface SoakOptions {
  /** Told what happens, line by line. */
  readonly say?: ((line: string) => void) | null;
  readonly mostMs?: number;
  /** So long a history that breaks a promise is made smaller; not at all, if not given. */
  readonly shrinkMs?: number;
}

/** A history that broke a promise; its message is all that a person needs to find out why. */
export class BrokenHistory extends Error {
  /** The same for all that break the same promise. */
  readonly kind: string;

  constructor(kind: string, message: string, cause: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** Runs histories from one seed on, until there were so many or the time is over. Rejects at the first broken promise. */
export async function soak(
  firstSeed: number,
  count: number,
  { say = null, mostMs = Infinity, shrinkMs = 0 }: SoakOptions = {},
): Promise<Soaked> {
  const soaked = nothingSoaked();
  const startMs = performance.now();
  for (let seed = firstSeed; seed < firstSeed + count && performance.now() - startMs < mostMs; seed++) {
    await soakOne(randomHistory(seed), soaked, say, () => shrinkMs);
  }
  return soaked;
}

/**
 * Runs one history; rejects with a {@linkcode BrokenHistory} where it breaks a promise. `shrinkMs` says how long one is made
 * smaller that breaks a promise of this kind.
 */
export async function soakOne(
  history: History,
  soaked: Soaked,
  say: ((line: string) => void) | null,
  shrinkMs: (kind: string) => number,
): Promise<void> {
  try {
    await HistoryRun.run(history, soaked, say === null ? null : new Trace(say));
  } catch (error) {
    const kind = kindOfFailure(error);
    throw await broken(history, kind, error, shrinkMs(kind));
  }
}

async function broken(history: History, kind: string, error: unknown, shrinkMs: number): Promise<BrokenHistory> {
  const failureOf = async (candidate: History): Promise<string | null> => {
    const failure = await failureOfRun(candidate);
    return failure === null ? null : kindOfFailure(failure);
  };
  const { history: small, tries, elapsedMs } = await shrink(history, failureOf, shrinkMs);
  const trace = new Trace();
  const again = await failureOfRun(small, trace);
  const report = [
    `seed ${history.seed}: ${error instanceof Error ? error.message : String(error)}`,
    `  all of it, step by step: npm run soak -- --seed ${history.seed}, or, where it is this runtime's streams that matter:`,
    `  WALSTREAM_SEED=${history.seed} npm test -- --on ${suiteName} --file explorer --grep "random histories"`,
    `  made smaller in ${Math.round(elapsedMs / 1000)} s, with ${tries} tries: ${sizeOf(history)} before, ${
      sizeOf(small)
    } now.`,
    `  It breaks: ${again instanceof Error ? again.message : "nothing, this time"}. To be pasted into a test:`,
    "",
    `await HistoryRun.run(${literalOf(small)});`,
    "",
    "What happens in it:",
    trace.text,
  ];
  return new BrokenHistory(kind, report.join("\n"), error);
}

/** What a history breaks; null: nothing. */
async function failureOfRun(history: History, trace: Trace | null = null): Promise<unknown> {
  try {
    await HistoryRun.run(history, nothingSoaked(), trace);
    return null;
  } catch (error) {
    trace?.say(`broken: ${error instanceof Error ? error.message : String(error)}`);
    return error;
  }
}

function sizeOf({ lives }: History): string {
  const steps = lives.reduce((sum, life) => sum + life.steps.length, 0);
  const mishaps = lives.reduce((sum, life) => sum + life.mishaps.length + life.arrivals.length, 0);
  return `${lives.length} lives, ${steps} steps and ${mishaps} mishaps and arrivals`;
}
