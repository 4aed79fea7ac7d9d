/** A stream of one and the same chunk, so many times. It never waits for anything, and holds nothing ready. */
export function repeatingSource<T>(chunk: T, count: number): ReadableStream<T> {
  let left = count;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(chunk);
      else controller.close();
    },
  }, { highWaterMark: 0 });
}
