import { test } from "node:test";
import { assertGreater } from "@std/assert";
import { exploreCrashes, type Explored, exploreFailures } from "./support/explorer.ts";
import { oldSegmentsAsSpares, WORKLOADS } from "./support/workloads.ts";

const total: Explored = { crashPoints: 0, survivals: 0, opens: 0 };

function count(explored: Explored): void {
  for (const key of Object.keys(total) as (keyof Explored)[]) total[key] += explored[key];
}

for (const workload of WORKLOADS) {
  test(`${workload.name}: a crash at every call loses nothing acknowledged and brings back nothing else`, async () => {
    count(await exploreCrashes(workload));
  });

  test(`${workload.name}: a crash at every call, in files that were used before`, async () => {
    count(await exploreCrashes(workload, { planted: await oldSegmentsAsSpares(), seed: 2, stride: 3 }));
  });

  for (const code of ["EIO", "ENOSPC"]) {
    test(`${workload.name}: ${code} at every call, and a crash after it`, async () => {
      count(await exploreFailures(workload, code));
    });
  }

  test(`${workload.name}: EACCES at every third call, and a crash after it`, async () => {
    count(await exploreFailures(workload, "EACCES", { stride: 3 }));
  });
}

test("the explorer has looked at as much as it says", () => {
  console.log(`explored ${total.crashPoints} crash points, ${total.survivals} survivals, ${total.opens} opens`);
  assertGreater(total.crashPoints, 2000);
});
