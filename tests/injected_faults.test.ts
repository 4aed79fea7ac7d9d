// What the system refuses in a process that runs: strace answers in the kernel's place, and sees what the log does then. What had
// been acknowledged is there afterwards; of the rest nobody is told that it is durable.

import { assert, assertEquals, assertGreaterOrEqual, assertStringIncludes } from "@std/assert";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Wal } from "../mod.ts";
import { covered } from "./support/covered.ts";
import { copyDirectory, lastSegment } from "./support/directories.ts";
import { type Files, injectedStories, type Story } from "./support/injected_stories.ts";
import { cannotInject, type DoneCall, type Place, underInjection } from "./support/injection.ts";
import { readAll } from "./support/log_contents.ts";
import type { CallOutcome, LogAnswer, LogCommand } from "./support/log_program.ts";
import { currentRuntime, type Program, startProgram } from "./support/processes.ts";
import { inSandbox } from "./support/sandbox.ts";

const ROTATING_BYTES = 40_000;
const GROWING_BYTES = 1_500_000;

let stories = 0;

/** A process that does to a log what it is told to. */
class Subject {
  readonly program: Program = startProgram(currentRuntime, "log_program");

  async tell(command: LogCommand): Promise<LogAnswer> {
    return JSON.parse(await this.program.ask(JSON.stringify(command))) as LogAnswer;
  }
}

/** The files as they are once the spares are ready. */
async function filesOf(directory: string, { options, before }: Story): Promise<Files> {
  const sizes = (): { name: string; bytes: number }[] =>
    readdirSync(directory).filter((name) => name.startsWith("spare"))
      .map((name) => ({ name, bytes: statSync(join(directory, name)).size })).sort((a, b) => b.bytes - a.bytes);
  const isRotationNear = before.length > 3 && (before[0] ?? 0) < 10_000;
  while (isRotationNear && sizes()[0]?.bytes !== options.segmentBytes) await new Promise((wake) => setTimeout(wake, 5));
  const path = (name: string): string => join(directory, name);
  const segment = await lastSegment(directory);
  return { directory, segment: path(segment), spare: path(sizes()[0]?.name ?? "spare"), lock: path("lock") };
}

function commandOf({ command, before, options }: Story, directory: string): LogCommand {
  if (command === "commit") return { do: command, bytes: options.segmentBytes === 0 ? GROWING_BYTES : ROTATING_BYTES };
  if (command === "truncateBefore") return { do: command, lsn: before.length };
  return command === "open" ? { do: command, directory, options } : { do: command };
}

function said(outcome: CallOutcome | undefined): string {
  assert(outcome?.state === "rejected", JSON.stringify(outcome));
  return `${outcome.code} ${outcome.message}`;
}

/** Everyone hears the one cause, now and later; or nobody hears of any. */
function checkOutcomes({ outcome, command, event }: Story, now: LogAnswer, later: readonly LogAnswer[]): void {
  const outcomes = [now, ...later].flatMap(({ outcomes }) => outcomes);
  if (outcome === "resolved") assert(outcomes.every(({ state }) => state === "resolved"), JSON.stringify(outcomes));
  else {
    const [first] = now.outcomes;
    assert(first?.state === "rejected", JSON.stringify(now));
    assertEquals([first.code, first.cause], outcome, first.message);
    for (const each of outcomes) assertEquals(said(each), said(first));
  }
  if (event !== undefined) assertStringIncludes(now.events.join(), event);
  const isUse = command !== "close" && command !== "open";
  if (isUse) assertEquals(now.state, outcome[0] === "WAL_FAILED" ? "failed" : "open");
}

/** What was acknowledged is there, what was not may be, and the log goes on. */
async function checkAfterwards(directory: string, { before, command }: Story, more: number): Promise<void> {
  for (const opens of [1, 2]) {
    const wal = await Wal.open(directory);
    const lengths = (await readAll(wal)).map(({ data }) => data.length);
    const firstNth = wal.firstLsn - 1;
    assert(firstNth === 0 || command === "truncateBefore" && firstNth === before.length - 1);
    assertEquals(lengths.slice(0, before.length - firstNth), before.slice(firstNth));
    assertGreaterOrEqual(lengths.length, before.length - firstNth + more);
    if (opens === 2) assertEquals([wal.recovery.end, lengths.at(-1)], ["clean", 5]);
    else await wal.commit("again");
    await wal.close();
  }
}

/** What is done with a log that has failed. */
type Ending = "closed" | "reopened";

/** Tells the story up to the injection; resolves to the directory of the log that it is about. */
async function begin({ options, before, found }: Story, subject: Subject, sandbox: string): Promise<string> {
  const directory = join(sandbox, "wal");
  await subject.tell({ do: "open", directory, options });
  for (const bytes of before) assertEquals((await subject.tell({ do: "commit", bytes })).state, "open");
  const crashed = found === "unclean" ? await copyDirectory(directory, join(sandbox, "crashed")) : directory;
  if (found !== undefined) await subject.tell({ do: "close" });
  return crashed;
}

async function run(story: Story, ending: Ending, subject: Subject, sandbox: string): Promise<void> {
  const directory = await begin(story, subject, sandbox);
  const files = await filesOf(directory, story);
  const place = { directory, traceFile: join(sandbox, "trace") };
  const injection = story.inject(files);
  const { result: [now, ...later], calls } = await underInjection(subject.program, injection, place, async () => {
    const now = await subject.tell(commandOf(story, directory));
    if (now.state !== "failed") return [now];
    const later = [await subject.tell({ do: "everything" })];
    return [now, ...later, ...ending === "closed" ? [await subject.tell({ do: "close" })] : []];
  });
  // A log that has failed gives its lock back when it is closed.
  const unlocks = later.length > 1 && (injection.paths ?? []).length === 0;
  assertEquals(calls.map(({ what }) => what), unlocks ? [...story.calls, "write lock: nobody"] : story.calls);
  checkOutcomes(story, now, later);
  const isFailed = now.state === "failed";
  if (isFailed && ending === "reopened") await reopen(subject, place, calls);
  const goesOn = now.state === "open" || isFailed && ending === "reopened";
  if (goesOn) {
    assertEquals((await subject.tell({ do: "commit", bytes: 10 })).outcomes[0]?.state, "resolved");
    assertEquals((await subject.tell({ do: "close" })).outcomes[0]?.state, "resolved");
  }
  await checkAfterwards(directory, story, goesOn ? 1 : 0);
  stories++;
}

/** The log goes on in place, and leaves alone what has failed. */
async function reopen(subject: Subject, place: Place, before: readonly DoneCall[]): Promise<void> {
  const { result, calls } = await underInjection(
    subject.program,
    { rules: [] },
    place,
    () => subject.tell({ do: "reopen" }),
  );
  assertEquals([result.outcomes[0]?.state, result.state], ["resolved", "open"], JSON.stringify(result));
  const failed = before.filter(({ what }) => / segment.* (E[A-Z]+|= 0)$/.test(what)).map(({ file }) => file);
  const touched = calls.filter(({ what, file }) => failed.includes(file) && !what.startsWith("read"));
  assertEquals(touched, []);
}

let subject: Subject | null = null;

for (const story of injectedStories) {
  // Not every runtime's report has the reason of a skip.
  const name = story.skip ? `${story.name} (${story.skip})` : story.name;
  const canBeReopened = story.outcome[0] === "WAL_FAILED" && story.command !== "close";
  for (const ending of canBeReopened ? ["closed", "reopened"] as const : ["closed"] as const) {
    test(
      canBeReopened ? `${name}; ${ending}` : name,
      { skip: cannotInject || (story.skip ?? false) },
      () =>
        inSandbox(async (sandbox) => {
          subject ??= new Subject();
          await run(story, ending, subject, sandbox);
        }),
    );
  }
}

test("all of it was tried on one process, which ends well", { skip: cannotInject }, async () => {
  const { code, errors } = await (subject ?? new Subject()).program.finish();
  assertEquals([code, errors], [0, ""]);
  covered({ injectedFaults: stories });
});
