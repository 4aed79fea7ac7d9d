/**
 * The entries of the demonstration: each one's content follows from its numbers, so that a reader knows what must be there.
 *
 * @module
 */

/** How many streams write at once. */
export const STREAM_COUNT = 8;

/** Which entry it is. */
export interface EntryNumber {
  /** The nth process that wrote; from 1. */
  readonly run: number;
  /** From 1 to {@linkcode STREAM_COUNT}. */
  readonly stream: number;
  /** Its place in its stream, from 1. */
  readonly sequence: number;
}

const LONGEST_FILL = 240;
const letters: string = lettersFor(8192);

/** Letters without a pattern, the same in every process. */
function lettersFor(count: number): string {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = Math.imul(state, 48_271) % 2_147_483_647;
    return String.fromCharCode(97 + (Math.abs(state) >>> 8) % 26);
  }).join("");
}

/** The whole content of an entry. */
export function entryText({ run, stream, sequence }: EntryNumber): string {
  const mixed = Math.imul(run * 1009 + stream * 9176 + sequence, 0x9e3779b1) >>> 0;
  const from = (mixed >>> 8) % (letters.length - LONGEST_FILL);
  return `run ${run} stream ${stream} entry ${sequence} ${letters.slice(from, from + mixed % LONGEST_FILL)}`;
}

/** Which entry this is the content of, to the last letter; null where it is none that could have been written. */
export function readEntryText(text: string): EntryNumber | null {
  const [, run, stream, sequence] = /^run (\d+) stream (\d+) entry (\d+) /.exec(text) ?? [];
  const entry = { run: Number(run), stream: Number(stream), sequence: Number(sequence) };
  if (entry.stream < 1 || entry.stream > STREAM_COUNT || entry.sequence < 1) return null;
  return entryText(entry) === text ? entry : null;
}
