// Does in one directory all that the log needs, and says what came of it. Run by Deno with no permission but that. With a
// second directory it tries what is forbidden there.

import process from "node:process";
import { systemCode } from "../../src/errors.ts";
import { DirectoryLock } from "../../src/lock.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { withoutKernelLock } from "./without_kernel_lock.ts";

const [directory = "", outside] = process.argv.slice(2);
const runtime = await detectRuntime();
const results: Record<string, unknown> = {};

async function attempt(name: string, call: () => unknown): Promise<void> {
  try {
    results[name] = await call() ?? "done";
  } catch (error) {
    results[name] = systemCode(error) ?? String(error);
  }
}

const path = (name: string): string => runtime.join(directory, name);
await attempt("makeDirectory", () => runtime.makeDirectory(directory));
await attempt("open", async () => {
  const file = await runtime.open(path("file"), "create");
  await file.write(new Uint8Array(10).fill(7), 0);
  file.writeSync(new Uint8Array(10).fill(8), 10);
  await file.syncData();
  file.syncDataSync();
  await file.truncate(15);
  const [size, count] = [await file.size(), await file.read(new Uint8Array(20), 0)];
  await file.close();
  return [size, count];
});
await attempt("syncDirectory", () => runtime.syncDirectory(directory));
await attempt("rename", () => runtime.rename(path("file"), path("renamed")));
await attempt("link", () => runtime.link(path("renamed"), path("linked")));
await attempt("unlink", () => runtime.unlink(path("linked")));
await attempt("list", () => runtime.list(directory));
await attempt("lock", async () => (await DirectoryLock.acquire(runtime, directory)).release());
await attempt("numbered lock", async () => {
  await (await DirectoryLock.acquire(withoutKernelLock(runtime), directory)).release();
});
await attempt("free space", async () => String(await runtime.freeBytes(directory)));
await attempt("missing", () => runtime.missing.map((capability) => capability.name));
await attempt("alive", async () => String(await runtime.isAlive(await runtime.identity())));
await attempt("ancestor: syncDirectory", () => runtime.syncDirectory(runtime.ancestors(directory)[0] ?? ""));
if (outside !== undefined) {
  await attempt("outside: open", () => runtime.open(runtime.join(outside, "file"), "create"));
  await attempt("outside: read", () => runtime.open(runtime.join(outside, "file"), "read"));
  await attempt("outside: list", () => runtime.list(outside));
  await attempt("outside: makeDirectory", () => runtime.makeDirectory(runtime.join(outside, "new")));
  await attempt("outside: rename", () => runtime.rename(path("renamed"), runtime.join(outside, "renamed")));
  await attempt("outside: link", () => runtime.link(path("renamed"), runtime.join(outside, "linked")));
  await attempt("outside: unlink", () => runtime.unlink(runtime.join(outside, "file")));
}
console.log(JSON.stringify(results));
