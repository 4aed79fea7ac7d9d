/**
 * Damages inside of a segment: bits, zeros, cuts, and what lies behind the end.
 */

import { flip } from "./damage.ts";
import {
  type Damage,
  doubtfulOffset,
  edit,
  framePlaces,
  leastOffset,
  type SegmentPlace,
  segmentPlaces,
} from "./damage_kind.ts";
import type { Original, OriginalFrame, OriginalSegment } from "./damage_log.ts";
import { endOf } from "./damage_remains.ts";

const HEADER_BYTES = 4096;
const SECTOR_BYTES = 512;
const PAGE_BYTES = 4096;

type Change = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | void;

/** All of them. */
export function damagesInside(original: Original): Damage[] {
  return segmentPlaces(original).flatMap((place) => [
    ...headerDamages(place),
    ...frameDamages(original, place),
    ...footerDamages(place),
    ...cuts(original, place),
    ...leftovers(place),
  ]);
}

// -- the header

const HEADER_CHANGES: readonly (readonly [string, Change])[] = [
  ["a bit of its magic number", (bytes) => flip(bytes, 3, 1)],
  ["a bit of its version", (bytes) => flip(bytes, 8, 1)],
  ["a bit of its required features", (bytes) => flip(bytes, 14, 6)],
  ["a bit of its id", (bytes) => flip(bytes, 64, 2)],
  ["a bit of its salt", (bytes) => flip(bytes, 83, 7)],
  ["a bit that nothing uses", (bytes) => flip(bytes, 2000, 0)],
  ["a bit of its checksum", (bytes) => flip(bytes, 4095, 7)],
  ["its first sector zeroed", (bytes) => bytes.fill(0, 0, SECTOR_BYTES)],
  ["its page zeroed", (bytes) => bytes.fill(0, 0, PAGE_BYTES)],
  ["half of it zeroed", (bytes) => bytes.fill(0, 64, 2048)],
  ["overwritten by something else", (bytes) => bytes.fill(0x41, 0, HEADER_BYTES)],
];

/** It was synced before its file bore a segment's name. */
function headerDamages({ segment: { name }, words }: SegmentPlace): Damage[] {
  return HEADER_CHANGES.map(([what, change]) => ({
    name: what,
    place: `header of ${words}`,
    explainedByACrash: false,
    apply: edit(name, change),
  }));
}

// -- frames

const FRAME_CHANGES: readonly (readonly [string, (bytes: Uint8Array<ArrayBuffer>, frame: OriginalFrame) => void])[] = [
  ["a bit of its checksum", (bytes, { offset }) => flip(bytes, offset, 0)],
  ["a bit of its length", (bytes, { offset }) => flip(bytes, offset + 13, 2)],
  [
    "a length of a GiB",
    (bytes, { offset }) => bytes.fill(0, offset + 12, offset + 15).fill(0x40, offset + 15, offset + 16),
  ],
  ["a bit of its LSN", (bytes, { offset }) => flip(bytes, offset + 16, 1)],
  ["a bit of what it vouches for", (bytes, { offset }) => flip(bytes, offset + 26, 0)],
  ["a bit of its kind", (bytes, { offset }) => flip(bytes, offset + 44, 1)],
  ["a bit of its body", (bytes, { offset }) => flip(bytes, offset + 49, 5)],
  ["its last bit", (bytes, { offset, lengthBytes }) => flip(bytes, offset + lengthBytes - 1, 7)],
  ["its header zeroed", (bytes, { offset }) => bytes.fill(0, offset, offset + 48)],
  ["all of it zeroed", (bytes, { offset, lengthBytes }) => bytes.fill(0, offset, offset + lengthBytes)],
  ["written once more one place further on", (bytes, { offset, lengthBytes }) => {
    bytes.copyWithin(offset + 8, offset, offset + lengthBytes - 8);
  }],
];

/** So many of them are tried at each place; all are, at one place or another. */
const CHANGES_AT_ONE_PLACE = 3;

function changesAt(nth: number): typeof FRAME_CHANGES {
  const start = nth * CHANGES_AT_ONE_PLACE;
  return Array.from({ length: CHANGES_AT_ONE_PLACE }, (_, more) => {
    const change = FRAME_CHANGES[(start + more) % FRAME_CHANGES.length];
    if (change === undefined) throw new Error("there are no changes");
    return change;
  });
}

function frameDamages(original: Original, { segment, words, isLast }: SegmentPlace): Damage[] {
  return framePlaces(segment).flatMap((place, nth) =>
    changesAt(segment.id + nth).map(([what, change]) => ({
      name: what,
      place: `${place.words} of ${words}`,
      explainedByACrash: isLast && place.frame.offset >= doubtfulOffset(original),
      apply: edit(segment.name, (bytes) => change(bytes, place.frame)),
    }))
  );
}

/** A footer is a comfort. */
function footerDamages({ segment: { id, name, footer }, words }: SegmentPlace): Damage[] {
  if (footer === null) return [];
  return changesAt(id).map(([what, change]) => ({
    name: what,
    place: `footer of ${words}`,
    explainedByACrash: true,
    apply: edit(name, (bytes) => change(bytes, footer)),
  }));
}

// -- cuts

/** The file ends at `offset`, or its bytes do. */
export function cut(name: string, offset: number, isZeroed: boolean): Damage["apply"] {
  return edit(name, (bytes) => isZeroed ? bytes.fill(0, offset) : bytes.slice(0, offset));
}

/** Whether what ends there may have been the log of somebody whom a crash hit. */
function isExplainedEnd(original: Original, { segment, isLast }: SegmentPlace, offset: number): boolean {
  if (offset >= endOf(segment.frames)) return true;
  return isLast && offset >= HEADER_BYTES && offset >= leastOffset(original);
}

function cuts(original: Original, place: SegmentPlace): Damage[] {
  const { segment: { name, frames }, words } = place;
  return placesToCut(frames).flatMap(([what, offset]) =>
    [false, true].map((isZeroed) => ({
      name: isZeroed ? `zeros from ${what} on` : `cut at ${what}`,
      place: words,
      explainedByACrash: isExplainedEnd(original, place, offset),
      apply: cut(name, offset, isZeroed),
    }))
  );
}

function placesToCut(frames: readonly OriginalFrame[]): (readonly [string, number])[] {
  const inHeader = [["nothing", 0], ["half of its header", 2000], ["its first frame", HEADER_BYTES]] as const;
  if (frames.length === 0) return [...inHeader, ["zeros that were prepared", HEADER_BYTES + 100]];
  const middle = frames[frames.length >> 1]?.offset ?? 0;
  const last = frames.at(-1)?.offset ?? 0;
  return [
    ...inHeader,
    ["the body of its first frame", HEADER_BYTES + 50],
    ["its middle frame", middle],
    ["the header of its middle frame", middle + 20],
    ["its last frame", last],
    ["the last bytes of its last frame", endOf(frames) - 8],
    ["the end of its last frame", endOf(frames)],
  ];
}

// -- behind the end

/** Whatever lies behind the end of a segment is nobody's. */
function leftovers({ segment, words }: SegmentPlace): Damage[] {
  const { name } = segment;
  const end = endOf(segment.footer === null ? segment.frames : [...segment.frames, segment.footer]);
  const put = (what: string, bytesOf: (own: Uint8Array) => Uint8Array): Damage => ({
    name: what,
    place: `behind the end of ${words}`,
    explainedByACrash: true,
    apply: edit(name, (own) => {
      const leftover = bytesOf(own.slice());
      const larger = new Uint8Array(Math.max(own.length, end + leftover.length));
      larger.set(own);
      larger.set(leftover, end);
      return larger;
    }),
  });
  return [
    put("letters", () => new TextEncoder().encode("somebody's letter ".repeat(400))),
    put("its own frames once more", (own) => own.subarray(HEADER_BYTES, end)),
    put("all of itself once more", (own) => own),
    put(
      "the magic numbers of frames",
      () => new Uint8Array(4096).map((_, at) => [0x66, 0x72, 0x6d, 0x31][at % 4] ?? 0),
    ),
  ];
}

// -- sweeps

/** Each sector and each page of a segment, zeroed. */
export function zeroedParts(segment: OriginalSegment, sizeBytes: number): Pick<Damage, "name" | "apply">[] {
  return [SECTOR_BYTES, PAGE_BYTES].flatMap((lengthBytes) =>
    Array.from({ length: sizeBytes / lengthBytes }, (_, nth) => ({
      name: `${lengthBytes} bytes at ${nth * lengthBytes} zeroed`,
      apply: edit(segment.name, (bytes) => bytes.fill(0, nth * lengthBytes, (nth + 1) * lengthBytes)),
    }))
  );
}
