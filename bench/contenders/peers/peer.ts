/**
 * What a store must do to be measured beside the log.
 *
 * @module
 */

import type { Obstacle } from "../../harness/point_line.ts";

/** A store that a user might take instead of a log, set so that what it acknowledges is synced. */
export interface Peer {
  /** Appends one entry; durable when it returns or resolves. The bytes are not changed before that. */
  put(data: Uint8Array): Promise<void> | void;
  /** Appends entries in one transaction; durable when it returns or resolves. */
  putAll(entries: readonly Uint8Array[]): Promise<void> | void;
  /**
   * Reads all values in order, by the fastest way it offers of which each value may be kept; the number of them and the sum of
   * their lengths.
   */
  scan(): Promise<{ count: number; bytes: number }>;
  close(): Promise<void> | void;
}

/** A kind of store. */
export interface PeerKind {
  /** As tables and charts call it: `"lmdb"`. */
  readonly name: string;
  /** Set and used as few would: it is shown, and no limit is held against it. */
  readonly isTuned?: boolean;
  /** Why it cannot run here (not installed, not for this runtime, …), or null. */
  unavailable(): Promise<Obstacle | null>;
  /** The version of the store, for the report. */
  version(): Promise<string>;
  /** A store in a directory that exists: a new one if it is empty, else the one that was closed there. */
  open(directory: string): Promise<Peer>;
}
