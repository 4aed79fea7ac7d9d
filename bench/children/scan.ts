/**
 * `scan DIRECTORY`: reads a log from elsewhere from its start to its end, again and again; a line after each time says
 * how many entries that were.
 *
 * @module
 */

import process from "node:process";
import { Wal } from "../../mod.ts";
import { endWithParent } from "./lifeline.ts";

endWithParent();
const [directory = ""] = process.argv.slice(2);
for (;;) {
  let count = 0;
  for await (const entries of Wal.read(directory, { batches: true })) {
    count += entries.length;
  }
  process.stdout.write(`${count}\n`);
}
