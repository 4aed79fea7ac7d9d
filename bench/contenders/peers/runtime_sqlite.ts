/**
 * SQLite as the runtime itself has it: bun:sqlite on Bun, node:sqlite on Deno and on Node 22 and later.
 *
 * @module
 */

import { join } from "node:path";
import process from "node:process";
import type { Obstacle } from "../../harness/point_line.ts";
import type { Peer, PeerKind } from "./peer.ts";
import {
  PLAIN,
  type SqliteDatabase,
  SqlitePeer,
  type SqliteReading,
  type SqliteStatement,
  type SqliteWay,
  TUNED,
} from "./sqlite.ts";

/** As much of node:sqlite as is used; the types of the oldest Node do not know it. */
interface NodeSqlite {
  readonly DatabaseSync: new (file: string) => NodeDatabase;
  /** Its first versions lack `setReturnArrays`, without which a scan takes half as long again. */
  readonly StatementSync: { readonly prototype: object };
}

interface NodeDatabase {
  exec(sql: string): void;
  prepare(sql: string): NodeStatement;
  close(): void;
}

interface NodeStatement extends SqliteStatement {
  setReturnArrays(enabled: boolean): void;
  all(afterKey: number): readonly Row[];
}

type Row = readonly [Uint8Array];

/** As much of bun:sqlite as is used. */
interface BunSqlite {
  readonly Database: new (file: string) => BunDatabase;
}

interface BunDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): BunStatement;
  close(): void;
}

interface BunStatement extends SqliteStatement {
  values(afterKey: number): readonly Row[];
  finalize(): void;
}

class NodeSqliteDatabase implements SqliteDatabase {
  readonly #database: NodeDatabase;

  constructor(database: NodeDatabase) {
    this.#database = database;
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  prepare(sql: string): SqliteStatement {
    return this.#database.prepare(sql);
  }

  prepareReading(sql: string): SqliteReading {
    const statement = this.#database.prepare(sql);
    statement.setReturnArrays(true);
    return (afterKey) => sum(statement.all(afterKey));
  }

  close(): void {
    this.#database.close();
  }
}

class BunSqliteDatabase implements SqliteDatabase {
  readonly #database: BunDatabase;
  readonly #statements: BunStatement[] = [];

  constructor(database: BunDatabase) {
    this.#database = database;
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  prepare(sql: string): BunStatement {
    const statement = this.#database.prepare(sql);
    this.#statements.push(statement);
    return statement;
  }

  prepareReading(sql: string): SqliteReading {
    const statement = this.prepare(sql);
    return (afterKey) => sum(statement.values(afterKey));
  }

  /** A statement that is not finalized keeps the file open, and locked. */
  close(): void {
    for (const statement of this.#statements) statement.finalize();
    this.#database.close();
  }
}

function sum(rows: readonly Row[]): { readonly count: number; readonly bytes: number } {
  let bytes = 0;
  for (const row of rows) bytes += row[0].length;
  return { count: rows.length, bytes };
}

const isBun: boolean = "Bun" in globalThis;
const TOO_OLD: Obstacle = { reason: "not in this runtime (in Node from version 22.16 on)", isMissed: false };

async function open(directory: string, way: SqliteWay): Promise<Peer> {
  const file = join(directory, "log.db");
  const database = isBun
    ? new BunSqliteDatabase(new (await importing<BunSqlite>()).Database(file))
    : new NodeSqliteDatabase(new (await importing<NodeSqlite>()).DatabaseSync(file));
  return new SqlitePeer(database, way);
}

/** By a variable: no other runtime may look for the module. */
async function importing<Module>(): Promise<Module> {
  const name = isBun ? "bun:sqlite" : "node:sqlite";
  return await import(name) as Module;
}

async function unavailable(): Promise<Obstacle | null> {
  try {
    if (!isBun && !("setReturnArrays" in (await importing<NodeSqlite>()).StatementSync.prototype)) return TOO_OLD;
    return null;
  } catch {
    return TOO_OLD;
  }
}

const NAME = isBun ? "bun:sqlite" : "node:sqlite";

function kind(name: string, way: SqliteWay): PeerKind {
  return {
    name,
    isTuned: way === TUNED,
    unavailable,
    version: () => Promise.resolve(process.versions["sqlite"] ?? "unknown"),
    open: (directory: string) => open(directory, way),
  };
}

export const runtimeSqlite: PeerKind = kind(NAME, PLAIN);

export const runtimeSqliteTuned: PeerKind = kind(`${NAME}, tuned`, TUNED);
