/**
 * `walstream demo`: a log is written by processes that are killed, and looked at after each kill.
 *
 * @module
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WalError } from "../../mod.ts";
import { type Command, CommandError, type CommandHelp, ExitStatus, parseFor, usageOf } from "./command.ts";
import type { Acknowledged } from "./demo_check.ts";
import { STREAM_COUNT } from "./demo_entries.ts";
import { figureColumns } from "./demo_figures.ts";
import { type DemoPlace, type Found, recoverAndCheck, writeAndKill, type Written } from "./demo_run.ts";
import { Interruption } from "./interruption.ts";
import { commandLineOn, currentRuntime, type RuntimeName, runtimeNames } from "./runtimes.ts";
import { type Column, count, milliseconds, rowOf } from "./table.ts";

const USUAL_SECONDS = 10;
const MOST_SECONDS = 60;
const FEWEST_KILLS = 3;
const SECONDS_PER_KILL = 3;
/** What recovery and the check take after the first run, before it has been measured; the log grows from run to run. */
const CLOSING_MS = 400;

const options = {
  runtime: { type: "string" },
  seconds: { type: "string" },
} as const;

/** The command. */
export const demo: Command & CommandHelp = {
  name: "demo",
  usage: `[--runtime ${runtimeNames.join("|")}] [--seconds N]`,
  summary: "a process writes to a log, is killed, and the log is checked; several times",
  details: `for ${USUAL_SECONDS} seconds, on the runtime that runs this, unless told otherwise`,
  run: async ({ arguments: given, program }) => {
    const usage = usageOf(demo);
    const parsed = parseFor(demo, given, options);
    if (parsed === null) return ExitStatus.good;
    const { values, positionals: [stray] } = parsed;
    if (stray !== undefined) throw new CommandError(`demo takes no ${stray}; ${usage}`, ExitStatus.usage);
    const runtime = runtimeNames.find((name) => name === (values.runtime ?? currentRuntime));
    if (runtime === undefined) {
      throw new CommandError(`there is no runtime ${values.runtime}; ${usage}`, ExitStatus.usage);
    }
    const seconds = Number(values.seconds ?? USUAL_SECONDS);
    if (!(seconds >= 1 && seconds <= MOST_SECONDS)) {
      const range = `--seconds takes a number from 1 to ${MOST_SECONDS}`;
      throw new CommandError(`${range}, not ${values.seconds}; ${usage}`, ExitStatus.usage);
    }
    return await demonstrate(runtime, commandLineOn(runtime, program), seconds);
  },
};

/** One run as the last table tells it. */
interface Outcome {
  readonly run: number;
  readonly written: Written;
  readonly found: Found;
}

async function demonstrate(runtime: RuntimeName, commandLine: readonly string[], seconds: number): Promise<number> {
  const interruption = new Interruption();
  const directory = await mkdtemp(join(tmpdir(), "walstream-"));
  let status: number = ExitStatus.internal;
  try {
    status = await runAll({ commandLine, directory, signal: interruption.signal }, runtime, seconds);
  } catch (error) {
    if (interruption.status === 0 && error instanceof CommandError) status = error.status;
    if (interruption.status === 0) throw error;
    status = interruption.status;
  } finally {
    const isEvidence = status === ExitStatus.wrong || status === ExitStatus.internal;
    if (isEvidence) console.log(`\nThe log is kept in ${directory}`);
    else await rm(directory, { recursive: true, force: true });
    interruption.end();
  }
  return status;
}

/** Ends at the first thing that is wrong: what is there then is the evidence. */
async function runAll(place: DemoPlace, runtime: RuntimeName, seconds: number): Promise<number> {
  const kills = Math.max(FEWEST_KILLS, Math.round(seconds / SECONDS_PER_KILL));
  console.log(`A process on ${runtime} writes to a log in ${place.directory},`);
  console.log(`${STREAM_COUNT} streams at once, and is killed in the middle of it: ${kills} times, on the same log.\n`);
  console.log(rowOf(figureColumns, figureColumns));
  const endMs = performance.now() + seconds * 1000;
  const outcomes: Outcome[] = [];
  let promised: readonly Acknowledged[] = [];
  let closingMs = CLOSING_MS;
  for (let run = 1; run <= kills && outcomes.every(isGood); run++) {
    const runsLeft = kills - run + 1;
    const closingsMs = closingMs * runsLeft * (run + kills) / 2;
    const shareMs = (endMs - performance.now() - closingsMs) / runsLeft;
    const written = await writeAndKill(place, run, performance.now() + shareMs);
    place.signal.throwIfAborted();
    const killedMs = performance.now();
    const found = await find(place, run, [...promised, ...written.acknowledged]);
    if (found === null) return ExitStatus.wrong;
    outcomes.push({ run, written, found });
    tell(written, found);
    // Whatever recovery has shown may be counted on as well, whether it was acknowledged or not.
    promised = [...promised, ...found.checked.reached];
    closingMs = (performance.now() - killedMs) / run;
  }
  report(outcomes);
  return outcomes.every(isGood) ? ExitStatus.good : ExitStatus.wrong;
}

/** Null where the log could not be opened or read, which has been said then. */
async function find(place: DemoPlace, run: number, promised: readonly Acknowledged[]): Promise<Found | null> {
  try {
    return await recoverAndCheck(place, run, promised);
  } catch (error) {
    if (place.signal.aborted || !(error instanceof WalError)) throw error;
    console.log(`     THE LOG CANNOT BE READ: ${error.message}`);
    return null;
  }
}

function isGood({ found: { checked } }: Outcome): boolean {
  return checked.missing === 0 && checked.unexpected === 0;
}

/** What happened after a kill. */
function tell({ count: acknowledged }: Written, { recovery, checked }: Found): void {
  const { end, torn, rewrittenBytes, durationMs } = recovery;
  const found = [...checked.foundByRun.values()].reduce((sum, each) => sum + each, 0);
  console.log(`     killed with ${count(acknowledged)} acknowledged; recovered in ${milliseconds(durationMs)}`);
  console.log(`     end ${end}, ${count(torn?.bytes ?? 0)} bytes torn, ${count(rewrittenBytes)} bytes written again`);
  console.log(`     all ${count(found)} entries read: ${checked.missing} missing, ${checked.unexpected} unexpected`);
  for (const remark of checked.remarks) console.log(`     WRONG: ${remark}`);
}

const outcomeColumns: readonly Column[] = [
  "run",
  "acknowledged",
  "   found",
  "beyond",
  "torn bytes",
  "recovery",
  "missing",
  "unexpected",
];

function report(outcomes: readonly Outcome[]): void {
  console.log(`\n${rowOf(outcomeColumns, outcomeColumns)}`);
  const rows = outcomes.map(numbersOf);
  for (const [nth, numbers] of rows.entries()) console.log(outcomeRow(String(nth + 1), numbers));
  // Every check is of the whole log: what is wrong in it shows in the last one.
  const sum = (column: number): number => rows.reduce((total, numbers) => total + (numbers[column] ?? 0), 0);
  const worst = (column: number): number => Math.max(...rows.map((numbers) => numbers[column] ?? 0));
  console.log(outcomeRow("all", [sum(0), sum(1), sum(2), sum(3), worst(4), worst(5), worst(6)]));
  console.log(`
beyond: written, but the child was killed before it had said that it was durable

${outcomes.every(isGood) ? GOOD : WRONG}`);
}

/** Acknowledged, found, beyond, torn bytes, recovery in ms, missing, unexpected. */
function numbersOf({ run, written, found: { recovery, checked } }: Outcome): number[] {
  const found = checked.foundByRun.get(run) ?? 0;
  const beyond = Math.max(0, found - written.count);
  const { torn, durationMs } = recovery;
  return [written.count, found, beyond, torn?.bytes ?? 0, durationMs, checked.missing, checked.unexpected];
}

function outcomeRow(name: string, numbers: readonly number[]): string {
  return rowOf(outcomeColumns, [name, ...numbers.map((each, nth) => nth === 4 ? milliseconds(each) : count(each))]);
}

const WRONG = "THE LOG IS NOT AS IT MUST BE: see the lines marked WRONG.";
const GOOD = `Every acknowledged entry is there, in order, with its content, and nothing else.

What a SIGKILL proves: nothing that was acknowledged waited in the process; the
operating system had it, and what the kill left of the files was recovered. What
it does not: the system ran on, with every byte it had been given. That the disk
keeps what it said it had synced, only a power cut can show.`;
