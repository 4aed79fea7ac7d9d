/**
 * The log is the chain of predecessors from the last segment down to the one that holds its head. Whatever is not on it is
 * not part of the log and is never read.
 *
 * @module
 */

import { WalFormatError } from "./errors.ts";
import { HEADER_BYTES, type SegmentHeader, type SegmentName, segmentName } from "./format.ts";
import type { Place } from "./segment.ts";

/** Somebody who reads a segment, so that its file must stay. */
export interface Pin {
  /** Who it is, in words for a person. */
  readonly holder: string;
}

/** A segment on the chain, known by its name alone: open costs the same with a thousand of them. */
export interface Link {
  readonly name: string;
  readonly id: number;
  readonly baseLsn: number;
  /** Where its successor says that it ends; null until that header is read, and for the last one. */
  endOffset: number | null;
  /** How many bytes of frames lie before it; null until its header is read. */
  precedingBytes: number | null;
  /** Its successor; null for the last one. */
  next: Link | null;
  /** Who reads it now. */
  readonly pins: Set<Pin>;
  /** Its file has met an error: it is neither written nor synced any more, under no name. */
  hasFailed: boolean;
}

/** The segments of a log, oldest first. */
export class Chain {
  readonly #links: Link[];
  #onUnpinned: () => void = () => {};

  /** @param links Oldest first. */
  constructor(links: Link[] = []) {
    this.#links = links;
  }

  /** Oldest first. */
  get links(): readonly Link[] {
    return this.#links;
  }

  /** The newest, which takes frames. */
  get last(): Link | undefined {
    return this.#links.at(-1);
  }

  /** The link that holds this LSN, or will; undefined where it lies before the first. */
  linkOf(lsn: number): Link | undefined {
    let low = 0;
    let high = this.#links.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#links[middle]?.baseLsn ?? Infinity) <= lsn) low = middle + 1;
      else high = middle;
    }
    return this.#links[low - 1];
  }

  /**
   * Puts a new segment at the end. One of which nothing is kept was not made its predecessor, and is no link any more; who
   * reads it goes on in the new one. Returns those.
   */
  push(header: SegmentHeader): Link[] {
    const link = linkTo(header);
    const gone: Link[] = [];
    while (this.#links.length > 0 && this.last?.id !== header.predecessor.id) {
      const left = this.#links.pop();
      if (left === undefined) break;
      Object.assign(left, { endOffset: HEADER_BYTES, next: link });
      gone.push(left);
    }
    const { last } = this;
    if (last !== undefined) {
      last.endOffset = header.predecessor.endOffset;
      last.next = link;
    }
    this.#links.push(link);
    return gone;
  }

  /** The links wholly below `headLsn`, oldest first: not part of the log any more. */
  below(headLsn: number): Link[] {
    const count = this.#links.findIndex(({ next }) => next === null || next.baseLsn > headLsn);
    return this.#links.slice(0, Math.max(0, count));
  }

  /** Takes away the oldest links that lie wholly below `headLsn`, up to the first that somebody reads. */
  shift(headLsn: number): Link[] {
    const below = this.below(headLsn);
    const pinned = below.findIndex(({ pins }) => pins.size > 0);
    return this.#links.splice(0, pinned < 0 ? below.length : pinned);
  }

  /** Called when somebody has stopped reading a link. */
  set onUnpinned(callback: () => void) {
    this.#onUnpinned = callback;
  }

  /** Somebody reads this link no more. */
  unpin(link: Link, pin: Pin): void {
    if (link.pins.delete(pin)) this.#onUnpinned();
  }
}

/**
 * Whether a segment above which there is no other may be the last one. A set exists when the segment that completes it does: any
 * other of its segments lies below that one. What only bears that one's id may be a segment of another set, which was begun when
 * this one had been given up.
 */
export function mayBeLast({ id, setId }: SegmentHeader): boolean {
  return setId === 0 || setId === id;
}

/** Whether a header goes on, on the same line of history, where the one before it ends. */
export function isNextOf({ epoch, predecessor }: SegmentHeader, before: SegmentHeader): boolean {
  return epoch.id === before.epoch.id || epoch.parentId === before.epoch.id && epoch.lsn === predecessor.lastLsn;
}

/** What is wrong where two files claim to be the same segment; null where none do. The newest first. */
export function rivalsAmong(segments: readonly SegmentName[]): Rivals | null {
  const nth = segments.findIndex(({ id }, nth) => segments[nth + 1]?.id === id);
  const [one, other] = [segments[nth], segments[nth + 1]];
  if (one === undefined || other === undefined) return null;
  const what =
    `${other.name} claims to be segment number ${one.id} as well; move the one that is not this log's out of the ` +
    "directory";
  return { name: one.name, what };
}

/** Throws where two files claim to be the same segment. */
export function refuseRivals({ runtime, directory }: Place, segments: readonly SegmentName[]): void {
  const rivals = rivalsAmong(segments);
  if (rivals !== null) throw new WalFormatError(runtime.join(directory, rivals.name), rivals.what);
}

/** A file, and what is wrong with it. */
export interface Rivals {
  readonly name: string;
  readonly what: string;
}

/** How many bytes of frames lie from the first link on up to the end of the last segment; as far as that one's header could be read. */
export function retainedBytesOf(
  { header: { precedingBytes }, endOffset }: { readonly header: SegmentHeader; readonly endOffset: number },
  first: Link | undefined,
): number {
  return precedingBytes + endOffset - HEADER_BYTES - (first?.precedingBytes ?? precedingBytes);
}

/** What its successor's header says: where this one ends, and how much lies before the other. */
export function learnEnd(link: Link, successor: SegmentHeader): number {
  if (link.next !== null) link.next.precedingBytes = successor.precedingBytes;
  link.endOffset = successor.predecessor.endOffset;
  return link.endOffset;
}

/** The link that a header makes. */
export function linkTo(header: SegmentHeader): Link {
  const name = segmentName(header.id, header.predecessor.id, header.baseLsn);
  const { id, baseLsn, precedingBytes } = header;
  return { name, id, baseLsn, precedingBytes, endOffset: null, next: null, pins: new Set(), hasFailed: false };
}

/** What is known of a link by its name alone. */
const unread = { precedingBytes: null, endOffset: null, hasFailed: false };

/** What walking down the names came to. */
export interface Walk {
  /** Oldest first. */
  readonly links: Link[];
  /** The predecessor that is not there, and who names it; null where there is none. */
  readonly missing: { readonly id: number; readonly successor: string } | null;
}

/** From the last segment down to the one that holds `headLsn`, by the names alone. */
export function walkDown(names: readonly SegmentName[], last: SegmentHeader, headLsn: number): Walk {
  let lowest = linkTo(last);
  const links = [lowest];
  let predecessorId = last.predecessor.id;
  let missing: Walk["missing"] = null;
  while (predecessorId !== 0 && lowest.baseLsn > headLsn) {
    const { name: successor, baseLsn } = lowest;
    const found = names.find(({ id, baseLsn: base }) => id === predecessorId && base <= baseLsn);
    if (found === undefined) {
      missing = { id: predecessorId, successor };
      break;
    }
    const { name, id, baseLsn: base } = found;
    lowest = { ...unread, name, id, baseLsn: base, next: lowest, pins: new Set() };
    links.push(lowest);
    predecessorId = found.predecessorId;
  }
  links.reverse();
  const second = links.at(-2);
  if (second !== undefined) second.endOffset = last.predecessor.endOffset;
  return { links, missing };
}
