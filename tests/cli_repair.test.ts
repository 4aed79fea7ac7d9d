// `walstream verify` and `walstream repair` as somebody meets them whose log is damaged: what they say, and how they end.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Wal, type WalRepair, type WalReport } from "../mod.ts";
import { cli } from "./support/cli_runs.ts";
import { segmentNames } from "./support/directories.ts";
import { inSandbox } from "./support/sandbox.ts";

/** Ten entries in three segments. */
async function writeLog(directory: string): Promise<string[]> {
  const wal = await Wal.open(directory, { segmentBytes: 16 * 1024 });
  for (let lsn = 1; lsn <= 10; lsn++) await wal.commit(`${lsn}`.padEnd(900, "."));
  await wal.close();
  return await segmentNames(directory);
}

async function flip(directory: string, name: string, offset: number): Promise<void> {
  const bytes = await readFile(join(directory, name));
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  await writeFile(join(directory, name), bytes);
}

test("a clean log: 0, in one sentence", async () => {
  await inSandbox(async (directory) => {
    await writeLog(directory);
    const { code, output, errors } = await cli(["verify", directory]).finish();
    assertEquals([code, errors], [0, ""]);
    assertStringIncludes(output, `${directory}: clean`);
    assertMatch(output, /10 entries, LSN 1 to 10, [\d,]+ bytes of frames in 3 segments/);
    const repaired = await cli(["repair", directory]).finish();
    assertEquals([repaired.code, repaired.errors], [0, ""]);
    assertStringIncludes(repaired.output, "nothing to repair");
  });
});

test("a corrupt log: 2, where, what proves it, and what to do; salvage mends it and says what it kept", async () => {
  await inSandbox(async (directory) => {
    const [first = "", second = "", third = ""] = await writeLog(directory);
    await flip(directory, first, 4096 + 2 * 960 + 100);
    const looked = await cli(["verify", directory]).finish();
    assertEquals([looked.code, looked.errors], [2, ""]);
    for (
      const part of [
        "CORRUPT",
        `corrupt: ${first}, offset 6,016`,
        "LSN 3",
        "evidence: successor",
        "--mode salvage --dry-run",
      ]
    ) {
      assertStringIncludes(looked.output, part);
    }
    const refused = await cli(["repair", directory]).finish();
    assertEquals([refused.code, refused.errors], [2, ""]);
    assertStringIncludes(refused.output, "not repaired: mode tolerate-tail refuses this");
    const dry = await cli(["repair", directory, "--mode", "salvage", "--dry-run"]).finish();
    assertEquals(dry.code, 1);
    assertStringIncludes(dry.output, "would be repaired (salvage): the log would have 9 entries, LSN 1 to 10");
    const mended = await cli(["repair", directory, "--mode", "salvage"]).finish();
    assertEquals([mended.code, mended.errors], [1, ""]);
    assertStringIncludes(mended.output, "repaired (salvage): the log has 9 entries, LSN 1 to 10");
    assertStringIncludes(mended.output, `aside-${second}, aside-${third}`);
    assertEquals((await cli(["verify", directory]).finish()).code, 0);
  });
});

test("a torn log: 1, and after a repair 0", async () => {
  await inSandbox(async (directory) => {
    const wal = await Wal.open(directory, { durability: "write" });
    for (const text of ["one", "two", "three"]) await wal.commit(text);
    const [name = ""] = await segmentNames(directory);
    const bytes = await readFile(join(directory, name));
    await wal.close();
    const at = 4096 + 2 * 56 + 54; // in the body of the third one, as a power loss might leave it
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(join(directory, name), bytes);
    await writeFile(join(directory, "lock"), new Uint8Array(512));
    const looked = await cli(["verify", directory]).finish();
    assertEquals([looked.code, looked.errors], [1, ""]);
    assertStringIncludes(looked.output, "torn");
    assertEquals((await cli(["repair", directory]).finish()).code, 1);
    assertEquals((await cli(["verify", directory]).finish()).code, 0);
  });
});

test("for a program: the same as JSON", async () => {
  await inSandbox(async (directory) => {
    const [first = ""] = await writeLog(directory);
    await flip(directory, first, 100);
    const looked = await cli(["verify", directory, "--json"]).finish();
    const report = JSON.parse(looked.output) as WalReport;
    assertEquals([looked.code, report.state, report.damage[0]?.segment, report.entries], [2, "corrupt", first, 6]);
    const mended = await cli(["repair", directory, "--json", "--mode", "point-in-time"]).finish();
    const done = JSON.parse(mended.output) as WalRepair;
    assertEquals([mended.code, done.outcome, done.setAside.length], [1, "mended", 3]);
    assertEquals(done.found, report);
  });
});

test("a directory that is not there: 66, in one line; a log that is open: 69", async () => {
  await inSandbox(async (directory) => {
    for (const command of ["verify", "repair"]) {
      const { code, output, errors } = await cli([command, join(directory, "nowhere")]).finish();
      assertEquals([code, output], [66, ""]);
      assertMatch(errors, /^walstream: cannot look at the log in .*nowhere: ENOENT[^\n]*\n?$/);
    }
    const wal = await Wal.open(directory);
    await wal.commit("x");
    const { code, errors } = await cli(["repair", directory]).finish();
    assertEquals(code, 69);
    assertMatch(errors, /held by process \d+/);
    assertEquals((await cli(["verify", directory]).finish()).code, 0);
    await wal.close();
  });
});

test("a directory in which there has never been a log: 66; one in which nothing was written yet: 0", async () => {
  await inSandbox(async (directory) => {
    for (const command of ["verify", "repair"]) {
      const { code, output, errors } = await cli([command, directory]).finish();
      assertEquals([code, output], [66, ""]);
      assertMatch(errors, /^walstream: there is no log in [^\n]*\n?$/);
    }
    const wal = await Wal.open(directory);
    await wal.close();
    for (const command of ["verify", "repair"]) assertEquals((await cli([command, directory]).finish()).code, 0);
  });
});

test("a file that cannot be read: 74, and what to do", async () => {
  await inSandbox(async (directory) => {
    const [, second = ""] = await writeLog(directory);
    await rm(join(directory, second));
    await mkdir(join(directory, second));
    for (const command of ["verify", "repair"]) {
      const { code, errors } = await cli([command, directory]).finish();
      assertEquals(code, 74);
      assertMatch(errors, /^walstream: cannot open .*EISDIR.*copy all files to another one[^\n]*\n?$/);
    }
  });
});

test("many files that were set aside are told by their number, and advice can be pasted also where the path has a space", async () => {
  await inSandbox(async (sandbox) => {
    const directory = join(sandbox, "my log's");
    const names = await writeLog(directory);
    for (let nth = 1; nth <= 9; nth++) {
      await copyFile(join(directory, names[0] ?? ""), join(directory, `aside-${names[0]}.${nth}`));
    }
    await flip(directory, names[0] ?? "", 4096 + 2 * 960 + 100);
    const { output } = await cli(["verify", directory]).finish();
    assertStringIncludes(
      output,
      `kept for you to look at, from before: 9 files, from aside-${names[0]}.1 to aside-${names[0]}.9`,
    );
    assertMatch(output, /walstream repair '\/.*my log'\\''s' --mode salvage --dry-run/);
  });
});
