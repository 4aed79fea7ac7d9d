/**
 * From values to pixels.
 *
 * @module
 */

/** From 0 to the greatest. */
export class LinearScale {
  readonly #perValue: number;

  /** @param values All that will be drawn. @param lengthPixels Of the greatest of them. */
  constructor(values: readonly number[], lengthPixels: number) {
    this.#perValue = lengthPixels / Math.max(...values, Number.MIN_VALUE);
  }

  /** How long a bar of this is. */
  length(value: number): number {
    return value * this.#perValue;
  }
}

/** By whole decades. */
export class LogScale {
  /** The powers of ten at which its lines are. */
  readonly decades: readonly number[];
  readonly #from: number;
  readonly #to: number;
  readonly #first: number;
  readonly #count: number;

  /** @param values All that will be drawn, above 0. @param from The pixel of the first decade. @param to Of the last. */
  constructor(values: readonly number[], from: number, to: number) {
    this.#from = from;
    this.#to = to;
    this.#first = Math.floor(Math.log10(Math.min(...values)));
    this.#count = Math.max(1, Math.ceil(Math.log10(Math.max(...values))) - this.#first);
    this.decades = Array.from({ length: this.#count + 1 }, (_, nth) => 10 ** (this.#first + nth));
  }

  /** Where a value is. */
  at(value: number): number {
    return this.#from + (this.#to - this.#from) * (Math.log10(value) - this.#first) / this.#count;
  }
}
