// The plan of faults that other tests use: each of its words meets just the call that it says.

import { assertEquals } from "@std/assert";
import { test } from "node:test";
import type { MemoryCall, MemoryFault } from "../src/runtime/memory.ts";
import { type FaultPlan, faults } from "./support/faults.ts";

/** A plan at work on calls told as `name path`, with the faults that it makes of them. */
function tell(plan: FaultPlan, ...calls: string[]): (MemoryFault | undefined)[] {
  return calls.map((told) => {
    const [name, path = "/f", to] = told.split(" ");
    const blocking = name?.endsWith("Sync") ?? false;
    return plan.onCall({
      number: plan.calls.length + 1,
      name: name?.replace("Sync", "") as MemoryCall["name"],
      path,
      to: to ?? null,
      position: 100,
      length: 10,
      blocking,
    });
  });
}

const eio = { code: "EIO" };

test("a failure by name meets the call of that name, path and number, and no other", () => {
  assertEquals(tell(faults().fail("syncData"), "write", "syncData", "syncData"), [undefined, eio, undefined]);
  assertEquals(tell(faults().fail("write", { nth: 2 }), "write", "write", "write"), [undefined, eio, undefined]);
  assertEquals(tell(faults().fail("write", { path: "/g" }), "write", "write /gg", "write /g"), [
    undefined,
    undefined,
    eio,
  ]);
  assertEquals(tell(faults().fail("write", { path: /\.wal$/ }), "write", "write /a.wal"), [undefined, eio]);
  assertEquals(tell(faults().fail("rename", { path: "/b" }), "rename /a /c", "rename /a /b"), [undefined, eio]);
  assertEquals(tell(faults().fail("write", { blocking: true }), "write", "writeSync"), [undefined, eio]);
  assertEquals(tell(faults().fail("write", { times: 2, code: "ENOSPC" }), "write", "write", "write"), [
    { code: "ENOSPC" },
    { code: "ENOSPC" },
    undefined,
  ]);
  assertEquals(tell(faults().fail("write", { times: Infinity }), "write", "write").length, 2);
});

test("a fault by number meets the call of that number, whatever it is", () => {
  const plan = faults().failAt(2, "EACCES").stopAt(3).stopAt(4, "after");
  assertEquals(tell(plan, "open", "list", "write", "size", "size"), [
    undefined,
    { code: "EACCES" },
    { stop: "before" },
    { stop: "after" },
    undefined,
  ]);
});

test("a plan that is told more counts from then on, and may be cleared", () => {
  const plan = faults();
  tell(plan, "write", "write");
  plan.fail("write");
  assertEquals(tell(plan, "syncData", "write", "write"), [undefined, eio, undefined]);
  plan.fail("write").clear();
  assertEquals(tell(plan, "write"), [undefined]);
});

test("stops, short writes, slow calls and turned bits say what they are to do", () => {
  assertEquals(tell(faults().stop("rename", "after", { nth: 2 }), "rename", "rename"), [undefined, { stop: "after" }]);
  assertEquals(tell(faults().stopInWrite(512), "syncData", "write"), [undefined, { stop: "after", doneBytes: 512 }]);
  assertEquals(tell(faults().shortWrite(2, 7), "write", "write"), [undefined, { code: "ENOSPC", doneBytes: 7 }]);
  assertEquals(tell(faults().slow("size", 5), "size", "size", "read"), [{ delayMs: 5 }, { delayMs: 5 }, undefined]);
  assertEquals(tell(faults().misread("/f", 109, 2), "read", "read /g"), [{ flipBits: [74] }, undefined]);
  assertEquals(tell(faults().misread("/f", 110), "read"), [undefined]);
  assertEquals(tell(faults().misread("/f", 99), "read"), [undefined]);
});

test("faults that meet in one call are done together, the one told last has the last word", () => {
  const plan = faults().slow("write", 5).fail("write").shortWrite(1, 3);
  assertEquals(tell(plan, "write", "write"), [{ delayMs: 5, code: "ENOSPC", doneBytes: 3 }, { delayMs: 5 }]);
});

test("the test's own code is called at every call, and its fault is done", () => {
  const seen: string[] = [];
  const plan = faults().onEvery((call) => {
    seen.push(call.name);
    return call.name === "size" ? eio : undefined;
  });
  assertEquals(tell(plan, "write", "size"), [undefined, eio]);
  assertEquals(seen, ["write", "size"]);
});

test("a plan counts the calls, all or those of a name and place", () => {
  const plan = faults();
  tell(plan, "write", "write /g", "writeSync", "syncData");
  assertEquals(plan.countCalls(), 4);
  assertEquals(plan.countCalls("write"), 3);
  assertEquals(plan.countCalls("write", { path: "/f", blocking: false }), 1);
  assertEquals(plan.countCalls("open"), 0);
});
