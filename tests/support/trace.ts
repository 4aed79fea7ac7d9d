/**
 * What happened, line by line, for a person who looks for the reason.
 */

import type { MemoryCall, MemoryFault } from "../../src/runtime/memory.ts";
import { DIRECTORY } from "./workload.ts";

/** So much is kept: who looks for a reason begins at the end. */
const MOST_LINES = 200;

/** The last lines of what happened. */
export class Trace {
  readonly #say: (line: string) => void;
  #lines: string[] = [];
  /** How many lines there were before those that are kept. */
  #dropped = 0;

  /** @param say Told each line as it comes. */
  constructor(say: (line: string) => void = () => {}) {
    this.#say = say;
  }

  say(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length >= 2 * MOST_LINES) this.#drop();
    this.#say(line);
  }

  /** A call to the disk, and what is to become of it. */
  call(call: MemoryCall, fault: MemoryFault | undefined): void {
    this.say(`  ${describeCall(call)}${fault === undefined ? "" : ` → ${describeFault(fault)}`}`);
  }

  /** How many lines there were. */
  get length(): number {
    return this.#dropped + this.#lines.length;
  }

  /** Forgets what came after so many lines: it went well. */
  cut(length: number): void {
    this.#lines.length = Math.min(this.#lines.length, Math.max(0, length - this.#dropped));
    this.#dropped = Math.min(this.#dropped, length);
  }

  /** What is kept of it. */
  get text(): string {
    this.#drop();
    const before = this.#dropped === 0 ? [] : [`… ${this.#dropped} lines before`];
    return [...before, ...this.#lines].join("\n");
  }

  #drop(): void {
    const count = Math.max(0, this.#lines.length - MOST_LINES);
    this.#lines.splice(0, count);
    this.#dropped += count;
  }
}

/** A call in one line: its number, its name, and what it is about. */
function describeCall({ number, name, path, to, position, length, blocking }: MemoryCall): string {
  const where = name === "write" || name === "read" ? ` at ${position}, ${length} bytes` : "";
  const size = name === "truncate" ? ` to ${position} bytes` : "";
  const target = to === null ? "" : ` to ${short(to)}`;
  return `${number} ${name} ${short(path)}${target}${where}${size}${blocking ? ", blocking" : ""}`;
}

function describeFault({ code, doneBytes, delayMs, stop, flipBits }: MemoryFault): string {
  const done = doneBytes === undefined ? "" : ` (a write after ${doneBytes} bytes)`;
  return [
    ...(delayMs === undefined ? [] : [`takes ${delayMs} ms`]),
    ...(flipBits === undefined ? [] : [`bits ${flipBits.join(", ")} turned over`]),
    ...(code === undefined ? [] : [`${code}${done}`]),
    ...(stop === undefined ? [] : [`the process stops ${stop} it${code === undefined ? done : ""}`]),
  ].join(", ");
}

function short(path: string): string {
  return path === DIRECTORY ? "." : path.replace(`${DIRECTORY}/`, "");
}
