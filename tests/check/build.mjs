// Writes dist/: what npm packs. Run by `npm run build`, and by npm before it packs.

import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import process from "node:process";
import { root, runTypeScript } from "./process.mjs";

const dist = join(root, "dist");
rmSync(dist, { recursive: true, force: true });
const { code, output } = await runTypeScript(["--project", join(root, "tsconfig.json")]);
process.stdout.write(output);
if (code !== 0) process.exit(1);

copyFileSync(join(root, "tests/check/web.d.ts"), join(dist, "web.d.ts"));
const { bin, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
for (const path of Object.values(bin)) chmodSync(join(root, path), 0o755); // in a clone npm does not do it
for (const { types } of Object.values(exports)) {
  const path = join(root, types);
  const web = posix.relative(posix.dirname(types), "./dist/web.d.ts");
  writeFileSync(path, `/// <reference path="./${web}" />\n${readFileSync(path, "utf8")}`);
}
