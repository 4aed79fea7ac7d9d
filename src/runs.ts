/**
 * Reads all frames of one file that check, also those behind damage.
 *
 * @module
 */

import { areWellFilled } from "./entry.ts";
import { decodeControlPayload, FRAME_ALIGNMENT, FrameKind, HEADER_BYTES } from "./format.ts";
import { chunksOf, FrameScanner, type ScannedFrame, searchHeaders } from "./scan.ts";
import type { OpenSegmentFile } from "./segment.ts";

/** Frames that follow each other without a gap. */
export interface Run {
  /** Where the first one begins. */
  readonly offset: number;
  /** Where the last one ends; there it would go on. */
  readonly endOffset: number;
  readonly firstLsn: number;
  /** One less than the first where it holds none. */
  readonly lastLsn: number;
  readonly entries: number;
  /** Of the first frame; 0 where there is none. */
  readonly time: number;
  /** Of the last one. */
  readonly lastTime: number;
}

/** How far frames are of interest. */
export interface Limits {
  /** No frame ends behind this. */
  readonly endOffset: number;
  /** Nor is one wanted behind the one that holds this LSN. */
  readonly lastLsn: number;
}

/** What a file holds. */
export interface Contents {
  /** The first begins where the first frame must, and may be empty; the others lie behind damage. */
  readonly runs: readonly [Run, ...Run[]];
  /** The greatest LSN in a head frame; 0 where there is none. */
  readonly headLsn: number;
  /** Whether the first run ends in a mark. */
  readonly isMarked: boolean;
}

/** A place where a frame begins, or must. */
interface Start {
  readonly offset: number;
  readonly lsn: number;
}

/** Reads a file whose header is good, within these limits. */
export async function readContents(opened: OpenSegmentFile, limits: Limits): Promise<Contents> {
  const reading = new Reading(opened, limits);
  const first = await reading.run({ offset: HEADER_BYTES, lsn: opened.header.baseLsn });
  const { isMarked } = reading;
  const runs: [Run, ...Run[]] = [first];
  let last = first;
  while (last.endOffset < limits.endOffset && last.lastLsn < limits.lastLsn) {
    const start = await reading.findFrame(last.endOffset + FRAME_ALIGNMENT, last.lastLsn + 1);
    if (start === null) break;
    last = await reading.run(start);
    runs.push(last);
  }
  return { runs, headLsn: reading.headLsn, isMarked };
}

class Reading {
  readonly #opened: OpenSegmentFile;
  readonly #limits: Limits;
  headLsn = 0;
  isMarked = false;

  constructor(opened: OpenSegmentFile, limits: Limits) {
    this.#opened = opened;
    this.#limits = limits;
  }

  async run({ offset, lsn }: Start): Promise<Run> {
    const { lastLsn } = this.#limits;
    const scanner = this.#scannerAt(offset, lsn);
    let endOffset = offset;
    let nextLsn = lsn;
    let entries = 0;
    let time = 0;
    let lastTime = 0;
    for (let frame = scanner.take(); frame !== null || await scanner.more(); frame = scanner.take()) {
      if (frame === null) continue;
      if (!areFilled(frame)) break;
      const { header, view, at } = frame;
      if (header.kind === FrameKind.HEAD) this.headLsn = Math.max(this.headLsn, decodeControlPayload(view, at));
      this.isMarked = header.kind === FrameKind.MARK;
      if (endOffset === offset) time = header.time;
      lastTime = header.time;
      endOffset = frame.offset + header.lengthBytes;
      nextLsn = frame.lastLsn + 1;
      entries += header.count;
      if (frame.lastLsn >= lastLsn) break;
    }
    return { offset, endOffset, firstLsn: lsn, lastLsn: nextLsn - 1, entries, time, lastTime };
  }

  /** The first good frame from `offset` on that goes on with `nextLsn`, or with a later one. */
  async findFrame(offset: number, nextLsn: number): Promise<Start | null> {
    const { file, checksum } = this.#opened;
    const { endOffset, lastLsn } = this.#limits;
    for await (const { header, offset: at } of searchHeaders(file, checksum, offset, endOffset)) {
      const { firstLsn } = header;
      if (firstLsn < nextLsn || firstLsn > lastLsn) continue;
      const scanner = this.#scannerAt(at, firstLsn);
      let frame = scanner.take();
      while (frame === null && await scanner.more()) frame = scanner.take();
      if (frame !== null && areFilled(frame)) return { offset: at, lsn: firstLsn };
    }
    return null;
  }

  #scannerAt(offset: number, lsn: number): FrameScanner {
    const { file, checksum } = this.#opened;
    return new FrameScanner(chunksOf(file), checksum, offset, lsn, this.#limits.endOffset);
  }
}

function areFilled({ view, at, header }: ScannedFrame): boolean {
  return header.count === 0 || areWellFilled(view, at, header);
}
