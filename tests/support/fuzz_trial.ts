/**
 * One call to a log that may be damaged, held to what each of them must keep: an answer or a typed error, a bounded number of
 * calls to the disk, no buffer larger than the file justifies, no file left open.
 */

import process from "node:process";
import { crc32 } from "node:zlib";
import { WalError } from "../../mod.ts";
import { nextHostTask } from "../../src/runtime/host_task.ts";
import { type MemoryCall, type MemoryDisk, type MemoryFault, MemoryRuntime } from "../../src/runtime/memory.ts";
import { Violation } from "./oracle.ts";
import { toTheEnd } from "./to_the_end.ts";

/** A read of so much is made whatever the size of the file. */
const CHUNK_BYTES = 1024 * 1024;
/** The files of a specimen are small: no call needs more of these, and most need far fewer. */
const MOST_CALLS = 20_000;
const MOST_READ_BYTES = 256 * 1024 * 1024;
/** Of a busy machine. What never ends is found by its calls, or by the limit of the test. */
const MOST_MS = 20_000;
/** So many turns of the event loop may a call leave something to be done behind it. */
const MOST_TURNS = 200;

/** What a call came to. */
export type Answer<T> =
  | { readonly value: T; readonly error: null }
  | { readonly value: null; readonly error: WalError };

/** The most that any call has needed. */
export interface Costs {
  calls: number;
  readBytes: number;
  elapsedMs: number;
}

/** A process on a disk that counts. */
export class Trial {
  readonly disk: MemoryDisk;
  readonly runtime: MemoryRuntime;
  readonly #costs: Costs;
  #calls = 0;
  #readBytes = 0;
  #complaint: string | null = null;

  /** @param costs Is told what is the most. */
  constructor(disk: MemoryDisk, seed: number, costs: Costs) {
    this.disk = disk;
    this.#costs = costs;
    this.runtime = new MemoryRuntime({ disk, seed, crc32, onCall: (call) => this.#onCall(call) });
  }

  #onCall({ name, path, length }: MemoryCall): MemoryFault | undefined {
    this.#calls++;
    if (name === "read") this.#readBytes += Math.min(length, CHUNK_BYTES);
    if (this.#calls > MOST_CALLS) this.#complaint ??= `more than ${MOST_CALLS} calls to the disk`;
    if (this.#readBytes > MOST_READ_BYTES) this.#complaint ??= `more than ${MOST_READ_BYTES} bytes read`;
    const isLarge = (name === "read" || name === "write") && length > CHUNK_BYTES;
    if (isLarge && length > 2 * this.disk.read(path).length) {
      this.#complaint ??= `${name} ${path}: a buffer of ${length} bytes for a file of ${this.disk.read(path).length}`;
    }
    return this.#complaint === null ? undefined : { stop: "before" };
  }

  /** Makes the call. Throws a {@linkcode Violation} where it keeps something not. */
  async run<T>(what: string, call: (runtime: MemoryRuntime) => Promise<T>): Promise<Answer<T>> {
    const startMs = performance.now();
    this.#calls = this.#readBytes = 0;
    const settled = call(this.runtime).then(
      (value): Answer<T> => ({ value, error: null }),
      (error: unknown): Answer<T> => ({ value: null, error: typed(what, error) }),
    );
    const answer = await toTheEnd(settled, this.runtime).catch((error: unknown) => {
      throw new Violation(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    });
    const elapsedMs = performance.now() - startMs;
    if (this.#complaint !== null) throw new Violation(`${what}: ${this.#complaint}`);
    if (answer === undefined) throw new Violation(`${what}: the process has stopped`);
    if (elapsedMs > MOST_MS) throw new Violation(`${what}: it took ${elapsedMs} ms`);
    const { disk: { violations } } = this;
    if (violations.length > 0) throw new Violation(`${what}: the disk is treated badly: ${violations[0]}`);
    this.#costs.calls = Math.max(this.#costs.calls, this.#calls);
    this.#costs.readBytes = Math.max(this.#costs.readBytes, this.#readBytes);
    this.#costs.elapsedMs = Math.max(this.#costs.elapsedMs, elapsedMs);
    return answer;
  }

  /** Nothing is left open: a lock goes with its file. */
  async checkClosed(what: string): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS && this.runtime.openFiles.length > 0; turn++) await nextHostTask();
    const { openFiles } = this.runtime;
    if (openFiles.length > 0) throw new Violation(`${what}: it leaves open ${openFiles.join(", ")}`);
  }
}

/** What was thrown, if it is an error of the log. */
export function typed(what: string, error: unknown): WalError {
  if (error instanceof WalError) return error;
  const stack = error instanceof Error ? `\n${error.stack ?? ""}` : "";
  throw new Violation(`${what}: it threw what is no WalError: ${String(error)}${stack}`, { cause: error });
}

/** Hears of promises that nobody looks after. */
export class RejectionWatch {
  #found: unknown[] = [];
  readonly #listener = (error: unknown): void => void this.#found.push(error);

  /** From now on. */
  start(): this {
    process.on("unhandledRejection", this.#listener);
    return this;
  }

  /** Not any more. */
  stop(): void {
    process.off("unhandledRejection", this.#listener);
  }

  /** Throws where there was one since the last look. */
  async check(): Promise<void> {
    await nextHostTask();
    const [error] = this.#found;
    this.#found = [];
    if (error === undefined) return;
    const told = error instanceof Error ? error.stack ?? error.message : String(error);
    throw new Violation(`a rejection that nobody handles: ${told}`, { cause: error });
  }
}
