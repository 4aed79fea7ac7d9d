// A log of each format that was ever released is kept, and read for ever: by the package, and by a stranger who has
// nothing but the words in which the format is described.

import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Entry, Wal } from "../mod.ts";
import { FORMAT_VERSION } from "../src/format.ts";
import {
  type GoldenContents,
  goldenDirectory as golden,
  type GoldenEntry,
  makeGoldenLog,
} from "./golden/golden_log.ts";
import { copyDirectory, readDirectory } from "./support/directories.ts";
import { readAll } from "./support/log_contents.ts";
import { currentRuntime, Program } from "./support/processes.ts";
import { inSandbox } from "./support/sandbox.ts";
import { readAsStranger, type StrangeEntry } from "./support/stranger.ts";

const versions: readonly string[] = readdirSync(golden).filter((name) => /^v\d+$/.test(name));

function contentsOf(version: string): GoldenContents {
  return JSON.parse(readFileSync(join(golden, `${version}.json`), "utf8")) as GoldenContents;
}

/** Bytes that are a text in UTF-8 are written down as such, all others in hexadecimal. */
function goldenOf({ lsn, kind, time, data }: Entry | StrangeEntry, like: GoldenEntry | undefined): GoldenEntry {
  if (like?.hex === undefined) return { lsn, kind, time, text: new TextDecoder().decode(data) };
  return { lsn, kind, time, hex: Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("") };
}

function assertHolds(found: readonly (Entry | StrangeEntry)[], { entries }: GoldenContents): void {
  assertEquals(found.map((entry, nth) => goldenOf(entry, entries[nth])), [...entries]);
}

test("a log of the current format is kept, small, and with a mark in its lock file", () => {
  assert(versions.includes(`v${FORMAT_VERSION}`), "make it by tests/golden/make.ts");
  for (const version of versions) {
    const files = readdirSync(join(golden, version)).map((name) => readFileSync(join(golden, version, name)));
    assertLess(files.reduce((sum, { length }) => sum + length, 0), 40 * 1024);
    assert(existsSync(join(golden, version, "lock")));
  }
});

test("a log that is kept is read as it was written, and goes on", () =>
  inSandbox(async (sandbox) => {
    for (const version of versions) {
      const directory = await copyDirectory(join(golden, version), join(sandbox, version));
      const contents = contentsOf(version);
      const wal = await Wal.open(directory);
      const { end, firstLsn, lastLsn, segments } = wal.recovery;
      assertEquals([end, firstLsn, lastLsn, segments], ["clean", 1, contents.lastLsn, contents.frames.length]);
      assertHolds(await readAll(wal), contents);
      for (const [first, last] of contents.skipped) {
        for (let lsn = first; lsn <= last; lsn++) {
          const outcome = await wal.waitFor(lsn).then(() => "is there", () => "is not there");
          assertEquals(outcome, "is not there", `LSN ${lsn}`);
        }
      }
      assertEquals(await wal.commit("appended"), contents.lastLsn + 1);
      await wal.close();
      const after = await Wal.open(directory);
      assertEquals(after.recovery.end, "clean");
      const entries = await readAll(after);
      assertHolds(entries.slice(0, -1), contents);
      assertEquals(entries.at(-1)?.text(), "appended");
      await after.close();
    }
  }));

test("a stranger reads a log that is kept by the words of src/format.ts alone", async () => {
  for (const version of versions) {
    const files = [...await readDirectory(join(golden, version))].map(([name, { bytes }]) => [name, bytes] as const);
    assertIsRead(new Map(files), contentsOf(version));
  }
});

test("a stranger reads by these words what is written today", async () => {
  const { files, contents } = await makeGoldenLog();
  assertIsRead(files, contents);
});

test("a log that is kept is not overwritten, unless somebody takes it away first", async () => {
  assert(existsSync(join(golden, `v${FORMAT_VERSION}`)), "make it by tests/golden/make.ts");
  const before = await readDirectory(join(golden, `v${FORMAT_VERSION}`));
  const ending = import.meta.url.endsWith(".js") ? "js" : "ts";
  const path = fileURLToPath(new URL(`./golden/make.${ending}`, import.meta.url));
  const flags = currentRuntime === "deno" ? ["run", "--quiet", "--allow-all"] : [];
  const { code, errors } = await new Program(process.execPath, [...flags, path], {}).finish();
  assertEquals(code, 1, errors);
  assertStringIncludes(errors, "is there already");
  assertEquals(await readDirectory(join(golden, `v${FORMAT_VERSION}`)), before);
});

function assertIsRead(files: ReadonlyMap<string, Uint8Array>, contents: GoldenContents): void {
  const { entries, frames, lockMark } = readAsStranger(files);
  assertHolds(entries, contents);
  const segments = [...new Set(frames.map(({ segment }) => segment))];
  const kinds = segments.map((id) => frames.filter(({ segment }) => segment === id).map(({ kind }) => kind));
  assertEquals(kinds, contents.frames.map((each) => [...each]));
  const skips = frames.filter(({ kind }) => kind === "SKIP").map(({ firstLsn, payload }) => [firstLsn, payload]);
  assertEquals(skips, contents.skipped.map((each) => [...each]));
  const mark = frames.at(-1);
  assertEquals(lockMark, { segment: mark?.segment, offset: mark?.offset, lsn: contents.lastLsn });
}
