import { test } from "node:test";
import { assertGreater } from "@std/assert";
import { exploreCrashes } from "./support/explorer.ts";
import { oldSegmentsAsSpares, WORKLOADS } from "./support/workloads.ts";

let crashPoints = 0;

for (const workload of WORKLOADS) {
  test(`${workload.name}: a crash at every call loses nothing acknowledged and brings back nothing else`, async () => {
    crashPoints += (await exploreCrashes(workload)).crashPoints;
  });

  test(`${workload.name}: a crash at every third call, in files that were used before`, async () => {
    const planted = await oldSegmentsAsSpares();
    crashPoints += (await exploreCrashes(workload, { planted, seed: 2, stride: 3 })).crashPoints;
  });
}

test("the explorer has crashed the log as often as it says", () => {
  assertGreater(crashPoints, 1000);
});
