/**
 * Which LSNs ask for which durability. Nearly all ask for the log's own, so this is a short list of runs.
 *
 * @module
 */

import type { EntryInput } from "./entry.ts";
import { isBytes } from "./entry_input.ts";
import { describe, isRevoked, WalInputError } from "./errors.ts";
import { DURABILITIES, type Durability } from "./options.ts";

/** From the run before it up to `lastLsn`, all ask for the same. */
interface Run {
  lastLsn: number;
  level: Durability;
}

/** The levels that were asked for, of LSNs that are not settled yet. */
export class Levels {
  /** Rising, from the first LSN that is not synced. */
  readonly #runs: Run[] = [];

  /** The LSNs up to this one, from the one noted before, ask for `level`. */
  note(lastLsn: number, level: Durability): void {
    const last = this.#runs[this.#runs.length - 1];
    if (last !== undefined && last.level === level) last.lastLsn = lastLsn;
    else this.#runs.push({ lastLsn, level });
  }

  /** From `firstLsn` on, nobody asks for anything any more: those LSNs will never be. */
  reject(firstLsn: number): void {
    const lastLsn = this.#runs.at(-1)?.lastLsn ?? 0;
    while ((this.#runs.at(-2)?.lastLsn ?? 0) >= firstLsn - 1 && this.#runs.length > 1) this.#runs.pop();
    const last = this.#runs.at(-1);
    if (last !== undefined) last.lastLsn = firstLsn - 1;
    this.note(lastLsn, "none");
  }

  /** What is synced asks for nothing any more. */
  forget(syncedLsn: number): void {
    let done = 0;
    while ((this.#runs[done]?.lastLsn ?? Infinity) <= syncedLsn) done++;
    if (done > 0) this.#runs.splice(0, done);
  }

  /** Whether any LSN from `fromLsn` to `toLsn` asks to be synced. */
  askSync(fromLsn: number, toLsn: number): boolean {
    let firstLsn = fromLsn;
    for (const { lastLsn, level } of this.#runs) {
      if (firstLsn > toLsn) return false;
      if (lastLsn < firstLsn) continue;
      if (level === "fsync") return true;
      firstLsn = lastLsn + 1;
    }
    return false;
  }

  /** The highest LSN up to which each one has what it asks for. */
  durableLsn(syncedLsn: number, writtenLsn: number): number {
    let durableLsn = syncedLsn;
    for (const { lastLsn, level } of this.#runs) {
      if (lastLsn <= durableLsn) continue;
      if (level === "fsync") break;
      if (level === "write" && lastLsn > writtenLsn) return Math.max(durableLsn, writtenLsn);
      durableLsn = lastLsn;
    }
    return durableLsn;
  }
}

/** What an entry asks for: what it says itself, or `level`. */
export function levelOf(input: EntryInput, level: Durability): Durability {
  // What was revoked is refused where it is read.
  if (typeof input !== "object" || input === null || isBytes(input) || isRevoked(input)) return level;
  const { durability } = input;
  if (durability === undefined) return level;
  if (DURABILITIES.includes(durability)) return durability;
  throw new WalInputError(`an entry's durability must be ${DURABILITIES.join(", ")}, not ${describe(durability)}`);
}

/** What a batch asks for: what the strongest of its entries does. */
export function batchLevelOf(inputs: readonly EntryInput[], level: Durability): Durability {
  let strongest = DURABILITIES.length - 1;
  for (const input of inputs) strongest = Math.min(strongest, DURABILITIES.indexOf(levelOf(input, level)));
  return DURABILITIES[strongest] ?? level;
}
