/**
 * Callers who each await what they asked for before they ask again.
 *
 * @module
 */

/** What they call, with a number that is the caller's own and rises. */
export type Call = (nth: number) => Promise<unknown> | void;

/**
 * `callers` of them, each of whom calls `times` times; resolves when all have.
 */
export async function callAll(callers: number, times: number, call: Call): Promise<void> {
  const all: Promise<void>[] = [];
  for (let caller = 0; caller < callers; caller++) {
    all.push(callAgainAndAgain(caller, times, call));
  }
  await Promise.all(all);
}

async function callAgainAndAgain(caller: number, times: number, call: Call): Promise<void> {
  for (let nth = 0; nth < times; nth++) await call(caller + nth);
}

/** The same callers at something that does nothing: all who came share one promise, which is resolved at once. */
export async function callersAlone(callers: number, times: number): Promise<void> {
  let group: Promise<number> | null = null;
  let end: (value: number) => void = () => {};
  await callAll(callers, times, () => {
    if (group === null) {
      group = new Promise((resolve) => end = resolve);
      queueMicrotask(() => {
        group = null;
        end(0);
      });
    }
    return group;
  });
}
