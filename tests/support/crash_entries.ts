/**
 * Entries that tell by themselves whether they are what was written, and where they belong. This is also part of programs,
 * which know nothing of tests.
 */

import type { EntryFields } from "../../mod.ts";

const MOST_FILLER = 3000;

/** An entry that a program submitted. */
export interface Submission {
  /** Which of the programs that wrote to this log, one after the other. */
  readonly life: number;
  /** Its number within that life, from 1 on. */
  readonly number: number;
  /** The numbers of the first and the last of its batch, or its own. */
  readonly batch: readonly [first: number, last: number];
}

/** An entry as it was read. */
export interface ReadEntry {
  readonly lsn: number;
  readonly kind: number;
  text(): string;
}

/** What a program says when an entry, or a batch, is durable: the numbers and LSNs of the last of it. */
export interface Acknowledgement {
  readonly acknowledged: number;
  readonly number: number;
  /** The last LSN that had been given out by then. */
  readonly accepted: number;
  /** The last number that had been handed over by then; above what was accepted it waits for room. */
  readonly submitted: number;
}

/** What is stored for a submission: some are large, some small. */
export function entryOf(submission: Submission): EntryFields & { readonly kind: number; readonly data: string } {
  const { life, number, batch: [first, last] } = submission;
  const filler = String.fromCharCode(97 + number % 26).repeat((number * 7919 + life * 104729) % MOST_FILLER);
  return { kind: number % 128, data: `${life} ${number} ${first} ${last} ${filler}` };
}
