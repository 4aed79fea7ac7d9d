/**
 * `walstream verify DIR`: looks at all of a log, and says what is there and what is damaged.
 *
 * @module
 */

import { Wal, type WalReport } from "../../mod.ts";
import { type Command, type CommandHelp, ExitStatus, parseFor } from "./command.ts";
import { directoryOf, looking, mustBeLog } from "./looking.ts";
import { hintLines, reportLines } from "./report_words.ts";

const DETAILS = `without its lock, also while it is written; nothing is changed

  --json        the report as one JSON object

It ends with 0 where the log is whole, with 1 where a crash has torn its end, which opening it mends,
with 2 where it is corrupt, with 64 where the call is wrong, with 66 where there is no log or no way to look, and with 74
where a file cannot be read.`;

const options = { json: { type: "boolean" } } as const;

/** The command. */
export const verify: Command & CommandHelp = {
  name: "verify",
  usage: "DIR [--json]",
  summary: "looks at every byte of the log in DIR, and tells what is there and what is damaged",
  details: DETAILS,
  run: async ({ arguments: given }) => {
    const parsed = parseFor(verify, given, options);
    if (parsed === null) return ExitStatus.good;
    const { values, positionals } = parsed;
    const directory = directoryOf(verify, positionals);
    const report = await looking((onProgress) => Wal.verify(directory, { onProgress }));
    mustBeLog(report);
    console.log(
      values.json ? JSON.stringify(report, null, 2) : [...reportLines(report), ...hintLines(report)].join("\n"),
    );
    return statusOf(report);
  },
};

function statusOf({ state }: WalReport): number {
  if (state === "corrupt") return ExitStatus.corrupt;
  return state === "torn" ? ExitStatus.wrong : ExitStatus.good;
}
