/**
 * Logs as a fuzzer finds them before it spoils them: of every shape, each with a list of what was written into it.
 */

import { crc32 } from "node:zlib";
import type { EntryInput, WalOptions } from "../../mod.ts";
import { viewOf } from "../../src/bytes.ts";
import { decodeEntries } from "../../src/entry.ts";
import {
  decodeControlPayload,
  decodeHeader,
  FRAME_ALIGNMENT,
  FrameChecksum,
  type FrameHeader,
  FrameKind,
  HEADER_BYTES,
  parseSegmentName,
} from "../../src/format.ts";
import { Random } from "../../src/runtime/random.ts";
import { readFrame } from "./frames.ts";
import { ANY_WAL, LogFixture, outcomeOf, quiet, SMALL_SEGMENT_BYTES } from "./log_fixture.ts";

/** A file that is larger is cut down. */
const MOST_BYTES = 64 * 1024;

/** A frame of a base, where it stands. */
export interface BaseFrame {
  readonly segment: string;
  readonly offset: number;
  readonly header: FrameHeader;
  readonly lastLsn: number;
}

/** A log and what is known of it. */
export interface Base {
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What it shows, by LSN, as {@linkcode entryKey} writes it. */
  readonly entries: ReadonlyMap<number, string>;
  /** All that stands in any frame of any file, by LSN: also what was torn, cut away, or put aside. */
  readonly written: ReadonlyMap<number, ReadonlySet<string>>;
  /** All frames that check, in files in the order of their ids. */
  readonly frames: readonly BaseFrame[];
  /** Whether it was closed: then all of it is vouched for. */
  readonly isClosed: boolean;
  readonly firstLsn: number;
  readonly lastLsn: number;
}

/** An entry in a word. */
export function entryKey(lsn: number, kind: number, data: Uint8Array): string {
  return `${lsn} ${kind} ${data.length} ${crc32(data).toString(16)} ${
    new TextDecoder().decode(data.subarray(0, 24)).replaceAll(/[^ -~]/g, "?")
  }`;
}

/** Every good frame of a segment's file, from its start to the first that is none; none where its header is bad. */
export function framesIn(segment: string, bytes: Uint8Array): BaseFrame[] {
  const header = decodeHeader(bytes.subarray(0, HEADER_BYTES), crc32);
  if ("fault" in header) return [];
  const checksum = new FrameChecksum(crc32, header.salt, header.id);
  const frames: BaseFrame[] = [];
  for (let offset = HEADER_BYTES; offset < bytes.length;) {
    const frame = readFrame(bytes.subarray(offset), offset, checksum);
    if (frame === null) break;
    const isSkip = frame.kind === FrameKind.SKIP;
    const lastLsn = isSkip ? decodeControlPayload(viewOf(bytes), offset) : frame.firstLsn + frame.count - 1;
    frames.push({ segment, offset, header: frame, lastLsn });
    offset += frame.lengthBytes;
  }
  return frames;
}

/** Every entry in a good frame of these files, wherever that stands. */
function writtenIn(files: Iterable<Uint8Array>): Map<number, Set<string>> {
  const written = new Map<number, Set<string>>();
  for (const bytes of files) {
    const header = decodeHeader(bytes.subarray(0, HEADER_BYTES), crc32);
    if ("fault" in header) continue;
    const checksum = new FrameChecksum(crc32, header.salt, header.id);
    for (let offset = HEADER_BYTES; offset < bytes.length; offset += FRAME_ALIGNMENT) {
      const frame = readFrame(bytes.subarray(offset), offset, checksum);
      if (frame === null) continue;
      const copy = new Uint8Array(bytes.subarray(offset, offset + frame.lengthBytes));
      for (const { lsn, kind, data } of decodeEntries(copy, viewOf(copy), 0, frame, 0, Infinity) ?? []) {
        written.set(lsn, (written.get(lsn) ?? new Set()).add(entryKey(lsn, kind, data)));
      }
    }
  }
  return written;
}

/** Without most of the zeros that are prepared at its end: they would cost time, and say nothing. */
function withoutZeros(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  return bytes.length <= MOST_BYTES
    ? bytes
    : bytes.slice(0, Math.max(SMALL_SEGMENT_BYTES, Math.ceil(end / 4096) * 4096));
}

/** Writes entries that say whose they are, so that one that turns up elsewhere is known. */
class Writer {
  readonly log: LogFixture;
  readonly #name: string;
  readonly #random: Random;
  #count = 0;

  constructor(name: string, seed: number, options: WalOptions = {}) {
    this.#name = name;
    this.#random = new Random(seed);
    this.log = new LogFixture({ segmentBytes: SMALL_SEGMENT_BYTES, ...options }, { seed });
  }

  entry(length = this.#random.pick([0, 3, 40, 300, 900, 1500])): EntryInput {
    const text = `${this.#name} ${++this.#count} `;
    const bytes = new Uint8Array(Math.max(length, text.length));
    this.#random.fill(bytes);
    bytes.set(new TextEncoder().encode(text));
    return this.#random.chance(0.3) ? { kind: this.#random.integer(0, 191), data: bytes } : bytes;
  }

  /** Commits so many, some of them in batches. */
  async commit(count: number): Promise<void> {
    for (let left = count; left > 0;) {
      const together = Math.min(left, this.#random.pick([1, 1, 1, 2, 5]));
      const entries = Array.from({ length: together }, () => this.entry());
      await (this.#random.chance(0.3) ? this.log.wal.commitBatch(entries) : Promise.all(
        entries.map((each) => this.log.wal.commit(each)),
      ));
      left -= together;
    }
    await quiet();
  }

  /** What is there now, as another process finds it. `isClosed` says that it had been closed. */
  async end(isClosed: boolean): Promise<Base> {
    const { log } = this;
    if (isClosed) await log.wal.close();
    await quiet();
    const files = new Map(log.names().map((name) => [name, withoutZeros(log.file(name))]));
    log.kill();
    const found = await log.open({ spares: 0 });
    const entries = new Map<number, string>();
    for await (const { lsn, kind, data } of found.readable()) entries.set(lsn, entryKey(lsn, kind, data));
    const { firstLsn, lastLsn } = found;
    const segments = [...files.keys()].filter((name) => parseSegmentName(name) !== null).sort();
    const frames = segments.flatMap((name) => framesIn(name, files.get(name) ?? new Uint8Array()));
    const written = writtenIn(files.values());
    return { name: this.#name, files, entries, written, frames, isClosed, firstLsn, lastLsn };
  }
}

async function opened(name: string, seed: number, options: WalOptions = {}): Promise<Writer> {
  const writer = new Writer(name, seed, options);
  await writer.log.open();
  return writer;
}

/** All entries in one file. */
async function oneSegment(): Promise<Base> {
  const writer = await opened("one", 11);
  await writer.commit(9);
  return await writer.end(true);
}

/** Several files, with footers, idle frames, and marks that were overwritten. */
async function manySegments(): Promise<Base> {
  const writer = await opened("many", 12);
  await writer.commit(14);
  await writer.log.advance(1000);
  await writer.log.reopen();
  await writer.commit(9);
  await writer.log.reopen();
  await writer.commit(14);
  return await writer.end(true);
}

/** The process was killed: nothing is torn, and no mark is there. */
async function killed(): Promise<Base> {
  const writer = await opened("killed", 13);
  await writer.commit(30);
  return await writer.end(false);
}

/** Cut from below, more than once; old files lie about as spares. */
async function cutFromBelow(): Promise<Base> {
  const writer = await opened("cut", 14, { spares: 4 });
  await writer.commit(30);
  await writer.log.wal.truncateBefore(12);
  await writer.commit(30);
  await writer.log.wal.truncateBefore(31);
  await writer.commit(5);
  await quiet();
  return await writer.end(true);
}

/** A crash tore frames at the end, and frames behind them are whole. */
async function torn(): Promise<Base> {
  const writer = await opened("torn", 15);
  const { log } = writer;
  await writer.commit(25);
  await log.wal.configure({ durability: "write" });
  for (let nth = 0; nth < 6; nth++) await log.wal.commit(writer.entry(40));
  await quiet();
  const frames = framesIn(log.lastSegment(), log.file(log.lastSegment()));
  const hit = frames.at(-4);
  if (hit === undefined) throw new Error("there is no frame to tear");
  log.kill();
  log.disk.flipBit(`/data/wal/${hit.segment}`, hit.offset + 60, 2);
  await log.open();
  return await writer.end(false);
}

/** LSNs that a full disk rejected were skipped; large frames; an entry in a file of its own. */
async function skipped(): Promise<Base> {
  const writer = await opened("skipped", 16, { spares: 0 });
  const { log } = writer;
  await writer.commit(8);
  log.fillDisk();
  await outcomeOf(log.wal.commitBatch([writer.entry(30_000), writer.entry(9)]));
  log.freeDisk();
  await log.advance(1000);
  await writer.commit(4);
  await log.wal.commit(writer.entry(40_000));
  await writer.commit(6);
  await log.advance(1000);
  return await writer.end(true);
}

/** A sync failed, and the log went on behind what was synced. */
async function reopened(): Promise<Base> {
  const writer = await opened("reopened", 17, { durability: "write" });
  const { log } = writer;
  await writer.commit(12);
  await log.wal.flush();
  await writer.commit(3);
  log.faults.fail("syncData", { path: ANY_WAL });
  await outcomeOf(log.wal.commit({ data: "lost", durability: "fsync" }));
  log.faults.clear();
  await log.wal.reopen();
  await writer.commit(9);
  return await writer.end(true);
}

/** Damaged in two places, and mended by salvage; what was damaged lies aside. */
async function mended(): Promise<Base> {
  const writer = await opened("mended", 18);
  const { log } = writer;
  await writer.commit(28);
  log.kill();
  const [first = "", second = ""] = log.segments();
  for (const name of [first, second]) {
    const frames = framesIn(name, log.file(name));
    log.disk.flipBit(`/data/wal/${name}`, (frames[frames.length >> 1]?.offset ?? 0) + 50, 1);
  }
  await log.open({ recovery: "salvage" });
  await writer.commit(10);
  return await writer.end(true);
}

/** It never took an entry. */
async function empty(): Promise<Base> {
  return await (await opened("empty", 19)).end(true);
}

/** All of it is cut away. */
async function cutWhole(): Promise<Base> {
  const writer = await opened("cut whole", 20);
  await writer.commit(20);
  await writer.log.wal.truncateBefore(writer.log.wal.lastLsn + 1);
  return await writer.end(true);
}

const MAKERS: readonly (() => Promise<Base>)[] = [
  oneSegment,
  manySegments,
  killed,
  cutFromBelow,
  torn,
  skipped,
  reopened,
  mended,
  empty,
  cutWhole,
];

let made: Promise<readonly Base[]> | null = null;

/** All of them, made once. */
export function bases(): Promise<readonly Base[]> {
  made ??= (async () => {
    const all: Base[] = [];
    for (const make of MAKERS) all.push(await make());
    return all;
  })();
  return made;
}
