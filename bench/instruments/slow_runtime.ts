/**
 * The runtime that this runs on, with a disk that syncs and writes as slowly as it is told to.
 *
 * A call on the calling thread holds it, busily, as a real one would; a call in the pool is waited for by a timer. The
 * real call is done as well.
 *
 * @module
 */

import { detectRuntime } from "../../src/runtime/detect.ts";
import type { OpenMode, RuntimeFile } from "../../src/runtime/port.ts";
import { DelegatingFile, DelegatingRuntime } from "../../tests/support/delegating_runtime.ts";

/** How long each call takes at least, to be changed while it runs. */
export interface Slowness {
  syncMs: number;
  writeMs: number;
}

/** See the head of this file. */
export async function slowRuntime(slowness: Slowness): Promise<DelegatingRuntime> {
  return new SlowRuntime(await detectRuntime(), slowness);
}

class SlowRuntime extends DelegatingRuntime {
  readonly #slowness: Slowness;

  constructor(inner: ConstructorParameters<typeof DelegatingRuntime>[0], slowness: Slowness) {
    super(inner);
    this.#slowness = slowness;
  }

  override async open(path: string, mode: OpenMode): Promise<RuntimeFile> {
    return new SlowFile(await super.open(path, mode), this.#slowness);
  }
}

class SlowFile extends DelegatingFile {
  readonly #slowness: Slowness;

  constructor(inner: RuntimeFile, slowness: Slowness) {
    super(inner);
    this.#slowness = slowness;
  }

  override syncData(): Promise<void> {
    return slowly(this.#slowness.syncMs, () => super.syncData());
  }

  override syncDataSync(): void {
    slowlyHere(this.#slowness.syncMs, () => super.syncDataSync());
  }

  override write(bytes: Uint8Array, position: number): Promise<void> {
    return slowly(this.#slowness.writeMs, () => super.write(bytes, position));
  }

  override writeSync(bytes: Uint8Array, position: number): void {
    slowlyHere(this.#slowness.writeMs, () => super.writeSync(bytes, position));
  }
}

async function slowly(
  leastMs: number,
  call: () => Promise<void>,
): Promise<void> {
  const endMs = performance.now() + leastMs;
  await call();
  let restMs = endMs - performance.now();
  while (restMs > 0) { // a timer may go off a little early
    await new Promise((resolve) => setTimeout(resolve, restMs));
    restMs = endMs - performance.now();
  }
}

function slowlyHere(leastMs: number, call: () => void): void {
  const endMs = performance.now() + leastMs;
  call();
  while (performance.now() < endMs);
}
