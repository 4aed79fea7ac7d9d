/**
 * Ends this process when whoever started it is gone.
 *
 * @module
 */

import process from "node:process";

/** See the head of this file. */
export function endWithParent(): void {
  process.stdin.on("end", () => process.exit(0)).on("error", () => process.exit(0)).resume();
}
