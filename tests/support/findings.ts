/**
 * What is found in a log must be what was promised; from then on it is what there is.
 */

import type { Entry, Wal } from "../../mod.ts";
import { type AcceptedEntry, type Notes, Violation } from "./notes.ts";

/** How the last life ended. */
export type Ending =
  /** The process died; what the operating system has is still there. */
  | "kill"
  /** The power went, or a sync failed: only what is synced is sure. */
  | "power"
  /** And a read showed a bit that is not on the disk: only what something vouches for is sure. */
  | "misread";

/** How a log stood that had failed. */
export interface Failed {
  readonly syncedLsn: number;
  readonly durableLsn: number;
  readonly lastLsn: number;
}

/** What a reopened log shows of all that there was before. */
export interface Reopened {
  readonly firstLsn: number;
  readonly entries: readonly Entry[];
  /** No sync has failed, so that the files still show all that was written. */
  readonly isSure: boolean;
}

/** The kind that an entry of this value is appended with. */
export function kindOf(value: string): number {
  const number = Number(/^<(\d+)>/.exec(value)?.[1] ?? 0);
  return number % 3 === 0 ? number % 192 : 0;
}

/** Throws unless this is what was appended under this LSN, or may have been. */
export function checkGenuine({ gone, accepted, floating }: Notes, lsn: number, value: string): void {
  const why = gone.get(value);
  if (why !== undefined) throw new Violation(`${lsn} was ${why} and came back`);
  if (accepted.get(lsn)?.value === value) return;
  if (accepted.has(lsn) || !floating.has(value)) {
    throw new Violation(`${lsn} was never written: ${value.slice(0, 20)}`);
  }
}

/**
 * A reader in the process sees what is durable from one LSN to another, neither more nor less. Where the log has been brought back
 * meanwhile, what was not synced may have been skipped.
 */
export function checkInside(notes: Notes, entries: readonly Entry[], fromLsn: number, toLsn: number): void {
  checkOrder(notes, entries);
  const got = new Set(entries.map(({ lsn }) => lsn));
  for (const lsn of got) if (lsn < fromLsn || lsn > toLsn) throw new Violation(`inside: ${lsn} was not asked for`);
  for (const lsn of notes.accepted.keys()) {
    if (lsn < fromLsn || lsn > toLsn || got.has(lsn) || notes.undecided.has(lsn)) continue;
    throw new Violation(`inside: ${lsn} is not shown`);
  }
}

/** What an open found. */
export function checkRecovered(notes: Notes, wal: Wal, entries: readonly Entry[], ending: Ending): void {
  checkHead(notes, wal.firstLsn);
  checkOrder(notes, entries);
  const got = textsOf(entries);
  for (let lsn = wal.firstLsn; lsn <= wal.lastLsn; lsn++) {
    if (!got.has(lsn) && !notes.skippable.has(lsn) && !notes.undecided.has(lsn)) {
      throw new Violation(`a hole at ${lsn}`);
    }
  }
  const vouchedLsn = ending === "misread" ? vouchedLsnOf(notes) : Infinity;
  for (const [lsn, { acknowledged, batch }] of notes.accepted) {
    if (got.has(lsn)) continue;
    if (acknowledged === "fsync" && lsn <= vouchedLsn) throw new Violation(`lost ${lsn}, acknowledged at fsync`);
    if (acknowledged === "write" && ending === "kill") throw new Violation(`lost ${lsn}, acknowledged at write`);
    checkBatch(notes, lsn, batch, got);
  }
  if (wal.durableLsn !== wal.lastLsn || wal.syncedLsn !== wal.lastLsn) {
    throw new Violation("not all that was found is synced");
  }
  // What nobody was told of may be given out again, but for what is skipped for good.
  for (const lsn of notes.undecided) {
    if (lsn >= wal.firstLsn && lsn <= wal.lastLsn && !got.has(lsn)) notes.skippable.add(lsn);
  }
  take(notes, got, Infinity, "lost");
  for (const lsn of [...notes.skippable]) if (lsn > wal.lastLsn) notes.skippable.delete(lsn);
  notes.undecided.clear();
  notes.unsyncable.clear();
  notes.toldLsn = wal.lastLsn;
}

/** What a reopening has made of all that was there before. */
export function checkReopened(notes: Notes, failed: Failed, { firstLsn, entries, isSure }: Reopened): void {
  const { lastLsn } = failed;
  checkHead(notes, firstLsn);
  checkOrder(notes, entries);
  const got = textsOf(entries);
  const toldLsn = toldLsnOf(notes, failed);
  for (const [lsn, { acknowledged, batch }] of notes.accepted) {
    if (lsn > lastLsn) continue;
    const isInside = batch !== 0 && notes.accepted.get(toldLsn)?.batch === batch;
    if (got.has(lsn) && lsn > toldLsn && !isInside) {
      throw new Violation(`${lsn} came back by a reopening, and nobody had been told of it or of a later one`);
    }
    if (got.has(lsn)) continue;
    if (acknowledged === "fsync") throw new Violation(`a reopening lost ${lsn}, acknowledged at fsync`);
    if (acknowledged === "write" && isSure) throw new Violation(`a reopening lost ${lsn}, acknowledged at write`);
    checkBatch(notes, lsn, batch, got);
  }
  for (let lsn = notes.headLsn; lsn <= lastLsn; lsn++) if (!got.has(lsn)) notes.skippable.add(lsn);
  take(notes, got, lastLsn, "skipped");
  notes.undecided.clear();
}

/** The last LSN that somebody may have been told of, if only by what it had asked for. */
function toldLsnOf(notes: Notes, { syncedLsn, durableLsn, lastLsn }: Failed): number {
  const { accepted } = notes;
  let toldLsn = Math.max(syncedLsn, durableLsn, notes.toldLsn);
  for (const [lsn, { acknowledged }] of accepted) {
    if (lsn <= lastLsn && acknowledged !== "none") toldLsn = Math.max(toldLsn, lsn);
  }
  const isWeak = (lsn: number): boolean => (accepted.get(lsn)?.level ?? "none") !== "fsync";
  while (toldLsn < lastLsn && isWeak(toldLsn + 1)) toldLsn++;
  return toldLsn;
}

function textsOf(entries: readonly Entry[]): Map<number, string> {
  return new Map(entries.map((entry) => [entry.lsn, entry.text()]));
}

function checkHead(notes: Notes, firstLsn: number): void {
  const { headLsn, askedHeadLsn, accepted, skippable } = notes;
  if (firstLsn < headLsn || firstLsn > askedHeadLsn) {
    throw new Violation(`the log begins with ${firstLsn}, not with ${headLsn} to ${askedHeadLsn}`);
  }
  notes.headLsn = notes.askedHeadLsn = firstLsn;
  for (const [lsn, { value }] of [...accepted]) {
    if (lsn >= firstLsn) continue;
    notes.gone.set(value, "cut");
    accepted.delete(lsn);
  }
  for (const lsn of [...skippable]) if (lsn < firstLsn) skippable.delete(lsn);
}

function checkOrder(notes: Notes, entries: readonly Entry[]): void {
  let lsnBefore = 0;
  let timeBefore = 0;
  for (const entry of entries) {
    const { lsn, time, kind } = entry;
    if (lsn <= lsnBefore) throw new Violation(`out of order: ${lsn} after ${lsnBefore}`);
    if (time < timeBefore) throw new Violation(`time goes back at ${lsn}`);
    const value = entry.text();
    checkGenuine(notes, lsn, value);
    if (kind !== kindOf(value)) throw new Violation(`${lsn} has kind ${kind} instead of ${kindOf(value)}`);
    lsnBefore = lsn;
    timeBefore = time;
  }
}

/** Of a batch with a number everything is there, or nothing. */
function checkBatch({ accepted }: Notes, lsn: number, batch: number, got: ReadonlyMap<number, string>): void {
  if (batch === 0) return;
  for (const [other, each] of accepted) {
    if (each.batch === batch && got.has(other)) throw new Violation(`half a batch: ${lsn} is missing`);
  }
}

/** The last LSN that some other frame on the disk says was synced. */
function vouchedLsnOf({ accepted }: Notes): number {
  let lsn = 0;
  for (const { acknowledged, vouchesFor } of accepted.values()) {
    if (acknowledged === "fsync") lsn = Math.max(lsn, vouchesFor);
  }
  return lsn;
}

/** What was found up to an LSN is synced; whatever else there was up to there will never be. */
function take(notes: Notes, got: ReadonlyMap<number, string>, lastLsn: number, why: string): void {
  const { accepted, floating, gone } = notes;
  notes.mostLsn = Math.max(notes.mostLsn + floating.size, ...got.keys());
  for (const [lsn, entry] of [...accepted]) {
    if (lsn > lastLsn) continue;
    if (got.has(lsn)) {
      accepted.set(lsn, { ...entry, acknowledged: "fsync" });
      continue;
    }
    gone.set(entry.value, why);
    accepted.delete(lsn);
  }
  for (const [lsn, value] of got) {
    if (accepted.has(lsn)) continue;
    floating.delete(value);
    const found: AcceptedEntry = { value, batch: 0, vouchesFor: 0, level: "fsync", acknowledged: "fsync" };
    accepted.set(lsn, found);
  }
  for (const value of floating) gone.set(value, why);
  floating.clear();
}
