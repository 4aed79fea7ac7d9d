/**
 * A process of another runtime that looks at a log whose writers are killed: `checker_program.ts`, seen from the test.
 */

import type { CheckerAnswer, CheckerCommand, CheckerReport } from "./checker_program.ts";
import { within } from "./deadline.ts";
import { type Program, type RuntimeName, startProgram } from "./processes.ts";

/** See the head of this file. */
export class Checker {
  readonly #program: Program;
  /** How many acknowledgements it has found to be true. */
  checked: number = 0;
  /** How often it has looked at the log, and how many entries it has seen. */
  looks: number = 0;
  entries: number = 0;

  constructor(runtime: RuntimeName, directory: string) {
    this.#program = startProgram(runtime, "checker_program", { arguments: [directory] });
  }

  /** Rejects with what is wrong, if anything is. */
  async ask(command: CheckerCommand): Promise<CheckerReport> {
    const line = await within(60, "a look at the log", this.#program.ask(JSON.stringify(command)));
    const answer = JSON.parse(line) as CheckerAnswer;
    if ("violation" in answer) throw new Error(answer.violation);
    if ("read" in command || "open" in command) this.looks++;
    this.entries += answer.entries;
    this.checked += answer.checked;
    return answer;
  }

  async end(): Promise<void> {
    await this.#program.kill();
  }
}
