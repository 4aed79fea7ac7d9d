/**
 * Copies of the checkout in which mutants are tried, one at a time in each.
 */

import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { constants, setPriority, tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Answer, Catcher, Edit, Mutant } from "./mutant.ts";

const root: string = fileURLToPath(new URL("../../../", import.meta.url));
const here = "tests/support/mutants";
const copied = ["src", "mod.ts", "deno.json", "package.json", "tests"];

/** Many times what the slowest catcher takes on a quiet machine. */
const MOST_SECONDS = 120;
/** A mutant whose catcher is known not to end is given up sooner. */
const HANG_SECONDS = 10;

/** What is to be removed, however this process ends. */
const directories = new Set<string>();
process.on("exit", () => directories.forEach((directory) => rmSync(directory, { recursive: true, force: true })));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

/** A copy of the checkout. */
export class Bench {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** A copy whose tests are gathered instead of run. */
  static async make(): Promise<Bench> {
    const directory = await mkdtemp(join(tmpdir(), "walstream-mutants-"));
    directories.add(directory);
    for (const name of copied) await cp(join(root, name), join(directory, name), { recursive: true });
    await symlink(join(root, "node_modules"), join(directory, "node_modules"));
    await mkdir(join(directory, "build"));
    await gatherTests(join(directory, "tests"), join(directory, here, "gathered_tests.ts"));
    return new Bench(directory);
  }

  /** Removes the copy. */
  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
    directories.delete(this.#directory);
  }

  /** What these catchers say of the log as it is. */
  async tryCatchers(catchers: readonly Catcher[]): Promise<Answer[]> {
    const answers = await this.#run(catchers, MOST_SECONDS);
    return catchers.map((_, nth) => answers[nth] ?? answers.at(-1) ?? silence);
  }

  /** What its catcher says of a mutant. */
  async tryMutant(mutant: Mutant): Promise<Answer> {
    const before = new Map<string, string>();
    try {
      for (const edit of [mutant, ...(mutant.also ?? [])]) {
        const misfit = await this.#make(edit, before);
        if (misfit !== null) return { outcome: "nothing", says: misfit };
      }
      const [answer = silence] = await this.#run([mutant.caughtBy], mutant.hangs ? HANG_SECONDS : MOST_SECONDS);
      return answer;
    } finally {
      for (const [path, source] of before) await writeFile(path, source);
    }
  }

  /** Makes an edit, and notes what was there; resolves to why that cannot be done, or null. */
  async #make({ file, find, replace }: Edit, before: Map<string, string>): Promise<string | null> {
    const path = join(this.#directory, file);
    const source = await readFile(path, "utf8").catch(() => "");
    const count = source.split(find).length - 1;
    if (count !== 1) {
      const what = count === 0 ? "does not occur any more" : `occurs ${count} times`;
      return `the text ${
        JSON.stringify(find)
      } ${what} in ${file}: see how the rule is kept there by now, and correct ${here}`;
    }
    if (!before.has(path)) before.set(path, source);
    await writeFile(path, source.replace(find, () => replace));
    return null;
  }

  async #run(catchers: readonly Catcher[], seconds: number): Promise<Answer[]> {
    const program = join(this.#directory, here, "catching.ts");
    const { said, complaint, isLate } = await runProgram([program, JSON.stringify(catchers)], this.#directory, seconds);
    const answers = said.split("\n").filter((line) => line.startsWith('{"outcome"')).map((line): Answer =>
      JSON.parse(line)
    );
    if (isLate) answers.push({ outcome: "stuck", says: `it has not ended after ${seconds} s` });
    else if (answers.length === 0) answers.push({ outcome: "broken", says: complaint.replaceAll(/\s+/g, " ").trim() });
    return answers;
  }
}

const silence: Answer = { outcome: "broken", says: "it said nothing" };

/** What a program said, and whether it had to be ended. */
interface Ended {
  readonly said: string;
  readonly complaint: string;
  readonly isLate: boolean;
}

function runProgram(parameters: readonly string[], cwd: string, seconds: number): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const environment = { ...process.env, NO_COLOR: "1" };
    const child = spawn(process.execPath, ["run", ...parameters], {
      cwd,
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    // What else runs on this machine may be measuring time.
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    let said = "";
    let complaint = "";
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
    }, seconds * 1000);
    child.stdout.setEncoding("utf8").on("data", (text: string) => said += text);
    child.stderr.setEncoding("utf8").on("data", (text: string) => complaint += text);
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      resolve({ said, complaint, isLate });
    });
  });
}

/** In the copies of the tests `test` is one that gathers. */
async function gatherTests(folder: string, gatherer: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith(".ts")) continue;
    const path = join(folder, name);
    const source = await readFile(path, "utf8");
    if (!source.includes('from "node:test"')) continue;
    const target = relative(dirname(path), gatherer);
    const specifier = target.startsWith(".") ? target : `./${target}`;
    await writeFile(path, source.replace('from "node:test"', `from ${JSON.stringify(specifier)}`));
  }
}
