// Opens a log, reads all of it, appends an entry, closes it, and says what it found or why it was refused.

import process from "node:process";
import { Wal, WalCorruptionError } from "../../mod.ts";
import { digestOf, readAll } from "./log_contents.ts";

/** What the program found. */
export interface Opened {
  readonly end: string;
  readonly firstLsn: number;
  readonly lastLsn: number;
  /** Of all entries there were. */
  readonly digest: string;
  /** The LSN of what was appended then. */
  readonly appendedLsn: number;
}

/** Where it was refused. */
export interface Refused {
  readonly segment: string;
  readonly offset: number;
  readonly lsn: number;
  readonly evidence: string;
}

const [directory = "", appended = ""] = process.argv.slice(2);

async function open(): Promise<Opened | Refused> {
  try {
    const wal = await Wal.open(directory);
    const { end, firstLsn, lastLsn } = wal.recovery;
    const digest = digestOf(await readAll(wal));
    const appendedLsn = await wal.commit(appended);
    await wal.close();
    return { end, firstLsn, lastLsn, digest, appendedLsn };
  } catch (error) {
    if (!(error instanceof WalCorruptionError)) throw error;
    const { segment, offset, lsn, evidence } = error;
    return { segment, offset, lsn, evidence };
  }
}

console.log(JSON.stringify(await open()));
