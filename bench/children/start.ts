/**
 * `start [URL]`: imports a module, or nothing, and says how many milliseconds that took.
 *
 * @module
 */

import process from "node:process";

const [url = ""] = process.argv.slice(2);
const startMs = performance.now();
if (url !== "") await import(url);
process.stdout.write(`${performance.now() - startMs}\n`);
