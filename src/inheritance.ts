/**
 * What a fresh segment takes over from the one whose disk has failed: copies of what was acknowledged at a weaker level than
 * `"fsync"` and can still be read, and a skip for all other LSNs that were given out.
 *
 * @module
 */

import { viewOf } from "./bytes.ts";
import { type Copy, copyOf, CopyWriter, skipOf } from "./copies.ts";
import {
  aligned,
  encodeFrameHeader,
  ENTRY_HEADER_BYTES,
  FRAME_HEADER_BYTES,
  type FrameChecksum,
  FrameKind,
} from "./format.ts";
import type { RuntimeFile } from "./runtime/port.ts";
import { chunksOf, FrameScanner, type ScannedFrame } from "./scan.ts";
import type { Segment } from "./segment.ts";
import { SparseIndex } from "./sparse_index.ts";

/** How far a log had come when it failed. */
export interface Estate {
  /** The segment that took frames; null where there was none yet. */
  readonly segment: Segment | null;
  readonly syncedLsn: number;
  /** Up to here entries were acknowledged, or shown to readers, and the operating system had them. */
  readonly acknowledgedLsn: number;
  /** The last LSN that was given out. */
  readonly lastLsn: number;
  /** What the skip bears. */
  readonly time: number;
}

/** The frames that a fresh segment is born with. They can be written once. */
export class Inheritance {
  readonly #estate: Estate;
  readonly #first: Copy | null;
  /** Those behind the first one. */
  readonly #copies: AsyncGenerator<Copy, void, undefined>;
  #keptLsn: number;
  #index: SparseIndex = new SparseIndex();

  private constructor(estate: Estate, first: Copy | null, copies: AsyncGenerator<Copy, void, undefined>) {
    this.#estate = estate;
    this.#first = first;
    this.#copies = copies;
    this.#keptLsn = estate.syncedLsn;
  }

  /** What there is to take over. */
  static async of(estate: Estate): Promise<Inheritance> {
    const copies = copiesOf(estate);
    return new Inheritance(estate, (await copies.next()).value ?? null, copies);
  }

  /** The last LSN that is not left out; known when all is written. */
  get keptLsn(): number {
    return this.#keptLsn;
  }

  /** Where the entries stand; known then, too. */
  get index(): SparseIndex {
    return this.#index;
  }

  /** The time of its first frame. */
  get firstTime(): number {
    return this.#first?.header.time ?? this.#estate.time;
  }

  /** Writes it behind the header of a segment, and resolves to where it ends. Syncs nothing. */
  readonly write = async (file: RuntimeFile, checksum: FrameChecksum): Promise<number> => {
    const writer = new CopyWriter(file, checksum);
    for (let copy = this.#first; copy !== null; copy = (await this.#copies.next()).value ?? null) {
      await writer.put(copy);
      this.#keptLsn = copy.lastLsn;
    }
    const { lastLsn } = this.#estate;
    if (lastLsn > this.#keptLsn) await writer.put(skipOf(this.#keptLsn + 1, lastLsn, this.#estate)); // none is given out twice
    this.#index = writer.index;
    return await writer.end();
  };
}

/** Behind what is synced, up to what was acknowledged or to the first bad frame: the page cache may have dropped some. */
async function* copiesOf({ segment, syncedLsn, acknowledgedLsn }: Estate): AsyncGenerator<Copy, void, undefined> {
  if (segment === null || acknowledgedLsn <= syncedLsn) return;
  const { file, checksum, syncedOffset, endOffset } = segment;
  const scanner = new FrameScanner(chunksOf(file), checksum, syncedOffset, syncedLsn + 1, endOffset);
  for (let frame = scanner.take(); frame !== null || await scanner.more(); frame = scanner.take()) {
    if (frame === null || frame.lastLsn < frame.header.firstLsn) continue; // of control frames only skips hold LSNs
    if (frame.header.firstLsn > acknowledgedLsn) return;
    if (frame.header.kind === FrameKind.SKIP && frame.lastLsn > acknowledgedLsn) return; // what it skips becomes part of the skip at the end
    yield acknowledgedPartOf(frame, acknowledgedLsn);
  }
}

/** All of a batch; of other entries those that were acknowledged: the ones behind them may have asked for a sync. */
function acknowledgedPartOf(frame: ScannedFrame, acknowledgedLsn: number): Copy {
  const { header, bytes, view, at, lastLsn } = frame;
  if (header.kind !== FrameKind.ENTRIES || lastLsn <= acknowledgedLsn) return copyOf(frame);
  const count = acknowledgedLsn - header.firstLsn + 1;
  let end = at + FRAME_HEADER_BYTES;
  for (let nth = 0; nth < count; nth++) end += ENTRY_HEADER_BYTES + view.getUint32(end, true);
  const cut = { ...header, count, lengthBytes: aligned(end - at) };
  const copy = new Uint8Array(cut.lengthBytes);
  copy.set(bytes.subarray(at, end));
  encodeFrameHeader(viewOf(copy), 0, cut);
  return { bytes: copy, header: cut, lastLsn: acknowledgedLsn };
}
