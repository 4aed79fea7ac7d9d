/**
 * Opening: what is found, whether a crash explains it, where the log ends, and what has to be written again.
 *
 * Nothing is written before the decision is made, and then only the same bytes in the same places.
 *
 * @module
 */

import { completionOf, lookBehind, type OutsideVoucher, voucherFor } from "./behind.ts";
import { type Link, mayBeLast, refuseRivals } from "./chain.ts";
import { walkToHead } from "./chain_walk.ts";
import { WalError, WalIoError } from "./errors.ts";
import { hasNoGoodFrame, hasVanished } from "./fault_words.ts";
import { asideIdsIn, decodeControlPayload, FrameKind, HEADER_BYTES, type SegmentName, segmentsOf } from "./format.ts";
import { openGoodSegment } from "./good_segment.ts";
import { rewriteFrames } from "./rewriting.ts";
import { chunksOf, FrameScanner } from "./scan.ts";
import { judgeSets, type PassedOver } from "./sets.ts";
import { type OpenSegmentFile, type Place, release, Segment } from "./segment.ts";
import { refuse } from "./verdict.ts";

/** A mark at the end of the last segment: it goes before anything is written behind it. */
export interface Mark {
  readonly offset: number;
  readonly nextLsn: number;
}

/**
 * What a crash tore off.
 *
 * @example Stopped in the middle of a write
 * ```ts
 * import { type TornReport, Wal } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const runtime = new MemoryRuntime({
 *   onCall: ({ length }) => (length > 1_000_000 ? { stop: "after", doneBytes: 4096 } : undefined),
 * });
 * const stopped = await Wal.open("/wal", { runtime });
 * await stopped.commit("whole");
 * stopped.append(new Uint8Array(2_000_000));
 * await runtime.stopped;
 *
 * const wal = await Wal.open("/wal", { runtime: new MemoryRuntime({ disk: runtime.disk.kill() }) });
 * const torn: TornReport | null = wal.recovery.torn;
 * console.log(wal.lastLsn, torn?.firstLsn, torn?.lastLsn); // 1 2 2
 * await wal.close();
 * ```
 */
export interface TornReport {
  /** The name of the file. */
  readonly segment: string;
  /** Where in it the log ends, in bytes. */
  readonly offset: number;
  /** From there to the end of the last frame behind it whose header is good. */
  readonly bytes: number;
  /** The first LSN that the torn frames bore, as far as their headers tell; 0 where they tell none. */
  readonly firstLsn: number;
  /** The last one. */
  readonly lastLsn: number;
}

/** A log that was found, and the segment that ends it. */
export interface Found {
  readonly segment: Segment;
  readonly links: Link[];
  readonly headLsn: number;
  readonly lastLsn: number;
  /** The greatest `syncedLsn` that stands in a frame. */
  readonly stampedLsn: number;
  readonly lastTime: number;
  /** The mark it ends in; null where the end is not clean. */
  readonly mark: Mark | null;
  readonly torn: TornReport | null;
  readonly rewrittenBytes: number;
}

/** What the scan of the last segment came to. */
interface Scan {
  readonly endOffset: number;
  readonly nextLsn: number;
  readonly headLsn: number;
  readonly stampedLsn: number;
  readonly lastTime: number;
  readonly mark: Mark | null;
  /** Where the segment ends: a footer begins just there, and a successor will state it. */
  readonly sealedOffset: number;
  /** Where the frames begin that nothing vouches for. */
  readonly doubtfulOffset: number;
  readonly doubtfulLsn: number;
}

/**
 * The log in a directory with these names, or null where there is none. Rejects with what the decision table says; then
 * nothing was changed and no file is open.
 */
export async function recover(
  place: Place,
  names: readonly string[],
  vouchers: readonly OutsideVoucher[],
): Promise<Found | null> {
  const segments = segmentsOf(names);
  refuseRivals(place, segments);
  const { last, completion } = await openLast(place, segments, asideIdsIn(names));
  const highest = [...vouchers, ...completion].reduce<OutsideVoucher | null>(
    (a, b) => a === null || b.segmentId > a.segmentId ? b : a,
    null,
  );
  try {
    if (highest !== null && highest.segmentId > (last?.header.id ?? 0)) {
      const { evidence, segmentId, offset } = highest;
      const lsn = last === null ? 1 : (await scanLast(new Segment(last, HEADER_BYTES))).nextLsn;
      const fault = { finding: "missing", what: hasVanished(segmentId) } as const;
      refuse("last", fault, { segment: `number ${segmentId}`, offset, lsn, evidence }, place.directory);
    }
    return last === null ? null : await recoverFrom(place, last, segments, vouchers);
  } catch (error) {
    if (last !== null) await release(last.file);
    throw error;
  }
}

interface LastFile extends OpenSegmentFile {
  readonly name: string;
}

interface Last {
  readonly last: LastFile | null;
  /** That the set of the last one was complete once. */
  readonly completion: readonly OutsideVoucher[];
}

/** The segment with the highest id that exists. */
async function openLast(place: Place, names: readonly SegmentName[], asideIds: ReadonlySet<number>): Promise<Last> {
  const open = async ({ name }: SegmentName): Promise<LastFile> => {
    return { ...await openGoodSegment(place, { name, logId: null, where: "last" }, "write"), name };
  };
  const passedOver: PassedOver[] = [];
  let last: LastFile | null = null;
  let lastName: SegmentName | null = null;
  for (const name of names) {
    const opened = await open(name);
    if (mayBeLast(opened.header)) {
      [last, lastName] = [opened, name];
      break;
    }
    await release(opened.file);
    passedOver.unshift({ name, header: opened.header });
  }
  const { last: complete } = judgeSets(passedOver, { top: lastName, names, asideIds });
  if (complete === null) return { last, completion: [] };
  if (last !== null) await release(last.file);
  return { last: await open(complete.name), completion: [completionOf(complete.header)] };
}

async function recoverFrom(
  place: Place,
  last: LastFile,
  segments: readonly SegmentName[],
  vouchers: readonly OutsideVoucher[],
): Promise<Found> {
  const reading = <T>(call: Promise<T>): Promise<T> =>
    call.catch((error: unknown) => {
      throw error instanceof WalError ? error : new WalIoError(`read or sync ${last.name}`, error);
    });
  await reading(last.file.syncData());
  for (;;) {
    const segment = new Segment(last, HEADER_BYTES);
    const scan = await reading(scanLast(segment));
    segment.endOffset = scan.endOffset;
    const torn = await reading(judgeTail(segment, scan, vouchers, place.runtime.join(place.directory, last.name)));
    const links = await walkToHead({ place, segments, last, headLsn: scan.headLsn });
    const { endOffset, doubtfulOffset: offset, doubtfulLsn: firstLsn } = scan;
    const isRewritten = await reading(rewriteFrames(segment, { offset, firstLsn, endOffset }));
    segment.endOffset = segment.syncedOffset = scan.sealedOffset;
    if (!isRewritten) continue; // the cache showed something else the second time: what it lost is not the log's
    return {
      segment,
      links,
      headLsn: scan.headLsn,
      lastLsn: scan.nextLsn - 1,
      stampedLsn: scan.stampedLsn,
      lastTime: scan.lastTime,
      mark: torn === null ? scan.mark : null, // no log has written anything behind a mark that is still there
      torn,
      rewrittenBytes: endOffset - offset,
    };
  }
}

/** Every good frame of the last segment, up to the first bad one. */
async function scanLast(segment: Segment): Promise<Scan> {
  const { header, file, checksum, index } = segment;
  const scanner = new FrameScanner(chunksOf(file), checksum, HEADER_BYTES, header.baseLsn, segment.sizeBytes);
  scanner.readsAhead = true;
  scanner.checksEntries = true;
  let headLsn = header.headLsn;
  let stampedLsn = header.baseLsn - 1;
  let lastTime = header.time;
  let mark: Mark | null = null;
  let footerOffset: number | null = null;
  let doubtful: { offset: number; lsn: number }[] = [];
  for (let frame = scanner.take(); frame !== null || await scanner.more(); frame = scanner.take()) {
    if (frame === null) continue;
    const { kind, firstLsn, syncedLsn, time } = frame.header;
    if (kind === FrameKind.HEAD) headLsn = Math.max(headLsn, decodeControlPayload(frame.view, frame.at));
    if (kind === FrameKind.ENTRIES || kind === FrameKind.BATCH) index.add(firstLsn, frame.offset, time);
    if (kind === FrameKind.FOOTER) {
      segment.isFull = true;
      footerOffset = frame.offset;
    }
    mark = kind === FrameKind.MARK ? { offset: frame.offset, nextLsn: firstLsn } : null;
    if (syncedLsn > stampedLsn) {
      stampedLsn = syncedLsn;
      doubtful = doubtful.filter(({ lsn }) => lsn > stampedLsn);
    }
    if (firstLsn > stampedLsn) doubtful.push({ offset: frame.offset, lsn: firstLsn });
    lastTime = time;
  }
  const { offset: endOffset, nextLsn } = scanner;
  const first = doubtful[0] ?? { offset: endOffset, lsn: nextLsn };
  return {
    endOffset,
    sealedOffset: footerOffset ?? endOffset,
    nextLsn,
    headLsn,
    stampedLsn,
    lastTime,
    mark,
    doubtfulOffset: first.offset,
    doubtfulLsn: first.lsn,
  };
}

/** Torn or corrupt: looks for whatever vouches for more than the good frames, and measures what a crash tore. */
async function judgeTail(
  segment: Segment,
  scan: Scan,
  vouchers: readonly OutsideVoucher[],
  path: string,
): Promise<TornReport | null> {
  const { endOffset, nextLsn } = scan;
  const behind = await lookBehind(segment, endOffset);
  const { tornEnd, firstLsn, lastLsn } = behind;
  const voucher = voucherFor(behind, { id: segment.header.id, offset: endOffset, nextLsn }, vouchers);
  const finding = tornEnd === endOffset ? "whole" : "bad-frame";
  if (voucher !== "nothing") {
    const damage = { segment: segment.name, offset: endOffset, lsn: nextLsn, evidence: voucher };
    refuse("last", { finding, what: hasNoGoodFrame(endOffset, nextLsn) }, damage, path);
  }
  if (finding === "whole") return null;
  return { segment: segment.name, offset: endOffset, bytes: tornEnd - endOffset, firstLsn, lastLsn };
}
