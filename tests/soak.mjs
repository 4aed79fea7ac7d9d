// `npm run soak`: starts the program on Deno, the quickest at it, which takes the sources as they are.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const deno = join(root, "node_modules/.bin/deno");
if (!existsSync(deno)) {
  console.error(`${deno} is missing: run npm ci, and let it run the packages' install scripts`);
  process.exit(69);
}
const program = spawn(deno, [
  "run",
  "--no-check",
  "--allow-all",
  "--v8-flags=--expose-gc",
  "--import-map",
  join(root, "tests/std/import_map.json"),
  join(root, "tests/support/soak_program.ts"),
  ...process.argv.slice(2),
], { stdio: "inherit", env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" } });
process.on("SIGINT", () => {}); // the program has it too, and says what it has come to
program.on("exit", (code, signal) => process.exitCode = signal === null ? code ?? 1 : 1);
