/**
 * What users do with single entries and batches.
 */

import type { Durability } from "../../mod.ts";
import { inputOf, type Session } from "./session.ts";

/** Appends an entry, if the log takes it. */
export function append(session: Session, length: number, level: Durability = session.level): void {
  const { wal, oracle } = session;
  const value = oracle.value(length);
  const { syncedLsn } = wal;
  try {
    const lsn = wal.append(session.inputOf(value, level));
    oracle.accepted(lsn, value, level, syncedLsn);
    session.begin(session.settle(wal.waitFor(lsn), [lsn], level));
  } catch (error) {
    session.tolerate(error);
    oracle.turnedAway(value);
  }
}

/** Appends an entry and never asks what became of it. */
export function drop(session: Session, length: number): void {
  const { wal, oracle, level } = session;
  const value = oracle.value(length);
  const { syncedLsn } = wal;
  try {
    const lsn = wal.append(inputOf(value));
    oracle.accepted(lsn, value, level, syncedLsn);
    session.dropped.add(lsn);
  } catch (error) {
    session.tolerate(error);
    oracle.turnedAway(value);
  }
}

/** Commits an entry. */
export async function commit(session: Session, length: number, level: Durability = session.level): Promise<void> {
  const { wal, oracle } = session;
  const value = oracle.value(length);
  const { lastLsn: before, syncedLsn } = wal;
  const call = wal.commit(session.inputOf(value, level));
  const { lastLsn } = wal;
  if (lastLsn === before) return await session.land(call, [value], 0, level);
  oracle.accepted(lastLsn, value, level, syncedLsn);
  await session.settle(call, [lastLsn], level);
}

/** Commits a batch. */
export async function commitBatch(session: Session, lengths: readonly number[]): Promise<void> {
  const { wal, oracle, level } = session;
  const values = lengths.map((length) => oracle.value(length));
  const batch = oracle.batch();
  const { lastLsn: before, syncedLsn } = wal;
  const call = wal.commitBatch(values.map(inputOf));
  const { lastLsn } = wal;
  if (lastLsn === before) return await session.land(call, values, batch, level);
  await session.settle(call, acceptBatch(session, values, lastLsn, syncedLsn, batch), level);
}

/** Appends a batch, if the log takes it. */
export function appendBatch(session: Session, lengths: readonly number[]): void {
  const { wal, oracle, level } = session;
  const values = lengths.map((length) => oracle.value(length));
  const { syncedLsn } = wal;
  try {
    const lastLsn = wal.appendBatch(values.map(inputOf));
    const lsns = acceptBatch(session, values, lastLsn, syncedLsn, oracle.batch());
    session.begin(session.settle(wal.waitFor(lastLsn), lsns, level));
  } catch (error) {
    session.tolerate(error);
    for (const value of values) oracle.turnedAway(value);
  }
}

function acceptBatch(
  { oracle, level }: Session,
  values: readonly string[],
  lastLsn: number,
  syncedLsn: number,
  batch: number,
): number[] {
  return values.map((value, nth) => {
    const lsn = lastLsn - values.length + 1 + nth;
    oracle.accepted(lsn, value, level, syncedLsn, batch);
    return lsn;
  });
}
