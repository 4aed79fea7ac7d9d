/**
 * The demonstration's hand on the process that writes: starts it, hears it, kills it.
 *
 * @module
 */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { demoWriter, type WriterLine } from "./demo_writer.ts";

/** How it ended, and what it said on stderr. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly errors: string;
}

/** A writer that runs. Whoever starts one waits until it has {@linkcode ended}. */
export class DemoChild {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #onLine: (line: WriterLine) => void;
  #pid: number | null = null;
  #isOver = false;
  #unended = "";
  /** Resolves when the process is gone, and with it its lock, and all that it said is here. */
  readonly ended: Promise<ChildEnd>;

  /** @param commandLine The runtime, its flags, and the program. */
  constructor(commandLine: readonly string[], directory: string, run: number, onLine: (line: WriterLine) => void) {
    const [command = "", ...flags] = commandLine;
    this.#onLine = onLine;
    this.#child = spawn(command, [...flags, demoWriter.name, directory, String(run)], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    let errors = "";
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => errors += text);
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    this.#child.stdin.on("error", () => {}); // it was killed
    this.ended = new Promise<ChildEnd>((resolve) => {
      this.#child.on("error", ({ message }) => resolve({ code: null, signal: null, errors: message }));
      this.#child.on("close", (code, signal) => resolve({ code, signal, errors: errors.trim() }));
    }).finally(() => this.#isOver = true);
  }

  /** SIGKILL. Where a script stands in between, as package managers put them, it is the writer that is killed. */
  async kill(): Promise<ChildEnd> {
    if (this.#isOver) return await this.ended; // its number may be another's by now
    if (this.#pid === null) {
      // It has not said its number yet, and it ends by itself when nobody is left to write to it.
      this.#child.stdin.end();
      this.#child.kill("SIGKILL");
    } else {
      killProcess(this.#pid);
    }
    return await this.ended;
  }

  /** A kill cuts lines short: what has no end is not heard. */
  #hear(text: string): void {
    const lines = (this.#unended + text).split("\n");
    this.#unended = lines.pop() ?? "";
    for (const text of lines) {
      const line = JSON.parse(text) as WriterLine;
      if (line.type === "open") this.#pid = line.pid;
      this.#onLine(line);
    }
  }
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself, which is told by how it ended.
  }
}
