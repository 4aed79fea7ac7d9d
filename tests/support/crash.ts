/**
 * Kills a process that writes to a log, and knows what it had said until then.
 */

import { assertEquals } from "@std/assert";
import { Wal } from "../../mod.ts";
import { checkAcknowledged, checkGenuine } from "./crash_checks.ts";
import type { Acknowledgement, Submission } from "./crash_entries.ts";
import type { CrashLine, CrashPlan } from "./crash_program.ts";
import type { DiskNote } from "./disk_notes.ts";
import { readAll } from "./log_contents.ts";
import { within } from "./deadline.ts";
import { type RuntimeName, startProgram } from "./processes.ts";
import { quickRuntime } from "./quick_runtime.ts";

/** What a killed process had said. */
export interface Crash {
  readonly life: number;
  readonly acknowledgements: readonly Acknowledgement[];
  readonly notes: readonly DiskNote[];
}

/** Starts a process that writes to the log in `directory` and kills it at the first line for which `isMoment` holds. */
export async function crash(
  runtime: RuntimeName,
  directory: string,
  plan: CrashPlan,
  isMoment: (line: CrashLine) => boolean,
): Promise<Crash> {
  const program = startProgram(runtime, "crash_program", { arguments: [directory, JSON.stringify(plan)] });
  try {
    const line = (): Promise<string> => within(20, "the next line of the program", program.nextLine());
    while (!isMoment(JSON.parse(await line()) as CrashLine));
  } finally {
    await program.kill();
  }
  const { signal, output, errors } = await program.ended;
  assertEquals({ signal, errors }, { signal: "SIGKILL", errors: "" });
  const lines = output.split("\n").filter(isWhole).map((line) => JSON.parse(line) as CrashLine);
  const acknowledgements = lines.filter((line) => "acknowledged" in line);
  const notes = lines.filter((line): line is DiskNote => !("acknowledged" in line) && !("opening" in line));
  return { life: plan.life, acknowledgements, notes };
}

/** The last line may have been cut short. */
function isWhole(line: string): boolean {
  return line.startsWith("{") && line.endsWith("}");
}

/** Opens the log and fails unless all that was acknowledged is in it, and nothing that was never submitted. */
export async function checkRecovered(
  directory: string,
  crashes: readonly Crash[],
): Promise<{ wal: Wal; found: Submission[] }> {
  const wal = await Wal.open(directory, { runtime: await quickRuntime() });
  const entries = await readAll(wal);
  assertEquals(entries.length, wal.lastLsn);
  const found = checkGenuine(entries);
  for (const { life, acknowledgements } of crashes) checkAcknowledged(found, life, acknowledgements);
  return { wal, found };
}
