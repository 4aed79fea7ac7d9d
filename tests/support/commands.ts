import process from "node:process";
import { createInterface } from "node:readline";

/** Answers each line of input by one line of JSON, until the input ends; the process then ends as it is. */
export async function answerCommands(answer: (command: string) => Promise<unknown>): Promise<never> {
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(line)));
  }
  process.exit(0);
}
