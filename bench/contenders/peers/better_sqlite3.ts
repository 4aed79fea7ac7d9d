/**
 * SQLite by the package better-sqlite3, on Node. Version 13 is for Node 22 and later and ends the process of an older one by a
 * segmentation fault: there it is version 12. On Deno and Bun the runtime's own SQLite is the peer.
 *
 * @module
 */

import { join } from "node:path";
import process from "node:process";
import type { Obstacle } from "../../harness/point_line.ts";
import { load, versionOf, whyNotLoaded } from "./installed.ts";
import type { PeerKind } from "./peer.ts";
import {
  PLAIN,
  type SqliteDatabase,
  SqlitePeer,
  type SqliteReading,
  type SqliteStatement,
  type SqliteWay,
  TUNED,
} from "./sqlite.ts";

/** As much of the package as is used. */
type Package = new (file: string) => PackageDatabase;

interface PackageDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): PackageStatement;
  close(): unknown;
}

interface PackageStatement extends SqliteStatement {
  pluck(): { all(afterKey: number): readonly Uint8Array[] };
}

const OLDEST_NODE_OF_13 = 22;

class BetterSqlite3 implements SqliteDatabase {
  readonly #database: PackageDatabase;

  constructor(file: string) {
    this.#database = new (load(packageName()) as Package)(file);
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  prepare(sql: string): SqliteStatement {
    return this.#database.prepare(sql);
  }

  prepareReading(sql: string): SqliteReading {
    const statement = this.#database.prepare(sql).pluck();
    return (afterKey) => {
      const values = statement.all(afterKey);
      let bytes = 0;
      for (const value of values) bytes += value.length;
      return { count: values.length, bytes };
    };
  }

  close(): void {
    this.#database.close();
  }
}

function packageName(): string {
  return Number.parseInt(process.versions.node) < OLDEST_NODE_OF_13 ? "better-sqlite3-12" : "better-sqlite3";
}

function whyNotHere(): Obstacle | null {
  if ("Deno" in globalThis || "Bun" in globalThis) {
    return { reason: "only on Node; the runtime's own SQLite is here instead", isMissed: false };
  }
  return whyNotLoaded(packageName());
}

function kind(name: string, way: SqliteWay): PeerKind {
  return {
    name,
    isTuned: way === TUNED,
    unavailable: () => Promise.resolve(whyNotHere()),
    version: () => Promise.resolve(versionOf(packageName())),
    open: (directory: string) => Promise.resolve(new SqlitePeer(new BetterSqlite3(join(directory, "log.db")), way)),
  };
}

export const betterSqlite3: PeerKind = kind("better-sqlite3", PLAIN);

export const betterSqlite3Tuned: PeerKind = kind("better-sqlite3, tuned", TUNED);
