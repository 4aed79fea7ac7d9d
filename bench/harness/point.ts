/**
 * What a point of the bench is, and a contender in it.
 *
 * A point has limits of its own. Its contenders take turns, round by round, each in a new empty directory; of what a
 * contender reads in its rounds the median counts.
 *
 * @module
 */

import type { Figures } from "./figures.ts";
import type { Better, Obstacle, Target } from "./point_line.ts";
import type { Scale } from "./scale.ts";

/** One thing that a contender read in one round. */
export interface Reading {
  /** The same words mean the same thing within a point. */
  readonly what: string;
  readonly unit: string;
  readonly better: Better;
  readonly value: number;
}

/** Times the part of a round that counts. `deno bench` puts its own in the place of this. */
export interface Watch {
  /** Only what is between its first start and its first stop is looked at: all that counts should be in there. */
  readonly takesOnePart: boolean;
  start(): void;
  /** Milliseconds since it was started. */
  stop(): number;
}

/** Someone who is measured. */
export interface Contender {
  readonly name: string;
  /** What of it, where one name has several contenders: for the line that shows who runs. */
  readonly part?: string;
  /** Peers are compared with, and one that fails is left out instead of ending the point. */
  readonly isPeer?: boolean;
  /** A peer that is shown, and that no limit is held against. */
  readonly isTuned?: boolean;
  /** Why it cannot run here, or null. */
  unavailable?(): Promise<Obstacle | null>;
  /** Once, before the first round; what it puts into `directory` stays until the point ends. */
  prepare?(directory: string): Promise<void>;
  /** One round, in a directory that is empty and goes afterwards. */
  round(directory: string, watch: Watch): Promise<readonly Reading[]>;
}

/** See the head of this file. */
export interface Point {
  readonly name: string;
  /** What its entries hold; the larger kind where there are two. */
  readonly entryBytes: number;
  /** True where a round cannot be told from the next: one is enough, and none of them warms up. */
  readonly isExact?: boolean;
  /** False where each round has a process of its own. */
  readonly hasWarmUp?: boolean;
  /** In the order of the first round. */
  contenders(scale: Scale): readonly Contender[];
  /** The limits, and where these figures stand; and what is shown beside them. */
  targets(figures: Figures): readonly Target[];
}
