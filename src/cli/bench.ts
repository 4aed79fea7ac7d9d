/**
 * `walstream bench DIR`: what a disk can do, which preset fits it, and what to expect of that.
 *
 * @module
 */

import { resolve } from "node:path";
import process from "node:process";
import { Wal, WalDiskFullError } from "../../mod.ts";
import { isNoRoom } from "../errors.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { adviceOf, type BenchFigures, doubtOf } from "./bench_advice.ts";
import { DISK_SHARES, measureDisk } from "./bench_disk.ts";
import { ENTRY_BYTES } from "./bench_expected.ts";
import { LOG_SHARES, measureLog } from "./bench_log.ts";
import { type BenchPlace, makePlace, removePlace } from "./bench_place.ts";
import { measurePresets, PRESET_SHARES } from "./bench_presets.ts";
import { adviceText, diskTable, logTable, presetTable } from "./bench_report.ts";
import { BenchTime } from "./bench_time.ts";
import { checkPath, type Command, CommandError, ExitStatus, parseFor, usageOf } from "./command.ts";
import { Interruption } from "./interruption.ts";
import { currentRuntime } from "./runtimes.ts";

const USUAL_SECONDS = 10;
const LEAST_SECONDS = 3;
const MOST_SECONDS = 120;

const DETAILS = `for about ${USUAL_SECONDS} seconds, in a new directory that it removes

  --seconds N   from ${LEAST_SECONDS} to ${MOST_SECONDS}
  --json        all of it as one JSON object, instead of tables and sentences`;

const options = {
  seconds: { type: "string" },
  json: { type: "boolean" },
} as const;

interface Wish {
  readonly parent: string;
  readonly seconds: number;
  readonly isJson: boolean;
  readonly version: string;
}

/** The command. @param version Tells the version of the package. */
export function benchCommand(version: () => Promise<string>): Command {
  const help = {
    name: "bench",
    usage: "DIR [--seconds N] [--json]",
    summary: "measures the disk under DIR, and says which preset fits it and what to expect",
    details: DETAILS,
  };
  const usage = usageOf(help);
  return {
    ...help,
    run: async ({ arguments: given }) => {
      const parsed = parseFor(help, given, options);
      if (parsed === null) return ExitStatus.good;
      const { values, positionals: [parent, stray] } = parsed;
      if (parent === undefined || parent === "") {
        throw new CommandError(`bench needs a directory; ${usage}`, ExitStatus.usage);
      }
      checkPath(help, parent);
      if (stray !== undefined) throw new CommandError(`bench takes no ${stray}; ${usage}`, ExitStatus.usage);
      const seconds = Number(values.seconds ?? USUAL_SECONDS);
      if (!(seconds >= LEAST_SECONDS && seconds <= MOST_SECONDS)) {
        const range = `--seconds takes a number from ${LEAST_SECONDS} to ${MOST_SECONDS}`;
        throw new CommandError(`${range}, not ${values.seconds}; ${usage}`, ExitStatus.usage);
      }
      return await bench({ parent, seconds, isJson: values.json === true, version: await version() });
    },
  };
}

/** Leaves nothing behind, however it ends. */
async function bench(wish: Wish): Promise<number> {
  const interruption = new Interruption();
  const time = new BenchTime(wish.seconds, DISK_SHARES + LOG_SHARES + PRESET_SHARES, interruption.signal);
  let place: BenchPlace | null = null;
  try {
    place = await makePlace(wish.parent);
    await measure(wish, place, time);
    return ExitStatus.good;
  } catch (error) {
    if (interruption.status !== 0) return interruption.status;
    if (!isNoRoom(error) && !(error instanceof WalDiskFullError)) throw error;
    const problem = `the disk under ${wish.parent} is full: make room, or measure for fewer --seconds`;
    throw new CommandError(problem, ExitStatus.cannotCreate);
  } finally {
    time.pause();
    if (place !== null) await removePlace(place);
    interruption.end();
  }
}

/** Each table is told when it is known. */
async function measure({ parent, seconds, isJson, version }: Wish, place: BenchPlace, time: BenchTime): Promise<void> {
  const runtime = await detectRuntime();
  const runtimeVersion = process.versions[currentRuntime] ?? "";
  const { directory, inMemory, roomBytes } = place;
  const tell = (text: string): void => {
    time.pause();
    if (!isJson) process.stdout.write(`${text}\n`);
  };
  const where = resolve(parent);
  tell(`walstream ${version} on ${currentRuntime} ${runtimeVersion}, in ${where}, for about ${seconds} seconds\n`);
  if (inMemory !== null) tell(`THIS DIRECTORY LIES IN MEMORY (${inMemory}): nothing below says anything of a disk.\n`);
  const disk = await measureDisk(runtime, directory, time);
  tell(diskTable(disk));
  const entry = new Uint8Array(ENTRY_BYTES);
  runtime.randomize(entry);
  const wal = await Wal.open(runtime.join(directory, "log"), { runtime });
  try {
    const log = await measureLog(wal, entry, roomBytes, time);
    tell(logTable(log));
    const presets = await measurePresets(wal, entry, disk, roomBytes, time);
    tell(presetTable(presets));
    const figures: BenchFigures = { inMemory, disk, log, presets };
    const [doubt, advice] = [doubtOf(figures), adviceOf(figures)];
    tell(adviceText(doubt, advice));
    const about = { version, runtime: currentRuntime, runtimeVersion, directory: where, seconds };
    const report = { ...about, ...figures, doubt, advice };
    if (isJson) process.stdout.write(`${JSON.stringify(report, rounded)}\n`);
  } finally {
    await wal.close();
  }
}

/** To what a measurement is good for. What is infinite, or could not be measured, has no figure in JSON, and is null. */
function rounded(_name: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(6)) : value;
}
