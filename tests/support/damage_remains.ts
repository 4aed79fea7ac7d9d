/**
 * What is left of a damaged log, found by comparing bytes: a frame is there if every byte of it is the one that was written,
 * whatever any checksum says. Nothing of the code under test is used.
 */

import { isSame, turnedBits } from "./damage.ts";
import type { Files, Original, OriginalFrame, OriginalSegment } from "./damage_log.ts";

/** What a file is whose header is not the one that was written. */
export type Stranger = "damaged" | "no-segment" | "foreign" | "future";

/** A log after it was damaged, and what bytes alone do not say. */
export interface Damaged {
  readonly files: Files;
  /** What files are to be taken for that have another good header, or are belied by one; null: for what they were. */
  readonly strangers?: ReadonlyMap<string, Stranger | null>;
  /** What the lock file says, where that was written anew. */
  readonly lockMark?: Original["lockMark"];
}

/** A file that bears the name of a segment. */
export interface Named {
  readonly name: string;
  readonly id: number;
  readonly predecessorId: number;
  readonly baseLsn: number;
  /** As it was written; null of a stranger. */
  readonly original: OriginalSegment | null;
  readonly stranger: Stranger | null;
}

/** Frames that are not there, and those behind them that are looked at. */
export interface Gap {
  readonly lost: readonly OriginalFrame[];
  readonly rest: readonly OriginalFrame[];
}

const HEADER_BYTES = 4096;
const MAGIC: readonly number[] = [...new TextEncoder().encode("\0walstrm")];
const FRAME_HEADER_BYTES = 48;
const LOCK_MARK_BYTES = 32;

/** See the head of this file. */
export class Remains {
  readonly #original: Original;
  readonly #damaged: Damaged;
  /** The segments that are found, from the last one down by their names. Oldest first. */
  readonly chain: readonly Named[];

  constructor(original: Original, damaged: Damaged) {
    this.#original = original;
    this.#damaged = damaged;
    this.chain = chainOf([...damaged.files.keys()].filter(isSegmentName).map((name) => this.#named(name)));
  }

  #named(name: string): Named {
    const [id = 0, predecessorId = 0, baseLsn = 0] = name.split(/[-.]/).map(Number);
    const original = this.#original.segments.find((each) => each.name === name) ?? null;
    const isWhole = original !== null && this.#isSame(name, 0, HEADER_BYTES);
    const known = this.#damaged.strangers?.get(name);
    const stranger = known !== undefined ? known : isWhole ? null : this.#strangerAs(name);
    return { name, id, predecessorId, baseLsn, original: stranger === null ? original : null, stranger };
  }

  /** Whatever has neither its magic number nor all of the rest, and is not blank, never was a segment. */
  #strangerAs(name: string): Stranger {
    const magic = this.#damaged.files.get(name)?.subarray(0, MAGIC.length) ?? new Uint8Array();
    const isLike = magic.every((byte, at) => byte === MAGIC[at]) || magic.every((byte) => byte === 0);
    const isLong = this.sizeOf(name) >= HEADER_BYTES;
    return isLike || !isLong || this.#isSame(name, MAGIC.length, HEADER_BYTES) ? "damaged" : "no-segment";
  }

  /** The size of a file; 0 where there is none. */
  sizeOf(name: string): number {
    return this.#damaged.files.get(name)?.length ?? 0;
  }

  #isSame(name: string, from: number, to: number): boolean {
    const bytes = this.#damaged.files.get(name) ?? new Uint8Array();
    const written = this.#original.whole.get(name) ?? new Uint8Array();
    return isSame(bytes, written, from, to);
  }

  #isThere(name: string, { offset, lengthBytes }: OriginalFrame): boolean {
    return this.#isSame(name, offset, offset + lengthBytes);
  }

  /** The frames of a segment that are there, with its footer. */
  allFramesOf({ name, original }: Named): OriginalFrame[] {
    return allFrames(original).filter((frame) => this.#isThere(name, frame));
  }

  /** The same without its footer. */
  framesOf(segment: Named): OriginalFrame[] {
    return this.allFramesOf(segment).filter(({ kind }) => kind !== "FOOTER");
  }

  /** Frames of which at least the header is left, the footer too. */
  headersOf({ name, original }: Named): OriginalFrame[] {
    return allFrames(original).filter(({ offset }) => this.#isSame(name, offset, offset + FRAME_HEADER_BYTES));
  }

  /** Whether a header begins at `offset` in which one bit has turned, of a frame that is worth telling of. */
  hasTurnedHeaderAt(offset: number, { name, original }: Named): boolean {
    const bytes = this.#damaged.files.get(name) ?? new Uint8Array();
    const written = this.#original.whole.get(name) ?? new Uint8Array();
    const frame = allFrames(original).find((each) => each.offset === offset);
    if (frame === undefined || ["MARK", "IDLE"].includes(frame.kind)) return false; // nothing is lost with it
    const end = offset + FRAME_HEADER_BYTES;
    return bytes.length >= end && turnedBits(bytes, written, offset, end) === 1;
  }

  /** Where frames are missing among these. */
  gapsIn({ name }: Named, frames: readonly OriginalFrame[]): Gap[] {
    const gaps: Gap[] = [];
    let lost: OriginalFrame[] = [];
    for (const [nth, frame] of frames.entries()) {
      const isThere = this.#isThere(name, frame);
      if (isThere && lost.length > 0) gaps.push({ lost, rest: frames.slice(nth) });
      lost = isThere ? [] : [...lost, frame];
    }
    return lost.length > 0 ? [...gaps, { lost, rest: [] }] : gaps;
  }

  /** What the lock file says. */
  get lockMark(): Original["lockMark"] {
    const { lockMark } = this.#damaged;
    if (lockMark !== undefined) return lockMark;
    return this.#isSame("lock", 0, LOCK_MARK_BYTES) ? this.#original.lockMark : null;
  }
}

/** The frames of a segment and its footer. */
export function allFrames(segment: OriginalSegment | null): OriginalFrame[] {
  if (segment === null) return [];
  return segment.footer === null ? [...segment.frames] : [...segment.frames, segment.footer];
}

/** Where they end. */
export function endOf(frames: readonly OriginalFrame[]): number {
  const last = frames.at(-1);
  return last === undefined ? HEADER_BYTES : last.offset + last.lengthBytes;
}

/** Whether a frame holds LSNs, be it that it leaves them out. */
export function holdsLsns({ firstLsn, lastLsn }: OriginalFrame): boolean {
  return lastLsn >= firstLsn;
}

/** The LSNs of the entries in these frames. */
export function entriesIn(frames: readonly OriginalFrame[]): number[] {
  return frames.filter(({ kind }) => kind !== "SKIP").flatMap(({ firstLsn, lastLsn }) =>
    Array.from({ length: lastLsn - firstLsn + 1 }, (_, nth) => firstLsn + nth)
  );
}

function isSegmentName(name: string): boolean {
  return /^\d{10}-\d{10}-\d{16}\.wal$/.test(name) && !name.startsWith("0000000000");
}

/** Where one is missing, or belied by its header, on with the next lower. */
function chainOf(all: readonly Named[]): Named[] {
  const byId = all.toSorted((a, b) => b.id - a.id);
  const chain: Named[] = [];
  for (let next = byId[0]; next !== undefined;) {
    const { id, predecessorId, baseLsn, stranger } = next;
    chain.unshift(next);
    const mostId = stranger !== null && predecessorId === 0 ? id - 1 : Math.min(id - 1, predecessorId);
    next = byId.find((each) => each.id <= mostId && each.baseLsn <= baseLsn);
  }
  return chain;
}
