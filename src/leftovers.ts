/**
 * Files that are named like segments and are not part of the log that was opened. What lies below its chain was cut; what lies
 * beside it was never the log's, or was replaced by a mending that was stopped.
 *
 * @module
 */

import { setTornAside } from "./aside.ts";
import type { Link } from "./chain.ts";
import type { Report } from "./event.ts";
import { HEADER_BYTES, type SegmentHeader, type SegmentName } from "./format.ts";
import { openGoodSegment } from "./good_segment.ts";
import { setAside } from "./replaced.ts";
import { type Place, release } from "./segment.ts";
import type { Spares } from "./spares.ts";

/** The log that was opened, and what lies beside it. */
export interface Surroundings {
  readonly place: Place;
  readonly spares: Spares;
  /** Every file that is named like a segment. */
  readonly segments: readonly SegmentName[];
  /** The log's, oldest first. */
  readonly links: readonly Link[];
  /** Of the last one. */
  readonly current: SegmentHeader;
  readonly report: Report;
}

/** Frees them in the background. Of what was cut only what is torn is worth keeping. */
export function freeLeftovers({ place, spares, segments, links, current, report }: Surroundings): void {
  const { logId } = current;
  const onChain = new Set(links.map(({ name }) => name));
  const leftOver = new Map(segments.filter(({ name }) => !onChain.has(name)).map((each) => [each.name, each]));
  if (leftOver.size === 0) return;
  const firstLsn = links[0]?.baseLsn ?? 0;
  const confirmed = confirmChain(place, links, logId);
  confirmed.catch(() => {}); // who waits for it hears of it
  void spares.free([...leftOver.keys()], async (name) => {
    await confirmed;
    const endOffset = (leftOver.get(name)?.baseLsn ?? 0) >= firstLsn ? HEADER_BYTES : null;
    if (endOffset !== null && await isReplaced(place, name, current)) {
      await setAside(place, [name], await place.runtime.list(place.directory));
      return null;
    }
    const isUnfinished = (header: SegmentHeader): boolean => wasUnfinished(header, segments, current);
    return await setTornAside(place, { name, logId, endOffset, isUnfinished }, report);
  });
}

/**
 * Whether a file is of a set that was never completed: what completes it is not there, and the log does not come from its line of
 * history. Of a set that the log does come from, what completed it may have gone: cut away, or replaced.
 */
function wasUnfinished(
  { setId, epoch }: SegmentHeader,
  segments: readonly SegmentName[],
  current: SegmentHeader,
): boolean {
  const isAncestor = epoch.id === current.epoch.id || epoch.id === current.epoch.parentId;
  return setId !== 0 && !isAncestor && !segments.some(({ id }) => id === setId);
}

/** The chain was walked by names: before anything is freed that is not on it, each header must say the same as its name. */
async function confirmChain(place: Place, links: readonly Link[], logId: string): Promise<void> {
  for (const { name } of links) {
    const { file } = await openGoodSegment(place, { name, logId, where: "earlier" }, "read");
    await release(file);
  }
}

/** Whether a file beside the chain was part of the log before a mending began a new line of history. */
async function isReplaced(place: Place, name: string, { id, epoch }: SegmentHeader): Promise<boolean> {
  const { file, header } = await openGoodSegment(place, { name, logId: null, where: "earlier" }, "read");
  await release(file);
  return header.id < id && header.epoch.id !== epoch.id;
}
