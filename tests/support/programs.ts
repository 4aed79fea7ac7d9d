/**
 * Takes the programs out of the page that shows them and starts them on the runtime that runs the test, as a reader would.
 *
 * @module
 */

import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { currentRuntime, Program } from "./processes.ts";
import { inSandbox } from "./sandbox.ts";

/** Where the programs stand. The suites are run with the checkout as working directory. */
const page = "README.md";
const root: string = process.cwd();

/** A block of TypeScript whose first line is a comment that begins with the name of a file. */
const block = /^```ts\n(\/\/ (\w+\.ts)\b[\s\S]*?)^```$/gm;

/** The words of Deno's command line that let it find the package of the checkout. */
export const denoImports: readonly string[] = [
  "--config",
  join(root, "deno.json"),
  "--import-map",
  join(root, "tests/std/import_map.json"),
];

/** As strict as the README's other blocks are held, and then some. Nothing but types is taken away. */
const compilerOptions = {
  target: "ESNext",
  lib: ["ESNext", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
  module: "NodeNext",
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  types: ["node"],
  typeRoots: [join(root, "node_modules/@types")],
  skipLibCheck: true,
};

/** The sources by their names. */
export async function readPrograms(): Promise<Map<string, string>> {
  const text = await readFile(page, "utf8");
  return new Map([...text.matchAll(block)].map(([, code = "", name = ""]) => [name, code]));
}

/** A folder with the programs and, under its name, the package. */
export class ProgramFolder {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Puts the programs into a new folder of this directory: as Node takes them where it is Node that runs them. */
  static async make(directory: string): Promise<ProgramFolder> {
    const folder = await writeFolder(join(directory, "programs"), await readPrograms());
    if (currentRuntime !== "node") return folder;
    compiled ??= compile();
    for (const [name, code] of await compiled) await writeFile(join(folder.directory, name), code);
    return folder;
  }

  /** Starts one of them: `name` without the `.ts`; after `preload`, a file of this folder, if there is one. */
  start(name: string, programArguments: readonly string[], preload?: string): Program {
    const path = join(this.directory, currentRuntime === "node" ? `${name}.js` : `${name}.ts`);
    const flags = currentRuntime === "deno"
      ? ["run", "--quiet", "--no-check", "--allow-all", "--no-prompt", ...denoImports]
      : [];
    if (preload !== undefined) {
      const own = fileURLToPath(import.meta.url);
      flags.push(currentRuntime === "node" ? "--import" : "--preload", join(dirname(own), `${preload}${extname(own)}`));
    }
    return new Program(process.execPath, [...flags, path, ...programArguments], {});
  }
}

/** What Node runs, by name: made once for all tests of a file. */
let compiled: Promise<Map<string, string>> | undefined;

/** Takes the types away; rejects where they do not hold. */
function compile(): Promise<Map<string, string>> {
  return inSandbox(async (sandbox) => {
    const sources = await readPrograms();
    const { directory } = await writeFolder(join(sandbox, "programs"), sources);
    await writeFile(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [...sources.keys()] }));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { code, output, errors } = await new Program(process.execPath, [tsc, "--project", directory], {}).ended;
    if (code !== 0) throw new Error(`the programs do not compile: ${output}${errors}`);
    const names = [...sources.keys()].map((name) => name.replace(/\.ts$/, ".js"));
    return new Map(
      await Promise.all(names.map(async (name) => [name, await readFile(join(directory, name), "utf8")] as const)),
    );
  });
}

async function writeFolder(directory: string, sources: ReadonlyMap<string, string>): Promise<ProgramFolder> {
  const packageDirectory = join(directory, "node_modules/@walstream/wal");
  await mkdir(packageDirectory, { recursive: true });
  // What is tested is the checkout, compiled or not: the folder that is published may be of yesterday.
  await symlink(root, join(packageDirectory, "source"));
  await symlink(join(root, "build"), join(packageDirectory, "build"));
  const exports = { types: "./build/mod.d.ts", bun: "./source/mod.ts", default: "./build/mod.js" };
  const packageJson = { name: "@walstream/wal", type: "module", exports };
  await writeFile(join(packageDirectory, "package.json"), JSON.stringify(packageJson));
  await writeFile(join(directory, "package.json"), '{ "type": "module" }');
  for (const [name, code] of sources) await writeFile(join(directory, name), code);
  return new ProgramFolder(directory);
}
