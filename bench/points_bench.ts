/**
 * `deno bench`, over the same points.
 *
 *     deno bench --allow-all bench/points_bench.ts --filter serial
 *     deno bench --allow-all bench/points_bench.ts -- --quick
 *
 * An iteration is a round of one contender. What Deno shows is how long the part that counts took, all of it: of
 * `serial` that is a second's worth of commits, not one. The figures that the limits are about, the contenders
 * taking turns and the limits are what `npm run bench -- --runtime deno` shows.
 *
 * @module
 */

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { collectGarbage } from "./harness/garbage.ts";
import { disk } from "./harness/machine.ts";
import type { Contender, Point, Watch } from "./harness/point.ts";
import { RoundDirectories } from "./harness/round_directories.ts";
import { stopwatch } from "./harness/rounds.ts";
import { Scale } from "./harness/scale.ts";
import { points } from "./points.ts";

interface BenchContext {
  start(): void;
  end(): void;
}

interface BenchDefinition {
  readonly name: string;
  readonly group: string;
  readonly n: number;
  readonly warmup: number;
  fn(context: BenchContext): Promise<void>;
}

// As much of Deno as is needed: the types of Deno itself are not there when the bench is compiled for Node.
declare const Deno: { bench(definition: BenchDefinition): void };

const ROUNDS = 5;

const isQuick: boolean = process.argv.includes("--quick");
const directory: string = fs.mkdtempSync(join(tmpdir(), "walstream-bench-"));
globalThis.addEventListener("unload", () => fs.rmSync(directory, { recursive: true, force: true }));
const scale: Scale = new Scale(isQuick, disk(directory, 100).fdatasync.p50Us);
const directories: RoundDirectories = new RoundDirectories(directory);

/** Deno's own watch takes one part of an iteration. */
function watchOf(context: BenchContext): Watch {
  const own = stopwatch();
  let parts = 0;
  return {
    takesOnePart: true,
    start: () => {
      if (parts === 0) context.start();
      own.start();
    },
    stop: () => {
      const elapsedMs = own.stop();
      if (parts++ === 0) context.end();
      return elapsedMs;
    },
  };
}

function add(point: Point, contender: Contender): void {
  let isPrepared = false;
  Deno.bench({
    name: `${point.name}: ${contender.name}${contender.part === undefined ? "" : `, ${contender.part}`}`,
    group: point.name,
    n: isQuick ? 1 : ROUNDS,
    warmup: isQuick || point.isExact === true ? 0 : 1,
    fn: async (context) => {
      if (!isPrepared) await contender.prepare?.(directories.make());
      isPrepared = true;
      const own = directories.make();
      collectGarbage();
      await contender.round(own, watchOf(context));
      await directories.remove(own);
    },
  });
}

for (const point of points) {
  for (const contender of point.contenders(scale)) {
    const obstacle = await contender.unavailable?.() ?? null;
    if (obstacle === null) add(point, contender);
  }
}
