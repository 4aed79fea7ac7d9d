/**
 * The log is the chain of predecessors from the last segment down to the one that holds its head. Whatever is not on it is
 * not part of the log and is never read.
 *
 * @module
 */

import { type SegmentHeader, type SegmentName, segmentName } from "./format.ts";

/** A segment on the chain, known by its name alone: open costs the same with a thousand of them. */
export interface Link {
  readonly name: string;
  readonly id: number;
  readonly baseLsn: number;
  /** Where its successor says that it ends; null until that header is read, and for the last one. */
  endOffset: number | null;
}

/** The segments of a log, oldest first. */
export class Chain {
  readonly #links: Link[];

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

  /** Puts a new segment at the end; one that never got a frame was not made its predecessor, and is no link any more. */
  push(header: SegmentHeader): void {
    while (this.#links.length > 0 && this.last?.id !== header.predecessor.id) this.#links.pop();
    if (this.last !== undefined) this.last.endOffset = header.predecessor.endOffset;
    this.#links.push(linkOf(header));
  }
}

/** The link that a header makes. */
export function linkOf(header: SegmentHeader): Link {
  const name = segmentName(header.id, header.predecessor.id, header.baseLsn);
  return { name, id: header.id, baseLsn: header.baseLsn, endOffset: null };
}

/** What walking down the names came to: the links, or the predecessor that is not there. */
export type Walk = { readonly links: Link[] } | {
  readonly missing: { readonly id: number; readonly successor: string };
};

/** From the last segment down to the one that holds `headLsn`, by the names alone. */
export function walkDown(names: readonly SegmentName[], last: SegmentHeader, headLsn: number): Walk {
  let lowest = linkOf(last);
  const links = [lowest];
  let predecessorId = last.predecessor.id;
  while (predecessorId !== 0 && lowest.baseLsn > headLsn) {
    const { name: successor, baseLsn } = lowest;
    const found = names.find(({ id, baseLsn: base }) => id === predecessorId && base <= baseLsn);
    if (found === undefined) return { missing: { id: predecessorId, successor } };
    lowest = { name: found.name, id: found.id, baseLsn: found.baseLsn, endOffset: null };
    links.push(lowest);
    predecessorId = found.predecessorId;
  }
  links.reverse();
  const second = links.at(-2);
  if (second !== undefined) second.endOffset = last.predecessor.endOffset;
  return { links };
}
