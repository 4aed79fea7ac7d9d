/**
 * Files that were part of the log until a mending began a new line of history: they are put out of it, and keep their bytes under
 * another name.
 *
 * @module
 */

import { asideName } from "./format.ts";
import type { Place } from "./segment.ts";

/** The name under which each of them is kept, which nothing among `names` bears yet. */
export function asideNames(replaced: readonly string[], names: readonly string[]): Map<string, string> {
  const taken = new Set(names);
  return new Map(replaced.map((name) => {
    let to = asideName(name);
    for (let nth = 2; taken.has(to); nth++) to = `${asideName(name)}.${nth}`;
    return [name, to];
  }));
}

/** Puts them out of the log. Resolves to their new names, when they will bear those after a power loss. */
export async function setAside(
  { runtime, directory }: Place,
  replaced: readonly string[],
  names: readonly string[],
): Promise<string[]> {
  const aside = asideNames(replaced, names);
  for (const [name, to] of aside) await runtime.rename(runtime.join(directory, name), runtime.join(directory, to));
  if (aside.size > 0) await runtime.syncDirectory(directory);
  return [...aside.values()];
}
