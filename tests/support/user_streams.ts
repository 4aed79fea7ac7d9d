/**
 * What users do with streams: into the log, through it, and out of it.
 */

import { type Durability, type Entry, type EntryInput, WalTruncatedError } from "../../mod.ts";
import { Violation } from "./oracle.ts";
import { inputOf, type Session, weakerOf } from "./session.ts";

/** Writes to a stream, entry by entry, and closes it. */
export async function writeStream(session: Session, lengths: readonly number[], asked?: Durability): Promise<void> {
  const { wal, oracle } = session;
  const level = asked ?? session.level;
  const lsns: number[] = [];
  try {
    const isOwn = level === session.level;
    const stream = wal.writable(isOwn ? {} : { durability: level });
    session.hasLaxEntries ||= level !== "fsync";
    const writer = stream.getWriter();
    writer.closed.catch(() => {});
    for (const length of lengths) {
      await write(session, length, level, async (input) => {
        await writer.write(input);
        lsns.push(stream.lastLsn);
        return stream.lastLsn;
      });
    }
    await writer.close();
    const told = isOwn ? weakerOf(level, session.weakestLevel) : level; // the log's own may have changed meanwhile
    if (told === "none") return; // accepted they were, and may have been rejected since
    for (const lsn of lsns) oracle.acknowledged(lsn, told);
  } catch (error) {
    session.tolerate(error);
  }
}

/** Hands over an entry whose LSN is known when that is done. */
async function write(
  { oracle, weakestLevel }: Session,
  length: number,
  level: Durability,
  handOver: (input: EntryInput) => Promise<number>,
): Promise<void> {
  const value = oracle.value(length);
  oracle.floats(value);
  // Who is refused does not know whether it was accepted before.
  oracle.landed(await handOver(inputOf(value)), value, weakerOf(level, weakestLevel));
}

/** Sends entries through the log, and reads what comes out. */
export async function writeThrough(session: Session, lengths: readonly number[]): Promise<void> {
  try {
    const { writable, readable } = session.wal.acknowledge();
    const writer = writable.getWriter();
    writer.closed.catch(() => {});
    const reader = readable.getReader();
    const handOver = async (input: EntryInput): Promise<number> => {
      await writer.write(input);
      return writable.lastLsn;
    };
    const writeAll = async (): Promise<void> => {
      for (const length of lengths) await write(session, length, session.level, handOver);
      await writer.close();
    };
    const written = writeAll();
    written.catch(() => {});
    for (let next = await reader.read(); !next.done; next = await reader.read()) session.oracle.shown(next.value);
    await written;
  } catch (error) {
    session.tolerate(error);
  }
}

/** Follows the log from its first entry to its end. */
export async function follow(session: Session): Promise<void> {
  try {
    let last = 0;
    for await (const entry of session.wal.readable({ follow: true })) {
      if (entry.lsn <= last) throw new Violation(`a follower saw ${entry.lsn} after ${last}`);
      last = entry.lsn;
      session.oracle.shown(entry);
    }
  } catch (error) {
    session.tolerate(error);
  }
}

/** Reads what is durable, from one share of the log to another. */
export async function readShare(session: Session, fromShare: number, toShare: number): Promise<void> {
  const { wal, oracle } = session;
  const { firstLsn, durableLsn, state } = wal;
  const count = durableLsn - firstLsn + 1;
  if (count <= 0 || state !== "open") return;
  const from = firstLsn + Math.floor(fromShare * (count - 1));
  const to = firstLsn + Math.floor(toShare * (count - 1));
  const entries: Entry[] = [];
  try {
    for await (const entry of wal.readable({ from, to })) {
      oracle.shown(entry);
      entries.push(entry);
    }
  } catch (error) {
    // Somebody may have cut the log between the asking and the reading.
    if (wal.state !== "open" || error instanceof WalTruncatedError) return session.tolerate(error);
    throw error;
  }
  if (wal.state === "open") oracle.checkInside(entries, from, to);
}
