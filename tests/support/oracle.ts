/**
 * Knows what a log was given and what it promised, and compares that with what is found.
 */

import type { Durability, Entry, Wal } from "../../mod.ts";
import {
  checkGenuine,
  checkInside,
  checkRecovered,
  checkReopened,
  type Ending,
  type Failed,
  type Reopened,
} from "./findings.ts";
import { Notes, Violation } from "./notes.ts";
import type { Trace } from "./trace.ts";

export { type Ending, type Failed, kindOf } from "./findings.ts";
export { Violation } from "./notes.ts";

/** See the head of this file. */
export class Oracle {
  /** Where it writes down what the log says; null where nobody reads it. */
  trace: Trace | null = null;
  /** Called whenever somebody is told more of an entry than before: from now on a crash must not take it. */
  onAcknowledged: ((lsn: number, level: Durability) => void) | null = null;
  readonly #notes: Notes;

  constructor(notes: Notes = new Notes()) {
    this.#notes = notes;
  }

  /** An independent copy, which tells nobody. */
  clone(): Oracle {
    return new Oracle(this.#notes.clone());
  }

  /** Where the log has said that it begins. */
  get headLsn(): number {
    return this.#notes.headLsn;
  }

  /** No LSN above this one was given out, as far as anyone knows. */
  get mostLsn(): number {
    return this.#notes.mostLsn + this.#notes.floating.size;
  }

  /** Two oracles of one workload with the same one have been told the same. */
  get fingerprint(): string {
    return this.#notes.fingerprint;
  }

  /** A value that no other entry has, of so many characters at least. */
  value(length: number): string {
    const name = `<${++this.#notes.values}>`;
    return name.padEnd(length, name);
  }

  /** A number that no other batch has. */
  batch(): number {
    return ++this.#notes.batches;
  }

  // -- what becomes of an entry

  /** The log has given an entry this LSN, when all up to `syncedLsn` was synced. */
  accepted(lsn: number, value: string, level: Durability, syncedLsn: number, batch = 0): void {
    const { accepted, skippable } = this.#notes;
    if (accepted.has(lsn) || skippable.has(lsn)) throw new Violation(`LSN ${lsn} was given out twice`);
    this.trace?.say(`${lsn} is accepted, ${value.length} characters${batch === 0 ? "" : ` of batch ${batch}`}`);
    accepted.set(lsn, { value, batch, vouchesFor: syncedLsn, level, acknowledged: "none" });
    this.#notes.mostLsn = Math.max(this.#notes.mostLsn, lsn);
  }

  /** The log may have taken it, and nobody knows its LSN. */
  floats(value: string): void {
    this.#notes.floating.add(value);
  }

  /** What floated has an LSN now. */
  landed(lsn: number, value: string, level: Durability, batch = 0): void {
    this.#notes.floating.delete(value);
    if (this.#notes.skippable.has(lsn)) return this.turnedAway(value); // it was rejected before anyone knew its LSN
    this.accepted(lsn, value, level, 0, batch);
  }

  /** The log says that it did not take what floated. */
  turnedAway(value: string): void {
    this.#notes.floating.delete(value);
    this.#notes.gone.set(value, "turned away");
  }

  /** The log says that the entry is durable at this level. */
  acknowledged(lsn: number, level: Durability): void {
    const entry = this.#notes.accepted.get(lsn);
    if (level === "none" && this.#notes.skippable.has(lsn)) return; // a full disk has rejected it since
    if (entry === undefined) throw new Violation(`LSN ${lsn} was acknowledged and never accepted, or rejected`);
    if (level === "fsync" && this.#notes.unsyncable.has(lsn)) {
      throw new Violation(`LSN ${lsn} was acknowledged at fsync after a sync of it had failed`);
    }
    if (entry.acknowledged === "fsync" || level === "none") return;
    this.trace?.say(`${lsn} is acknowledged at ${level}`);
    this.#notes.accepted.set(lsn, { ...entry, acknowledged: level });
    this.onAcknowledged?.(lsn, level);
  }

  /** The same, of an LSN that may belong to someone who does not know it yet. */
  waitedFor(lsn: number, level: Durability): void {
    this.#notes.toldLsn = Math.max(this.#notes.toldLsn, lsn);
    if (this.#notes.accepted.has(lsn) || this.#notes.skippable.has(lsn)) this.acknowledged(lsn, level);
  }

  /** The log says that all up to here is synced. */
  synced(lsn: number): void {
    for (const each of [...this.#notes.accepted.keys()]) if (each <= lsn) this.acknowledged(each, "fsync");
  }

  /** The log says that the entry will never be. */
  rejected(lsn: number): void {
    const entry = this.#notes.accepted.get(lsn);
    this.#notes.skippable.add(lsn); // also where nobody knew what had floated there
    this.#notes.mostLsn = Math.max(this.#notes.mostLsn, lsn);
    if (entry === undefined) return;
    this.trace?.say(`${lsn} is rejected`);
    const { value, acknowledged } = entry;
    if (acknowledged !== "none") throw new Violation(`LSN ${lsn} was acknowledged at ${acknowledged}, then rejected`);
    this.#notes.gone.set(value, "rejected");
    this.#notes.accepted.delete(lsn);
  }

  /** A sync has failed when all up to `syncedLsn` was synced: nobody may ever be told that one up to `lastLsn` is. */
  syncFailed(syncedLsn: number, lastLsn: number): void {
    for (let lsn = syncedLsn + 1; lsn <= lastLsn; lsn++) this.#notes.unsyncable.add(lsn);
  }

  /** How far the log says that it is synced, while it goes on or has failed. */
  checkSynced(syncedLsn: number): void {
    const { unsyncable, accepted } = this.#notes;
    for (const lsn of unsyncable) {
      if (lsn <= syncedLsn && accepted.has(lsn)) {
        throw new Violation(`${lsn} is synced after a sync of it has failed`);
      }
    }
  }

  // -- what readers see

  /** A stream of the log has shown an entry: it was as durable as it had asked to be, and no kill may lose it. */
  shown(entry: Entry): void {
    const { lsn } = entry;
    checkGenuine(this.#notes, lsn, entry.text());
    const accepted = this.#notes.accepted.get(lsn);
    if (accepted !== undefined && accepted.acknowledged !== "fsync") {
      this.acknowledged(lsn, accepted.level === "fsync" ? "fsync" : "write");
    }
  }

  /** A reader elsewhere has shown an entry: then nothing may lose it. */
  shownElsewhere(entry: Entry): void {
    const { lsn } = entry;
    if (this.#notes.gone.get(entry.text()) === "cut") return; // who has begun before the cut may go on to read it
    checkGenuine(this.#notes, lsn, entry.text());
    this.trace?.say(`${lsn} is shown elsewhere`);
    if (this.#notes.accepted.has(lsn)) this.acknowledged(lsn, "fsync");
  }

  /** A reader in the process sees what is durable from one LSN to another, neither more nor less. */
  checkInside(entries: readonly Entry[], fromLsn: number, toLsn: number): void {
    checkInside(this.#notes, entries, fromLsn, toLsn);
  }

  // -- what becomes of the log

  /** Somebody cuts the log. */
  cutting(lsn: number): void {
    this.#notes.askedHeadLsn = Math.max(this.#notes.askedHeadLsn, lsn);
  }

  /** The log says that it begins here now. */
  cut(lsn: number): void {
    this.#notes.headLsn = Math.max(this.#notes.headLsn, lsn);
  }

  /** The log says that it was closed well: all that it took and did not reject is synced, and the rest was not taken. */
  closed(wal: Wal): void {
    this.synced(Infinity);
    for (const value of this.#notes.floating) this.turnedAway(value);
    // LSNs that it gave out and rejected at its end may be given out again.
    const { skippable } = this.#notes;
    for (const lsn of [...skippable]) if (lsn > wal.syncedLsn) skippable.delete(lsn);
  }

  /** Somebody brings a log back that has failed: from now on each LSN that was not synced may turn out to be skipped. */
  reopening({ syncedLsn, lastLsn }: Failed): void {
    for (let lsn = syncedLsn + 1; lsn <= lastLsn; lsn++) this.#notes.undecided.add(lsn);
  }

  /** It is back: what is there now is synced, whatever has failed before. */
  reopened(): void {
    this.#notes.unsyncable.clear();
  }

  /** It is back, and this is what it shows of all that there was before. */
  checkReopened(failed: Failed, reopened: Reopened): void {
    checkReopened(this.#notes, failed, reopened);
  }

  /** What an open found must be what the promises say; from then on it is what there is. */
  checkRecovered(wal: Wal, entries: readonly Entry[], ending: Ending): void {
    checkRecovered(this.#notes, wal, entries, ending);
  }

  /** The last LSN up to this one that was not rejected, as far as anyone knows; 0 if there is none. */
  lastKeptLsn(lsn: number): number {
    return [...this.#notes.accepted.keys()].reduce((last, each) => each <= lsn ? Math.max(last, each) : last, 0);
  }

  /** LSNs that are there, and LSNs that are skipped. */
  lsns(): { present: number[]; skipped: number[] } {
    return { present: [...this.#notes.accepted.keys()], skipped: [...this.#notes.skippable] };
  }
}
