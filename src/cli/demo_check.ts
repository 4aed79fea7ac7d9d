/**
 * Whether a log holds what was acknowledged, and nothing that was not written.
 *
 * @module
 */

import { type EntryNumber, readEntryText } from "./demo_entries.ts";

/** The entries of a stream up to this one were acknowledged, and it was said to be at `lsn`. */
export interface Acknowledged extends EntryNumber {
  readonly lsn: number;
}

/** What the check needs of an entry. */
export interface ReadEntry {
  readonly lsn: number;
  text(): string;
}

/** What was found. */
export interface Checked {
  /** How many entries of each run are there. */
  readonly foundByRun: ReadonlyMap<number, number>;
  /** The last entry of each stream: whoever has been shown a log may count on it from then on. */
  readonly reached: readonly Acknowledged[];
  /** How many entries are not there that must be. */
  readonly missing: number;
  /** How many are there that cannot be, or not in this place. */
  readonly unexpected: number;
  /** The first of both in words. */
  readonly remarks: readonly string[];
}

const MOST_REMARKS = 5;

/** Checks all of a log that `lastRun` was the last to write to, from its first entry on. */
export async function checkLog(
  entries: AsyncIterable<ReadEntry>,
  lastRun: number,
  acknowledged: readonly Acknowledged[],
): Promise<Checked> {
  const check = new LogCheck(lastRun, acknowledged);
  for await (const entry of entries) check.take(entry);
  return check.finish();
}

class LogCheck {
  readonly #lastRun: number;
  readonly #acknowledged: readonly Acknowledged[];
  readonly #acknowledgedAt: Map<number, Acknowledged>;
  readonly #reached: Map<string, Acknowledged> = new Map();
  readonly #foundByRun: Map<number, number> = new Map();
  readonly #remarks: string[] = [];
  #run = 1;
  #lsn = 0;
  #missingLsns = 0;
  #missingInStreams = 0;
  #unexpected = 0;

  constructor(lastRun: number, acknowledged: readonly Acknowledged[]) {
    this.#lastRun = lastRun;
    this.#acknowledged = acknowledged;
    this.#acknowledgedAt = new Map(acknowledged.map((each) => [each.lsn, each]));
  }

  take(entry: ReadEntry): void {
    const { lsn } = entry;
    const text = entry.text();
    const number = readEntryText(text);
    const problem = this.#problemWith(lsn, text, number);
    const told = this.#acknowledgedAt.get(lsn);
    if (lsn > this.#lsn + 1) this.#missingLsns += this.#gap(`LSN ${lsn} follows LSN ${this.#lsn}`, lsn - this.#lsn - 1);
    this.#lsn = Math.max(this.#lsn, lsn);
    if (problem !== null || number === null) return this.#isUnexpected(`LSN ${lsn} ${problem}`);
    // It is there all the same, and what follows it in its stream is not at fault.
    if (told !== undefined && nameOf(told) !== nameOf(number)) {
      this.#isUnexpected(`LSN ${lsn} holds ${nameOf(number)}; it was acknowledged as ${nameOf(told)}`);
    }
    const before = this.#reached.get(streamOf(number))?.sequence ?? 0;
    const skipped = number.sequence - before - 1;
    if (skipped > 0) this.#missingInStreams += this.#gap(`${nameOf(number)} follows entry ${before}`, skipped);
    this.#run = number.run;
    this.#reached.set(streamOf(number), { ...number, lsn });
    this.#foundByRun.set(number.run, (this.#foundByRun.get(number.run) ?? 0) + 1);
  }

  finish(): Checked {
    const promised = new Map<string, Acknowledged>();
    for (const each of this.#acknowledged) {
      if (each.sequence > (promised.get(streamOf(each))?.sequence ?? 0)) promised.set(streamOf(each), each);
    }
    for (const [stream, last] of promised) {
      const found = this.#reached.get(stream)?.sequence ?? 0;
      const lost = last.sequence - found;
      if (lost > 0) this.#missingInStreams += this.#gap(`${nameOf(last)} was acknowledged, ${found} is the last`, lost);
      this.#missingLsns += Math.max(0, last.lsn - this.#lsn);
      this.#lsn = Math.max(this.#lsn, last.lsn);
    }
    return {
      foundByRun: this.#foundByRun,
      reached: [...this.#reached.values()],
      // An entry that is gone leaves a gap in both, and is one entry.
      missing: Math.max(this.#missingLsns, this.#missingInStreams),
      unexpected: this.#unexpected,
      remarks: this.#remarks,
    };
  }

  #problemWith(lsn: number, text: string, number: EntryNumber | null): string | null {
    if (number === null) return `holds what nobody wrote: ${JSON.stringify(text.slice(0, 40))}`;
    const name = nameOf(number);
    if (lsn <= this.#lsn) return `comes after LSN ${this.#lsn}`;
    if (number.run < this.#run || number.run > this.#lastRun) return `holds ${name} where run ${this.#run} was writing`;
    const before = this.#reached.get(streamOf(number))?.sequence ?? 0;
    return number.sequence <= before ? `holds ${name} after entry ${before}` : null;
  }

  #isUnexpected(remark: string): void {
    this.#unexpected++;
    this.#remark(remark);
  }

  #gap(remark: string, count: number): number {
    this.#remark(remark);
    return count;
  }

  #remark(remark: string): void {
    if (this.#remarks.length < MOST_REMARKS) this.#remarks.push(remark);
  }
}

function streamOf({ run, stream }: EntryNumber): string {
  return `${run}/${stream}`;
}

function nameOf({ run, stream, sequence }: EntryNumber): string {
  return `run ${run} stream ${stream} entry ${sequence}`;
}
