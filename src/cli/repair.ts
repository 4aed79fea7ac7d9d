/**
 * `walstream repair DIR`: makes a log that is torn or corrupt one that opens again.
 *
 * @module
 */

import { type RecoveryMode, Wal, type WalRepair } from "../../mod.ts";
import { SMALLEST_SEGMENT_BYTES } from "../format.ts";
import { DEFAULT_RECOVERY_MODE, RECOVERY_MODES } from "../options.ts";
import { type Command, CommandError, type CommandHelp, ExitStatus, parseFor, usageOf } from "./command.ts";
import { directoryOf, looking, mustBeLog } from "./looking.ts";
import { asideLines, entriesIn, hintLines, reportLines } from "./report_words.ts";
import { count } from "./table.ts";

const DETAILS = `no byte of what was damaged is lost: it stays in its file, or the file gets another name

  --mode MODE   ${DEFAULT_RECOVERY_MODE}, unless said: cuts off what a crash tore, refuses any other damage
                point-in-time: the log ends at the first damage
                salvage: every whole frame is kept, and the LSNs in between are skipped
                strict: refuses any damage
  --dry-run     only tells what would be done
  --json        what was found and done as one JSON object

It ends with 0 where there was nothing to do, with 1 where the log was mended (or would be), with 2 where
the mode refuses what was found, with 64 where the call is wrong, with 66 where there is no log or no way to look, with 69
where somebody has it open, with 73 where the disk is full, and with 74 where a file cannot be read.`;

const DELETABLE = "  these are the files as they were: once you miss nothing in the log, they may be deleted";

const options = {
  mode: { type: "string" },
  "dry-run": { type: "boolean" },
  json: { type: "boolean" },
} as const;

const STATUSES: Readonly<Record<WalRepair["outcome"], number>> = {
  clean: ExitStatus.good,
  mended: ExitStatus.wrong,
  refused: ExitStatus.corrupt,
};

/** The command. */
export const repair: Command & CommandHelp = {
  name: "repair",
  usage: "DIR [--mode MODE] [--dry-run] [--json]",
  summary: "makes the log in DIR whole where it is torn or corrupt",
  details: DETAILS,
  run: async ({ arguments: given }) => {
    const parsed = parseFor(repair, given, options);
    if (parsed === null) return ExitStatus.good;
    const { values, positionals } = parsed;
    const directory = directoryOf(repair, positionals);
    const mode = modeOf(values.mode);
    const dryRun = values["dry-run"] === true;
    const done = await looking((onProgress) => Wal.repair(directory, { mode, dryRun, onProgress }));
    mustBeLog(done.found);
    console.log(values.json ? JSON.stringify(done, null, 2) : repairLines(done).join("\n"));
    return STATUSES[done.outcome];
  },
};

function modeOf(given: string = DEFAULT_RECOVERY_MODE): RecoveryMode {
  const mode = RECOVERY_MODES.find((each) => each === given);
  if (mode !== undefined) return mode;
  const choices = RECOVERY_MODES.join(", ");
  throw new CommandError(`there is no mode ${given}; there are ${choices}; ${usageOf(repair)}`, ExitStatus.usage);
}

/** The modes that mend damage refuse only what is not this log's. */
function refusalLines({ mode, refusal, found }: WalRepair): string[] {
  const mends = mode === "point-in-time" || mode === "salvage";
  return mends ? [`not repaired: ${refusal}`] : [`not repaired: mode ${mode} refuses this`, ...hintLines(found)];
}

function repairLines(repair: WalRepair): string[] {
  const { mode, dryRun, outcome, found, copiedBytes, setAside } = repair;
  const lines = reportLines(found);
  if (outcome === "clean") return [...lines, "nothing to repair"];
  if (outcome === "refused") return [...lines, ...refusalLines(repair)];
  const [repaired, has, kept] = dryRun
    ? ["would be repaired", "would have", "would be put out of the log, and kept"]
    : ["repaired", "has", "put out of the log, and kept"];
  return [
    ...lines,
    `${repaired} (${mode}): the log ${has} ${entriesIn(repair)}`,
    ...asideLines(kept, setAside),
    ...(dryRun && copiedBytes > 0
      ? [`  it needs room for ${count(copiedBytes)} bytes, and ${SMALLEST_SEGMENT_BYTES / 1024} KiB for each file`]
      : []),
    ...(dryRun ? ["  nothing was changed; without --dry-run it is done"] : setAside.length === 0 ? [] : [DELETABLE]),
  ];
}
