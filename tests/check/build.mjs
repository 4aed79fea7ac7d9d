// Writes dist/: what npm packs. Run by `npm run build`, and by npm before it packs.

import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import process from "node:process";
import { root, runTypeScript } from "./process.mjs";

const dist = join(root, "dist");
const { bin, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

rmSync(dist, { recursive: true, force: true });
// The comments stand in the types, where editors look for them, and in the sources; once more would be a third of the package.
await compile(["--removeComments", "--declaration", "false", "--isolatedDeclarations", "false"]);
await compile(["--emitDeclarationOnly"]);
copyFileSync(join(root, "tests/check/web.d.ts"), join(dist, "web.d.ts"));
for (const path of Object.values(bin)) chmodSync(join(root, path), 0o755); // in a clone npm does not do it

const types = Object.values(exports).map((each) => posix.normalize(each.types));
for (const path of types) {
  const web = posix.relative(posix.dirname(path), "dist/web.d.ts");
  writeFileSync(join(root, path), `/// <reference path="./${web}" />\n${readFileSync(join(root, path), "utf8")}`);
}
const needed = reachedFrom([...types, "dist/web.d.ts"]);
for (const file of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
  if (file.endsWith(".d.ts") && !needed.has(posix.join("dist", file))) rmSync(join(dist, file));
}

/** @param {string[]} parameters */
async function compile(parameters) {
  const { code, output } = await runTypeScript(["--project", join(root, "tsconfig.json"), ...parameters]);
  process.stdout.write(output);
  if (code !== 0) process.exit(1);
}

/**
 * Types that these name, and those that they name.
 *
 * @param {string[]} paths
 */
function reachedFrom(paths) {
  /** @type {Set<string>} */
  const reached = new Set();
  for (const path of paths) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const [, name = ""] of readFileSync(join(root, path), "utf8").matchAll(/(?:from |import\()"(\.[^"]+)\.ts"/g)) {
      paths.push(posix.join(posix.dirname(path), `${name}.d.ts`));
    }
  }
  return reached;
}
