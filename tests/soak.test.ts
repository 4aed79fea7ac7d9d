// `npm run soak`, as a program.

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { test } from "node:test";
import { currentRuntime, type Ended, startProgram } from "./support/processes.ts";
import { readSoakPlan, SoakUsageError } from "./support/soak_options.ts";

const nowMs = 1_700_000_000_123;

function run(...parameters: readonly string[]): Promise<Ended> {
  return startProgram(currentRuntime, "soak_program", { arguments: parameters }).finish();
}

test("so many histories from a seed on, and in the end what they came to", async () => {
  const { code, output, errors } = await run("--histories", "6", "--seed", "40");
  assertEquals([code, errors], [0, ""]);
  assertMatch(output, /^from seed 40 on\n/);
  assertMatch(output, /\d:\d\d, 6 histories, \d+ lives, \d+ crash points, [\d,]+ calls\/s, \d+ MiB, 0 violations\n/);
  assertMatch(output, /\nseeds 40 to 45, \d+ recoveries, [\d,]+ calls\n/);
  assertMatch(output, /\nno promise was broken$/);
});

test("a seed alone is one history, told step by step", async () => {
  const { code, output } = await run("--seed", "40");
  assertEquals(code, 0);
  assertMatch(output, /^-- life 1\n {2}1 makeDirectory \.\n/);
  assertMatch(output, /\nopened: \{.*"end":"new"/);
  assertMatch(output, /\nseed 40: no promise was broken$/);
});

test("help is given, and nonsense is refused", async () => {
  const help = await run("--help");
  assertEquals([help.code, help.errors], [0, ""]);
  assertMatch(help.output, /^npm run soak -- \[--minutes N\]/);
  const nonsense = await run("--minutes", "soon");
  assertEquals([nonsense.code, nonsense.output], [64, ""]);
  assertMatch(nonsense.errors, /^--minutes must be a number above 0, not "soon"\n/);
});

test("what is not said is ten minutes from a seed of the time on", () => {
  const plan = { seed: 1_700_000_000_000, histories: Infinity, mostMs: 600_000, kills: 0, isTold: false };
  assertEquals(readSoakPlan([], nowMs), plan);
  assertEquals(readSoakPlan(["--minutes", "0.5"], nowMs), { ...plan, mostMs: 30_000 });
  assertEquals(readSoakPlan(["--histories", "5"], nowMs), { ...plan, histories: 5, mostMs: Infinity });
  assertEquals(readSoakPlan(["--seed", "5"], nowMs), {
    ...plan,
    seed: 5,
    histories: 1,
    mostMs: Infinity,
    isTold: true,
  });
  assertEquals(readSoakPlan(["--seed", "5", "--minutes", "1"], nowMs), { ...plan, seed: 5, mostMs: 60_000 });
  assertEquals(readSoakPlan(["--kills", "5"], nowMs), { ...plan, histories: 0, mostMs: Infinity, kills: 5 });
  assertEquals(readSoakPlan(["--help"], nowMs), null);
  for (const given of [["--histories", "0"], ["--seed", "-1"], ["--seed", "x"], ["--minutes", ""], ["more"]]) {
    assertThrows(() => readSoakPlan(given, nowMs), SoakUsageError);
  }
});
