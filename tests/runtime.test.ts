import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { detectRuntime } from "../src/runtime/detect.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import { runtimeContract } from "./support/contract.ts";
import { currentRuntime } from "./support/processes.ts";
import { inSandbox } from "./support/sandbox.ts";

// The adapter of the runtime that runs this file; the others have their turn where they run.
runtimeContract(currentRuntime, (body) =>
  inSandbox(async (directory) => {
    await body({ runtime: await detectRuntime(), directory });
  }));

runtimeContract("memory", async (body) => {
  const runtime = new MemoryRuntime();
  await runtime.makeDirectory("/log");
  await body({ runtime, directory: "/log" });
});

test("the adapter is the one of the runtime that this is, and the same one each time", async () => {
  const runtime = await detectRuntime();
  assertEquals(runtime.name, currentRuntime);
  assertEquals(await detectRuntime() === runtime, true);
});
