/**
 * Damages to whole files: segments that are gone, or in each other's place, or another's; the lock file; and what lies about.
 */

import { crc32 } from "node:zlib";
import { decodeHeader, encodeHeader, encodeLockMark, HEADER_BYTES, type SegmentHeader } from "../../src/format.ts";
import { flip } from "./damage.ts";
import { type Changeable, type Damage, edit, leastOffset, type SegmentPlace, segmentPlaces } from "./damage_kind.ts";
import type { Files, Original } from "./damage_log.ts";
import { endOf } from "./damage_remains.ts";

/** All of them. `another` is another log, whose files bear the same names. */
export function damagesToFiles(original: Original, another: Original): Damage[] {
  return [
    ...segmentPlaces(original).flatMap((place) => [
      vanished(original, place),
      fromElsewhere(place, another),
      ofAnotherEpoch(original, place),
      ...(place.segment === original.segments[0] ? [] : [renamed(place)]),
      ...fromTheFuture(place),
      ...copies(original, place),
      ...earlierLives(place, original),
    ]),
    goneOnByAnother(original, another),
    ...swaps(original),
    ...segmentPlaces(original).map((place) => onceMoreAsTheNext(original, place)),
    ...lockDamages(original),
    ...thingsLyingAbout(original),
  ];
}

function bytesOf(files: Files | Changeable, name: string): Uint8Array<ArrayBuffer> {
  return files.get(name)?.slice() ?? new Uint8Array();
}

function lastLsnOf(segments: Original["segments"]): number {
  return Math.max(...segments.flatMap(({ frames }) => frames).map(({ lastLsn }) => lastLsn));
}

// -- a segment

/** Nobody knows of a last segment that is gone but the lock file of a log that was closed. */
function vanished(original: Original, { segment: { name }, words, isLast }: SegmentPlace): Damage {
  return {
    name: "gone",
    place: words,
    explainedByACrash: isLast && leastOffset(original) === 0,
    apply: (files) => void files.delete(name),
  };
}

function fromElsewhere({ segment: { name }, words }: SegmentPlace, another: Original): Damage {
  return {
    name: "of another log",
    place: words,
    explainedByACrash: false,
    apply: (files) => void files.set(name, bytesOf(another.whole, name)),
    strangers: new Map([[name, "foreign"]]),
  };
}

/** One of another log that goes on just where this one ends, as far as names and numbers tell. */
function goneOnByAnother({ segments }: Original, another: Original): Damage {
  const last = segments.at(-1);
  const [id, lastLsn] = [last?.id ?? 0, lastLsnOf(segments)];
  const predecessor = { id, endOffset: Math.max(endOf(last?.frames ?? []), HEADER_BYTES + 8), lastLsn };
  const name = nameOf(9, id, lastLsn + 1);
  return {
    name: "a segment of another log",
    place: "behind the last segment",
    explainedByACrash: false,
    apply: (files) => {
      const bytes = bytesOf(another.whole, last?.name ?? "");
      files.set(name, withHeader(bytes, { id: 9, baseLsn: lastLsn + 1, predecessor }));
    },
    strangers: new Map([[name, "foreign"]]),
  };
}

/** Whole, and of this log, but of a line of history that is not that of its neighbours. */
function ofAnotherEpoch({ segments }: Original, { segment: { name }, words, isLast }: SegmentPlace): Damage {
  const strange = isLast ? segments.at(-2)?.name ?? "" : name; // the last one says which line it is
  return {
    name: "of another epoch",
    place: words,
    explainedByACrash: false,
    apply: edit(
      name,
      (bytes) => withHeader(bytes, { epoch: { id: "ab".repeat(8), parentId: "cd".repeat(8), lsn: 2 } }),
    ),
    strangers: new Map([[name, null], [strange, "foreign"]]),
  };
}

/** Its name says that nothing is before it. */
function renamed({ segment: { id, name, baseLsn }, words }: SegmentPlace): Damage {
  const lie = nameOf(id, 0, baseLsn);
  return {
    name: "under a name that lies about what is before it",
    place: words,
    explainedByACrash: false,
    apply: (files) => {
      files.set(lie, bytesOf(files, name));
      files.delete(name);
    },
    strangers: new Map([[lie, "damaged"]]),
  };
}

function nameOf(id: number, predecessorId: number, baseLsn: number): string {
  const digits = (value: number, least: number): string => String(value).padStart(least, "0");
  return `${digits(id, 10)}-${digits(predecessorId, 10)}-${digits(baseLsn, 16)}.wal`;
}

/** It bears a name that no segment ever had, and so its header belies it. */
function onceMoreAsTheNext({ segments }: Original, { segment }: SegmentPlace): Damage {
  const last = segments.at(-1);
  const lastLsn = lastLsnOf(segments);
  const name = nameOf(9, last?.id ?? 0, lastLsn + 1);
  return {
    name: `segment ${segment.id} once more under a name that never was`,
    place: "behind the last segment",
    explainedByACrash: false,
    apply: (files) => void files.set(name, bytesOf(files, segment.name)),
  };
}

/** Gives a segment another header, whole and well. */
export function withHeader(bytes: Uint8Array<ArrayBuffer>, changes: Partial<SegmentHeader>): Uint8Array<ArrayBuffer> {
  const header = decodeHeader(bytes.subarray(0, HEADER_BYTES), crc32);
  if ("fault" in header) throw new Error(`its header is ${header.fault}`);
  bytes.set(encodeHeader({ ...header, ...changes }, crc32));
  return bytes;
}

function fromTheFuture({ segment: { name }, words }: SegmentPlace): Damage[] {
  const changes: readonly (readonly [string, number, number])[] = [
    ["of a later version", 8, 2],
    ["with a feature that nobody knows", 12, 0x40],
  ];
  return changes.map(([what, at, value]) => ({
    name: what,
    place: words,
    explainedByACrash: false,
    apply: edit(name, (bytes) => {
      const view = new DataView(bytes.buffer);
      view.setUint32(at, value, true);
      view.setUint32(HEADER_BYTES - 4, crc32(bytes.subarray(8, HEADER_BYTES - 4)), true);
    }),
    strangers: new Map([[name, "future"]]),
  }));
}

const OTHER_NAMES = [
  "spare-0000000042.wal",
  "aside-0000000001-0000000000-0000000000000001.wal",
  "torn-0000000001-4096.bin",
  "x.wal",
];

function copies({ segments }: Original, { segment: { name, id }, words }: SegmentPlace): Damage[] {
  const neighbour = segments.find((other) => other.id === id + 1) ?? segments.find((other) => other.id === id - 1);
  const copy = OTHER_NAMES[id % OTHER_NAMES.length] ?? "";
  return [
    {
      name: `overwritten by segment ${neighbour?.id}`,
      place: words,
      explainedByACrash: false,
      apply: (files) => void files.set(name, bytesOf(files, neighbour?.name ?? "")),
    },
    {
      name: `once more as ${copy}`,
      place: words,
      explainedByACrash: true,
      apply: (files) => void files.set(copy, bytesOf(files, name)),
    },
  ];
}

/** A file that was used before: behind its end lies what another segment has there. */
function earlierLives({ segment: { name, frames, footer }, words }: SegmentPlace, { segments }: Original): Damage[] {
  const end = endOf(footer === null ? frames : [...frames, footer]);
  return segments.filter((other) => other.name !== name).map((other) => ({
    name: `frames of segment ${other.id}`,
    place: `behind the end of ${words}`,
    explainedByACrash: true,
    apply: (files) =>
      edit(name, (bytes) => {
        if (bytes.length > end) bytes.set(bytesOf(files, other.name).subarray(end, bytes.length), end);
      })(files),
  }));
}

function swaps({ segments }: Original): Damage[] {
  const pairs = segments.slice(1).map((right, nth) => [segments[nth]?.name ?? "", right.name] as const);
  return pairs.map(([left, right]) => ({
    name: "in each other's place",
    place: `${left} and ${right}`,
    explainedByACrash: false,
    apply: (files) => {
      const bytes = bytesOf(files, left);
      files.set(left, bytesOf(files, right)).set(right, bytes);
    },
  }));
}

// -- the lock file

/** Without its mark a log that was closed is as good as one that was not. */
function lockDamages({ segments, torn }: Original): Damage[] {
  const changes: readonly (readonly [string, (files: Changeable) => void])[] = [
    ["a bit of its mark", edit("lock", (bytes) => flip(bytes, 17, 0))],
    ["zeroed", edit("lock", (bytes) => bytes.fill(0))],
    ["gone", (files) => void files.delete("lock")],
    ["empty", edit("lock", () => new Uint8Array())],
    ["cut in its mark", edit("lock", (bytes) => bytes.slice(0, 20))],
    ["cut behind its mark", edit("lock", (bytes) => bytes.slice(0, 100))],
    ["an owner that is none", edit("lock", (bytes) => bytes.fill(0x7b, 512))],
  ];
  const harmless = changes.map(([name, apply]) => ({ name, place: "the lock file", explainedByACrash: true, apply }));
  const last = segments.at(-1);
  const end = endOf(last?.frames ?? []);
  const [lastId, lastLsn] = [last?.id ?? 0, lastLsnOf(segments)];
  return [
    ...harmless,
    marked("a mark in an earlier segment", { segmentId: 1, offset: 8000, lsn: 9999 }, true),
    marked("a mark at the end of the last segment", { segmentId: lastId, offset: end, lsn: lastLsn }, torn === null),
    marked("a mark behind the end of the last segment", { segmentId: lastId, offset: end + 8, lsn: lastLsn }, false),
    marked("a mark in a segment that is not there", { segmentId: 9, offset: 5000, lsn: lastLsn + 20 }, false),
  ];
}

function marked(name: string, lockMark: NonNullable<Original["lockMark"]>, explainedByACrash: boolean): Damage {
  return {
    name,
    place: "the lock file",
    explainedByACrash,
    apply: (files) => void files.set("lock", encodeLockMark(lockMark, crc32)),
    lockMark,
  };
}

// -- what lies about

function thingsLyingAbout({ segments }: Original): Damage[] {
  const things: readonly (readonly [string, string, Uint8Array<ArrayBuffer>])[] = [
    ["an empty spare", "spare-0000000007.wal", new Uint8Array()],
    ["a spare that is too short", "spare-0000000007.wal", new Uint8Array(4096)],
    ["a spare full of letters", "spare-0000000007.wal", new Uint8Array(16_384).fill(0x61)],
    ["notes", "notes.txt", new Uint8Array(10)],
    ["a segment's name without its padding", "4-3-40.wal", new Uint8Array(16_384)],
    ["a name with an id of none", "0000000000-0000000000-0000000000000001.wal", new Uint8Array(16_384)],
  ];
  const others: Damage[] = things.map(([what, name, bytes]) => ({
    name: what,
    place: "in the directory",
    explainedByACrash: true,
    apply: (files) => void files.set(name, bytes.slice()),
  }));
  const all: Damage = {
    name: "each segment once more as a spare",
    place: "in the directory",
    explainedByACrash: true,
    apply: (files) =>
      segments.forEach(({ name }, nth) => void files.set(`spare-000000002${nth}.wal`, bytesOf(files, name))),
  };
  return [...others, all];
}
