// Makes each call of an open file on a file of its own, named after the call, for a test that watches from outside.

import process from "node:process";
import { detectRuntime } from "../../src/runtime/detect.ts";
import type { RuntimeFile } from "../../src/runtime/port.ts";

const [directory = ""] = process.argv.slice(2);
const runtime = await detectRuntime();

async function onFile(name: string, call: (file: RuntimeFile) => unknown): Promise<void> {
  const file = await runtime.open(runtime.join(directory, name), "create");
  await call(file);
  await file.close();
}

await onFile("write", (file) => file.write(new Uint8Array(4096), 8192));
await onFile("writeSync", (file) => file.writeSync(new Uint8Array(4096), 8192));
await onFile("syncData", (file) => file.syncData());
await onFile("syncDataSync", (file) => file.syncDataSync());
await onFile("read", (file) => file.read(new Uint8Array(4096), 0));
await onFile("truncate", (file) => file.truncate(4096));
await onFile("tryLock", (file) => file.tryLock());
await runtime.syncDirectory(directory);
console.log(JSON.stringify({ pid: process.pid }));
