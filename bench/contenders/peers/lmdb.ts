/**
 * LMDB, by the package lmdb, in two ways: as its documentation recommends, where a thread of its own commits what came in one
 * turn of the event loop; and *blocking*, where the calling thread commits, which takes less time for one entry.
 *
 * Durable: `overlappingSync` is false. With the package's default a put resolves when it is visible, and another promise when it
 * is synced; without, both are one. Waiting for that other promise instead was tried, for one put, for transactions, and for the
 * puts of 1,000 callers: it was no faster. Seen by strace, for one put, for puts of many callers in one turn, and for 1,000 entries
 * in one transaction alike, in both ways and on each runtime: the pages are written, one fdatasync, then the meta page is written
 * through a descriptor that is O_DSYNC. Only then does it resolve or return: two waits for the disk.
 *
 * Tuned: integer keys, `append` where it does not cost a promise an entry, `noMemInit` (recommended where nobody else reads the
 * file), values neither encoded nor copied on their way in. On its way out the package reads each value into one buffer, which
 * the next one overwrites. A value that may be kept is copied from it, by the quickest way that was found on all runtimes: a
 * loop, into a piece of Node's pool (two to five times as quick as the package's own "binary" encoding). *One buffer for all
 * values* leaves that out: all values that are read are the last one then, which does for whoever only looks at each.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { load, versionOf, whyNotLoaded } from "./installed.ts";
import type { Peer, PeerKind } from "./peer.ts";

/** As much of the package as is used. */
interface Package {
  open(options: object): Database;
}

interface Database {
  put(key: number, value: Uint8Array, options?: object): Promise<void>;
  putSync(key: number, value: Uint8Array, options?: object): boolean;
  batch(write: () => void): Promise<void>;
  transactionSync(write: () => void): void;
  getKeys(options: { reverse: boolean; limit: number }): Iterable<number>;
  getRange(): Iterable<{ readonly key: number; readonly value: Uint8Array }>;
  close(): Promise<void>;
}

const NAME = "lmdb";

/** Makes a value of the bytes at the start of the one buffer. */
type Decode = (buffer: Uint8Array, lengthBytes: number) => Uint8Array;

const copied: Decode = (buffer, lengthBytes) => {
  const value = Buffer.allocUnsafe(lengthBytes);
  for (let at = 0; at < lengthBytes; at++) value[at] = buffer[at] as number;
  return value;
};

const shared: Decode = (buffer) => buffer;

function optionsOf(path: string, decode: Decode): object {
  return {
    path,
    noSubdir: false, // or it takes a folder with a dot in its name for a file
    overlappingSync: false,
    noMemInit: true,
    keyEncoding: "uint32",
    encoder: { encode: (value: Uint8Array): Uint8Array => value, decode },
  };
}

/** Where keys only rise there is no place to look for. */
const APPEND = { append: true };

class LmdbPeer implements Peer {
  protected readonly database: Database;
  protected key: number;

  constructor(database: Database) {
    this.database = database;
    const [lastKey = 0] = database.getKeys({ reverse: true, limit: 1 });
    this.key = lastKey + 1;
  }

  put(data: Uint8Array): Promise<void> | void {
    return this.database.put(this.key++, data);
  }

  putAll(entries: readonly Uint8Array[]): Promise<void> | void {
    const { database } = this;
    const write = (): void => {
      for (const entry of entries) void database.put(this.key++, entry);
    };
    return database.batch(write);
  }

  scan(): Promise<{ count: number; bytes: number }> {
    let count = 0;
    let bytes = 0;
    for (const { value } of this.database.getRange()) {
      count++;
      bytes += value.length;
    }
    return Promise.resolve({ count, bytes });
  }

  close(): Promise<void> {
    return this.database.close();
  }
}

class BlockingLmdbPeer extends LmdbPeer {
  override put(data: Uint8Array): void {
    this.database.putSync(this.key++, data, APPEND);
  }

  override putAll(entries: readonly Uint8Array[]): void {
    const { database } = this;
    database.transactionSync(() => {
      for (const entry of entries) void database.put(this.key++, entry, APPEND);
    });
  }
}

function kind(name: string, PeerClass: new (database: Database) => Peer, decode: Decode = copied): PeerKind {
  return {
    name,
    unavailable: () => Promise.resolve(whyNotLoaded(NAME)),
    version: () => Promise.resolve(versionOf(NAME)),
    open: (path: string) => Promise.resolve(new PeerClass((load(NAME) as Package).open(optionsOf(path, decode)))),
  };
}

export const lmdb: PeerKind = kind("lmdb", LmdbPeer);

export const lmdbBlocking: PeerKind = kind("lmdb, blocking", BlockingLmdbPeer);

/** It differs only in how values are read. */
export const lmdbOneBuffer: PeerKind = { ...kind("lmdb, one buffer for all values", LmdbPeer, shared), isTuned: true };
