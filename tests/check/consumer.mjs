// The package as a stranger meets it: the packed tarball in an empty folder, used from each runtime, and type-checked with
// what the stranger may have of types.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tarballPath } from "./packing.mjs";
import { root, run, runNpm, runtimes, runTypeScript } from "./process.mjs";
import { failure, sumOf } from "./result.mjs";

const program = `
import { Wal } from "@walstream/wal";
import { MemoryRuntime } from "@walstream/wal/memory";

const wal = await Wal.open("/wal", { runtime: new MemoryRuntime() });
const lsn: number = wal.append("one");
await wal.waitFor(lsn);
await wal.commit({ kind: 7, data: new Uint8Array([1, 2, 3]) });
const found: string[] = [];
for await (const entry of wal.readable()) found.push(\`\${entry.lsn}:\${entry.kind}:\${entry.data.length}\`);
await wal.close();
if (found.join(" ") !== "1:0:3 2:7:3") throw new Error(found.join(" "));
`;

/** A name that cannot be resolved has the type any, which would pass every other check. */
const typed = `
import { Wal } from "@walstream/wal";
import { MemoryRuntime } from "@walstream/wal/memory";

type IsAny<T> = 0 extends 1 & T ? true : false;
type Element<T> = T extends AsyncIterable<infer E> ? E : never;
export const isAny: IsAny<Wal> | IsAny<MemoryRuntime> | IsAny<Element<ReturnType<Wal["readable"]>>> = false;
export const hasEntries: [Element<ReturnType<Wal["readable"]>>] extends [never] ? false : true = true;
`;

const resolutions = {
  nodenext: { module: "NodeNext", moduleResolution: "NodeNext" },
  bundler: { module: "ESNext", moduleResolution: "Bundler" },
};

/** What types a program may have at hand. A browser's worker has others than its window. */
const surroundings = {
  "nothing but the language": { lib: ["ES2022"], types: [] },
  "the DOM's types": { lib: ["ES2022", "DOM", "DOM.Iterable", "DOM.AsyncIterable"], types: [] },
  "a worker's types": { lib: ["ES2022", "WebWorker", "WebWorker.AsyncIterable"], types: [] },
  "Node's types": { lib: ["ES2022"], types: ["node"] },
};

/** @typedef {import("./result.mjs").Result} Result */

/** @returns {Promise<Result>} */
export async function checkConsumer() {
  const directory = await mkdtemp(join(tmpdir(), "walstream-consumer-"));
  try {
    const problem = await install(directory);
    if (problem !== "") return failure(problem);
    return sumOf([...await typeCheck(directory), ...await use(directory)]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** hash-wasm comes from node_modules, so that no network is needed. @param {string} directory */
async function install(directory) {
  await writeFile(join(directory, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const dependency = await runNpm(["pack", join(root, "node_modules/hash-wasm"), "--ignore-scripts"], {
    cwd: directory,
  });
  if (dependency.code !== 0) return dependency.output;
  const tarball = join(directory, String(dependency.stdout.trim().split("\n").at(-1)));
  const installed = await runNpm(["install", "--offline", "--no-audit", "--no-fund", tarball, tarballPath()], {
    cwd: directory,
  });
  return installed.code === 0 ? "" : installed.output;
}

/** @param {string} directory */
async function typeCheck(directory) {
  await writeFile(join(directory, "use.ts"), program);
  await writeFile(join(directory, "typed.ts"), typed);
  const outcomes = [];
  for (const [how, resolution] of Object.entries(resolutions)) {
    for (const [withWhat, surrounding] of Object.entries(surroundings)) {
      const compilerOptions = {
        target: "ES2022",
        strict: true,
        typeRoots: [join(root, "node_modules/@types")],
        ...resolution,
        ...surrounding,
      };
      await writeFile(
        join(directory, "tsconfig.json"),
        JSON.stringify({ compilerOptions, files: ["use.ts", "typed.ts"] }),
      );
      const outcome = await runTypeScript(["--project", "."], { cwd: directory });
      outcomes.push({ what: `types, ${how}, with ${withWhat}`, ...outcome });
    }
  }
  return outcomes;
}

/** The last type check left use.js behind. @param {string} directory */
async function use(directory) {
  const commands = [
    [runtimes.node20, "use.js"],
    [runtimes.node24, "use.js"],
    [runtimes.bun, "use.ts"],
    [runtimes.deno, "run", "--check", "--allow-read", "use.ts"],
  ];
  const outcomes = [];
  for (const [command = "", ...parameters] of commands) {
    outcomes.push({ what: [command, ...parameters].join(" "), ...await run(command, parameters, { cwd: directory }) });
  }
  return outcomes;
}
