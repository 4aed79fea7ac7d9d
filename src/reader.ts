/**
 * Reading in the process that writes: the entries of the chain, from one LSN to another, frame by frame.
 *
 * @module
 */

import { viewOf } from "./bytes.ts";
import type { Link } from "./chain.ts";
import { decodeEntries, type Entry } from "./entry.ts";
import { WalCorruptionError, WalIoError } from "./errors.ts";
import {
  decodeFrameHeader,
  decodeIndex,
  footerBytes,
  FRAME_HEADER_BYTES,
  FrameKind,
  HEADER_BYTES,
  type IndexPoint,
  MAX_INDEX_POINTS,
} from "./format.ts";
import { openGoodSegment } from "./good_segment.ts";
import { FrameScanner, type ScannedFrame } from "./scan.ts";
import { type OpenSegmentFile, type Place, release } from "./segment.ts";
import { pointAtOrBefore } from "./sparse_index.ts";

/** What is to be read, settled when the reader was made. */
export interface ReadRange {
  readonly place: Place;
  /** Of which log: a file of another one may bear the same name. */
  readonly logId: string;
  /** The chain, oldest first. The last one's end is not stated: `toLsn` is. */
  readonly links: readonly Link[];
  /** Where to begin in the last link, which has no footer. */
  readonly lastIndex: readonly IndexPoint[];
  readonly fromLsn: number;
  readonly toLsn: number;
}

/** Yields the entries of each frame from `fromLsn` to `toLsn`; rejects at damage. A frame without such entries is passed over. */
export async function* readBatches(range: ReadRange): AsyncGenerator<Entry[], void, undefined> {
  const { place, logId, links, fromLsn, toLsn } = range;
  if (toLsn < fromLsn) return;
  const first = Math.max(0, links.findLastIndex(({ baseLsn }) => baseLsn <= fromLsn));
  let nextLsn = links[first]?.baseLsn ?? 1;
  for (let nth = first; nth < links.length && nextLsn <= toLsn; nth++) {
    const link = links[nth];
    if (link === undefined) return;
    const opened = await openGoodSegment(place, { name: link.name, logId, where: "earlier" }, "read");
    try {
      const successor = links[nth + 1];
      if (successor !== undefined) link.endOffset ??= await statedEnd(place, logId, successor);
      const lastLsn = successor === undefined ? toLsn : successor.baseLsn - 1;
      const point = successor === undefined
        ? pointAtOrBefore(range.lastIndex, fromLsn)
        : await footerPoint(opened, link, fromLsn);
      const start = point ?? { lsn: link.baseLsn, offset: HEADER_BYTES };
      const limitOffset = link.endOffset ?? opened.sizeBytes;
      const scanner = new FrameScanner(opened.file, opened.checksum, start.offset, start.lsn, limitOffset);
      yield* readFrames(scanner, link, fromLsn, Math.min(toLsn, lastLsn));
      nextLsn = lastLsn + 1;
    } finally {
      await release(opened.file);
    }
  }
}

async function* readFrames(
  scanner: FrameScanner,
  link: Link,
  fromLsn: number,
  toLsn: number,
): AsyncGenerator<Entry[], void, undefined> {
  while (scanner.nextLsn <= toLsn) {
    const frame = scanner.take();
    if (frame === null) {
      if (await more(scanner, link)) continue;
      throw damage(link, scanner, "a frame is damaged or missing");
    }
    if (frame.lastLsn < fromLsn || frame.header.count === 0) continue;
    const entries = entriesOf(frame, fromLsn, toLsn);
    if (entries === null) throw damage(link, scanner, `the entries do not fill the frame at offset ${frame.offset}`);
    if (entries.length > 0) yield entries;
  }
}

function entriesOf(frame: ScannedFrame, fromLsn: number, toLsn: number): Entry[] | null {
  return decodeEntries(frame.bytes, frame.view, frame.at, frame.header, fromLsn, toLsn);
}

function damage(link: Link, { offset, nextLsn }: FrameScanner, what: string): WalCorruptionError {
  const evidence = link.endOffset === null ? "frame" : "successor";
  return new WalCorruptionError({ segment: link.name, offset, lsn: nextLsn, evidence }, what);
}

async function more(scanner: FrameScanner, link: Link): Promise<boolean> {
  try {
    return await scanner.more();
  } catch (error) {
    throw new WalIoError(`read ${link.name} at offset ${scanner.offset}`, error);
  }
}

async function statedEnd(place: Place, logId: string, successor: Link): Promise<number> {
  const { file, header } = await openGoodSegment(place, { name: successor.name, logId, where: "earlier" }, "read");
  await release(file);
  return header.predecessor.endOffset;
}

/** Where a reader may begin in a sealed segment, or null: a bad, wrong or missing footer costs a scan, never a refusal. */
async function footerPoint(opened: OpenSegmentFile, link: Link, fromLsn: number): Promise<IndexPoint | null> {
  if (link.endOffset === null || fromLsn <= link.baseLsn) return null;
  const point = pointAtOrBefore(await footerIndex(opened, link.endOffset), fromLsn);
  return point !== null && await isFrameAt(opened, point, link.endOffset) ? point : null;
}

async function footerIndex({ file, checksum }: OpenSegmentFile, endOffset: number): Promise<readonly IndexPoint[]> {
  const bytes = new Uint8Array(footerBytes(MAX_INDEX_POINTS));
  const count = await file.read(bytes, endOffset).catch(() => 0);
  const view = viewOf(bytes);
  if (count < FRAME_HEADER_BYTES) return [];
  const header = decodeFrameHeader(bytes, view, 0, endOffset, checksum);
  const isWhole = header?.kind === FrameKind.FOOTER && header.lengthBytes <= count &&
    checksum.frameHolds(bytes, view, 0, header.lengthBytes, endOffset);
  return isWhole ? decodeIndex(view, 0) : [];
}

/** A frame with this LSN at this place of this life of the file is the one: no other was ever written there. */
async function isFrameAt({ file, checksum }: OpenSegmentFile, point: IndexPoint, endOffset: number): Promise<boolean> {
  if (point.offset + FRAME_HEADER_BYTES > endOffset) return false;
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  const count = await file.read(bytes, point.offset).catch(() => 0);
  if (count < FRAME_HEADER_BYTES) return false;
  return decodeFrameHeader(bytes, viewOf(bytes), 0, point.offset, checksum)?.firstLsn === point.lsn;
}
