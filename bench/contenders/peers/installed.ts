/**
 * What is installed in the bench's own node_modules, which neither the root's `npm ci` nor the bench needs to be there.
 *
 * @module
 */

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Obstacle } from "../../harness/point_line.ts";

/** Loads a package. It is a `require`, since an import would look beside the compiled file, where nothing is installed. */
export function load(name: string): unknown {
  return createRequire(packageFile())(name);
}

/** The version of a package that is installed. */
export function versionOf(name: string): string {
  const text = readFileSync(join(folderOf(name), "package.json"), "utf8"); // some do not let it be required
  return (JSON.parse(text) as { version: string }).version;
}

/** Why a package that belongs here cannot be used, or null. */
export function whyNotLoaded(name: string): Obstacle | null {
  if (!existsSync(folderOf(name))) return { reason: "not installed (npm ci --prefix bench)", isMissed: true };
  try {
    load(name);
    return null;
  } catch (error) {
    const [line = ""] = String(error instanceof Error ? error.message : error).split("\n");
    return { reason: `does not load here: ${withoutFolders(line)}`, isMissed: true };
  }
}

function folderOf(name: string): string {
  return join(dirname(packageFile()), "node_modules", name);
}

/** The bench's package.json, whether this file is in the bench or compiled somewhere beside it. */
function packageFile(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const file = join(folder, "bench", "package.json");
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) throw new Error("cannot find the bench's package.json in any folder above");
    folder = dirname(folder);
  }
}

/** What a report says of a machine names no folder of it. */
function withoutFolders(text: string): string {
  return text.replaceAll(/(?:[A-Za-z]:)?(?:[\\/][\w.@+~-]+)*[\\/]([\w.@+~-]+)/g, "$1");
}
