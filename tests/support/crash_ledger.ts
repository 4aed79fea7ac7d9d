/**
 * What the processes that wrote to a log had said before they were killed, and what must therefore be in it.
 */

import { type Acknowledgement, nameOf, type ReadEntry, type Rejection, type Submission } from "./crash_entries.ts";
import { submissionOf } from "./crash_entries.ts";

/** What a program says that counts. */
export type Statement =
  | Acknowledgement
  | Rejection
  /** Everything up to here is synced. */
  | { readonly flushed: number }
  /** The log is about to be cut, so that this LSN is the first one. */
  | { readonly cutting: number }
  /** It has been. */
  | { readonly cut: number };

/** How the log was looked at: opened, and this is what it has; or read by a process without the lock, which may show less. */
export type Sight = { readonly firstLsn: number; readonly lastLsn: number } | "read";

/** What a caller has said: the last number that it had an answer for, and what a full disk rejected. */
interface CallerState {
  answered: number;
  readonly rejections: Rejection[];
}

/** An acknowledgement that no crash may take back. */
interface Promised {
  readonly life: number;
  readonly acknowledgement: Acknowledgement;
  isChecked: boolean;
}

/** See the head of this file. */
export class Ledger {
  /** By LSN. */
  readonly #promised = new Map<number, Promised>();
  /** Acknowledgements of the last life that a crash may take back, but none that was given out before what it leaves. */
  #weak: Promised[] = [];
  readonly #callers = new Map<string, CallerState>();
  /** What was once found by an opener, or shown to a reader, stays: names by LSN. */
  readonly #shown = new Map<number, string>();
  #firmLsn = 0;
  #cutLsn = 1;
  #cuttingLsn = 1;
  #hasRejections = false;
  /** How many acknowledgements have been found to be true. */
  checkedCount = 0;

  /** Takes what a life said, in its order. Throws where that contradicts what was said before. */
  hear(life: number, statements: readonly Statement[]): void {
    const wasFull = statements.some((statement) => "rejected" in statement);
    this.#hasRejections ||= wasFull;
    let firmLsn = 0;
    const heard: Promised[] = [];
    for (const statement of statements) {
      if ("acknowledged" in statement) {
        const { acknowledged, caller, number, level } = statement;
        const { answered, rejections } = this.#caller(life, caller);
        // What was only accepted may have been rejected after that, where the disk was full.
        if (wasFull && level === "none") rejections.push({ rejected: [answered + 1, number], caller, isWhole: false });
        else heard.push({ life, acknowledgement: statement, isChecked: false });
        if (level !== "none") firmLsn = Math.max(firmLsn, acknowledged);
        this.#caller(life, caller).answered = number;
      } else if ("rejected" in statement) {
        const caller = this.#caller(life, statement.caller);
        caller.answered = statement.rejected[1];
        caller.rejections.push(statement);
      } else if ("flushed" in statement) firmLsn = Math.max(firmLsn, statement.flushed);
      else if ("cutting" in statement) this.#cuttingLsn = Math.max(this.#cuttingLsn, statement.cutting);
      else this.#cutLsn = Math.max(this.#cutLsn, statement.cut);
    }
    this.#weak = heard.filter(({ acknowledgement }) => acknowledgement.acknowledged > firmLsn);
    for (const each of heard) if (each.acknowledgement.acknowledged <= firmLsn) this.#promise(each);
    this.#firmLsn = Math.max(this.#firmLsn, firmLsn);
  }

  #promise(promised: Promised): void {
    const { life, acknowledgement: { acknowledged } } = promised;
    const before = this.#promised.get(acknowledged);
    if (before !== undefined) {
      throw new Error(`LSN ${acknowledged} of life ${before.life} was given again to life ${life}`);
    }
    this.#promised.set(acknowledged, promised);
  }

  #caller(life: number, caller: number): CallerState {
    const key = `${life} ${caller}`;
    const state = this.#callers.get(key) ?? { answered: 0, rejections: [] };
    this.#callers.set(key, state);
    return state;
  }

  /** Fails unless these entries are all that a look at the log may show, and for an opener all that it must. */
  check(entries: readonly ReadEntry[], sight: Sight): Submission[] {
    const found = entries.map(submissionOf);
    const isWhole = sight !== "read";
    const firstLsn = isWhole ? sight.firstLsn : entries[0]?.lsn ?? 1;
    const lastLsn = isWhole ? Infinity : entries.at(-1)?.lsn ?? 0;
    if (isWhole) this.#checkBounds(sight, entries);
    else if (firstLsn > this.#cuttingLsn && !this.#hasRejections) {
      throw new Error(`the log begins with LSN ${firstLsn} for a reader, and was cut at ${this.#cuttingLsn} at most`);
    }
    this.#checkOrder(entries, found, firstLsn);
    this.#checkCallers(found, firstLsn);
    const byLsn = new Map(entries.map(({ lsn }, nth) => [lsn, found[nth] as Submission]));
    this.#checkPromised(byLsn, firstLsn, lastLsn);
    this.#checkShown(byLsn, firstLsn, lastLsn);
    for (const [lsn, submission] of byLsn) if (lsn >= this.#cutLsn) this.#shown.set(lsn, nameOf(submission));
    return found;
  }

  #checkBounds({ firstLsn, lastLsn }: Exclude<Sight, "read">, entries: readonly ReadEntry[]): void {
    if (firstLsn < this.#cutLsn || firstLsn > this.#cuttingLsn) {
      throw new Error(`the log begins with LSN ${firstLsn}, and was cut at ${this.#cutLsn} to ${this.#cuttingLsn}`);
    }
    if (lastLsn < this.#firmLsn) throw new Error(`LSN ${this.#firmLsn} was durable, and the log ends with ${lastLsn}`);
    const [first, last] = [entries.at(0)?.lsn ?? lastLsn + 1, entries.at(-1)?.lsn ?? firstLsn - 1];
    if (!this.#hasRejections && (first !== firstLsn || last !== lastLsn)) {
      throw new Error(`the log has LSN ${firstLsn} to ${lastLsn}, and shows ${first} to ${last}`);
    }
    // What was cut off is nobody's business any more.
    this.#cutLsn = firstLsn;
    for (const lsn of this.#promised.keys()) if (lsn < firstLsn) this.#promised.delete(lsn);
    for (const lsn of this.#shown.keys()) if (lsn < firstLsn) this.#shown.delete(lsn);
  }

  /** LSNs rise without a gap, lives follow each other, batches are whole. */
  #checkOrder(entries: readonly ReadEntry[], found: readonly Submission[], firstLsn: number): void {
    const follows = (nth: number): boolean =>
      entries[nth]?.lsn === lsnAt(nth - 1) + 1 && isNextOf(found[nth - 1], found[nth]);
    const lsnAt = (nth: number): number => entries[nth]?.lsn ?? 0;
    for (const [nth, { life, number, range: [first, last], isBatch }] of found.entries()) {
      const lsn = lsnAt(nth);
      if (nth > 0 && (lsn <= lsnAt(nth - 1) || lsn !== lsnAt(nth - 1) + 1 && !this.#hasRejections)) {
        throw new Error(`LSN ${lsn} follows LSN ${lsnAt(nth - 1)}`);
      }
      if (life < (found[nth - 1]?.life ?? 0)) {
        throw new Error(`LSN ${lsn} is of an earlier life than the one before it`);
      }
      if (!isBatch) continue;
      // Of a batch that the log was cut in, the beginning is not shown.
      const isCut = nth === 0 && lsn === firstLsn && lsn > 1;
      if (number > first && !isCut && !follows(nth) || number < last && !follows(nth + 1)) {
        throw new Error(`LSN ${lsn} belongs to a batch that is not whole`);
      }
    }
  }

  /** What a caller submitted is there one after the other, and nothing beyond what it had in flight at the end. */
  #checkCallers(found: readonly Submission[], firstLsn: number): void {
    const lastNumbers = new Map<string, number>();
    for (const submission of found) {
      const { life, caller, number } = submission;
      const key = `${life} ${caller}`;
      const state = this.#callers.get(key) ?? { answered: 0, rejections: [] };
      const before = lastNumbers.get(key) ?? (firstLsn > 1 ? number - 1 : 0);
      lastNumbers.set(key, number);
      if (number <= before) throw new Error(`${nameOf(submission)} follows number ${before}`);
      for (let missing = before + 1; missing < number; missing++) {
        if (!state.rejections.some(({ rejected }) => includes(rejected, missing))) {
          throw new Error(`${nameOf(submission)} follows number ${before}`);
        }
      }
      const rejection = state.rejections.find(({ rejected }) => includes(rejected, number));
      if (rejection?.isWhole) throw new Error(`${nameOf(submission)} was rejected and is there`);
      if (number > state.answered && submission.range[0] !== state.answered + 1) {
        throw new Error(`${nameOf(submission)} is there, and its caller was waiting for number ${state.answered + 1}`);
      }
    }
  }

  #checkPromised(byLsn: ReadonlyMap<number, Submission>, firstLsn: number, lastLsn: number): void {
    for (const [lsn, promised] of this.#promised) {
      if (lsn < firstLsn || lsn > lastLsn) continue;
      const { life, acknowledgement: { caller, number } } = promised;
      const there = byLsn.get(lsn);
      const expected = nameOf({ life, caller, number });
      if (there === undefined) throw new Error(`LSN ${lsn} was acknowledged and is not there: ${expected}`);
      if (nameOf(there) !== expected) {
        throw new Error(`LSN ${lsn} was acknowledged to be ${expected}, and is ${nameOf(there)}`);
      }
      if (!promised.isChecked) this.checkedCount++;
      promised.isChecked = true;
    }
    for (const { life, acknowledgement: { acknowledged, caller, number } } of this.#weak) {
      const there = byLsn.get(acknowledged);
      if (there?.life === life && nameOf(there) !== nameOf({ life, caller, number })) {
        throw new Error(`LSN ${acknowledged} was given out twice in life ${life}: once to ${nameOf(there)}`);
      }
    }
  }

  #checkShown(byLsn: ReadonlyMap<number, Submission>, firstLsn: number, lastLsn: number): void {
    for (const [lsn, name] of this.#shown) {
      if (lsn < firstLsn || lsn > lastLsn) continue;
      const there = byLsn.get(lsn);
      if (there === undefined || nameOf(there) !== name) {
        throw new Error(`LSN ${lsn} was seen to be ${name}, and is ${there === undefined ? "gone" : nameOf(there)}`);
      }
    }
  }
}

/** Whether one comes next to the other in one batch. */
function isNextOf(before: Submission | undefined, next: Submission | undefined): boolean {
  return before !== undefined && next !== undefined && before.life === next.life && before.caller === next.caller &&
    before.number + 1 === next.number && before.range.join() === next.range.join();
}

function includes([first, last]: readonly [number, number], number: number): boolean {
  return first <= number && number <= last;
}
