/**
 * `follow DIRECTORY`: follows a log from elsewhere and writes the last LSN of each batch that it sees, a line each.
 *
 * @module
 */

import process from "node:process";
import { Wal } from "../../mod.ts";
import { endWithParent } from "./lifeline.ts";

endWithParent();
const [directory = ""] = process.argv.slice(2);
for await (const entries of Wal.read(directory, { follow: true, batches: true })) {
  process.stdout.write(`${entries.at(-1)?.lsn}\n`);
}
