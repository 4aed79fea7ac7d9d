import process from "node:process";
import { test } from "node:test";
import { assertEquals, assertGreater, assertGreaterOrEqual } from "@std/assert";
import { exploreCrashes, type Explored, exploreFailures } from "./support/explorer.ts";
import { soak } from "./support/soak.ts";
import { oldSegmentsAsSpares, WORKLOADS } from "./support/workloads.ts";

/** Set to the seed that a failure names, it tells that history step by step. */
const { WALSTREAM_SEED } = process.env;
const histories = 1600;

const total: Explored = { crashPoints: 0, survivals: 0, opens: 0 };

function count(explored: Explored): void {
  for (const key of Object.keys(total) as (keyof Explored)[]) total[key] += explored[key];
}

for (const workload of WORKLOADS) {
  test(`${workload.name}: a crash at every call loses nothing acknowledged and brings back nothing else`, async () => {
    count(await exploreCrashes(workload));
  });

  test(`${workload.name}: a crash at every call, in files that were used before`, async () => {
    count(await exploreCrashes(workload, { planted: await oldSegmentsAsSpares(), seed: 2 }));
  });

  test(`${workload.name}: EIO at every call, in files that were used before`, async () => {
    count(await exploreFailures(workload, "EIO", { planted: await oldSegmentsAsSpares() }));
  });

  for (const code of ["EIO", "ENOSPC", "EACCES"]) {
    test(`${workload.name}: ${code} at every call, and a crash after it`, async () => {
      count(await exploreFailures(workload, code));
    });
  }
}

test("a workload is explored at every one of its calls, and in several survivals of each", async () => {
  const [workload] = WORKLOADS;
  const explored = workload === undefined ? total : await exploreCrashes(workload);
  assertGreater(explored.crashPoints, 50);
  assertGreaterOrEqual(explored.survivals, 2 * explored.crashPoints);
  console.log(`explored ${total.crashPoints} crash points, ${total.survivals} survivals, ${total.opens} opens`);
});

test("random histories of faults, crashes and full disks break no promise", async () => {
  const soaked = WALSTREAM_SEED === undefined
    ? await soak(1, histories)
    : await soak(Number(WALSTREAM_SEED), 1, { say: console.log });
  assertEquals(soaked.histories, WALSTREAM_SEED === undefined ? histories : 1);
  console.log(`${soaked.histories} histories, ${soaked.lives} lives, ${soaked.opens} opens, ${soaked.calls} calls`);
});
