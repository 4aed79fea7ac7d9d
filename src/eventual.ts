/**
 * What is there now, or will be: a call that blocks has its result at once, one through the pool has it later.
 *
 * On a fast disk a flush of one entry takes a tenth of a millisecond; a promise for each of its steps, where none of them
 * waits, would add a tenth of that.
 *
 * @module
 */

/** A value, or a promise of it. */
export type Eventual<T> = T | Promise<T>;

/** Goes on with the value: now if it is there, else when it is. What `next` throws is thrown or rejects, likewise. */
export function proceed<T, R>(value: Eventual<T>, next: (value: T) => Eventual<R>): Eventual<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
