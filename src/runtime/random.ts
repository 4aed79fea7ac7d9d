/**
 * Chance that can be repeated: the same seed gives the same row of numbers on every runtime.
 *
 * @module
 */

/** A small deterministic generator, for tests and the memory runtime. It is no source of secrets. */
export class Random {
  #state: number;

  /** @param seed Any number; seeds that lie side by side give rows that have nothing in common. */
  constructor(seed: number) {
    this.#state = scramble(Math.trunc(seed % 4294967296) ^ scramble(Math.trunc(seed / 4294967296)));
  }

  /** A whole number from 0 to 2^32 - 1. */
  bits(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return scramble(this.#state) >>> 0;
  }

  /** A whole number from `least` to `most`, both of them included. */
  integer(least: number, most: number): number {
    return least + Math.floor((this.bits() / 4294967296) * (most - least + 1));
  }

  /** True once in `1 / probability` times. */
  chance(probability: number): boolean {
    return this.bits() < probability * 4294967296;
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.integer(0, list.length - 1)] as T;
  }

  /** The list itself, in another order. */
  shuffle<T>(list: T[]): T[] {
    for (let left = list.length; left > 1; left--) {
      const chosen = this.integer(0, left - 1);
      [list[left - 1], list[chosen]] = [list[chosen] as T, list[left - 1] as T];
    }
    return list;
  }

  /** Fills `target` with bytes. */
  fill(target: Uint8Array): void {
    for (let at = 0; at < target.length; at += 4) {
      const word = this.bits();
      for (let i = 0; i < 4 && at + i < target.length; i++) target[at + i] = word >>> (8 * i);
    }
  }

  /** A generator that goes on from here by itself, without moving this one. */
  copy(): Random {
    const copy = new Random(0);
    copy.#state = this.#state;
    return copy;
  }
}

/** Spreads each bit of a word over all of it. One to one, so that no two states fall together. */
function scramble(word: number): number {
  let mixed = word | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
