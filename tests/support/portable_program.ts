// Writes the log that must be the same everywhere into a directory.

import process from "node:process";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { writePortableLog } from "./portable_log.ts";

const [directory = ""] = process.argv.slice(2);
await writePortableLog(await detectRuntime(), directory);
console.log("null");
