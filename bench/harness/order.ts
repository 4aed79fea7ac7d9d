/**
 * What the command line asks of the process that measures a point.
 *
 * @module
 */

/** See the head of this file. It comes as JSON, the only argument. */
export interface Order {
  readonly point: string;
  readonly rounds: number;
  readonly isQuick: boolean;
  /** An empty directory on the disk that is measured. */
  readonly directory: string;
  /** What the command line calls this runtime. */
  readonly runtime: string;
  /** The version of the package under test. */
  readonly packageVersion: string;
}

/** What it says while it works, a line of JSON each; the last line is the point's. */
export interface Progress {
  /** 0 warms up. */
  readonly round: number;
  readonly rounds: number;
  readonly who: string;
}
