/**
 * All the stores that the log is measured beside, in the order in which tables show them.
 *
 * @module
 */

import { betterSqlite3, betterSqlite3Tuned } from "./better_sqlite3.ts";
import { classicLevel } from "./classic_level.ts";
import { lmdb, lmdbBlocking } from "./lmdb.ts";
import type { PeerKind } from "./peer.ts";
import { runtimeSqlite, runtimeSqliteTuned } from "./runtime_sqlite.ts";

export const peerKinds: readonly PeerKind[] = [
  lmdb,
  lmdbBlocking,
  betterSqlite3,
  betterSqlite3Tuned,
  runtimeSqlite,
  runtimeSqliteTuned,
  classicLevel,
];
