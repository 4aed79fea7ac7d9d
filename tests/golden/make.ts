// Makes the log of the current format that is kept for ever, into tests/golden/v<version>, and v<version>.json, which says
// what must be read from it. Done once, when a version of the format is released, and an explicit act:
//
//   deno run --allow-read --allow-write tests/golden/make.ts
//
// (or with Bun, or with Node 24). What is there already is never overwritten: users have logs like it.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { FORMAT_VERSION } from "../../src/format.ts";
import { goldenDirectory, makeGoldenLog } from "./golden_log.ts";

const directory = join(goldenDirectory, `v${FORMAT_VERSION}`);
if (existsSync(directory) || existsSync(`${directory}.json`)) {
  console.error(
    `${directory} is there already, and is kept: remove it only if no version with this format was released`,
  );
  process.exit(1);
}
const { files, contents } = await makeGoldenLog();
mkdirSync(directory);
for (const [name, bytes] of files) writeFileSync(join(directory, name), bytes);
writeFileSync(`${directory}.json`, `${JSON.stringify(contents, null, 2)}\n`);
console.log(`wrote ${[...files].map(([name, { length }]) => `${name} (${length} bytes)`).join(", ")}`);
