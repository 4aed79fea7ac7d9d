/**
 * How much a flush of the log carried in the rounds so far, for a floor that writes as much a sync.
 *
 * The log goes first in the first round, so that the floor knows.
 *
 * @module
 */

import type { WalStats } from "../../mod.ts";
import type { Reading } from "../harness/point.ts";
import { median } from "../harness/statistics.ts";

/** As a floor calls it that writes as much. */
export const AS_CARRIED = "as much a sync as a flush carried";
/** As a figure of the log calls it. */
const CARRIED = "a flush carried";

const KIB = 1024;

/** See the head of this file. */
export class CarriedBytes {
  readonly #rounds: number[] = [];

  /** Takes a round of the log, from before it to behind it, and makes a figure of it. */
  read(before: WalStats, after: WalStats, what: string = CARRIED): Reading {
    const bytes = (after.bytes - before.bytes) /
      (after.flushes - before.flushes);
    this.#rounds.push(bytes);
    return { what, unit: "KiB", better: "higher", value: bytes / KIB };
  }

  /** Of all bytes that the log wrote by the number of its flushes, the median of the rounds so far. */
  get medianBytes(): number {
    if (this.#rounds.length === 0) {
      throw new Error("this floor writes as much a sync as the log does, which goes first");
    }
    return Math.round(median(this.#rounds));
  }
}
