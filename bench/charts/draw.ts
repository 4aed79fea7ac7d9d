/**
 * `draw DIRECTORY FILES`: draws the charts of what stands in files of JSON lines.
 *
 * @module
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { PointLine } from "../harness/point_line.ts";
import { drawCharts } from "./charts.ts";

const [directory = ".", ...files] = process.argv.slice(2);
const lines = files.flatMap((file) => readFileSync(file, "utf8").split("\n"))
  .filter((line) => line.trim() !== "")
  .map((line) => JSON.parse(line) as PointLine);
mkdirSync(directory, { recursive: true });
const charts = drawCharts(lines);
if (charts.size === 0) {
  console.error("bench: these lines are not enough for any chart: measure serial and clients, or stream and recover");
  process.exitCode = 1;
}
for (const [name, svg] of charts) {
  writeFileSync(join(directory, name), svg);
  console.log(join(directory, name));
}
