// Writes dist/: what npm packs. Run by `npm run build`, and by npm before it packs.

import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import process from "node:process";
import { reachable } from "./declarations.mjs";
import { root, runTypeScript } from "./process.mjs";

const dist = join(root, "dist");
const { bin, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

rmSync(dist, { recursive: true, force: true });
// The comments stand in the types, where editors look for them, and in the sources; once more would be a third of the package.
await compile(["--removeComments", "--declaration", "false", "--isolatedDeclarations", "false"]);
await compile(["--emitDeclarationOnly"]);
// Nor does anybody miss how far a line is moved in, which costs 4 % of what is packed. Where a text spans lines they stay.
for (const file of readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((each) => each.endsWith(".js"))) {
  const lines = readFileSync(join(dist, file), "utf8").split("\n");
  const hasLongText = lines.some((line) => line.split("`").length % 2 === 0);
  if (!hasLongText) writeFileSync(join(dist, file), lines.map((line) => line.trimStart()).join("\n"));
}
for (const path of Object.values(bin)) chmodSync(join(root, path), 0o755); // in a clone npm does not do it

const entryPoints = Object.values(exports).map((each) => posix.normalize(each.types));
const written = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".d.ts"));
const texts = new Map(written.map((file) => [posix.join("dist", file), readFileSync(join(dist, file), "utf8")]));
const kept = reachable(texts, entryPoints);
for (const path of texts.keys()) if (!kept.has(path)) rmSync(join(root, path));
for (const [path, text] of kept) {
  const web = posix.relative(posix.dirname(path), "dist/web.d.ts");
  const reference = entryPoints.includes(path) ? `/// <reference path="./${web}" />\n` : "";
  writeFileSync(join(root, path), reference + text);
}
copyFileSync(join(root, "tests/check/web.d.ts"), join(dist, "web.d.ts"));

/** @param {string[]} parameters */
async function compile(parameters) {
  const { code, output } = await runTypeScript(["--project", join(root, "tsconfig.json"), ...parameters]);
  process.stdout.write(output);
  if (code !== 0) process.exit(1);
}
