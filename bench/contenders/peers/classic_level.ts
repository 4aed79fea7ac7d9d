/**
 * LevelDB, by the package classic-level.
 *
 * Durable: `sync` is true. Seen by strace, for one put and for 1,000 entries in one batch alike, on each runtime: the record is
 * written to LevelDB's log, one fdatasync, and only then does it resolve. When that log is full (writeBufferSize) a thread in
 * the background writes tables and syncs those too.
 *
 * Tuned: 64 MiB of write buffer, which the documentation recommends for bulk loads and which measured no worse for the rest; the
 * chained batch, which on Node 20 takes a fifth of the time of one given as an array; keys and values as bytes; a scan
 * by `nextv` of values alone, with a high water mark that lets each call have all that it asks for. Compression stays on, as
 * the documentation asks.
 *
 * @module
 */

import { load, versionOf, whyNotLoaded } from "./installed.ts";
import type { Peer, PeerKind } from "./peer.ts";

/** As much of the package as is used. */
interface Package {
  readonly ClassicLevel: new (directory: string, options: object) => Database;
}

interface Database {
  open(): Promise<void>;
  put(key: Uint8Array, value: Uint8Array, options: { sync: boolean }): Promise<void>;
  batch(): Batch;
  keys(options: { reverse: boolean; limit: number }): Reading;
  values(options: { highWaterMarkBytes: number; fillCache: boolean }): Reading;
  close(): Promise<void>;
}

interface Batch {
  put(key: Uint8Array, value: Uint8Array): unknown;
  write(options: { sync: boolean }): Promise<void>;
}

interface Reading {
  nextv(size: number): Promise<Uint8Array[]>;
  close(): Promise<void>;
}

const NAME = "classic-level";
const OPTIONS = { keyEncoding: "view", valueEncoding: "view", writeBufferSize: 64 * 1024 * 1024 };
const SYNC = { sync: true };

const KEY_BYTES = 8;

/** How many values a call reads, and how many bytes of them at most. */
const PART = 1000;
const SCAN = { highWaterMarkBytes: 1024 * 1024, fillCache: false };

class ClassicLevelPeer implements Peer {
  readonly #database: Database;
  readonly #batchKey = new Uint8Array(KEY_BYTES);
  #lastKey: number;

  constructor(database: Database, lastKey: number) {
    this.#database = database;
    this.#lastKey = lastKey;
  }

  put(data: Uint8Array): Promise<void> {
    return this.#database.put(setKey(new Uint8Array(KEY_BYTES), ++this.#lastKey), data, SYNC);
  }

  putAll(entries: readonly Uint8Array[]): Promise<void> {
    const batch = this.#database.batch();
    for (const entry of entries) batch.put(setKey(this.#batchKey, ++this.#lastKey), entry); // copies both at once
    return batch.write(SYNC);
  }

  async scan(): Promise<{ count: number; bytes: number }> {
    const values = this.#database.values(SCAN);
    let count = 0;
    let bytes = 0;
    for (;;) {
      const part = await values.nextv(PART);
      if (part.length === 0) break;
      for (const value of part) bytes += value.length;
      count += part.length;
    }
    await values.close();
    return { count, bytes };
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

/** A number as bytes that sort as it does. */
function setKey(key: Uint8Array, value: number): Uint8Array {
  let rest = value;
  for (let at = KEY_BYTES - 1; at >= 0; at--) {
    key[at] = rest;
    rest = Math.floor(rest / 256);
  }
  return key;
}

function numberOf(key: Uint8Array): number {
  return key.reduce((value, byte) => value * 256 + byte, 0);
}

async function open(directory: string): Promise<Peer> {
  const { ClassicLevel } = load(NAME) as Package;
  const database = new ClassicLevel(directory, OPTIONS);
  await database.open();
  const keys = database.keys({ reverse: true, limit: 1 });
  const [last] = await keys.nextv(1);
  await keys.close();
  return new ClassicLevelPeer(database, last === undefined ? 0 : numberOf(last));
}

export const classicLevel: PeerKind = {
  name: NAME,
  unavailable: () => Promise.resolve(whyNotLoaded(NAME)),
  version: () => Promise.resolve(versionOf(NAME)),
  open,
};
