/**
 * What a crash or a failure has left behind the end of the log: it must be reported as it is, and must not get lost.
 */

import { crc32 } from "node:zlib";
import { Wal, type WalRecovery } from "../../mod.ts";
import { viewOf } from "../../src/bytes.ts";
import {
  decodeFrameHeader,
  decodeHeader,
  FRAME_ALIGNMENT,
  FrameChecksum,
  HEADER_BYTES,
  parseSegmentName,
  type SegmentHeader,
} from "../../src/format.ts";
import { type MemoryDisk, MemoryRuntime } from "../../src/runtime/memory.ts";
import { Violation } from "./oracle.ts";
import { DIRECTORY } from "./workload.ts";

/** Bytes of a file that are no part of the log and must stay somewhere. */
export interface Piece {
  readonly segment: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Whether no power loss can take it. */
  readonly isSynced: boolean;
}

/** A segment as it lies on a disk. */
interface SegmentImage {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly header: SegmentHeader;
  readonly checksum: FrameChecksum;
}

/** What the headers of the frames behind a place tell, as naively as it can be found out. */
interface FramesBehind {
  readonly end: number;
  readonly firstLsn: number;
  readonly lastLsn: number;
}

/**
 * Throws unless an open has reported just what lies behind the end of the log, and nothing that was never given out; where the
 * page cache `isLying`, that may be gone by now. Returns what it reported, with its bytes.
 */
export function checkTorn(
  disk: MemoryDisk,
  recovery: WalRecovery,
  mostLsn: number,
  isLying: boolean,
): Piece | null {
  const { end, torn, lastLsn, damage } = recovery;
  const isTornAlone = damage.every(({ kind }) => kind === "torn") && damage.length === (torn === null ? 0 : 1);
  if (!isTornAlone) throw new Violation(`damage where nothing was damaged: ${JSON.stringify(damage)}`);
  if (end === "new" || end === "clean") {
    if (torn !== null) throw new Violation(`torn, although the end is ${end}`);
    return null;
  }
  if (torn !== null && torn.firstLsn !== 0 && !(torn.firstLsn > lastLsn && torn.lastLsn <= mostLsn)) {
    throw new Violation(`torn are ${torn.firstLsn} to ${torn.lastLsn}, between ${lastLsn} and ${mostLsn} at most`);
  }
  if (isLying) return null;
  const image = lastSegment(disk);
  if (image === null) throw new Violation(`the end is ${end}, and there is no segment`);
  const offset = endOfFrames(image);
  const frames = framesBehind(image, offset);
  const expected = frames === null ? null : {
    segment: image.name,
    offset,
    bytes: frames.end - offset,
    firstLsn: frames.firstLsn,
    lastLsn: frames.lastLsn,
  };
  if (JSON.stringify(torn) !== JSON.stringify(expected)) {
    throw new Violation(`torn is ${JSON.stringify(expected)}, and was reported as ${JSON.stringify(torn)}`);
  }
  if (torn === null) return null;
  return {
    segment: torn.segment,
    offset,
    bytes: image.bytes.slice(offset, offset + torn.bytes),
    isSynced: true,
  };
}

/** Throws unless a look at the whole log, which changes nothing, comes to the same as opening it. */
export async function checkVerified(disk: MemoryDisk): Promise<(recovery: WalRecovery) => void> {
  const isThere = disk.names("/").includes("data") && disk.names("/data").includes("wal");
  if (!isThere) return () => {};
  const runtime = new MemoryRuntime({ crc32, disk: disk.kill() });
  const { state, firstLsn, lastLsn } = await Wal.verify(DIRECTORY, { runtime });
  runtime.stop();
  return (recovery) => {
    const end = state === "empty" ? "new" : state;
    if (end === recovery.end && firstLsn === recovery.firstLsn && lastLsn === recovery.lastLsn) return;
    const found = `${recovery.end}, ${recovery.firstLsn} to ${recovery.lastLsn}`;
    throw new Violation(`verified as ${state}, ${firstLsn} to ${lastLsn}, and opened as ${found}`);
  };
}

/** The name of the last segment; null where there is none. */
export function lastSegmentName(disk: MemoryDisk): string | null {
  return lastSegment(disk)?.name ?? null;
}

/** What a reopening has left behind in the segment that was the last one before. */
export function abandoned(disk: MemoryDisk, segment: string): Piece | null {
  const old = segmentImage(disk, segment);
  const predecessor = lastSegment(disk)?.header.predecessor;
  if (old === null || predecessor === undefined) return null;
  const offset = predecessor.id === old.header.id ? predecessor.endOffset : HEADER_BYTES;
  const frames = framesBehind(old, offset);
  return frames === null ? null : { segment, offset, bytes: old.bytes.slice(offset, frames.end), isSynced: false };
}

/** Throws unless each piece is still where it was, or was copied aside. */
export function checkKept(disk: MemoryDisk, pieces: readonly Piece[]): void {
  const names = disk.names(DIRECTORY);
  for (const { segment, offset, bytes } of pieces) {
    const [id = ""] = segment.split("-");
    const places = [
      ...names.filter((name) => name === segment).map((name) => ({ name, at: offset })),
      ...names.filter((name) => name === `torn-${id}-${offset}.bin`).map((name) => ({ name, at: 0 })),
    ];
    const holds = ({ name, at }: { name: string; at: number }): boolean => {
      const found = disk.read(`${DIRECTORY}/${name}`).subarray(at, at + bytes.length);
      return found.length === bytes.length && found.every((byte, nth) => byte === bytes[nth]);
    };
    if (!places.some(holds)) throw new Violation(`the torn bytes of ${segment} at ${offset} are nowhere any more`);
  }
}

function lastSegment(disk: MemoryDisk): SegmentImage | null {
  const ids = disk.names(DIRECTORY).map(parseSegmentName).filter((each) => each !== null);
  const last = ids.reduce<{ id: number; name: string } | null>((a, b) => a === null || b.id > a.id ? b : a, null);
  return last === null ? null : segmentImage(disk, last.name);
}

function segmentImage(disk: MemoryDisk, name: string): SegmentImage | null {
  if (!disk.names(DIRECTORY).includes(name)) return null;
  const bytes = disk.read(`${DIRECTORY}/${name}`);
  const header = decodeHeader(bytes.subarray(0, HEADER_BYTES), crc32);
  if ("fault" in header) throw new Violation(`the header of ${name} is ${header.fault}`);
  return { name, bytes, header, checksum: new FrameChecksum(crc32, header.salt, header.id) };
}

function endOfFrames({ bytes, checksum }: SegmentImage): number {
  const view = viewOf(bytes);
  let at = HEADER_BYTES;
  for (;;) {
    const header = decodeFrameHeader(bytes, view, at, at, checksum);
    if (header === null || at + header.lengthBytes > bytes.length) return at;
    if (!checksum.frameHolds(bytes, view, at, header.lengthBytes, at)) return at;
    at += header.lengthBytes;
  }
}

function framesBehind({ bytes, checksum }: SegmentImage, offset: number): FramesBehind | null {
  const view = viewOf(bytes);
  let end = 0;
  let firstLsn = 0;
  let lastLsn = 0;
  for (let at = offset; at + FRAME_ALIGNMENT + 4 <= bytes.length; at += FRAME_ALIGNMENT) {
    if (view.getUint32(at + 8, true) === 0) continue; // where the magic of a header would be
    const header = decodeFrameHeader(bytes, view, at, at, checksum);
    if (header === null) continue;
    end = Math.max(end, Math.min(at + header.lengthBytes, bytes.length));
    if (header.count === 0) continue;
    firstLsn = firstLsn === 0 ? header.firstLsn : Math.min(firstLsn, header.firstLsn);
    lastLsn = Math.max(lastLsn, header.firstLsn + header.count - 1);
  }
  return end === 0 ? null : { end, firstLsn, lastLsn };
}
