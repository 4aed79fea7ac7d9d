import type { Runtime } from "../../src/runtime/port.ts";
import { Random } from "../../src/runtime/random.ts";
import { DelegatingRuntime } from "./delegating_runtime.ts";

/** A runtime that draws the same ids and salts everywhere, and whose clock is set by hand. */
export class FixedRuntime extends DelegatingRuntime {
  readonly #random = new Random(1);
  /** What the clock shows. */
  time = 1_700_000_000_000;

  constructor(inner: Runtime) {
    super(inner);
  }

  override now(): number {
    return this.time;
  }

  override randomize(target: Uint8Array): void {
    this.#random.fill(target);
  }
}
