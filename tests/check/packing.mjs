// What is published: only what a user needs, which is what the entry points reach.

import { mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { root, run, runDeno, runNpm } from "./process.mjs";
import { failure, resultOf, sumOf } from "./result.mjs";

export const entryPoints = ["mod.ts", "src/runtime/memory.ts"];

/** What npm starts by name. */
const programs = ["src/cli/main.ts"];

/** Where the tarball lies for the steps that follow. */
export const tarballDirectory = join(root, "build/pack");

/** What who installs it has to wait for. */
const mostPackedBytes = 150_000;

const papers = ["LICENSE", "README.md"];

/** @typedef {import("./result.mjs").Result} Result */

/**
 * The modules of this checkout that `entries` reach, as paths below the root.
 *
 * @param {string[]} entries
 * @returns {Promise<string[]>}
 */
export async function modulesOf(entries) {
  /** @type {Set<string>} */
  const paths = new Set();
  for (const entry of entries) {
    const { stdout, output, code } = await runDeno(["info", "--json", entry]);
    if (code !== 0) throw new Error(output);
    for (const { specifier } of JSON.parse(stdout).modules) {
      if (specifier.startsWith("file:")) paths.add(relative(root, fileURLToPath(specifier)));
    }
  }
  return [...paths].filter((path) => !path.startsWith("node_modules/"));
}

/**
 * Packs for npm, which builds first, compares the contents, and starts the programs of the build as `npx` does in a clone.
 *
 * @returns {Promise<Result>}
 */
export async function checkPack() {
  mkdirSync(tarballDirectory, { recursive: true });
  const { code: packing, stdout, output } = await runNpm(["pack", "--json", "--pack-destination", tarballDirectory]);
  if (packing !== 0) return failure(output);
  const report = JSON.parse(stdout.slice(stdout.indexOf("[")));
  const packed = report[0].files.map((/** @type {{ path: string }} */ file) => file.path);
  const modules = await modulesOf([...entryPoints, ...programs]);
  const built = modules.map((path) => `dist/${path.replace(/ts$/, "js")}`);
  const code = packed.filter((/** @type {string} */ path) => !path.endsWith(".d.ts")); // the consumers try the types
  if (report[0].size > mostPackedBytes) return failure(`${report[0].size} bytes are packed, ${mostPackedBytes} may be`);
  const contents = compare("npm pack", code, [...papers, "package.json", ...built]);
  return sumOf([{ what: "contents", code: contents.failed, output: contents.output }, ...await startPrograms()]);
}

async function startPrograms() {
  const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const starts = Object.entries(bin).map(async ([name, path]) => ({
    what: `${name}, which nobody may start`,
    ...await run(join(root, path), ["--version"]),
  }));
  return await Promise.all(starts);
}

/**
 * Goes through the motions of publishing to JSR, which looks for slow types, and compares the contents.
 *
 * @returns {Promise<Result>}
 */
export async function checkPublish() {
  const { code, output } = await runDeno(["publish", "--dry-run", "--allow-dirty"]);
  if (code !== 0) return failure(output);
  const packed = [...output.matchAll(/^\s*(file:\S+) \(/gm)].map(([, url]) =>
    relative(root, fileURLToPath(String(url)))
  );
  const result = compare("deno publish", packed, [
    ...papers,
    "CHANGELOG.md",
    "deno.json",
    ...await modulesOf(entryPoints),
  ]);
  return { ...result, output: result.output + output };
}

/**
 * @param {string} what
 * @param {string[]} packed
 * @param {string[]} needed
 * @returns {Result}
 */
function compare(what, packed, needed) {
  const problems = [
    ...packed.filter((path) => !needed.includes(path)).map((path) => `${what} takes ${path}, which no user needs`),
    ...needed.filter((path) => !packed.includes(path)).map((path) => `${what} leaves out ${path}`),
  ];
  return resultOf({ code: problems.length, output: problems.map((problem) => `${problem}\n`).join("") });
}

/** The tarball's path. */
export function tarballPath() {
  const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return join(tarballDirectory, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
}
