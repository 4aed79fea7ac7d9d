/**
 * What a damage is: plain data, with what it does to the files of a log.
 */

import type { Original, OriginalFrame, OriginalSegment } from "./damage_log.ts";
import type { Damaged } from "./damage_remains.ts";

/** Files that may be changed: each array is a copy that nobody else has. */
export type Changeable = Map<string, Uint8Array<ArrayBuffer>>;

/** See the head of this file. */
export interface Damage extends Omit<Damaged, "files"> {
  readonly name: string;
  readonly place: string;
  /** Whether a crash can have done it, as far as anything that is left tells. */
  readonly explainedByACrash: boolean;
  readonly apply: (files: Changeable) => void;
}

/** The log with that damage. */
export function damaged({ files: before }: Original, { apply, strangers, lockMark }: Damage): Damaged {
  const files: Changeable = new Map([...before].map(([name, bytes]) => [name, bytes.slice()]));
  apply(files);
  return {
    files,
    ...(strangers === undefined ? {} : { strangers }),
    ...(lockMark === undefined ? {} : { lockMark }),
  };
}

/** Changes one file; what comes back takes its place. */
export function edit(
  name: string,
  change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | void,
): (files: Changeable) => void {
  return (files) => {
    const bytes = files.get(name);
    if (bytes === undefined) throw new Error(`there is no ${name}`);
    files.set(name, change(bytes) ?? bytes);
  };
}

/** A segment, and in words which. */
export interface SegmentPlace {
  readonly segment: OriginalSegment;
  readonly words: string;
  readonly isLast: boolean;
}

/** The segments in words. */
export function segmentPlaces({ segments }: Original): SegmentPlace[] {
  const words = [
    "the last segment",
    "the last but one",
    ...segments.slice(3).map(() => "a middle segment"),
    "the first segment",
  ];
  return segments.map((segment, nth) => {
    const fromLast = segments.length - 1 - nth;
    return { segment, words: words[fromLast] ?? "", isLast: fromLast === 0 };
  });
}

/** A frame, and in words which. */
export interface FramePlace {
  readonly frame: OriginalFrame;
  readonly words: string;
}

/** The first frame, one in the middle, the last one, and one of each kind that is not among them. */
export function framePlaces({ frames }: OriginalSegment): FramePlace[] {
  const [first] = frames;
  const middle = frames[frames.length >> 1];
  const last = frames.at(-1);
  if (first === undefined || middle === undefined || last === undefined) return [];
  const places = [
    { frame: first, words: "first frame" },
    { frame: middle, words: "middle frame" },
    { frame: last, words: "last frame" },
  ];
  for (const frame of frames) {
    if (places.some((place) => place.frame.kind === frame.kind)) continue;
    places.push({ frame, words: `frame of kind ${frame.kind}` });
  }
  return places;
}

/** From here on nothing in the log proves that a frame of the last segment was ever synced. */
export function doubtfulOffset({ segments }: Original): number {
  const frames = segments.at(-1)?.frames ?? [];
  const provenLsn = Math.max(...frames.map(({ syncedLsn }) => syncedLsn));
  return frames.find(({ firstLsn }) => firstLsn > provenLsn)?.offset ?? Infinity;
}

/** Where the last segment may end without anyone knowing of more. */
export function leastOffset({ lockMark, segments }: Original): number {
  return lockMark !== null && lockMark.segmentId === segments.at(-1)?.id ? lockMark.offset : 0;
}
