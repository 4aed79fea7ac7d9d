import { test } from "node:test";
import { assertGreater } from "@std/assert";
import { exploreFailures } from "./support/explorer.ts";
import { WORKLOADS } from "./support/workloads.ts";

/** How a call fails, and at how many of the calls this is tried: at all of them, or at every so many. */
const failures = [{ code: "EIO", stride: 1 }, { code: "ENOSPC", stride: 2 }, { code: "EACCES", stride: 4 }];
let failed = 0;

for (const workload of WORKLOADS) {
  for (const { code, stride } of failures) {
    const which = stride === 1 ? "every call" : `every ${stride}. call`;
    test(`${workload.name}: ${code} at ${which}, and a crash after it`, async () => {
      failed += (await exploreFailures(workload, code, { stride })).crashPoints;
    });
  }
}

test("the explorer has failed as many calls as it says", () => {
  assertGreater(failed, 600);
});
