/**
 * Medians and percentiles.
 *
 * @module
 */

/** The value in the middle; the mean of the two there where their number is even; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Takes times into memory that is there before the first one, so that taking one allocates nothing. */
export class Times {
  readonly #values: Float64Array;
  #count = 0;
  #isSorted = false;

  /** @param most How many there will be at most; more are not taken. */
  constructor(most: number) {
    this.#values = new Float64Array(most);
  }

  /** How many were taken. */
  get count(): number {
    return this.#count;
  }

  /** Takes one. */
  add(value: number): void {
    this.#values[this.#count] = value;
    if (this.#count < this.#values.length) this.#count++;
    this.#isSorted = false;
  }

  /** The least value that so much of all is not above: 0.5 is the median, 1 the greatest. NaN of none. */
  percentile(share: number): number {
    const values = this.#values.subarray(0, this.#count);
    if (!this.#isSorted) values.sort();
    this.#isSorted = true;
    return values[Math.max(0, Math.ceil(share * this.#count) - 1)] ?? NaN;
  }
}
