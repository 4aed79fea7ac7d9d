/**
 * What a log was given and what it said of it.
 */

import type { Durability } from "../../mod.ts";

/** An entry that has an LSN. */
export interface Submission {
  readonly value: string;
  /** Entries of one batch share a number; 0 is no batch. */
  readonly batch: number;
  /** Up to here all was synced before this was accepted: once it is on the disk, it vouches for that. */
  readonly vouchesFor: number;
  /** What it asked for. */
  readonly level: Durability;
  /** What somebody was told of it. */
  acknowledged: Durability;
}

/** A promise that was broken. */
export class Violation extends Error {}

/** Everything that the oracle has written down. */
export class Notes {
  submissions: Map<number, Submission> = new Map();
  /** Handed over without an LSN that anyone knows: a commit that waited for room. */
  floating: Set<string> = new Set();
  /** Values that must never be seen again, and why. */
  gone: Map<string, string> = new Map();
  /** LSNs that may be a gap. */
  skippable: Set<number> = new Set();
  /** LSNs that a reopening was to decide about, of which it has not said what became of them. */
  undecided: Set<number> = new Set();
  /** LSNs whose sync has failed: nobody may be told that they are synced before a reopening or an open has decided. */
  unsyncable: Set<number> = new Set();
  values = 0;
  batches = 0;
  /** Where somebody asked the log to begin, and where it has said that it does. */
  askedHeadLsn = 1;
  headLsn = 1;
  /** The highest LSN that anybody knows to have been given out. */
  mostLsn = 0;
  /** The highest LSN that somebody has waited for with success, at whatever level. */
  toldLsn = 0;

  /** An independent copy. */
  clone(): Notes {
    const copy = new Notes();
    copy.submissions = new Map([...this.submissions].map(([lsn, submission]) => [lsn, { ...submission }]));
    copy.floating = new Set(this.floating);
    copy.gone = new Map(this.gone);
    copy.skippable = new Set(this.skippable);
    copy.undecided = new Set(this.undecided);
    copy.unsyncable = new Set(this.unsyncable);
    copy.values = this.values;
    copy.batches = this.batches;
    copy.askedHeadLsn = this.askedHeadLsn;
    copy.headLsn = this.headLsn;
    copy.mostLsn = this.mostLsn;
    copy.toldLsn = this.toldLsn;
    return copy;
  }

  /** Two notes of one workload with the same one say the same. */
  get fingerprint(): string {
    const submissions = [...this.submissions].map(([lsn, { value, acknowledged }]) =>
      `${lsn}${nameOf(value)}${acknowledged}`
    );
    return [
      this.headLsn,
      this.askedHeadLsn,
      this.values,
      this.mostLsn,
      [...this.floating].map(nameOf).join(""),
      [...this.gone.keys()].map(nameOf).join(""),
      ...this.skippable,
      "u",
      ...this.undecided,
      ...submissions,
    ].join();
  }
}

/** Each value begins with its name. */
function nameOf(value: string): string {
  return value.slice(0, value.indexOf(">") + 1);
}
