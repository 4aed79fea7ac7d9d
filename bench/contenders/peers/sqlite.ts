/**
 * SQLite, whichever package or runtime it comes with: the table, the settings, and the way of an entry.
 *
 * Durable: WAL with synchronous=FULL. Seen by strace, for one put and for 1,000 entries in one transaction alike, with each package
 * and on each runtime: the pages are written to the WAL, one fsync, and only then does it return. A checkpoint, which comes by
 * itself every 1,000 pages as it does by default, syncs both files besides.
 *
 * In both ways: an integer primary key, which SQLite itself counts up; prepared statements; a scan of 1,000 rows a call, without
 * an object for each where that can be had. *Plain* is what most write: the two settings, and a row a statement. *Tuned*:
 * 100 rows a statement (with one it takes 1.4 to 2.4 times as long), 64 MiB of cache, and exclusive locking, since a log has one
 * opener too.
 *
 * @module
 */

import type { Peer } from "./peer.ts";

/** What the packages have in common, and what they call by different names. */
export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  /** Of a statement with one column and a parameter: its rows, by the fastest way there is. */
  prepareReading(sql: string): SqliteReading;
  close(): void;
}

export interface SqliteStatement {
  run(...values: readonly Uint8Array[]): unknown;
}

/** The number of rows behind a key, and the sum of the lengths of their values. */
export type SqliteReading = (afterKey: number) => { readonly count: number; readonly bytes: number };

/** A way to use it. */
export interface SqliteWay {
  /** Run one by one when it is opened. */
  readonly settings: readonly string[];
  /** How many rows an INSERT of a transaction has. */
  readonly rowsAtOnce: number;
}

const DURABLE: readonly string[] = ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"];

export const PLAIN: SqliteWay = { settings: DURABLE, rowsAtOnce: 1 };

export const TUNED: SqliteWay = {
  // The first before the others: then there is no memory to share.
  settings: ["PRAGMA locking_mode = EXCLUSIVE", ...DURABLE, "PRAGMA cache_size = -65536"],
  rowsAtOnce: 100,
};

/** Rows that a call reads: all of two million would fill the memory. */
const PART = 1000;

/** See the head of this file. */
export class SqlitePeer implements Peer {
  readonly #database: SqliteDatabase;
  readonly #begin: SqliteStatement;
  readonly #insert: SqliteStatement;
  readonly #insertMany: SqliteStatement;
  readonly #commit: SqliteStatement;
  readonly #rowsAtOnce: number;

  constructor(database: SqliteDatabase, { settings, rowsAtOnce }: SqliteWay) {
    this.#database = database;
    this.#rowsAtOnce = rowsAtOnce;
    for (const setting of settings) database.exec(setting);
    database.exec("CREATE TABLE IF NOT EXISTS log (lsn INTEGER PRIMARY KEY, data BLOB NOT NULL)");
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#insert = database.prepare(insertOf(1));
    this.#insertMany = database.prepare(insertOf(rowsAtOnce));
    this.#commit = database.prepare("COMMIT");
  }

  put(data: Uint8Array): void {
    this.#insert.run(data);
  }

  putAll(entries: readonly Uint8Array[]): void {
    const rows = this.#rowsAtOnce;
    const inMany = rows === 1 ? 0 : entries.length - entries.length % rows;
    this.#begin.run();
    for (let nth = 0; nth < inMany; nth += rows) {
      this.#insertMany.run(...entries.slice(nth, nth + rows));
    }
    for (let nth = inMany; nth < entries.length; nth++) {
      this.#insert.run(entries[nth] as Uint8Array);
    }
    this.#commit.run();
  }

  scan(): Promise<{ count: number; bytes: number }> {
    const read = this.#database.prepareReading(`SELECT data FROM log WHERE lsn > ? ORDER BY lsn LIMIT ${PART}`);
    let count = 0;
    let bytes = 0;
    for (;;) {
      const part = read(count); // keys have no gaps: nothing is ever deleted
      count += part.count;
      bytes += part.bytes;
      if (part.count < PART) return Promise.resolve({ count, bytes });
    }
  }

  close(): void {
    this.#database.close();
  }
}

function insertOf(rows: number): string {
  return `INSERT INTO log (data) VALUES ${Array.from({ length: rows }, () => "(?)").join(", ")}`;
}
