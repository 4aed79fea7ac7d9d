/**
 * What `npm run soak` is told.
 */

import { parseArgs } from "node:util";

/** What stands behind `--help`. */
export const SOAK_HELP = `npm run soak -- [--minutes N] [--histories N] [--seed S] [--kills N]

Random histories of a log on a disk in memory that is as bad as a disk can be: lives one after the other, with all that
users do, faults at any call, full disks, kills and power losses; and readers elsewhere. At each open it is checked that
nothing acknowledged is lost, nothing else comes back, and nothing is refused. Each history is its seed. What breaks a
promise is made smaller, and told with all that happens in it; the soaking goes on.

  --minutes N     for so long; 10 if nothing is said of when to end
  --histories N   so many
  --seed S        of the first history, the next ones follow; from the time unless given. With nothing else it is that
                  history alone, told step by step
  --kills N       processes that write to logs on real disks, on each runtime in turn, killed so often with SIGKILL; --seed is
                  that of the first run of them. Histories only where --minutes or --histories asks for them, after it
  --help

It ends with 0, with 1 where a promise was broken, and with 64 where it was told nonsense.
`;

/** What to do. */
export interface SoakPlan {
  readonly seed: number;
  readonly histories: number;
  readonly mostMs: number;
  /** How often real processes are killed. */
  readonly kills: number;
  /** Whether it is one history that is told step by step. */
  readonly isTold: boolean;
}

/** Told nonsense. */
export class SoakUsageError extends Error {}

/** The plan; null: help was asked for. */
export function readSoakPlan(given: readonly string[], nowMs: number): SoakPlan | null {
  const { minutes, histories, seed, kills, help } = parse(given);
  if (help === true) return null;
  const hasEnd = minutes !== undefined || histories !== undefined;
  const isTold = seed !== undefined && kills === undefined && !hasEnd;
  const count = histories !== undefined
    ? wholeNumber("histories", histories, 1)
    : isTold
    ? 1
    : kills !== undefined && !hasEnd
    ? 0
    : Infinity;
  const isTimed = minutes !== undefined || count === Infinity;
  return {
    seed: seed === undefined ? Math.floor(nowMs / 1000) * 1000 : wholeNumber("seed", seed, 0),
    histories: count,
    mostMs: isTimed ? 60_000 * number("minutes", minutes ?? "10") : Infinity,
    kills: kills === undefined ? 0 : wholeNumber("kills", kills, 1),
    isTold,
  };
}

interface Given {
  readonly minutes?: string;
  readonly histories?: string;
  readonly seed?: string;
  readonly kills?: string;
  readonly help?: boolean;
}

function parse(given: readonly string[]): Given {
  const options = {
    minutes: { type: "string" },
    histories: { type: "string" },
    seed: { type: "string" },
    kills: { type: "string" },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    return parseArgs({ args: [...given], options }).values;
  } catch (error) {
    throw new SoakUsageError(error instanceof Error ? error.message : String(error));
  }
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0) {
    throw new SoakUsageError(`--${name} must be a number above 0, not "${text}"`);
  }
  return value;
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < least) {
    throw new SoakUsageError(`--${name} must be a whole number from ${least}, not "${text}"`);
  }
  return value;
}
