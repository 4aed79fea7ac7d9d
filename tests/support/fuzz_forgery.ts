/**
 * What nobody but a forger does to the files of a log: fields are changed and all checksums made right again. Nobody promises
 * what such a log holds, only that it is answered or refused, in bounded time and memory.
 */

import { crc32 } from "node:zlib";
import { viewOf } from "../../src/bytes.ts";
import {
  decodeHeader,
  encodeHeader,
  encodeLockMark,
  FRAME_HEADER_BYTES,
  FrameChecksum,
  FrameKind,
  HEADER_BYTES,
  LOCK_MARK_BYTES,
  MAX_NUMBER,
  parseSegmentName,
  type SegmentHeader,
  segmentName,
} from "../../src/format.ts";
import type { BaseFrame } from "./fuzz_bases.ts";
import { EXTREMES, type Scene } from "./fuzz_mutations.ts";
import { frameAt, headerWith } from "./frames.ts";

const KINDS: readonly FrameKind[] = Object.values(FrameKind);

/** Lengths that a frame may have, and none here has: up to the longest. */
const LENGTHS: readonly number[] = [4096, 2 ** 20, 2 ** 21, 2 ** 28, 2 ** 30];

/** The fields of a segment's header, and how many bytes each has. */
const HEADER_FIELDS: readonly (readonly [name: string, at: number, bytes: 4 | 8])[] = [
  ["version", 8, 4],
  ["required features", 12, 4],
  ["ignorable features", 16, 4],
  ["log id", 24, 8],
  ["epoch", 40, 8],
  ["parent epoch", 48, 8],
  ["epoch's LSN", 56, 8],
  ["id", 64, 8],
  ["base LSN", 72, 8],
  ["salt", 80, 8],
  ["predecessor's id", 88, 8],
  ["predecessor's end", 96, 8],
  ["predecessor's last LSN", 104, 8],
  ["head", 112, 8],
  ["set", 120, 8],
  ["time", 128, 8],
  ["preceding bytes", 136, 8],
];

/** The fields of a frame's header behind its checksums. */
const FRAME_FIELDS: readonly (readonly [name: string, at: number, bytes: 1 | 4 | 8])[] = [
  ["length", 12, 4],
  ["first LSN", 16, 8],
  ["synced LSN", 24, 8],
  ["time", 32, 8],
  ["count", 40, 4],
  ["kind", 44, 1],
  ["zeros", 45, 1],
];

function headerOf({ specimen }: Scene, name: string): SegmentHeader | null {
  const header = decodeHeader(specimen.bytes(name).subarray(0, HEADER_BYTES), crc32);
  return "fault" in header ? null : header;
}

function checksumFor({ salt, id }: SegmentHeader): FrameChecksum {
  return new FrameChecksum(crc32, salt, id);
}

/** A segment whose header is good. */
function anySegment(scene: Scene): { readonly name: string; readonly header: SegmentHeader } | null {
  const found = scene.specimen.segments().map((name) => ({ name, header: headerOf(scene, name) }))
    .flatMap(({ name, header }) => header === null ? [] : [{ name, header }]);
  return found.length === 0 ? null : scene.random.pick(found);
}

/** A number near `present`, near another one of the log, or one in which programs go wrong. */
function anyValue({ random, specimen }: Scene, present: bigint): bigint {
  const frames = specimen.base.frames;
  const known = frames.length === 0 ? [1] : [random.pick(frames).header.firstLsn, random.pick(frames).offset];
  return random.pick([
    () => BigInt(random.pick(EXTREMES)),
    () => BigInt(random.pick(EXTREMES)),
    () => present + 1n,
    () => present > 0n ? present - 1n : 1n,
    () => BigInt(random.pick(known)),
    () => 2n ** 53n,
    () => 2n ** 64n - 1n,
    () => BigInt(random.bits()),
  ])();
}

function putField(view: DataView, at: number, size: 1 | 4 | 8, value: bigint): void {
  if (size === 8) view.setBigUint64(at, BigInt.asUintN(64, value), true);
  else if (size === 4) view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
  else view.setUint8(at, Number(BigInt.asUintN(8, value)));
}

/** One field of a header is another; the file's name says the same, or not. */
function forgeHeader(scene: Scene): void {
  const { random, specimen } = scene;
  const segment = anySegment(scene);
  if (segment === null) return;
  const bytes = new Uint8Array(specimen.bytes(segment.name));
  const view = viewOf(bytes);
  const [field, at, size] = random.pick(HEADER_FIELDS);
  const value = anyValue(scene, size === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true)));
  putField(view, at, size, value);
  view.setUint32(HEADER_BYTES - 4, crc32(bytes.subarray(8, HEADER_BYTES - 4)), true);
  specimen.put(segment.name, bytes, `its ${field} is ${value}, and its checksum right`);
  const header = headerOf(scene, segment.name);
  if (header === null || random.chance(0.2)) return;
  const name = segmentName(header.id, header.predecessor.id, header.baseLsn);
  if (parseSegmentName(name) !== null) specimen.rename(segment.name, name);
}

/** Changes the bytes of a frame in place, and makes its checksums right, as far as that is told. */
function reseal(scene: Scene, frame: BaseFrame, change: (view: DataView, at: number) => string): void {
  const { random, specimen } = scene;
  const header = headerOf(scene, frame.segment);
  if (header === null) return;
  const bytes = new Uint8Array(specimen.bytes(frame.segment));
  const view = viewOf(bytes);
  const what = change(view, frame.offset);
  const lengthBytes = random.chance(0.8) ? view.getUint32(frame.offset + 12, true) : frame.header.lengthBytes;
  checksumFor(header).seal(bytes, view, frame.offset, lengthBytes, frame.offset);
  const isTorn = random.chance(0.15);
  if (isTorn) bytes.fill(0xa5, frame.offset + FRAME_HEADER_BYTES, frame.offset + FRAME_HEADER_BYTES + 1);
  specimen.put(frame.segment, bytes, `frame at ${frame.offset}: ${what}${isTorn ? ", its body torn" : ""}`);
}

function anyFrame({ random, specimen }: Scene): BaseFrame | null {
  const frames = specimen.frames();
  if (frames.length === 0) return null;
  const last = frames.at(-1)?.segment;
  const ofLast = frames.filter(({ segment }) => segment === last);
  return random.pick(random.chance(0.5) ? ofLast : frames);
}

function forgeFrame(scene: Scene): void {
  const { random } = scene;
  const frame = anyFrame(scene);
  if (frame === null) return;
  const [field, at, size] = random.pick(FRAME_FIELDS);
  reseal(scene, frame, (view) => {
    const place = frame.offset + at;
    const present = size === 8
      ? view.getBigUint64(place, true)
      : BigInt(size === 4 ? view.getUint32(place, true) : view.getUint8(place));
    const value = field === "kind" ? BigInt(random.pick(KINDS)) : anyValue(scene, present);
    putField(view, place, size, value);
    return `its ${field} is ${value}`;
  });
}

/** A frame says that it is much longer than it is; others behind it prove that it was there. */
function stretchFrame(scene: Scene): void {
  const { random, specimen } = scene;
  const frames = specimen.frames();
  const ofLast = frames.filter(({ segment }) => segment === frames.at(-1)?.segment);
  if (ofLast.length < 3) return;
  reseal(scene, random.pick(ofLast.slice(0, -2)), (view, at) => {
    const length = random.pick(LENGTHS);
    view.setUint32(at + 12, length, true);
    return `it says that it is ${length} bytes long`;
  });
}

/** A number in a frame's body: an entry's length, a control frame's payload, a point of an index. */
function forgeBody(scene: Scene): void {
  const { random } = scene;
  const frame = anyFrame(scene);
  if (frame === null || frame.header.lengthBytes < FRAME_HEADER_BYTES + 8) return;
  const words = (frame.header.lengthBytes - FRAME_HEADER_BYTES) >> 3;
  reseal(scene, frame, (view) => {
    const isFirst = random.chance(0.6);
    const place = frame.offset + FRAME_HEADER_BYTES + (isFirst ? 0 : 8 * random.integer(0, words - 1));
    const value = anyValue(scene, view.getBigUint64(place, true));
    const size = random.pick([4, 8] as const);
    putField(view, place, size, value);
    return `${size} bytes of its body at ${place} are ${value}`;
  });
}

/** A frame that never was, behind the last one or in its place. */
function addFrame(scene: Scene): void {
  const { random, specimen } = scene;
  const segment = anySegment(scene);
  if (segment === null) return;
  const { name, header } = segment;
  const frames = specimen.frames().filter((frame) => frame.segment === name);
  const last = frames.at(-1);
  const isInPlace = last !== undefined && random.chance(0.3);
  const end = last === undefined ? HEADER_BYTES : isInPlace ? last.offset : last.offset + last.header.lengthBytes;
  const offset = end + random.pick([0, 0, 0, 0, 8, 512]);
  const nextLsn = isInPlace ? last.header.firstLsn : (last?.lastLsn ?? header.baseLsn - 1) + 1;
  const value = (plain: number): number => random.chance(0.7) ? plain : random.pick(EXTREMES);
  const entries = Array.from({ length: random.integer(0, 3) }, (_, nth) => `forged ${nth}`);
  const wish = {
    firstLsn: Math.max(1, value(nextLsn)),
    kind: random.pick(KINDS),
    syncedLsn: value(random.pick([0, nextLsn - 1, nextLsn, nextLsn + 5])),
    time: value(header.time),
    ...(random.chance(0.5) ? { entries } : { payload: value(nextLsn + random.pick([-1, 0, 3])) }),
    ...(random.chance(0.2) ? { statedCount: value(3) % 2 ** 32 } : {}),
    ...(random.chance(0.2) ? { statedBytes: value(56) % 2 ** 32 } : {}),
  };
  const frame = frameAt(offset, wish, checksumFor(header));
  const before = specimen.bytes(name);
  const bytes = new Uint8Array(Math.max(before.length, offset + frame.length));
  bytes.set(before);
  bytes.set(frame, offset);
  specimen.put(name, bytes, `frame put at ${offset}: ${JSON.stringify(wish)}`);
}

function forgeLockMark(scene: Scene): void {
  const { random, specimen } = scene;
  const frames = specimen.base.frames;
  const near = frames.length === 0 ? null : random.pick(frames);
  const value = (plain: number): number => random.chance(0.6) ? plain : random.pick(EXTREMES);
  const id = parseSegmentName(specimen.segments().at(-1) ?? "")?.id ?? 1;
  const mark = {
    segmentId: value(id + random.pick([-1, 0, 0, 0, 1])),
    offset: value(near?.offset ?? HEADER_BYTES),
    lsn: value(near?.lastLsn ?? 1),
  };
  const bytes = new Uint8Array(Math.max(LOCK_MARK_BYTES, specimen.bytes("lock").length));
  bytes.set(specimen.bytes("lock"));
  bytes.set(encodeLockMark(mark, crc32));
  specimen.put("lock", bytes, `its mark says ${JSON.stringify(mark)}`);
}

/** A segment that never was: above the last one, beside one, or below. */
function addSegment(scene: Scene): void {
  const { random, specimen } = scene;
  const segment = anySegment(scene);
  const frames = specimen.frames().filter((frame) => frame.segment === segment?.name);
  const last = frames.at(-1);
  const value = (plain: number): number => random.chance(0.85) ? plain : random.pick(EXTREMES);
  const own = segment?.header ?? headerWith({ id: 1, baseLsn: 1, headLsn: 1, setId: 0 });
  const id = Math.max(1, value(own.id + random.pick([-1, 1, 1, 1, 2])));
  const lastLsn = last?.lastLsn ?? own.baseLsn;
  const endOffset = last === undefined ? HEADER_BYTES : last.offset + last.header.lengthBytes;
  const predecessor = { id: value(own.id), endOffset: value(endOffset), lastLsn: value(lastLsn) };
  const baseLsn = Math.min(MAX_NUMBER, Math.max(1, random.chance(0.8) ? predecessor.lastLsn + 1 : value(own.baseLsn)));
  const header = {
    ...own,
    id,
    baseLsn,
    predecessor,
    salt: random.bits().toString(16).padStart(16, "0"),
    headLsn: value(random.pick([own.headLsn, baseLsn])),
    setId: random.chance(0.7) ? 0 : value(id + random.pick([0, 1])),
    precedingBytes: value(own.precedingBytes),
  };
  const bytes = new Uint8Array(random.pick([HEADER_BYTES, 12_288, 16_384]));
  bytes.set(encodeHeader(header, crc32));
  let offset = HEADER_BYTES;
  let nextLsn = baseLsn;
  for (let left = random.integer(0, 3); left > 0 && offset + 200 < bytes.length; left--) {
    const frame = frameAt(offset, { firstLsn: nextLsn, entries: [`forged ${nextLsn}`] }, checksumFor(header));
    bytes.set(frame, offset);
    offset += frame.length;
    nextLsn++;
  }
  specimen.put(segmentName(id, predecessor.id, baseLsn), bytes, `was forged: ${JSON.stringify(header)}`);
}

const FORGERIES: readonly ((scene: Scene) => void)[] = [
  forgeHeader,
  forgeHeader,
  forgeFrame,
  forgeFrame,
  stretchFrame,
  forgeBody,
  addFrame,
  addFrame,
  forgeLockMark,
  addSegment,
];

/** One forgery. */
export function forge(scene: Scene): void {
  scene.specimen.isForged = true;
  scene.random.pick(FORGERIES)(scene);
}
