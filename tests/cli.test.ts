// The command line as someone meets it who types it: what it says, on which stream, and with which status it ends.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { cli } from "./support/cli_runs.ts";

interface PackageJson {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
}

const packageJson = JSON.parse(await readFile("package.json", "utf8")) as PackageJson;

test("cli: alone, and when asked for help, it says what there is", async () => {
  for (const given of [[], ["--help"], ["-h"]]) {
    const { code, output, errors } = await cli(given).finish();
    assertEquals([code, errors], [0, ""]);
    for (
      const part of [
        "walstream demo [--runtime node|deno|bun] [--seconds N]",
        "walstream bench DIR",
        "walstream verify DIR",
        "walstream repair DIR",
        "--help",
        "--version",
      ]
    ) {
      assertStringIncludes(output, part);
    }
  }
});

test("cli: a command explains itself", async () => {
  const usages = {
    demo: "[--runtime node|deno|bun] [--seconds N]",
    bench: "DIR [--seconds N] [--json]",
    verify: "DIR [--json]",
    repair: "DIR [--mode MODE] [--dry-run] [--json]",
  };
  for (const [name, usage] of Object.entries(usages)) {
    const { code, output, errors } = await cli([name, "--help"]).finish();
    assertEquals([code, errors], [0, ""]);
    assertStringIncludes(output, `usage: walstream ${name} ${usage}`);
  }
});

test("cli: its version is the package's", async () => {
  for (const given of [["--version"], ["-v"]]) {
    const { code, output, errors } = await cli(given).finish();
    assertEquals([code, output, errors], [0, `walstream ${packageJson.version}`, ""]);
  }
});

test("cli: wrong use is told in one line that says what there is, with status 64", async () => {
  const commands = "there are the commands demo, bench, verify, repair and the options --help, --version";
  const usage = "usage: walstream demo [--runtime node|deno|bun] [--seconds N]";
  const benchUsage = "usage: walstream bench DIR [--seconds N] [--json]";
  const wrong: [string[], string, string][] = [
    [["nonsense"], "there is no command nonsense", commands],
    [["--nonsense"], "'--nonsense'", commands],
    [["--version", "nonsense"], "nonsense", commands],
    [["demo", "--nonsense"], "'--nonsense'", usage],
    [["demo", "nonsense"], "nonsense", usage],
    [["demo", "--seconds"], "--seconds", usage],
    [["demo", "--seconds", "0"], "not 0", usage],
    [["demo", "--seconds", "soon"], "not soon", usage],
    [["demo", "--runtime", "perl"], "there is no runtime perl", usage],
    [["verify"], "verify needs the directory of a log", "usage: walstream verify DIR"],
    [["verify", ".", "nonsense"], "nonsense", "usage: walstream verify DIR"],
    [["repair"], "repair needs the directory of a log", "usage: walstream repair DIR"],
    [["repair", ".", "--mode", "lenient"], "there is no mode lenient", "strict, tolerate-tail, point-in-time, salvage"],
    [["bench"], "bench needs a directory", benchUsage],
    [["bench", ".", "nonsense"], "nonsense", benchUsage],
    [["bench", ".", "--nonsense"], "'--nonsense'", benchUsage],
    [["bench", ".", "--seconds", "2"], "from 3 to 120, not 2", benchUsage],
  ];
  const ends = await Promise.all(wrong.map(([given]) => cli(given).finish()));
  for (const [nth, { code, output, errors }] of ends.entries()) {
    const [, problem = "", whatThereIs = ""] = wrong[nth] ?? [];
    assertEquals([code, output], [64, ""], errors);
    assertMatch(errors, /^walstream: [^\n]+\n$/);
    assertStringIncludes(errors, problem);
    assertStringIncludes(errors, whatThereIs);
  }
});

test("cli: a URL in the place of a directory is wrong use, with status 64, and it says to give a path", async () => {
  for (const name of ["verify", "repair", "bench"]) {
    for (const url of ["file:///tmp", "FILE:/tmp", "https://example.org/wal"]) {
      const { code, output, errors } = await cli([name, url]).finish();
      assertEquals([code, output], [64, ""], errors);
      assertMatch(errors, /^walstream: [^\n]+\n$/);
      assertStringIncludes(
        errors,
        `${name} takes a path, such as /data/wal, and ${url} is a URL; usage: walstream ${name}`,
      );
    }
  }
});

test("cli: the file that npm links can be started by its first line, and comes from main.ts", async () => {
  assertEquals(packageJson.bin, { walstream: "dist/src/cli/main.js" });
  assertEquals((await readFile("src/cli/main.ts", "utf8")).split("\n")[0], "#!/usr/bin/env node");
});
