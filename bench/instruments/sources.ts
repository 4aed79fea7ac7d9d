/**
 * Streams of chunks that are there already: what comes out costs a source as little as it can.
 *
 * @module
 */

import { pick } from "./entries.ts";

/**
 * `count` chunks, which come round and round, `atOnce` of them a pull: as from a file or a socket, several at a time.
 */
export function sourceOf<T>(chunks: readonly T[], count: number, atOnce: number): ReadableStream<T> {
  if (!Number.isInteger(count)) {
    throw new Error(`a stream of ${count} chunks would never end`);
  }
  let given = 0;
  return new ReadableStream<T>({
    pull: (controller) => {
      const end = Math.min(count, given + atOnce);
      while (given < end) controller.enqueue(pick(chunks, given++));
      if (given === count) controller.close();
    },
  });
}
