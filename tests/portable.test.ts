// A log belongs to no runtime: what one has written the others read and go on with, and all of them write the same bytes.

import { assert, assertEquals, assertGreater } from "@std/assert";
import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { Wal } from "../mod.ts";
import { detectRuntime } from "../src/runtime/detect.ts";
import { MemoryDisk, MemoryRuntime } from "../src/runtime/memory.ts";
import { copyDirectory, readDirectory } from "./support/directories.ts";
import { digestOf, readAll } from "./support/log_contents.ts";
import type { Opened } from "./support/open_program.ts";
import { writePortableLog } from "./support/portable_log.ts";
import { currentRuntime, Program, runProgram, runtimeNames } from "./support/processes.ts";
import { inSandbox } from "./support/sandbox.ts";

const notHere: string | false = currentRuntime === "node" && !process.execPath.includes("node_modules")
  ? false
  : "all pairs of runtimes are tried once, by the suite on the machine's own Node";

/** What a log holds: its segments whole, and the mark in its lock file, which goes on with the owner's name. */
type LogBytes = ReadonlyMap<string, Uint8Array>;

function logBytes(files: Iterable<readonly [string, Uint8Array]>): LogBytes {
  const isSegment = (name: string): boolean => /^\d.*\.wal$/.test(name);
  return new Map(
    [...files].filter(([name]) => isSegment(name) || name === "lock").map(([name, bytes]) =>
      [name, isSegment(name) ? bytes : bytes.subarray(0, 512)] as const
    ),
  );
}

async function onDisk(directory: string): Promise<LogBytes> {
  return logBytes([...await readDirectory(directory)].map(([name, { bytes }]) => [name, bytes] as const));
}

async function inMemory(): Promise<LogBytes> {
  const disk = new MemoryDisk();
  await writePortableLog(new MemoryRuntime({ disk, crc32 }), "/wal");
  return logBytes(disk.names("/wal").map((name) => [name, disk.read(`/wal/${name}`)] as const));
}

function assertSameBytes(actual: LogBytes, expected: LogBytes, who: string): void {
  assertEquals([...actual.keys()].sort(), [...expected.keys()].sort(), who);
  for (const [name, bytes] of expected) {
    const other = actual.get(name) ?? new Uint8Array();
    const first = bytes.findIndex((byte, at) => byte !== other[at]);
    assert(Buffer.compare(bytes, other) === 0, `${who}: ${name} differs from byte ${first} on`);
  }
}

test("with the same clock, ids and flushes a log is the same byte for byte here and in memory", () =>
  inSandbox(async (sandbox) => {
    await writePortableLog(await detectRuntime(), sandbox);
    const expected = await inMemory();
    assertGreater(expected.size, 5, "there are several segments");
    assertSameBytes(await onDisk(sandbox), expected, currentRuntime);
  }));

test(
  "with the same clock, ids and flushes a log is the same byte for byte on every runtime",
  { skip: notHere },
  () =>
    inSandbox(async (sandbox) => {
      const expected = await inMemory();
      for (const runtime of runtimeNames) {
        const directory = join(sandbox, runtime);
        await runProgram(runtime, "portable_program", { arguments: [directory] });
        assertSameBytes(await onDisk(directory), expected, runtime);
      }
      const node24 = new URL("../../node_modules/node24/bin/node", import.meta.url).pathname;
      if (!existsSync(node24)) return;
      const program = new URL("./support/portable_program.js", import.meta.url).pathname;
      const directory = join(sandbox, "node24");
      const { code, errors } = await new Program(node24, [program, directory], {}).finish();
      assertEquals([code, errors], [0, ""]);
      assertSameBytes(await onDisk(directory), expected, "Node 24");
    }),
);

test(
  "a log goes from runtime to runtime: each reads what every other has written, and goes on",
  { skip: notHere },
  () =>
    inSandbox(async (sandbox) => {
      const directory = join(sandbox, "wal");
      // Each of the six pairs, and each runtime behind itself.
      const turns = ["node", "node", "deno", "deno", "bun", "bun", "deno", "node", "bun", "node"] as const;
      let digest = digestOf([]);
      for (const [nth, runtime] of turns.entries()) {
        const text = `turn ${nth}: ${runtime}, \u4e16\u754c`;
        const opened = await runProgram<Opened>(runtime, "open_program", { arguments: [directory, text] });
        const end = nth === 0 ? "new" : "clean";
        assertEquals(opened, { end, firstLsn: 1, lastLsn: nth, digest, appendedLsn: nth + 1 }, text);
        const wal = await Wal.open(await copyDirectory(directory, join(sandbox, `turn${nth}`)));
        const entries = await readAll(wal);
        await wal.close();
        assertEquals(entries.at(-1)?.text(), text);
        digest = digestOf(entries);
      }
    }),
);

test(
  "what one runtime wrote in every form the others read, entry for entry",
  { skip: notHere },
  () =>
    inSandbox(async (sandbox) => {
      const writer = join(sandbox, "written");
      await writePortableLog(await detectRuntime(), writer);
      const readers = await Promise.all(runtimeNames.map(async (reader) => {
        const copy = await copyDirectory(writer, join(sandbox, reader));
        return await runProgram<Opened>(reader, "open_program", { arguments: [copy, "after"] });
      }));
      const wal = await Wal.open(writer);
      const { lastLsn } = wal;
      const expected = {
        end: "clean",
        firstLsn: 1,
        lastLsn,
        digest: digestOf(await readAll(wal)),
        appendedLsn: lastLsn + 1,
      };
      await wal.close();
      assertEquals(readers, runtimeNames.map(() => expected));
    }),
);
