// Sets timers of a process in memory, and ends when they let it. "none": one that has called by then. "keep": one that is to
// keep the program. "again": a background timer that sets itself again and again. "busy": one that also uses the disk.

import process from "node:process";
import { MemoryRuntime } from "../../src/runtime/memory.ts";

const how = process.argv[2];
const runtime = new MemoryRuntime();
let calls = 0;
const again = (): void => {
  if (how === "busy") void runtime.list("/");
  // A program that is kept would else never say so.
  if (++calls < 10_000) runtime.setTimer(again, 1000, false);
};
if (how === "again" || how === "busy") again();
else runtime.setTimer(() => calls++, 1000, how === "keep");
if (how === "none") await runtime.clock.advance(1000);
process.on("exit", () => console.log(JSON.stringify({ calls })));
