/**
 * What the figures were measured on.
 *
 * @module
 */

import * as fs from "node:fs";
import * as os from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Disk, Machine } from "./point_line.ts";
import { Times } from "./statistics.ts";
import { SyncedFile } from "./synced_file.ts";

/** The usual block. */
const PROBE_BYTES = 4096;

/** The machine, without its name. */
export function machine(): Machine {
  const processors = os.cpus();
  return {
    cpu: processors[0]?.model ?? "unknown",
    cores: processors.length,
    kernel: `${os.type()} ${os.release()}`,
    memoryBytes: os.totalmem(),
  };
}

/** The version of the runtime that runs this. */
export function runtimeVersion(): string {
  const { Deno, Bun } = globalThis as {
    Deno?: { version: { deno: string } };
    Bun?: { version: string };
  };
  return Deno?.version.deno ?? Bun?.version ?? process.versions.node;
}

/** How long the disk takes to sync 4 KiB at the end of a file, `count` times. */
export function disk(directory: string, count: number): Disk {
  const own = join(directory, "disk");
  fs.mkdirSync(own);
  const file = new SyncedFile(own, "growing", 0);
  const bytes = new Uint8Array(PROBE_BYTES).fill(1);
  const times = new Times(count);
  for (let nth = 0; nth < count; nth++) {
    const before = performance.now();
    file.step(bytes);
    times.add((performance.now() - before) * 1000);
  }
  file.close();
  fs.rmSync(own, { recursive: true });
  const [p50Us, p99Us] = [0.5, 0.99].map((share) => Number(times.percentile(share).toFixed(1)));
  return { directory: null, fdatasync: { p50Us: p50Us ?? NaN, p99Us: p99Us ?? NaN } };
}
