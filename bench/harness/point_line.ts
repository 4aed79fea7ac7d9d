/**
 * The line of JSON that a point comes to on one runtime: what tables and charts are made of. No path of a machine is in
 * it.
 *
 * @module
 */

/** Whether more of it is good news. */
export type Better = "lower" | "higher";

/** One thing that was measured of one contender: its median over the rounds that counted, and each of them. */
export interface Figure {
  /** Who: `"walstream, blocking"`, `"floor, prepared"`, `"lmdb"`. */
  readonly contender: string;
  /** What of it: `"p50"`, `"a commit, 1,000 callers"`. The same words mean the same thing within a point. */
  readonly what: string;
  readonly unit: string;
  readonly better: Better;
  readonly median: number;
  /** In the order in which they were measured; the warm-up is not among them. */
  readonly rounds: readonly number[];
}

/** A limit, and where this run stands; or what is shown beside the limits and has none. */
export interface Target {
  readonly what: string;
  readonly unit: string;
  /** False: it is shown, and nothing is held against it. */
  readonly isLimit: boolean;
  /** The most, or the least, there may be; `what` says which. Null where what it is made of could not be measured. */
  readonly allowed: number | null;
  /** Null where it could not be measured. */
  readonly measured: number | null;
  /** Null where either is, and where there is no limit. */
  readonly met: boolean | null;
}

/** Why a contender could not be measured here. */
export interface Obstacle {
  readonly reason: string;
  /** It belongs here, and might have been the best. */
  readonly isMissed: boolean;
}

/** A contender that could not be measured here, and why. */
export interface Absence extends Obstacle {
  readonly contender: string;
}

/** The machine, without a name. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly memoryBytes: number;
}

/** The disk, as its fdatasync of 4 KiB at the end of a file took it before the point began. */
export interface Disk {
  /** Never a path. */
  readonly directory: null;
  readonly fdatasync: { readonly p50Us: number; readonly p99Us: number };
}

/** See the head of this file. */
export interface PointLine {
  /** The point's name: `"serial"`. */
  readonly point: string;
  /** As the command line calls it: `"node"`, `"node24"`, `"deno"`, `"bun"`. */
  readonly runtime: string;
  readonly version: string;
  /** The version of the package under test. */
  readonly package: string;
  /** When it was measured, in ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  readonly disk: Disk;
  /** The rounds that counted. */
  readonly rounds: number;
  readonly entryBytes: number;
  /** True: tiny sizes, whose figures mean nothing. */
  readonly quick: boolean;
  readonly figures: readonly Figure[];
  readonly targets: readonly Target[];
  /** Who was not there. */
  readonly absent: readonly Absence[];
  /** Contenders that are shown, and that no limit is held against: peers that are tuned further than most would. */
  readonly unlimited: readonly string[];
  /** Versions of the peers that were there. */
  readonly peers: { readonly [name: string]: string };
}
