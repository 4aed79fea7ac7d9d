/**
 * What users do with a log, step by step.
 */

import type { Durability, WalChanges, WalOptions } from "../../mod.ts";

export const DIRECTORY = "/data/wal";

/** One thing that a user does. Lengths are characters. */
export type Step =
  /** Commits at the same moment, and waits for all of them; at a level, if one is given. */
  | { readonly commit: readonly number[]; readonly at?: Durability }
  /** Appends, and waits for nothing. */
  | { readonly append: readonly number[]; readonly at?: Durability }
  /** Writes to a stream, entry by entry, and closes it. */
  | { readonly stream: readonly number[]; readonly at?: Durability }
  /** Sends entries through the log, and reads what comes out. */
  | { readonly through: readonly number[] }
  /** Follows the log from its first entry to its end. */
  | { readonly follow: true }
  /** Makes the log begin with the entry that many before the last one. */
  | { readonly cut: number }
  /** Appends, and never asks what became of it: only a flush or a close tells. */
  | { readonly drop: readonly number[] }
  /** Commits a batch of entries. */
  | { readonly batch: readonly number[] }
  /** Appends a batch of entries, and waits for nothing. */
  | { readonly appendBatch: readonly number[] }
  /** Waits at a level for the entry that many before the last one. */
  | { readonly wait: number; readonly level: Durability }
  | { readonly flush: true }
  /** Waits until an append would find room. */
  | { readonly ready: true }
  /** Waits until every timer of an idle log has run, or so long. */
  | { readonly idle: true | number }
  /** Reads in the process what is durable, all of it or from one share of the log to another. */
  | { readonly read: true | readonly [number, number] }
  /** Closes the log and opens it again, also one that has failed. */
  | { readonly restart: true }
  /** Brings a log that has failed back to open, in place; of an open one it changes nothing. */
  | { readonly reopen: true }
  /** Changes how the log works while it runs. */
  | { readonly configure: WalChanges }
  /** The disk has room for so many more bytes. */
  | { readonly room: number }
  /** Somebody sets the clock. */
  | { readonly jump: number }
  /** Begins with a step and goes on with the next at once. */
  | { readonly later: Step };

/** A log's options and what is done with it. */
export interface Workload {
  readonly name: string;
  readonly options: WalOptions;
  readonly steps: readonly Step[];
  /** Whether somebody in another process reads along. */
  readonly isWatched?: boolean;
  /** How often somebody reopens the log whenever it has failed, before he gives up. */
  readonly reopens?: number;
}
