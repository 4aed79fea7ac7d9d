/**
 * `walstream verify DIR`: looks at all of a log, and says what is there and what is damaged.
 *
 * @module
 */

import { Wal, type WalReport } from "../../mod.ts";
import { type Command, ExitStatus, parse } from "./command.ts";
import { directoryOf, looking, mustBeLog } from "./looking.ts";
import { hintLines, reportLines } from "./report_words.ts";

const DETAILS = `without its lock, also while it is written; nothing is changed

  --json        the report as one JSON object

It ends with 0 where the log is whole, with 1 where a crash has torn its end, which opening it mends,
with 2 where it is corrupt, with 64 where the call is wrong, with 66 where there is no log or no way to look, and with 74
where a file cannot be read.`;

const options = { json: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;

/** The command. */
export const verify: Command = {
  name: "verify",
  usage: "DIR [--json]",
  summary: "looks at every byte of the log in DIR, and tells what is there and what is damaged",
  run: async ({ arguments: given }) => {
    const usage = `usage: walstream ${verify.name} ${verify.usage}`;
    const { values, positionals } = parse(given, options, usage);
    if (values.help) {
      console.log(`${usage}\n\n${verify.summary};\n${DETAILS}`);
      return ExitStatus.good;
    }
    const directory = directoryOf(verify.name, positionals, usage);
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
