/**
 * Entries that tell by themselves whether they are what was written, and where they belong. This is also part of programs,
 * which know nothing of tests.
 */

import { Buffer } from "node:buffer";
import type { Durability, EntryFields } from "../../mod.ts";

/** Enough for the words at the head of an entry. */
const HEAD_BYTES = 100;

/** An entry that a program submitted. */
export interface Submission {
  /** Which of the programs that wrote to this log, one after the other. */
  readonly life: number;
  /** Which of its callers: each has one submission in flight at the most. */
  readonly caller: number;
  /** The entry's number within that life and caller, from 1 on. */
  readonly number: number;
  /** The numbers of the first and the last that were submitted together with it, or its own. */
  readonly range: readonly [first: number, last: number];
  /** Whether those are there all together or not at all. */
  readonly isBatch: boolean;
  /** How many bytes there are behind the words that say all this. */
  readonly fillerBytes: number;
}

/** An entry as it was read. */
export interface ReadEntry {
  readonly lsn: number;
  readonly kind: number;
  readonly data: Uint8Array;
}

/** What a program says when all of a submission is durable: the number and the LSN of the last of it. */
export interface Acknowledgement {
  readonly acknowledged: number;
  readonly caller: number;
  readonly number: number;
  /** As durable as that. */
  readonly level: Durability;
  /** The last LSN that had been given out by then. */
  readonly accepted: number;
  /** How many entries had been handed over by then; above what was accepted they wait for room. */
  readonly submitted: number;
}

/** What a program says when the disk was full for a submission: of a batch nothing is there, of a stream its beginning may be. */
export interface Rejection {
  readonly rejected: readonly [first: number, last: number];
  readonly caller: number;
  readonly isWhole: boolean;
}

/** What is stored for a submission: texts, and bytes that are none. */
export function entryOf(submission: Submission): EntryFields & { readonly kind: number; readonly data: Uint8Array } {
  const { life, caller, number, range: [first, last], isBatch, fillerBytes } = submission;
  const head = `${life} ${caller} ${number} ${first} ${last} ${isBatch ? "batch" : "each"} ${fillerBytes} `;
  const data = new Uint8Array(Buffer.byteLength(head) + fillerBytes);
  data.set(new TextEncoder().encode(head));
  const filler = data.subarray(head.length);
  filler.fill(97 + (number + caller) % 26);
  if (number % 3 === 0) { for (let at = 0; at < filler.length && at < 256; at++) filler[at] = at * 31 + number; }
  return { kind: number % 128, data };
}

/** Who submitted an entry; throws unless it is, byte for byte, what was submitted. */
export function submissionOf(entry: ReadEntry): Submission {
  const head = new TextDecoder("latin1").decode(entry.data.subarray(0, HEAD_BYTES));
  const [life = "", caller = "", number = "", first = "", last = "", how, fillerBytes = ""] = head.split(" ", 7);
  const submission: Submission = {
    life: Number(life),
    caller: Number(caller),
    number: Number(number),
    range: [Number(first), Number(last)],
    isBatch: how === "batch",
    fillerBytes: Number(fillerBytes),
  };
  const { kind, data } = isSane(submission, entry) ? entryOf(submission) : { kind: -1, data: new Uint8Array() };
  if (kind === entry.kind && Buffer.compare(data, entry.data) === 0) return submission;
  throw new Error(`LSN ${entry.lsn} is not as it was written: kind ${entry.kind}, ${entry.data.length} bytes: ${head}`);
}

/** Nothing is made of numbers that cannot be. */
function isSane({ number, range: [first, last], fillerBytes }: Submission, { data }: ReadEntry): boolean {
  return fillerBytes <= data.length && first <= number && number <= last;
}

/** A submission in words. */
export function nameOf({ life, caller, number }: Pick<Submission, "life" | "caller" | "number">): string {
  return `entry ${number} of caller ${caller} in life ${life}`;
}
