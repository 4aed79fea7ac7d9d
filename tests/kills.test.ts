// A process that is killed at any moment: what it had said to be durable is there, and nothing that it had not written.

import { assertEquals, assertGreater } from "@std/assert";
import process from "node:process";
import { test } from "node:test";
import { covered } from "./support/covered.ts";
import { killRuns } from "./support/kills.ts";
import { currentRuntime } from "./support/processes.ts";

/** Set to the seed that a failure names, it draws the same plans and moments again. */
const { WALSTREAM_KILL_SEED = "1" } = process.env;
const kills = 50;

test("killed at 50 random moments, one log has all that was acknowledged, and the other runtimes find it so", async () => {
  const tally = await killRuns({ writer: currentRuntime, kills, seed: Number(WALSTREAM_KILL_SEED) });
  const { acknowledgements, looks, torn } = tally;
  covered({ kills, acknowledgementsChecked: acknowledgements, tornEnds: torn });
  assertEquals(tally.kills, kills);
  assertGreater(acknowledgements, 100);
  assertGreater(looks, kills);
});
