/**
 * Programs of `children/`, started on the runtime that runs this.
 *
 * They belong to the process group of whoever starts them, so that whoever ends the bench ends them too, and they end
 * by themselves when their input does.
 *
 * @module
 */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

const isCompiled: boolean = import.meta.url.endsWith(".js");

/** What starts the runtime, and a program of `children/` on it. */
export function childCommandLine(name: string, given: readonly string[]): string[] {
  const program = fileURLToPath(new URL(`./children/${name}.${isCompiled ? "js" : "ts"}`, import.meta.url));
  return [process.execPath, ...runtimeFlags(), program, ...given];
}

/** Deno alone wants to be told what it may do. */
function runtimeFlags(): string[] {
  if (!("Deno" in globalThis)) return [];
  const importMap = fileURLToPath(new URL("../tests/std/import_map.json", import.meta.url));
  return ["run", "--quiet", "--allow-all", "--no-check", "--import-map", importMap];
}

/** A program that runs, and the lines that it writes. */
export class ChildProgram {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #gone: Promise<number | null>;

  /** @param name A file of `children/`. @param given What it is told. */
  constructor(name: string, given: readonly string[]) {
    const [command = "", ...parameters] = childCommandLine(name, given);
    this.#child = spawn(command, parameters, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdin.on("error", () => {}); // it may be gone when it is told to go
    this.#lines = createInterface({ input: this.#child.stdout })
      [Symbol.asyncIterator]();
    this.#gone = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", resolve);
    });
  }

  /** The next line that it writes; rejects where it ends without one. */
  async nextLine(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) {
      throw new Error("a child ended before it had said what it was asked for");
    }
    return value;
  }

  /** Ends it, in the midst of what it does, and resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone;
  }

  /** Resolves when it has ended by itself; rejects where that was no good end. */
  async ended(): Promise<void> {
    const status = await this.#gone;
    if (status !== 0) {
      throw new Error(`a child ended with ${status ?? "a signal"}`);
    }
  }
}
