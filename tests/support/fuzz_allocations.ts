/**
 * Sees every byte array that is made while something runs.
 */

/** The longest byte array that anybody made by its length while `body` ran. */
export async function longestAllocation(body: () => Promise<unknown>): Promise<number> {
  const Plain = globalThis.Uint8Array;
  let longest = 0;
  const Watched = new Proxy(Plain, {
    construct(target, parameters: unknown[], newTarget): object {
      const [length] = parameters;
      if (typeof length === "number") longest = Math.max(longest, length);
      return Reflect.construct(target, parameters, newTarget === Watched ? target : newTarget);
    },
  });
  Object.assign(globalThis, { Uint8Array: Watched });
  try {
    await body();
  } finally {
    Object.assign(globalThis, { Uint8Array: Plain });
  }
  return longest;
}
