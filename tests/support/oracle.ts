/**
 * Knows what a log was given and what it promised, and compares that with what is found.
 */

import type { Durability, Entry, Wal } from "../../mod.ts";

/** What a promise was worth: nothing yet, that the process may die, that the power may go. */
type Acknowledged = "none" | "write" | "fsync";

interface Submission {
  readonly value: string;
  /** Entries of one batch share a number; 0 is no batch. */
  readonly batch: number;
  acknowledged: Acknowledged;
}

/** How the last life ended. */
export type Ending =
  /** The process died; what the operating system has is still there. */
  | "kill"
  /** The power went, or a sync failed: only what is synced is sure. */
  | "power";

/** A promise that was broken. */
export class Violation extends Error {}

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

  /** An independent copy. */
  clone(): Oracle {
    const copy = new Oracle();
    copy.#submissions = new Map([...this.#submissions].map(([lsn, submission]) => [lsn, { ...submission }]));
    copy.#floating = new Set(this.#floating);
    copy.#gone = new Map(this.#gone);
    copy.#skippable = new Set(this.#skippable);
    copy.#values = this.#values;
    copy.#batches = this.#batches;
    return copy;
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

  /** The log has given an entry this LSN. */
  accepted(lsn: number, value: string, batch = 0): void {
    if (this.#submissions.has(lsn) || this.#skippable.has(lsn)) throw new Violation(`LSN ${lsn} was given out twice`);
    this.#submissions.set(lsn, { value, batch, acknowledged: "none" });
  }

  /** The log may have taken it, and nobody knows its LSN. */
  floats(value: string): void {
    this.#floating.add(value);
  }

  /** What floated has an LSN now. */
  landed(lsn: number, value: string, batch = 0): void {
    this.#floating.delete(value);
    this.accepted(lsn, value, batch);
  }

  /** The log says that the entry is durable at this level. */
  acknowledged(lsn: number, level: Durability): void {
    const submission = this.#submissions.get(lsn);
    if (submission === undefined) throw new Violation(`LSN ${lsn} was acknowledged and never accepted`);
    if (submission.acknowledged !== "fsync") submission.acknowledged = level;
  }

  /** The log says that all up to here is synced. */
  synced(lsn: number): void {
    for (const [each, submission] of this.#submissions) if (each <= lsn) submission.acknowledged = "fsync";
  }

  /** The log says that it was closed well. LSNs that it gave out and rejected at its end may be given out again. */
  closed({ syncedLsn }: Wal): void {
    this.synced(syncedLsn);
    for (const lsn of [...this.#skippable]) if (lsn > syncedLsn) this.#skippable.delete(lsn);
  }

  /** The log says that the entry will never be. */
  rejected(lsn: number): void {
    const submission = this.#submissions.get(lsn);
    if (submission === undefined) return;
    if (submission.acknowledged === "fsync") throw new Violation(`LSN ${lsn} was acknowledged, and rejected then`);
    this.#gone.set(submission.value, "rejected");
    this.#submissions.delete(lsn);
    this.#skippable.add(lsn);
  }

  /** A reader in the process sees what is durable, neither more nor less. */
  checkInside(wal: Wal, entries: readonly Entry[], durableLsn: number): void {
    const got = new Map(entries.map((entry) => [entry.lsn, entry.text()]));
    for (const [lsn, value] of got) this.#checkGenuine(lsn, value);
    for (const lsn of this.#submissions.keys()) {
      if (lsn >= wal.firstLsn && lsn <= durableLsn && !got.has(lsn)) throw new Violation(`inside: ${lsn} is not shown`);
    }
  }

  /** What an open found must be what the promises say; from then on it is what there is. */
  checkRecovered(wal: Wal, entries: readonly Entry[], ending: Ending): void {
    let before = wal.firstLsn - 1;
    const got = new Map<number, string>();
    for (const entry of entries) {
      for (let lsn = before + 1; lsn < entry.lsn; lsn++) this.#checkSkippable(lsn);
      if (entry.lsn <= before) throw new Violation(`out of order: ${entry.lsn} after ${before}`);
      this.#checkGenuine(entry.lsn, entry.text());
      got.set(entry.lsn, entry.text());
      before = entry.lsn;
    }
    for (let lsn = before + 1; lsn <= wal.lastLsn; lsn++) this.#checkSkippable(lsn);
    for (const [lsn, { acknowledged, batch }] of this.#submissions) {
      if (got.has(lsn)) continue;
      if (acknowledged === "fsync") throw new Violation(`lost ${lsn}, acknowledged at fsync`);
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

  #checkGenuine(lsn: number, value: string): void {
    const why = this.#gone.get(value);
    if (why !== undefined) throw new Violation(`${lsn} was ${why} and came back`);
    if (this.#submissions.get(lsn)?.value === value) return;
    if (this.#submissions.has(lsn) || !this.#floating.has(value)) {
      throw new Violation(`${lsn} was never written: ${value.slice(0, 20)}`);
    }
  }

  #checkSkippable(lsn: number): void {
    const submission = this.#submissions.get(lsn);
    if (submission !== undefined || !this.#skippable.has(lsn)) throw new Violation(`a hole at ${lsn}`);
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
      this.#submissions.set(lsn, { value, batch: 0, acknowledged: "fsync" });
    }
    for (const value of this.#floating) this.#gone.set(value, "lost");
    this.#floating.clear();
    for (const lsn of [...this.#skippable]) if (lsn > lastLsn) this.#skippable.delete(lsn);
  }

  /** LSNs that are there, and LSNs that are skipped. */
  lsns(): { present: number[]; skipped: number[] } {
    return { present: [...this.#submissions.keys()], skipped: [...this.#skippable] };
  }
}
