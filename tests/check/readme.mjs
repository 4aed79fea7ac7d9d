// Runs each TypeScript block of the README as a reader would: as it stands, in an empty folder, with the package found by
// its name. A block that cannot be run is preceded by `<!-- not run: reason -->`.

import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, run, runtimes, runTypeScript } from "./process.mjs";
import { failure, sumOf } from "./result.mjs";

const block = /(?:<!--\s*not run:\s*([\s\S]*?)\s*-->\s*)?^```ts\b[^\n]*\n([\s\S]*?)^```$/gm;
const blockSeconds = 60;

/** Node 20 runs what is written, with the types taken away and nothing else changed. */
const compilerOptions = {
  target: "ESNext",
  lib: ["ESNext", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
  module: "NodeNext",
  strict: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  types: ["node"],
  typeRoots: [join(root, "node_modules/@types")],
  skipLibCheck: true,
};

/** @typedef {{ name: string, code: string, notRun: string | undefined }} Block */
/** @typedef {import("./result.mjs").Result} Result */

/** @returns {Promise<Result>} */
export async function runReadme() {
  const blocks = ["README.md", "src/README.md"].flatMap(blocksOf);
  const runnable = blocks.filter(({ notRun }) => notRun === undefined);
  const skipped = blocks.flatMap(({ name, notRun }) =>
    notRun === undefined ? [] : [{ name, reason: notRun, isExact: true }]
  );
  if (!existsSync(join(root, "README.md"))) return failure("there is no README.md");
  if (runnable.length === 0) return failure("README.md has no block that runs");
  const directory = await mkdtemp(join(tmpdir(), "walstream-readme-"));
  try {
    return { ...sumOf(await runBlocks(directory, runnable)), skipped };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** @param {string} path @returns {Block[]} */
function blocksOf(path) {
  if (!existsSync(join(root, path))) return [];
  const text = readFileSync(join(root, path), "utf8");
  return [...text.matchAll(block)].map((match) => ({
    name: `${path}:${text.slice(0, match.index + match[0].indexOf("```ts")).split("\n").length}`,
    code: match[2] ?? "",
    notRun: match[1],
  }));
}

/** @param {string} directory @param {Block[]} blocks @returns {Promise<import("./result.mjs").Outcome[]>} */
async function runBlocks(directory, blocks) {
  await mkdir(join(directory, "node_modules/@walstream"), { recursive: true });
  await symlink(root, join(directory, "node_modules/@walstream/wal"));
  await writeFile(join(directory, "package.json"), '{ "type": "module" }');
  await writeFile(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  for (const [index, { code }] of blocks.entries()) {
    await writeFile(join(directory, `block${index}.ts`), `${code}\nexport {};\n`);
  }
  const compiled = await runTypeScript(["--project", "."], { cwd: directory });

  const importMap = join(root, "tests/std/import_map.json");
  const denoOptions = ["--check", "--allow-all", "--config", join(root, "deno.json"), "--import-map", importMap];
  const outcomes = [{ what: "all blocks, compiled", ...compiled }];
  for (const [index, { name }] of blocks.entries()) {
    const path = join(directory, `block${index}`);
    const commands = {
      node20: [`${path}.js`],
      deno: ["run", ...denoOptions, `${path}.ts`],
      bun: [`${path}.ts`],
    };
    for (const [runtime, parameters] of Object.entries(commands)) {
      const cwd = await mkdtemp(join(directory, "run-"));
      const program = runtimes[/** @type {keyof typeof commands} */ (runtime)];
      outcomes.push({
        what: `${name} on ${runtime}`,
        ...await run(program, parameters, { cwd, seconds: blockSeconds }),
      });
    }
  }
  return outcomes;
}
