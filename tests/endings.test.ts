// Every end, in a process of its own on a real disk: all that was begun settles, nothing goes unhandled, and the process ends.

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { currentRuntime, startProgram } from "./support/processes.ts";
import { inSandbox } from "./support/sandbox.ts";

const endings: Readonly<Record<string, string>> = {
  "a reader is cancelled": "resolved",
  "a reader is left alone": "resolved",
  "a log is left open": "resolved",
  "a writer is aborted": "resolved",
  "a signal ends everything": "resolved",
  "the source has an error": "resolved",
  "a thousand commits wait when the log is closed, twice": "WalClosedError,resolved",
  "nobody reads what comes out": "resolved",
  "a follower commits what it sees": "resolved",
};

for (const [story, expected] of Object.entries(endings)) {
  test(`${story}: everything settles, and the process ends by itself`, () =>
    inSandbox(async (sandbox) => {
      const program = startProgram(currentRuntime, "ending_program", { arguments: [story, `${sandbox}/wal`] });
      const { code, output, errors } = await program.finish();
      assertEquals([code, output.trim(), errors], [0, expected, ""]);
    }));
}
