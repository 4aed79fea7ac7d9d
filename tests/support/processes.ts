/**
 * Runs the programs of this folder on Node, Deno and Bun, from a test that itself runs on any of them.
 *
 * A Node that runs the tests runs them compiled, and so its children. Deno and Bun take the sources, and where they run
 * the tests, so does the Node of 24 and later that comes with the checkout, since nothing needs to be compiled then.
 *
 * The bench, too, talks to its children as {@linkcode Program}s.
 *
 * @module
 */

import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

export type RuntimeName = "node" | "deno" | "bun";

export const runtimeNames: readonly RuntimeName[] = ["node", "deno", "bun"];

/** The runtime that runs this test. */
export const currentRuntime: RuntimeName = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

export interface ProgramOptions {
  readonly arguments?: readonly string[];
  /** What Deno may do: all, unless told otherwise, and ask nobody for more. */
  readonly denoFlags?: readonly string[];
  /** A command line that the program's own is put behind, such as `strace` with its options. */
  readonly under?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** How a program ended, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
  readonly errors: string;
}

/** A program that runs. Whoever starts one ends it: by {@linkcode kill}, or by waiting for it to have {@linkcode ended}. */
export class Program {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: string[] = [];
  readonly #readers: ((line: string | null) => void)[] = [];
  #errors = "";
  #isOver = false;
  /** Resolves when the process is gone and all that it said is here. */
  readonly ended: Promise<Ended>;

  constructor(command: string, commandArguments: readonly string[], environment: Readonly<Record<string, string>>) {
    const inherited = { ...process.env };
    // A Node under test tells its children to report to it, and Deno colours its errors.
    delete inherited["NODE_TEST_CONTEXT"];
    this.#child = spawn(command, commandArguments, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...inherited, NO_COLOR: "1", ...environment },
    });
    const output: string[] = [];
    const lines = createInterface({ input: this.#child.stdout });
    lines.on("line", (line) => {
      output.push(line);
      const reader = this.#readers.shift();
      if (reader === undefined) this.#lines.push(line);
      else reader(line);
    });
    const linesRead = new Promise<void>((resolve) => lines.on("close", resolve));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => this.#errors += text);
    // A program that was killed does not take the line that is on its way to it.
    this.#child.stdin.on("error", () => {});
    const closed = new Promise<[number | null, string | null]>((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (code, signal) => resolve([code, signal]));
    });
    this.ended = Promise.all([closed, linesRead]).then(([[code, signal]]) => {
      this.#isOver = true;
      for (const reader of this.#readers) reader(null);
      return { code, signal, output: output.join("\n"), errors: this.#errors };
    });
    // Who only kills does not ask how it ended.
    this.ended.catch(() => {});
  }

  /** The process: the program's own, unless it runs under another. */
  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("the program did not start");
    return this.#child.pid;
  }

  /** Writes a line to the program and resolves to the next line that it writes. */
  async ask(line: string): Promise<string> {
    this.#child.stdin.write(line + "\n");
    return await this.nextLine();
  }

  /** The next line that the program writes; rejects, with its errors, when it ends without one. */
  async nextLine(): Promise<string> {
    const waiting = this.#lines.shift();
    if (waiting !== undefined) return waiting;
    const line = this.#isOver ? null : await Promise.race([
      new Promise<string | null>((resolve) => this.#readers.push(resolve)),
      this.ended.then(() => null),
    ]);
    if (line === null) throw new Error(`the program ended without an answer: ${this.#errors}`);
    return line;
  }

  /** Ends its input, which the programs of this folder take as the wish that they end, and waits until they have. */
  async finish(): Promise<Ended> {
    this.#child.stdin.end();
    return await this.ended;
  }

  /** Asks it to end, as somebody at a terminal would. */
  terminate(): void {
    this.#child.kill("SIGTERM");
  }

  /** Kills it as a crash would, and waits until the system has given back all that it held. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended.catch(() => {});
  }
}

/** Starts `tests/support/<name>` on a runtime. */
export function startProgram(runtime: RuntimeName, name: string, options: ProgramOptions = {}): Program {
  const { under = [], denoFlags = ["--allow-all", "--no-prompt"], environment = {} } = options;
  const flags = runtime === "deno" ? ["run", "--quiet", ...denoFlags] : [];
  const line = [...under, executable(runtime), ...flags, programPath(runtime, name), ...(options.arguments ?? [])];
  return new Program(line[0] ?? "", line.slice(1), environment);
}

/** Runs `tests/support/<name>` on a runtime to its end, which must be a good one, and resolves to the JSON that it wrote. */
export async function runProgram<T>(runtime: RuntimeName, name: string, options: ProgramOptions = {}): Promise<T> {
  const { code, signal, output, errors } = await startProgram(runtime, name, options).finish();
  if (code !== 0) throw new Error(`${name} on ${runtime} ended with ${code ?? signal}: ${errors}`);
  return JSON.parse(output) as T;
}

const here: string = dirname(fileURLToPath(import.meta.url));
const isCompiled: boolean = import.meta.url.endsWith(".js");
/** The checkout: tests/support is in it, or build/tests/support. */
const root: string = join(here, isCompiled ? "../../.." : "../..");

function programPath(runtime: RuntimeName, name: string): string {
  if (isCompiled && runtime === "node") return join(here, `${name}.js`);
  return join(root, "tests/support", `${name}.ts`);
}

function executable(runtime: RuntimeName): string {
  if (runtime === currentRuntime) return process.execPath;
  // The programs themselves and not the scripts that npm puts before them: a signal would end those alone.
  const modules = { node: "node24/bin/node", deno: "deno/deno", bun: "bun/bin/bun.exe" };
  const path = join(root, "node_modules", modules[runtime]);
  return existsSync(path) ? path : runtime;
}
