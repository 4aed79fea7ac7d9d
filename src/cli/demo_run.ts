/**
 * One run of the demonstration: a child writes, is killed, and its log is opened here and checked.
 *
 * @module
 */

import { Wal, type WalRecovery } from "../../mod.ts";
import { CommandError, ExitStatus } from "./command.ts";
import { type Acknowledged, type Checked, checkLog } from "./demo_check.ts";
import { type ChildEnd, DemoChild } from "./demo_child.ts";
import { DemoFigures } from "./demo_figures.ts";
import { LiveLine } from "./table.ts";

/** What does not change from run to run. */
export interface DemoPlace {
  /** What starts the child: a runtime, its flags, and the program. */
  readonly commandLine: readonly string[];
  readonly directory: string;
  /** The wish to end early. */
  readonly signal: AbortSignal;
}

/** What a child had said before it was killed. */
export interface Written {
  readonly acknowledged: readonly Acknowledged[];
  /** How many entries that are. */
  readonly count: number;
}

/** What was found after that. */
export interface Found {
  readonly recovery: WalRecovery;
  readonly checked: Checked;
}

/** A runtime that has to compile the program first, on a busy machine. */
const LONGEST_START_MS = 30_000;
/** However long it took to start: a kill is worth something only when there is something to lose. */
const SHORTEST_WRITE_MS = 200;
const LINE_EVERY_MS = 1000;

/** Lets a child write until `killMs`, a time of the monotonic clock, and kills it. */
export async function writeAndKill(place: DemoPlace, run: number, killMs: number): Promise<Written> {
  const figures = new DemoFigures(run);
  const line = new LiveLine(LINE_EVERY_MS);
  const over = new AbortController();
  let isOpen = false;
  let hasEnded = false;
  let begin: () => void = () => {};
  const begun = new Promise<void>((resolve) => begin = resolve);
  const child = new DemoChild(place.commandLine, place.directory, run, (said) => {
    figures.take(said);
    if (said.type === "open") isOpen = true;
    if (said.type === "acknowledged") begin();
    else line.show(figures.row());
  });
  void child.ended.then(() => hasEnded = true).then(() => over.abort());
  const interrupt = (): void => over.abort();
  place.signal.addEventListener("abort", interrupt);
  if (place.signal.aborted) interrupt();
  await Promise.race([begun, pause(LONGEST_START_MS, over.signal)]);
  if (figures.count > 0) await pause(Math.max(SHORTEST_WRITE_MS, killMs - performance.now()), over.signal);
  const endedItself = hasEnded;
  over.abort();
  const end = await child.kill();
  place.signal.removeEventListener("abort", interrupt);
  line.end(figures.finalRow());
  if (!place.signal.aborted && (endedItself || figures.count === 0)) {
    // Nothing has been written before the first child has opened the log: it could not be started.
    const hasStarted = run > 1 || isOpen;
    throw new CommandError(problemOf(end, endedItself), hasStarted ? ExitStatus.internal : ExitStatus.unavailable);
  }
  return { acknowledged: figures.acknowledged, count: figures.count };
}

/** Opens the log, and reads all of it. */
export async function recoverAndCheck(
  { directory, signal }: DemoPlace,
  run: number,
  acknowledged: readonly Acknowledged[],
): Promise<Found> {
  const wal = await Wal.open(directory, { signal });
  try {
    return { recovery: wal.recovery, checked: await checkLog(wal.readable({ signal }), run, acknowledged) };
  } finally {
    await wal.close();
  }
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
  });
}

function problemOf({ code, signal, errors }: ChildEnd, endedItself: boolean): string {
  if (!endedItself) return `the child acknowledged nothing for ${LONGEST_START_MS / 1000} s`;
  const lines = errors.split("\n");
  const why = lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? "";
  return `the child ended by itself with ${code ?? signal ?? "no status"}${why === "" ? "" : `: ${why.trim()}`}`;
}
