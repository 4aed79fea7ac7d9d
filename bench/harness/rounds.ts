/**
 * Lets the contenders of a point take turns, in another order each round, and makes figures of what they read.
 *
 * They alternate so that a disk or a neighbour that is slow for a while is slow for all of them. Each round begins with another,
 * and every other round goes backwards: so nobody follows the same one each time, whose writes the disk may be busy with.
 *
 * @module
 */

import { collectGarbage } from "./garbage.ts";
import type { Contender, Reading, Watch } from "./point.ts";
import type { Absence, Figure, Obstacle } from "./point_line.ts";
import { RoundDirectories } from "./round_directories.ts";
import { median } from "./statistics.ts";

/** What is to be run. */
export interface RoundsOptions {
  readonly contenders: readonly Contender[];
  /** Rounds that count. */
  readonly rounds: number;
  readonly hasWarmUp: boolean;
  /** Where the rounds' directories go. */
  readonly directory: string;
  /** Called before each turn: which round (0 warms up), and whose turn it is. */
  readonly onTurn: (round: number, who: string) => void;
}

/** What came of it. */
export interface RoundsResult {
  readonly figures: readonly Figure[];
  readonly absent: readonly Absence[];
}

/** Readings with the contender and the words they share. */
interface Series extends Omit<Reading, "value"> {
  readonly contender: string;
  readonly values: number[];
}

/** A watch by the runtime's own clock. */
export function stopwatch(): Watch {
  let startMs = NaN;
  return {
    takesOnePart: false,
    start: () => void (startMs = performance.now()),
    stop: () => performance.now() - startMs,
  };
}

/** See the head of this file. */
export async function runRounds(options: RoundsOptions): Promise<RoundsResult> {
  const { contenders, rounds, hasWarmUp, directory, onTurn } = options;
  const directories = new RoundDirectories(directory);
  const absent: Absence[] = [];
  const series = new Map<Contender, Map<string, Series>>();
  const present = await presentOf(contenders, absent, async (contender) => {
    onTurn(0, `${nameOf(contender)} is made ready`);
    await contender.prepare?.(directories.make());
  });
  for (let round = hasWarmUp ? 0 : 1; round <= rounds; round++) {
    for (const contender of inTurn([...present], hasWarmUp ? round : round - 1)) {
      onTurn(round, nameOf(contender));
      const readings = await turn(contender, directories).catch((error: unknown) => {
        if (!contender.isPeer) throw error;
        present.delete(contender);
        absent.push({ contender: contender.name, ...failureOf(error) });
        return [];
      });
      if (round > 0) take(series, contender, readings);
    }
  }
  await directories.removeAll();
  const isAbsent = (name: string): boolean => absent.some(({ contender }) => contender === name);
  const read = contenders.flatMap((contender) =>
    isAbsent(contender.name) ? [] : [...series.get(contender)?.values() ?? []]
  );
  return { figures: read.map(figureOf), absent };
}

/** Who can run here, made ready. */
async function presentOf(
  contenders: readonly Contender[],
  absent: Absence[],
  prepare: (contender: Contender) => Promise<void>,
): Promise<Set<Contender>> {
  const present = new Set<Contender>();
  for (const contender of contenders) {
    const obstacle = await contender.unavailable?.() ?? await failureToPrepare(contender, prepare);
    if (obstacle === null) present.add(contender);
    else if (!absent.some((each) => each.contender === contender.name)) {
      absent.push({ contender: contender.name, ...obstacle });
    }
  }
  return present;
}

/** Why a peer cannot be made ready, or null; what is no peer must be. */
async function failureToPrepare(
  contender: Contender,
  prepare: (contender: Contender) => Promise<void>,
): Promise<Obstacle | null> {
  try {
    if (contender.prepare !== undefined) await prepare(contender);
    return null;
  } catch (error) {
    if (!contender.isPeer) throw error;
    return failureOf(error);
  }
}

async function turn(contender: Contender, directories: RoundDirectories): Promise<readonly Reading[]> {
  const directory = directories.make();
  collectGarbage(); // what another contender left behind is not this one's to clear away
  try {
    return await contender.round(directory, stopwatch());
  } finally {
    await directories.remove(directory);
  }
}

function take(series: Map<Contender, Map<string, Series>>, contender: Contender, readings: readonly Reading[]): void {
  const own = series.get(contender) ?? new Map<string, Series>();
  series.set(contender, own);
  for (const { what, unit, better, value } of readings) {
    const known = own.get(what) ?? { contender: contender.name, what, unit, better, values: [] };
    known.values.push(value);
    own.set(what, known);
  }
}

function figureOf({ contender, what, unit, better, values }: Series): Figure {
  return { contender, what, unit, better, median: rounded(median(values)), rounds: values.map(rounded) };
}

/** Six digits: more than any of them means. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

/** The order of the `nth` round, from 0. */
function inTurn<T>(values: readonly T[], nth: number): T[] {
  const first = nth % Math.max(1, values.length);
  const order = [...values.slice(first), ...values.slice(0, first)];
  return nth % 2 === 0 ? order : order.reverse();
}

function nameOf({ name, part }: Contender): string {
  return part === undefined ? name : `${name}, ${part}`;
}

function failureOf(error: unknown): Obstacle {
  const [line] = (error instanceof Error ? error.message : String(error)).split("\n");
  return { reason: `failed: ${line}`, isMissed: true };
}
