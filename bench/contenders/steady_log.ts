/**
 * A log in its steady state: its head is cut as it goes, and freed files become segments again.
 *
 * So it writes into files that were written before, as the prepared floor does, and no zeros ahead. The head follows half a
 * segment behind the end.
 *
 * @module
 */

import type { Wal } from "../../mod.ts";
import type { Scale } from "../harness/scale.ts";
import { arraysOf, flushBytes, pick, randomEntries } from "../instruments/entries.ts";

const MIB = 1024 * 1024;
/** Entries a chunk of the pipe that fills it. */
const CHUNK = 64;
/** Segments that are filled before it is steady: with two spares, each has been another one before after four. */
const FILLED_SEGMENTS = 5;

/** How large its segments are, and how often the head moves. */
export interface Course {
  readonly segmentBytes: number;
  /** Entries that half a segment holds, written so many at once. */
  readonly entriesInHalf: number;
}

/** @param atOnce How many entries are written together, at least. */
export function steadyCourse(scale: Scale, atOnce: number): Course {
  const segmentBytes = scale.pick(64 * MIB, MIB);
  return { segmentBytes, entriesInHalf: atOnce * Math.floor(segmentBytes / 2 / flushBytes(atOnce)) };
}

/** Moves the head of a log as that grows. */
export class MovingHead {
  readonly #wal: Wal;
  readonly #stepEntries: number;
  readonly #cuts: Promise<unknown>[] = [];
  #sinceCut = 0;

  constructor(wal: Wal, { entriesInHalf }: Course) {
    this.#wal = wal;
    this.#stepEntries = entriesInHalf;
  }

  /** So many entries more: at each half of a segment the head moves to where that one began. */
  advance(entries: number): void {
    this.#sinceCut += entries;
    if (this.#sinceCut < this.#stepEntries) return;
    this.#sinceCut -= this.#stepEntries;
    const headLsn = this.#wal.lastLsn - this.#stepEntries;
    if (headLsn > this.#wal.firstLsn) {
      this.#cuts.push(this.#wal.truncateBefore(headLsn));
    }
  }

  /** Resolves when all that it began is done. */
  async settled(): Promise<void> {
    await Promise.all(this.#cuts);
  }
}

/** Pipes so many halves of a segment into a log whose head moves. */
export async function pipeAndCut(
  wal: Wal,
  chunks: readonly (readonly Uint8Array[])[],
  halves: number,
  course: Course,
): Promise<void> {
  const head = new MovingHead(wal, course);
  const entries = halves * course.entriesInHalf;
  let given = 0;
  const source = new ReadableStream<readonly Uint8Array[]>({
    pull: (controller) => {
      const chunk = pick(chunks, given / CHUNK);
      controller.enqueue(chunk);
      given += chunk.length;
      head.advance(chunk.length);
      if (given >= entries) controller.close();
    },
  });
  await source.pipeTo(wal.writable());
  await head.settled();
}

/** Fills a new log until it is steady. */
export async function makeSteady(wal: Wal, course: Course): Promise<void> {
  await pipeAndCut(wal, arraysOf(randomEntries(), CHUNK), 2 * FILLED_SEGMENTS, course);
}
