/**
 * Kills a process that writes to a log, and knows what it had said until then.
 */

import type { WalRecovery } from "../../mod.ts";
import type { Acknowledgement } from "./crash_entries.ts";
import type { Statement } from "./crash_ledger.ts";
import type { CrashLine, CrashPlan } from "./crash_program.ts";
import type { DiskNote } from "./disk_notes.ts";
import { within } from "./deadline.ts";
import { type Program, type RuntimeName, startProgram } from "./processes.ts";

/** What a killed process had said. */
export interface Crash {
  readonly life: number;
  readonly statements: readonly Statement[];
  readonly notes: readonly DiskNote[];
  /** What it had found, or null where it was killed before it had opened the log. */
  readonly recovery: WalRecovery | null;
}

/**
 * Starts a process that writes to the log in `directory` and kills it: at the first line for which `moment` holds, or so many
 * milliseconds after it has begun to open the log, or when that has been done to it which `moment` says.
 */
export async function crash(
  runtime: RuntimeName,
  directory: string,
  plan: CrashPlan,
  moment: ((line: CrashLine) => boolean) | number | { readonly after: (program: Program) => Promise<void> },
): Promise<Crash> {
  const program = startProgram(runtime, "crash_program", { arguments: [directory, JSON.stringify(plan)] });
  try {
    if (typeof moment === "object") await moment.after(program);
    else {
      await untilLine(program, typeof moment === "number" ? () => true : moment);
      if (typeof moment === "number") await new Promise((resolve) => setTimeout(resolve, moment));
    }
  } finally {
    await program.kill();
  }
  const { signal, code, output, errors } = await program.ended;
  if (signal !== "SIGKILL" || errors !== "") throw new Error(`it ended by itself, with ${code ?? signal}: ${errors}`);
  return {
    life: plan.life,
    ...sorted(output.split("\n").filter(isWhole).map((line) => JSON.parse(line) as CrashLine)),
  };
}

/** Resolves when the program has said a line for which that holds. */
export async function untilLine(program: Program, isMoment: (line: CrashLine) => boolean): Promise<void> {
  const line = (): Promise<string> => within(20, "the next line of the program", program.nextLine());
  while (!isMoment(JSON.parse(await line()) as CrashLine));
}

/** The last line may have been cut short. */
function isWhole(line: string): boolean {
  return line.startsWith("{") && line.endsWith("}");
}

const statementNames: readonly string[] = ["acknowledged", "rejected", "flushed", "cutting", "cut"];

function sorted(lines: readonly CrashLine[]): Omit<Crash, "life"> {
  const statements: Statement[] = [];
  const notes: DiskNote[] = [];
  let recovery: WalRecovery | null = null;
  for (const line of lines) {
    if ("opened" in line) recovery = line.opened;
    else if (statementNames.some((name) => name in line)) statements.push(line as Statement);
    else if (!("opening" in line || "failed" in line)) notes.push(line as DiskNote);
  }
  return { statements, notes, recovery };
}

/** What it had said to be durable. */
export function acknowledgementsOf({ statements }: Crash): Acknowledgement[] {
  return statements.filter((statement) => "acknowledged" in statement);
}
