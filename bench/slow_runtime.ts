/**
 * The runtime that this runs on, with a disk that syncs as slowly as it is told to.
 *
 * A sync on the calling thread holds it, busily, as a real one would; a sync in the pool is waited for by a timer. The
 * real sync is done as well.
 *
 * @module
 */

import { detectRuntime } from "../src/runtime/detect.ts";
import type { OpenMode, RuntimeFile } from "../src/runtime/port.ts";
import { DelegatingFile, DelegatingRuntime } from "../tests/support/delegating_runtime.ts";

/** How slow the disk is, to be changed while it runs. */
export interface Slowness {
  syncMs: number;
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

  override async syncData(): Promise<void> {
    const endMs = performance.now() + this.#slowness.syncMs;
    await super.syncData();
    const restMs = endMs - performance.now();
    if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
  }

  override syncDataSync(): void {
    const endMs = performance.now() + this.#slowness.syncMs;
    super.syncDataSync();
    while (performance.now() < endMs);
  }
}
