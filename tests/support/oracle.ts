/**
 * Knows what a log was given and what it promised, and compares that with what is found.
 */

import type { Durability, Entry, Wal } from "../../mod.ts";

interface Submission {
  readonly value: string;
  /** Entries of one batch share a number; 0 is no batch. */
  readonly batch: number;
  /** Up to here all was synced before this was accepted: once it is on the disk, it vouches for that. */
  readonly vouchesFor: number;
  acknowledged: Durability;
}

/** How the last life ended. */
export type Ending =
  /** The process died; what the operating system has is still there. */
  | "kill"
  /** The power went, or a sync failed: only what is synced is sure. */
  | "power"
  /** And a read showed a bit that is not on the disk: only what something vouches for is sure. */
  | "misread";

/** A promise that was broken. */
export class Violation extends Error {}

/** The kind that an entry of this value is appended with. */
export function kindOf(value: string): number {
  const number = Number(/^<(\d+)>/.exec(value)?.[1] ?? 0);
  return number % 3 === 0 ? number % 192 : 0;
}

/** See the head of this file. */
export class Oracle {
  #submissions = new Map<number, Submission>();
  /** Handed over without an LSN that anyone knows: a commit that waited for room. */
  #floating = new Set<string>();
  /** Values that must never be seen again, and why. */
  #gone = new Map<string, string>();
  /** LSNs that may be a gap. */
  #skippable = new Set<number>();
  #values = 0;
  #batches = 0;
  /** Where somebody asked the log to begin, and where it has said that it does. */
  #askedHeadLsn = 1;
  #headLsn = 1;

  /** An independent copy. */
  clone(): Oracle {
    const copy = new Oracle();
    copy.#submissions = new Map([...this.#submissions].map(([lsn, submission]) => [lsn, { ...submission }]));
    copy.#floating = new Set(this.#floating);
    copy.#gone = new Map(this.#gone);
    copy.#skippable = new Set(this.#skippable);
    copy.#values = this.#values;
    copy.#batches = this.#batches;
    copy.#askedHeadLsn = this.#askedHeadLsn;
    copy.#headLsn = this.#headLsn;
    return copy;
  }

  /** Where the log has said that it begins. */
  get headLsn(): number {
    return this.#headLsn;
  }

  /** Two oracles with the same one have been told the same. */
  get fingerprint(): string {
    const submissions = [...this.#submissions].map(([lsn, { acknowledged }]) => `${lsn}${acknowledged}`);
    return [
      this.#headLsn,
      this.#askedHeadLsn,
      this.#values,
      this.#floating.size,
      this.#gone.size,
      this.#skippable.size,
      ...submissions,
    ].join();
  }

  /** A value that no other entry has, of so many characters at least. */
  value(length: number): string {
    const name = `<${++this.#values}>`;
    return name.padEnd(length, name);
  }

  /** A number that no other batch has. */
  batch(): number {
    return ++this.#batches;
  }

  /** The log has given an entry this LSN, when all up to `syncedLsn` was synced. */
  accepted(lsn: number, value: string, syncedLsn: number, batch = 0): void {
    if (this.#submissions.has(lsn) || this.#skippable.has(lsn)) throw new Violation(`LSN ${lsn} was given out twice`);
    this.#submissions.set(lsn, { value, batch, vouchesFor: syncedLsn, acknowledged: "none" });
  }

  /** The log may have taken it, and nobody knows its LSN. */
  floats(value: string): void {
    this.#floating.add(value);
  }

  /** What floated has an LSN now. */
  landed(lsn: number, value: string, batch = 0): void {
    this.#floating.delete(value);
    if (this.#skippable.has(lsn)) return this.turnedAway(value); // it was rejected before anyone knew its LSN
    this.accepted(lsn, value, 0, batch);
  }

  /** The log says that it did not take what floated. */
  turnedAway(value: string): void {
    this.#floating.delete(value);
    this.#gone.set(value, "turned away");
  }

  /** The log says that the entry is durable at this level. */
  acknowledged(lsn: number, level: Durability): void {
    const submission = this.#submissions.get(lsn);
    if (level === "none" && this.#skippable.has(lsn)) return; // accepted it was, and a full disk has rejected it since
    if (submission === undefined) throw new Violation(`LSN ${lsn} was acknowledged and never accepted, or rejected`);
    if (submission.acknowledged === "fsync" || level === "none") return;
    submission.acknowledged = level;
  }

  /** The same, of an LSN that may belong to someone who does not know it yet. */
  waitedFor(lsn: number, level: Durability): void {
    if (this.#submissions.has(lsn) || this.#skippable.has(lsn)) this.acknowledged(lsn, level);
  }

  /** The log says that all up to here is synced. */
  synced(lsn: number): void {
    for (const [each, submission] of this.#submissions) if (each <= lsn) submission.acknowledged = "fsync";
  }

  /** The log says that it was closed well: all that it took and did not reject is synced, and the rest was not taken. */
  closed(wal: Wal): void {
    this.synced(Infinity);
    for (const value of this.#floating) this.turnedAway(value);
    // LSNs that it gave out and rejected at its end may be given out again.
    for (const lsn of [...this.#skippable]) if (lsn > wal.syncedLsn) this.#skippable.delete(lsn);
  }

  /** Somebody cuts the log. */
  cutting(lsn: number): void {
    this.#askedHeadLsn = Math.max(this.#askedHeadLsn, lsn);
  }

  /** The log says that it begins here now. */
  cut(lsn: number): void {
    this.#headLsn = Math.max(this.#headLsn, lsn);
  }

  /** A stream of the log has shown an entry: then no kill may lose it. */
  shown(entry: Entry): void {
    const { lsn } = entry;
    this.#checkGenuine(lsn, entry.text());
    if (this.#submissions.get(lsn)?.acknowledged === "none") this.acknowledged(lsn, "write");
  }

  /** A reader elsewhere has shown an entry: then nothing may lose it. */
  shownElsewhere(entry: Entry): void {
    const { lsn } = entry;
    if (this.#gone.get(entry.text()) === "cut") return; // who has begun before the cut may go on to read it
    this.#checkGenuine(lsn, entry.text());
    if (this.#submissions.has(lsn)) this.acknowledged(lsn, "fsync");
  }

  /** The log says that the entry will never be. */
  rejected(lsn: number): void {
    const submission = this.#submissions.get(lsn);
    this.#skippable.add(lsn); // also where nobody knew what had floated there
    if (submission === undefined) return;
    const { value, acknowledged } = submission;
    if (acknowledged !== "none") throw new Violation(`LSN ${lsn} was acknowledged at ${acknowledged}, then rejected`);
    this.#gone.set(value, "rejected");
    this.#submissions.delete(lsn);
  }

  /** A reader in the process sees what is durable from one LSN to another, neither more nor less. */
  checkInside(entries: readonly Entry[], fromLsn: number, toLsn: number): void {
    this.#checkOrder(entries);
    const got = new Set(entries.map(({ lsn }) => lsn));
    for (const lsn of got) if (lsn < fromLsn || lsn > toLsn) throw new Violation(`inside: ${lsn} was not asked for`);
    for (const lsn of this.#submissions.keys()) {
      if (lsn >= fromLsn && lsn <= toLsn && !got.has(lsn)) throw new Violation(`inside: ${lsn} is not shown`);
    }
  }

  /** What an open found must be what the promises say; from then on it is what there is. */
  checkRecovered(wal: Wal, entries: readonly Entry[], ending: Ending): void {
    this.#checkHead(wal.firstLsn);
    this.#checkOrder(entries);
    const got = new Map(entries.map((entry) => [entry.lsn, entry.text()]));
    for (let lsn = wal.firstLsn; lsn <= wal.lastLsn; lsn++) {
      if (!got.has(lsn) && !this.#skippable.has(lsn)) throw new Violation(`a hole at ${lsn}`);
    }
    const vouchedLsn = ending === "misread" ? this.#vouchedLsn() : Infinity;
    for (const [lsn, { acknowledged, batch }] of this.#submissions) {
      if (got.has(lsn)) continue;
      if (acknowledged === "fsync" && lsn <= vouchedLsn) throw new Violation(`lost ${lsn}, acknowledged at fsync`);
      if (acknowledged === "write" && ending === "kill") throw new Violation(`lost ${lsn}, acknowledged at write`);
      for (const [other, each] of this.#submissions) {
        if (batch !== 0 && each.batch === batch && got.has(other)) {
          throw new Violation(`half a batch: ${lsn} is missing`);
        }
      }
    }
    if (wal.durableLsn !== wal.lastLsn || wal.syncedLsn !== wal.lastLsn) {
      throw new Violation("not all that was found is synced");
    }
    this.#take(got, wal.lastLsn);
  }

  #checkHead(firstLsn: number): void {
    if (firstLsn < this.#headLsn || firstLsn > this.#askedHeadLsn) {
      throw new Violation(`the log begins with ${firstLsn}, not with ${this.#headLsn} to ${this.#askedHeadLsn}`);
    }
    this.#headLsn = this.#askedHeadLsn = firstLsn;
    for (const [lsn, { value }] of [...this.#submissions]) {
      if (lsn >= firstLsn) continue;
      this.#gone.set(value, "cut");
      this.#submissions.delete(lsn);
    }
    for (const lsn of [...this.#skippable]) if (lsn < firstLsn) this.#skippable.delete(lsn);
  }

  /** The last LSN up to this one that was not rejected, as far as anyone knows; 0 if there is none. */
  lastKeptLsn(lsn: number): number {
    return [...this.#submissions.keys()].reduce((last, each) => each <= lsn ? Math.max(last, each) : last, 0);
  }

  /** LSNs that are there, and LSNs that are skipped. */
  lsns(): { present: number[]; skipped: number[] } {
    return { present: [...this.#submissions.keys()], skipped: [...this.#skippable] };
  }

  /** The last LSN that some other frame on the disk says was synced. */
  #vouchedLsn(): number {
    let lsn = 0;
    for (const { acknowledged, vouchesFor } of this.#submissions.values()) {
      if (acknowledged === "fsync") lsn = Math.max(lsn, vouchesFor);
    }
    return lsn;
  }

  #checkOrder(entries: readonly Entry[]): void {
    let lsnBefore = 0;
    let timeBefore = 0;
    for (const entry of entries) {
      const { lsn, time, kind } = entry;
      if (lsn <= lsnBefore) throw new Violation(`out of order: ${lsn} after ${lsnBefore}`);
      if (time < timeBefore) throw new Violation(`time goes back at ${lsn}`);
      const value = entry.text();
      this.#checkGenuine(lsn, value);
      if (kind !== kindOf(value)) throw new Violation(`${lsn} has kind ${kind} instead of ${kindOf(value)}`);
      lsnBefore = lsn;
      timeBefore = time;
    }
  }

  #checkGenuine(lsn: number, value: string): void {
    const why = this.#gone.get(value);
    if (why !== undefined) throw new Violation(`${lsn} was ${why} and came back`);
    if (this.#submissions.get(lsn)?.value === value) return;
    if (this.#submissions.has(lsn) || !this.#floating.has(value)) {
      throw new Violation(`${lsn} was never written: ${value.slice(0, 20)}`);
    }
  }

  #take(got: ReadonlyMap<number, string>, lastLsn: number): void {
    for (const [lsn, submission] of [...this.#submissions]) {
      if (got.has(lsn)) {
        submission.acknowledged = "fsync"; // the open has synced it
        continue;
      }
      this.#gone.set(submission.value, "lost");
      this.#submissions.delete(lsn);
    }
    for (const [lsn, value] of got) {
      if (this.#submissions.has(lsn)) continue;
      this.#floating.delete(value);
      this.#submissions.set(lsn, { value, batch: 0, vouchesFor: 0, acknowledged: "fsync" });
    }
    for (const value of this.#floating) this.#gone.set(value, "lost");
    this.#floating.clear();
    for (const lsn of [...this.#skippable]) if (lsn > lastLsn) this.#skippable.delete(lsn);
  }
}
