// The demonstration: that it ends well on a good log, that its check can fail, and that it leaves nothing behind.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { Wal } from "../mod.ts";
import { type Acknowledged, type Checked, checkLog, type ReadEntry } from "../src/cli/demo_check.ts";
import { type EntryNumber, entryText, readEntryText } from "../src/cli/demo_entries.ts";
import { cli } from "./support/cli_runs.ts";
import { within } from "./support/deadline.ts";
import { segmentNames } from "./support/directories.ts";
import { currentRuntime, type Ended, type Program, type RuntimeName, runtimeNames } from "./support/processes.ts";
import { inSandbox } from "./support/sandbox.ts";

const LIMIT_SECONDS = 30;

/** Where the demonstration shall put its log. */
function inDirectory(directory: string): { environment: Record<string, string> } {
  return { environment: { TMPDIR: directory, TEMP: directory, TMP: directory } };
}

/** How it ended; a demonstration that does not end is ended. */
async function endOf(demo: Program): Promise<Ended> {
  try {
    return await within(LIMIT_SECONDS, "the demo", demo.ended);
  } finally {
    await demo.kill();
  }
}

async function assertDemonstrates(given: readonly string[], runtime: RuntimeName): Promise<void> {
  await inSandbox(async (sandbox) => {
    const demo = cli(["demo", "--seconds", "2", ...given], inDirectory(sandbox));
    const { code, output, errors } = await endOf(demo);
    assertEquals([code, errors], [0, ""], output);
    assertStringIncludes(output, `A process on ${runtime} writes`);
    for (const row of ["1", "2", "3", "all"]) {
      assertMatch(output, new RegExp(`^ *${row}( +[1-9][\\d,]*){2}( +[\\d,]+){2} +[\\d.]+ ms +0 +0$`, "m"));
    }
    assertStringIncludes(output, "Every acknowledged entry is there, in order, with its content, and nothing else.");
    const longest = output.split("\n").filter((line) => !line.includes(sandbox)).reduce(
      (most, { length }) => Math.max(most, length),
      0,
    );
    assert(longest <= 80, `a line of ${longest} columns`);
    assert(!output.includes("\x1b") && !output.includes("\r"), "no terminal, no control characters");
    assertEquals(await readdir(sandbox), [], "it leaves nothing behind");
  });
}

test("demo: three kills on the runtime that it runs on, and every acknowledged entry is there", () =>
  assertDemonstrates([], currentRuntime));

test("demo: a process on one runtime is killed, and another runtime reads its log", () => {
  const next = runtimeNames[(runtimeNames.indexOf(currentRuntime) + 1) % runtimeNames.length] ?? currentRuntime;
  return assertDemonstrates(["--runtime", next], next);
});

async function nextLineLike(demo: Program, pattern: RegExp): Promise<RegExpExecArray> {
  try {
    for (;;) {
      const match = pattern.exec(await within(LIMIT_SECONDS, String(pattern), demo.nextLine()));
      if (match !== null) return match;
    }
  } catch (error) {
    await demo.kill();
    throw error;
  }
}

test("demo: where somebody takes the log away it ends with status 1, and keeps what is left", () =>
  inSandbox(async (sandbox) => {
    const demo = cli(["demo", "--seconds", "8"], inDirectory(sandbox));
    const [, directory = ""] = await nextLineLike(demo, / (\S+),$/);
    assert(directory.startsWith(sandbox), directory);
    await nextLineLike(demo, /^ +1 +[1-9]/);
    for (const name of await segmentNames(directory)) await rm(join(directory, name));
    const { code, output, errors } = await endOf(demo);
    assertEquals([code, errors], [1, ""], output);
    assertMatch(output, /THE LOG (IS NOT AS IT MUST BE|CANNOT BE READ)/);
    assertStringIncludes(output, `The log is kept in ${directory}`);
    assert((await readdir(directory)).length > 0);
  }));

test("demo: an interruption ends the child too, and removes the directory", () =>
  inSandbox(async (sandbox) => {
    const demo = cli(["demo", "--seconds", "20"], inDirectory(sandbox));
    await nextLineLike(demo, /^ +1 +[1-9]/);
    process.kill(demo.pid, "SIGINT");
    const { code, errors } = await endOf(demo);
    assertEquals([code, errors, await readdir(sandbox)], [130, "", []]);
  }));

const other: RuntimeName = currentRuntime === "deno" ? "bun" : "deno";

/** Makes a directory the working directory of a program. */
function under(directory: string): string[] {
  return ["/bin/sh", "-c", 'cd "$0" && exec "$@"', directory];
}

test("demo: a script that stands before the runtime shelters nobody from the kill", () =>
  inSandbox(async (sandbox) => {
    const bin = join(sandbox, "elsewhere/node_modules/.bin");
    await mkdir(bin, { recursive: true });
    await mkdir(join(sandbox, "logs"));
    // It waits for the runtime, as a package manager's does, and a signal would end it alone.
    const script = `#!/bin/sh\n"${resolve("node_modules/.bin", other)}" "$@"\necho $? >> "${sandbox}/statuses"\n`;
    await writeFile(join(bin, other), script, { mode: 0o755 });
    const { environment } = inDirectory(join(sandbox, "logs"));
    const given = ["demo", "--seconds", "1", "--runtime", other];
    const demo = cli(given, { under: under(join(sandbox, "elsewhere")), environment });
    const { code, output, errors } = await endOf(demo);
    assertEquals([code, errors], [0, ""], output);
    assertEquals(await readdir(join(sandbox, "logs")), []);
    assertEquals(await readFile(join(sandbox, "statuses"), "utf8"), "137\n".repeat(3), "each died of SIGKILL");
  }));

test("demo: a child that ends by itself is told in one line, and what it wrote is kept", () =>
  inSandbox(async (sandbox) => {
    const bin = join(sandbox, "elsewhere/node_modules/.bin");
    await mkdir(bin, { recursive: true });
    // The first time it cannot be started, then it writes and ends.
    const line = '{"type":"open","pid":99999999,"runtime":""}';
    const script =
      `#!/bin/sh\ntest -e "${sandbox}/tried" && echo '${line}'\ntouch "${sandbox}/tried"\necho no >&2\nexit 3\n`;
    await writeFile(join(bin, other), script, { mode: 0o755 });
    await mkdir(join(sandbox, "logs"));
    const { environment } = inDirectory(join(sandbox, "logs"));
    for (const [status, kept] of [[69, 0], [70, 1]]) {
      const demo = cli(["demo", "--runtime", other], { under: under(join(sandbox, "elsewhere")), environment });
      const { code, errors } = await endOf(demo);
      assertEquals([code, errors], [status, "walstream: the child ended by itself with 3: no\n"]);
      assertEquals((await readdir(join(sandbox, "logs"))).length, kept);
    }
  }));

test("demo: a runtime that is not there is named, with status 69", () =>
  inSandbox(async (sandbox) => {
    const environment = { ...inDirectory(sandbox).environment, PATH: sandbox };
    const demo = cli(["demo", "--runtime", other], { under: under(sandbox), environment });
    const { code, output, errors } = await endOf(demo);
    assertEquals([code, output], [69, ""]);
    assertMatch(errors, new RegExp(`^walstream: ${other} is not there: [^\\n]+\\n$`));
  }));

// -- the check

const numbers: readonly EntryNumber[] = [1, 2].flatMap((run) =>
  [1, 2, 3, 4].flatMap((sequence) => [1, 2].map((stream) => ({ run, stream, sequence })))
);

const good: readonly ReadEntry[] = numbers.map((number, nth) => ({ lsn: nth + 1, text: () => entryText(number) }));

/** All but the last entry of each stream of the second run. */
const acknowledged: readonly Acknowledged[] = numbers.map((number, nth) => ({ ...number, lsn: nth + 1 })).filter(
  ({ run, sequence }) => run < 2 || sequence < 4,
);

async function* streamOf(entries: readonly ReadEntry[]): AsyncGenerator<ReadEntry> {
  yield* entries;
}

function check(entries: readonly ReadEntry[], promised: readonly Acknowledged[] = acknowledged): Promise<Checked> {
  return checkLog(streamOf(entries), 2, promised);
}

async function assertWrong(entries: readonly ReadEntry[], missing: number, unexpected: number): Promise<void> {
  const checked = await check(entries);
  assertEquals([checked.missing, checked.unexpected], [missing, unexpected], checked.remarks.join("\n"));
  assert(checked.remarks.length > 0, "it says what");
}

/** The same entries, numbered anew: what a log that has lost its memory would show. */
function renumbered(entries: readonly ReadEntry[]): ReadEntry[] {
  return entries.map(({ text }, nth) => ({ lsn: nth + 1, text }));
}

test("demo: its check finds nothing wrong with a good log, whether or not it ends behind what was acknowledged", async () => {
  for (const entries of [good, good.slice(0, -1), good.slice(0, -2)]) {
    const { missing, unexpected, remarks, foundByRun, reached } = await check(entries);
    assertEquals([missing, unexpected, remarks], [0, 0, []]);
    assertEquals([...foundByRun], [[1, 8], [2, entries.length - 8]]);
    assertEquals(reached.reduce((sum, { sequence }) => sum + sequence, 0), entries.length);
  }
});

test("demo: its check counts what is missing at the front, in the middle and at the end", async () => {
  await assertWrong(good.slice(1), 1, 0);
  await assertWrong(good.toSpliced(5, 1), 1, 0);
  await assertWrong(good.toSpliced(5, 3), 3, 0);
  await assertWrong(good.slice(0, -3), 1, 0);
  await assertWrong(good.slice(0, 8), 6, 0);
  await assertWrong([], 14, 0);
});

test("demo: its check finds an entry that is in the place of another", async () => {
  const [first, second] = good;
  assert(first !== undefined && second !== undefined);
  // Both streams are whole, and yet it is not the log that was acknowledged.
  const swapped = renumbered([second, first, ...good.slice(2)]);
  assert((await check(swapped)).unexpected === 2);
  const unnoticed = await check(swapped, []);
  assertEquals([unnoticed.missing, unnoticed.unexpected], [0, 0]);
});

test("demo: its check finds what nobody wrote", async () => {
  const changed = good.with(3, { lsn: 4, text: () => `${entryText({ run: 1, stream: 2, sequence: 2 })}x` });
  await assertWrong(changed, 1, 1);
  const last = good.length + 1;
  for (
    const text of [
      "",
      "hello",
      entryText({ run: 3, stream: 1, sequence: 1 }), // nobody has begun that run
      entryText({ run: 1, stream: 1, sequence: 5 }), // that run was over
      entryText({ run: 2, stream: 1, sequence: 4 }), // twice
      entryText({ run: 2, stream: 9, sequence: 1 }), // no such stream
    ]
  ) await assertWrong([...good, { lsn: last, text: () => text }], 0, 1);
  await assertWrong([...good, { lsn: 3, text: () => entryText({ run: 2, stream: 1, sequence: 5 }) }], 0, 1);
});

test("demo: its check finds the entry that is missing in a log on the disk", () =>
  inSandbox(async (sandbox) => {
    const wal = await Wal.open(sandbox);
    for (const { text } of good.toSpliced(9, 1)) wal.append(text());
    await wal.flush();
    const checked = await checkLog(wal.readable(), 2, acknowledged);
    await wal.close();
    // The five behind it have moved to LSNs that were acknowledged as others.
    assertEquals([checked.missing, checked.unexpected], [1, 5]);
    assertMatch(checked.remarks.join("\n"), /run 2 stream 2 entry 2 follows entry 0/);
  }));

test("demo: an entry's content is its own, and says which entry it is", () => {
  const texts = numbers.map(entryText);
  assertEquals(new Set(texts).size, texts.length);
  assertEquals(texts.map(readEntryText), [...numbers]);
  for (const text of texts) {
    assertEquals(readEntryText(text.slice(0, -1)), null);
    assertEquals(readEntryText(text.replace("entry ", "entry 1")), null);
  }
});
