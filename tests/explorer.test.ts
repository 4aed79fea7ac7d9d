import process from "node:process";
import { test } from "node:test";
import { assertEquals, assertGreater, assertGreaterOrEqual } from "@std/assert";
import { covered } from "./support/covered.ts";
import { type Explored, nothingExplored } from "./support/explored.ts";
import { exploreCrashes, exploreFailures, exploreReopenings, type ExplorerOptions } from "./support/explorer.ts";
import { firstSeed, share } from "./support/share.ts";
import { soak } from "./support/soak.ts";
import { FAILING_WORKLOADS, oldSegmentsAsSpares, WORKLOADS } from "./support/workloads.ts";

/** Set to the seed that a failure names, it tells that history step by step. */
const { WALSTREAM_SEED } = process.env;
const histories = 1600;

/** Most of all there are crashes in recoveries: the runtimes divide them among themselves. */
const recoveriesDivided: ExplorerOptions = { recovery: share };
/** Where that is still too much, they divide the calls as well. */
const allDivided: ExplorerOptions = { calls: share, recovery: share };

const total = nothingExplored();

function count(explored: Explored): void {
  for (const key of Object.keys(total) as (keyof Explored)[]) total[key] += explored[key];
}

for (const workload of WORKLOADS) {
  test(`${workload.name}: a crash at every call loses nothing acknowledged and brings back nothing else`, async () => {
    count(await exploreCrashes(workload, recoveriesDivided));
  });

  test(`${workload.name}: a crash at every call, in files that were used before`, async () => {
    count(await exploreCrashes(workload, { ...recoveriesDivided, planted: await oldSegmentsAsSpares(), seed: 2 }));
  });

  test(`${workload.name}: EIO at every call, in files that were used before`, async () => {
    count(await exploreFailures(workload, "EIO", { ...recoveriesDivided, planted: await oldSegmentsAsSpares() }));
  });

  test(`${workload.name}: EIO at every call, and a crash wherever the log is brought back`, async () => {
    count(await exploreReopenings(workload, "one", allDivided));
  });

  for (const code of ["ENOSPC", "EACCES"]) {
    test(`${workload.name}: ${code} at every call, and a crash after it`, async () => {
      count(await exploreFailures(workload, code, allDivided));
    });
  }
}

for (const workload of FAILING_WORKLOADS) {
  test(`${workload.name}: EIO at every call, and again wherever the log is brought back, and a crash there`, async () => {
    count(await exploreReopenings(workload, "every", allDivided));
  });
}

test("a workload is explored at every one of its calls, and in several survivals of each", async () => {
  const [workload] = WORKLOADS;
  const explored = workload === undefined ? total : await exploreCrashes(workload);
  assertGreater(explored.crashPoints, 50);
  assertGreater(explored.survivals, 50);
  assertGreaterOrEqual(explored.crashesInRecovery, 2 * explored.survivals);
  covered(total);
});

test("random histories of faults, crashes and full disks break no promise", async () => {
  const soaked = WALSTREAM_SEED === undefined
    ? await soak(firstSeed(histories), histories, { shrinkMs: 30_000 })
    : await soak(Number(WALSTREAM_SEED), 1, { say: console.log, shrinkMs: 30_000 });
  assertEquals(soaked.histories, WALSTREAM_SEED === undefined ? histories : 1);
  covered(soaked);
});
