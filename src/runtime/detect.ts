/**
 * Which runtime this is: asked here, once, and nowhere else.
 *
 * @module
 */

import { WalOptionsError } from "../errors.ts";
import type { Runtime } from "./port.ts";

let detected: Promise<Runtime> | null = null;

/** The adapter of the runtime that this runs on; the others are not loaded. */
export function detectRuntime(): Promise<Runtime> {
  detected ??= load();
  return detected;
}

async function load(): Promise<Runtime> {
  // Deno and Bun have a `process` with the version of a Node as well, so they are asked first.
  if ("Deno" in globalThis) return new (await import("./deno.ts")).DenoRuntime();
  if ("Bun" in globalThis) return new (await import("./bun.ts")).BunRuntime();
  if (isNode(globalThis)) return new (await import("./node.ts")).NodeRuntime();
  throw new WalOptionsError(
    "cannot choose a runtime: this is neither Deno nor Bun nor Node, and a browser has no files to write to; " +
      "give the option `runtime` an adapter, for instance a MemoryRuntime",
  );
}

function isNode(global: { process?: { versions?: { node?: unknown } } }): boolean {
  return global.process?.versions?.node !== undefined;
}
