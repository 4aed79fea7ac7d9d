/**
 * Files that are named like segments and are not part of the log that was opened. What lies below its chain was cut; what lies
 * beside it was never the log's, or was replaced by a mending that was stopped.
 *
 * @module
 */

import { setTornAside } from "./aside.ts";
import { type Link, walkDown } from "./chain.ts";
import type { Report } from "./event.ts";
import { HEADER_BYTES, type SegmentHeader, type SegmentName } from "./format.ts";
import { openGoodSegment, readHeader } from "./good_segment.ts";
import { setAside } from "./replaced.ts";
import { type Place, release } from "./segment.ts";
import type { Spares } from "./spares.ts";

/** The log that was opened, and what lies beside it. */
export interface Surroundings {
  readonly place: Place;
  readonly spares: Spares;
  /** Every file that is named like a segment, the newest first. */
  readonly segments: readonly SegmentName[];
  /** The log's, oldest first. */
  readonly links: readonly Link[];
  /** Of the last one. */
  readonly current: SegmentHeader;
  readonly report: Report;
}

/**
 * Frees them in the background. Where the log has left a file below its oldest segment, its successor says: what is torn behind that
 * is copied first. Of a file that nobody on the way down names, all frames are copied; one that a mending replaced gets its other name
 * instead; copies whose set was never complete are no evidence.
 */
export function freeLeftovers({ place, spares, segments, links, current, report }: Surroundings): void {
  const { logId } = current;
  const onChain = new Set(links.map(({ name }) => name));
  const leftOver = segments.map(({ name }) => name).filter((name) => !onChain.has(name));
  if (leftOver.length === 0) return;
  const successors = new Map(walkDown(segments, current, 0).links.map(({ name, next }) => [name, next]));
  const confirmed = confirmChain(place, links, logId);
  confirmed.catch(() => {}); // who waits for it hears of it
  let isStuck = false;
  // The oldest first: the next one says where the log has left it, and a set was complete of which the oldest originals are aside.
  void spares.free(leftOver.reverse(), async (name) => {
    await confirmed;
    const successor = successors.get(name) ?? null;
    if (successor === null && await isReplaced(place, name, current)) {
      if (isStuck) throw new Error("an older one could not be set aside");
      isStuck = true;
      await setAside(place, [name], await place.runtime.list(place.directory));
      isStuck = false;
      return null;
    }
    const endOffset = successor === null ? HEADER_BYTES : await statedEnd(place, successor);
    const isUnfinished = (header: SegmentHeader): boolean => wasUnfinished(header, segments, current);
    return await setTornAside(place, { name, logId, endOffset, isUnfinished }, report);
  });
}

/**
 * Whether a file is of a set that was never completed: what completes it is not there, and the log has not gone on behind it. Of a
 * set that was complete that may have gone since: cut away, or replaced.
 */
function wasUnfinished(
  { id, setId }: SegmentHeader,
  segments: readonly SegmentName[],
  current: SegmentHeader,
): boolean {
  return setId !== 0 && id > current.id && !segments.some((each) => each.id === setId);
}

/** Where the log has left the file that this one goes on from: with its header, where that cannot tell any more. */
async function statedEnd(place: Place, { name }: Link): Promise<number> {
  const header = await readHeader(place, name);
  return header === null ? HEADER_BYTES : header.predecessor.endOffset;
}

/** The chain was walked by names: before anything is freed that is not on it, each header must say the same as its name. */
async function confirmChain(place: Place, links: readonly Link[], logId: string): Promise<void> {
  for (const { name } of links) {
    const { file } = await openGoodSegment(place, { name, logId, where: "earlier" }, "read");
    await release(file);
  }
}

/** Whether a file beside the chain was part of the log before a mending began a new line of history. */
async function isReplaced(place: Place, name: string, { logId, id, epoch }: SegmentHeader): Promise<boolean> {
  const { file, header } = await openGoodSegment(place, { name, logId, where: "earlier" }, "read");
  await release(file);
  return header.id < id && header.epoch.id !== epoch.id;
}
