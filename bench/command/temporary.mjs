// Folders that go when the run does, however that ends.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * A new folder in `parent`.
 *
 * @param {string} parent
 * @param {import("./interruption.mjs").Interruption} interruption
 */
export function makeDirectory(parent, interruption) {
  const path = mkdtempSync(join(parent, "walstream-bench-"));
  const clean = () => rmSync(path, { recursive: true, force: true });
  const forget = interruption.atEnd(clean);
  return {
    path,
    remove: () => {
      forget();
      clean();
    },
  };
}
