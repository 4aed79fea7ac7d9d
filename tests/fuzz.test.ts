// Whatever lies in the directory of a log, and whatever a caller hands over: an answer or a typed error, in bounded time and memory.

import process from "node:process";
import { test } from "node:test";
import { assertEquals, assertGreater } from "@std/assert";
import { covered } from "./support/covered.ts";
import { longestAllocation } from "./support/fuzz_allocations.ts";
import { fuzzCalls } from "./support/fuzz_calls.ts";
import { fuzzFiles } from "./support/fuzz_files.ts";
import { fuzzRealFiles } from "./support/fuzz_real.ts";

/** Set to the seed that a failure names, `files-7` or `calls-7`, it tells that one step by step. */
const { WALSTREAM_FUZZ_SEED } = process.env;
const [, kind = "", seed = ""] = /^(files|calls)-(\d+)$/.exec(WALSTREAM_FUZZ_SEED ?? "") ?? [];
if (WALSTREAM_FUZZ_SEED !== undefined && kind === "") throw new Error("WALSTREAM_FUZZ_SEED is files-7, or calls-7");

const FILES = 350;
/** Of so many every allocation is looked at, which takes its time. */
const WATCHED_FILES = 50;
const REAL_FILES = 12;
const CALLS = 600;

test("files that are spoiled in any way are answered or refused, and what opens is whole", async () => {
  if (kind === "files") return void await fuzzFiles(Number(seed), 1, { say: console.log });
  if (kind !== "") return;
  const { specimens, answered, rejected } = await fuzzFiles(1, FILES);
  assertEquals(specimens, FILES);
  assertGreater(answered, FILES / 2); // what refuses everything keeps every promise
  assertGreater(rejected, FILES / 10);
});

test("no buffer is larger than the files justify, whatever they say of their lengths", async () => {
  if (kind !== "") return;
  const watched = async (): Promise<void> => void await fuzzFiles(FILES + 1, WATCHED_FILES);
  assertGreater(2 * 1024 * 1024, await longestAllocation(watched)); // files are read by the mebibyte
  assertEquals(await longestAllocation(() => Promise.resolve(new Uint8Array(4_000_000))), 4_000_000); // it does see them
});

test("the same on the disk of this machine", async () => {
  if (kind === "") assertEquals(await fuzzRealFiles(1, REAL_FILES), REAL_FILES);
});

test("any call with any argument is answered or refused, and the log holds what it accepted", async () => {
  if (kind === "calls") return void await fuzzCalls(Number(seed), 1, { say: console.log });
  if (kind !== "") return;
  const { programs, steps } = await fuzzCalls(1, CALLS);
  assertEquals(programs, CALLS);
  assertGreater(steps, 8 * CALLS);
  covered({ fuzzedFiles: FILES + WATCHED_FILES + REAL_FILES, fuzzedCalls: steps });
});
