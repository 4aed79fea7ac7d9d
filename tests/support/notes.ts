/**
 * What a log was given and what it said of it.
 */

import type { Durability } from "../../mod.ts";

/** An entry that has an LSN. */
export interface AcceptedEntry {
  readonly value: string;
  /** Entries of one batch share a number; 0 is no batch. */
  readonly batch: number;
  /** Up to here all was synced before this was accepted: once it is on the disk, it vouches for that. */
  readonly vouchesFor: number;
  /** What it asked for. */
  readonly level: Durability;
  /** What somebody was told of it. */
  readonly acknowledged: Durability;
}

/** A promise that was broken. */
export class Violation extends Error {}

/** Everything that the oracle has written down. */
export class Notes {
  accepted: Map<number, AcceptedEntry> = new Map();
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
    const fields = Object.entries(this).map(([name, field]) => [name, copyOf(field)]);
    return Object.assign(new Notes(), Object.fromEntries(fields));
  }

  /** Two notes of one workload with the same one say the same: all that is in them is in it. */
  get fingerprint(): string {
    return Object.values(this).map(textOf).join();
  }
}

/** Of a set or a map a new one with the same in it, which nobody changes. */
function copyOf(field: unknown): unknown {
  if (field instanceof Set) return new Set(field);
  return field instanceof Map ? new Map(field) : field;
}

/** All that is in a field; of a value only its name, with which it begins and which no other one has. */
function textOf(field: unknown): string {
  if (field instanceof Set || field instanceof Map) return `[${[...field].map(textOf).join()}]`;
  if (typeof field === "object" && field !== null) return Object.values(field).map(textOf).join();
  const text = String(field);
  return text.slice(0, text.indexOf(">") + 1) || text;
}
