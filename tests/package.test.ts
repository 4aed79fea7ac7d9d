import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

/** The suites are run with the checkout as working directory. */
async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, "utf8"));
}

interface PackageJson {
  name: string;
  version: string;
  license: string;
  exports: Record<string, { types: string; default: string }>;
  dependencies: Record<string, string>;
}

interface DenoJson {
  name: string;
  version: string;
  license: string;
  exports: Record<string, string>;
  imports: Record<string, string>;
}

const packageJson = await readJson<PackageJson>("package.json");
const denoJson = await readJson<DenoJson>("deno.json");

test("package: npm and JSR get the same name, version and license", () => {
  assertEquals(
    [packageJson.name, packageJson.version, packageJson.license],
    [denoJson.name, denoJson.version, denoJson.license],
  );
  assertEquals([packageJson.name, packageJson.license], ["@walstream/wal", "MIT"]);
});

test("package: npm and JSR get the same exports, from the same modules", () => {
  const built = Object.entries(denoJson.exports).map(([name, source]) => {
    const path = source.replace(/^\.\//, "./dist/").replace(/\.ts$/, "");
    return [name, { types: `${path}.d.ts`, default: `${path}.js` }];
  });
  assertEquals(packageJson.exports, Object.fromEntries(built));
});

test("package: hash-wasm is the only run-time dependency, in the same range for npm and JSR", () => {
  assertEquals(Object.keys(packageJson.dependencies), ["hash-wasm"]);
  assertEquals(denoJson.imports["hash-wasm"], `npm:hash-wasm@${packageJson.dependencies["hash-wasm"]}`);
});

test("package: the import map for machines without JSR has every name that deno.json gives", async () => {
  const { imports } = await readJson<{ imports: Record<string, string> }>("tests/std/import_map.json");
  const own = Object.keys(denoJson.exports).map((name) => denoJson.name + name.slice(1));
  assertEquals(Object.keys(imports).sort(), [...Object.keys(denoJson.imports), ...own].sort());
  for (const [name, source] of Object.entries(denoJson.exports)) {
    assertEquals(imports[denoJson.name + name.slice(1)], `../../${source.slice(2)}`);
  }
});

test("package: the changelog has a heading for the version", async () => {
  assertStringIncludes(await readFile("CHANGELOG.md", "utf8"), `## ${packageJson.version}`);
});

test("package: the top level holds what belongs there and nothing else", async () => {
  const kept = ["deno.json", "package.json", "mod.ts", "src", "tests", "bench", "README.md", ".gitignore", ".npmrc"];
  kept.push("package-lock.json", "LICENSE", "CHANGELOG.md", "tsconfig.json", ".ci", ".git");
  const ignored = (await readFile(".gitignore", "utf8")).split("\n").map((line) => line.replace(/\/$/, ""));
  const stray = (await readdir(".")).filter((name) => !kept.includes(name) && !ignored.includes(name));
  assert(stray.length === 0, `move ${stray.join(", ")} below src, tests or bench`);
});
