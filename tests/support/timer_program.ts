// Sets a timer that may or may not keep the process, and comes to its end.

import process from "node:process";
import { detectRuntime } from "../../src/runtime/detect.ts";

const [keepAlive, delayMs] = process.argv.slice(2);
const runtime = await detectRuntime();
let hasCalled = false;
runtime.setTimer(() => hasCalled = true, Number(delayMs), keepAlive === "keep");
process.on("exit", () => console.log(JSON.stringify({ hasCalled })));
