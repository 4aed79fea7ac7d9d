// The accidents that a log is for, on real files and with real processes: a crash during a write, a crash during an fsync,
// and what is no crash: corruption on disk. What a power loss takes that a kill does not is taken from the files by hand.

import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { setImmediate } from "node:timers";
import { Wal, WalCorruptionError, type WalOptions } from "../mod.ts";
import { Random } from "../src/runtime/random.ts";
import { acknowledgementsOf, type Crash, crash } from "./support/crash.ts";
import type { CrashLine } from "./support/crash_program.ts";
import type { HeldSync } from "./support/disk_notes.ts";
import { copyDirectory, lastSegment, readDirectory, segmentNames } from "./support/directories.ts";
import { digestOf, readAll } from "./support/log_contents.ts";
import {
  assertUnchanged,
  baseLsnOf,
  change,
  flip,
  isSame,
  placeOf,
  refusalAfter,
  turnedBits,
} from "./support/damage.ts";
import { within } from "./support/deadline.ts";
import { logImage, loneFrames } from "./support/log_image.ts";
import { openAfterCrashes } from "./support/open_after_crashes.ts";
import type { Opened, Refused } from "./support/open_program.ts";
import { currentRuntime, runProgram, runtimeNames } from "./support/processes.ts";
import { inSandbox } from "./support/sandbox.ts";
import { quickRuntime } from "./support/quick_runtime.ts";
import { UnsyncedWrites } from "./support/unsynced_writes.ts";

const notHere: string | false = currentRuntime === "node" && !process.execPath.includes("node_modules")
  ? false
  : "all pairs of runtimes are tried once, by the suite on the machine's own Node";

/** Small files and a small buffer: rotations, footers, spares, full buffers and idle frames, all within a second. */
const busy: WalOptions = { segmentBytes: 64 * 1024, maxBufferedBytes: 16 * 1024, idleMs: 1 };
/** The same with as little in a file as can be. */
const cramped: WalOptions = { ...busy, segmentBytes: 16 * 1024 };

function afterAcknowledgements(count: number): (line: CrashLine) => boolean {
  let seen = 0;
  return (line) => "acknowledged" in line && ++seen >= count;
}

// -- crash during write

test("crash during write: what was acknowledged is there, after one kill and after many", () =>
  inSandbox(async (sandbox) => {
    const directory = join(sandbox, "wal");
    const crashes: Crash[] = [];
    let foundBefore: unknown[] = [];
    for (const [nth, count] of [1, 60, 300, 500].entries()) {
      const plan = {
        life: nth + 1,
        callers: { plain: 24 },
        options: nth % 2 === 0 ? busy : { ...busy, io: "blocking" as const },
      };
      crashes.push(await crash(currentRuntime, directory, plan, afterAcknowledgements(count)));
      // The next one is killed while it recovers from that.
      await crash(
        currentRuntime,
        directory,
        { ...plan, callers: {}, held: { of: "segment", nth: 1 } },
        (line) => "held" in line,
      );
      const copy = await copyDirectory(directory, join(sandbox, `copy${nth}`));
      const { wal, found } = await openAfterCrashes(copy, crashes);
      await wal.close();
      assertEquals(found.slice(0, foundBefore.length), foundBefore, "what was there once, stays");
      foundBefore = found;
    }
    const moments = crashes.flatMap(acknowledgementsOf);
    assert(
      moments.some(({ acknowledged, accepted, submitted }) => acknowledged < accepted && accepted < submitted),
      "there were entries in every state: acknowledged, accepted and not acknowledged, waiting for room",
    );
    assertGreater((await segmentNames(directory)).length, 5);
  }));

test("crash during write: what the process had acknowledged as written outlives it", () =>
  inSandbox(async (sandbox) => {
    const plan = { life: 1, callers: { plain: 8 }, options: { ...busy, durability: "write" as const } };
    const killed = await crash(currentRuntime, sandbox, plan, afterAcknowledgements(500));
    const { wal } = await openAfterCrashes(sandbox, [killed]);
    await wal.close();
  }));

test("crash during write: what arrives at any moment of a running flush is there when it was acknowledged", () =>
  inSandbox(async (sandbox) => {
    for (const io of ["pool", "blocking"] as const) {
      const directory = join(sandbox, io);
      // The first flush makes the first segment, and so has every kind of call to the disk in it.
      const wal = await Wal.open(directory, { io, segmentBytes: 16 * 1024, idleMs: 3_600_000 });
      const commits = [wal.commit("entry 0")];
      let isRunning = true;
      commits[0]?.finally(() => isRunning = false);
      while (isRunning && commits.length < 5000) {
        commits.push(wal.commit(`entry ${commits.length}`));
        // Mostly between two microtasks, now and then when the event loop has turned.
        await (commits.length % 10 === 0 ? new Promise((resolve) => setImmediate(resolve)) : null);
      }
      commits.push(wal.commit(`entry ${commits.length}`));
      // Waits settle in the order of LSNs: with it all the others are durable too.
      await within(10, "the last commit", Promise.resolve(commits.at(-1)));
      const image = await copyDirectory(directory, join(sandbox, `${io}-killed`));
      await wal.close();
      const after = await Wal.open(image);
      assertEquals((await readAll(after)).map((entry) => entry.text()), commits.map((_, nth) => `entry ${nth}`));
      await after.close();
    }
  }));

test("crash during write: a tail torn at any byte of its last frame is cut off, reported, and left where it is", () =>
  inSandbox(async (sandbox) => {
    const runtime = await quickRuntime();
    const texts = ["one", "two", "three"];
    const { directory: image, frames } = await logImage(sandbox, texts, { durability: "write" });
    const segment = await lastSegment(image);
    const whole = new Uint8Array(await readFile(join(image, segment)));
    const { offset = 0, lengthBytes = 0 } = frames.at(-1) ?? {};
    const end = offset + lengthBytes;
    for (let cut = offset; cut < end; cut++) {
      for (const rest of ["missing", "zeros"]) {
        const directory = await copyDirectory(image, join(sandbox, `cut${cut}${rest}`));
        const torn = whole.slice(0, rest === "missing" ? cut : whole.length).fill(0, cut);
        await writeFile(join(directory, segment), torn);
        const isWhole = isSame(torn, whole, offset, end);
        const isTold = torn.length >= offset + 48 && turnedBits(torn, whole, offset, offset + 48) <= 1;
        const wal = await Wal.open(directory, { runtime });
        assertEquals((await readAll(wal)).map((entry) => entry.text()), ["one", "two", ...(isWhole ? ["three"] : [])]);
        const bytes = Math.min(end, torn.length) - offset;
        const report = isWhole || !isTold ? null : { segment, offset, bytes, firstLsn: 3, lastLsn: 3 };
        assertEquals(wal.recovery.torn, report, `cut at ${cut}, ${rest}`);
        assertEquals(wal.recovery.end, report === null ? "unclean" : "torn");
        await wal.close();
        if (cut % 8 === 0) await checkGivenAgain(directory, isWhole ? 4 : 3);
        assertEquals(new Uint8Array(await readFile(join(directory, segment))), torn);
      }
    }
  }));

test(
  "crash during write on each runtime: all of them find the same, and what was acknowledged",
  { skip: notHere },
  () =>
    inSandbox(async (sandbox) => {
      for (const writer of runtimeNames) {
        const directory = join(sandbox, writer);
        const plan = { life: 1, callers: { plain: 24 }, options: busy };
        const killed = await crash(writer, directory, plan, afterAcknowledgements(200));
        const opened = await Promise.all(runtimeNames.map(async (opener) => {
          const copy = await copyDirectory(directory, join(sandbox, `${writer}-${opener}`));
          return await runProgram<Opened>(opener, "open_program", { arguments: [copy, "after the crash"] });
        }));
        const { wal } = await openAfterCrashes(directory, [killed]);
        const { end, firstLsn, lastLsn } = wal.recovery;
        const digest = digestOf(await readAll(wal));
        await wal.close();
        const expected = { end, firstLsn, lastLsn, digest, appendedLsn: lastLsn + 1 };
        assertEquals(opened, runtimeNames.map(() => expected), `written on ${writer}`);
      }
    }),
);

/** The LSN that was lost is given again, in a file of its own. */
async function checkGivenAgain(directory: string, lsn: number): Promise<void> {
  const runtime = await quickRuntime();
  const wal = await Wal.open(directory, { runtime });
  assertEquals(await wal.commit("again"), lsn);
  await wal.close();
  const after = await Wal.open(directory, { runtime });
  assertEquals(after.recovery.end, "clean");
  assertEquals((await readAll(after)).at(-1)?.text(), "again");
  await after.close();
}

// -- crash during fsync

const heldSyncs: readonly HeldSync[] = [
  // Flushes, and what a rotation syncs.
  ...[1, 2, 3, 5].map((nth) => ({ of: "segment" as const, nth })),
  // A spare when it is made, and its header before it becomes a segment.
  ...[1, 2].map((nth) => ({ of: "spare" as const, nth })),
  // The first two segments' names. Before them the directory itself was synced.
  ...[2, 3].map((nth) => ({ of: "directory" as const, nth })),
];

test("crash during fsync: whichever sectors of the flush in flight are lost, what was acknowledged is there", () =>
  inSandbox(async (sandbox) => {
    const random = new Random(1);
    const ends = new Map<string, number>();
    let lost = { lostBytes: 0, lostNames: 0 };
    for (const held of heldSyncs) {
      const name = `${held.of}${held.nth}`;
      const directory = join(sandbox, name);
      const plan = { life: 1, callers: { plain: 6 }, options: { ...cramped, io: "pool" as const }, held };
      const killed = await crash(currentRuntime, directory, plan, (line) => "held" in line);
      const unsynced = new UnsyncedWrites(killed.notes);
      for (let nth = 0; nth < 4; nth++) {
        const copy = await copyDirectory(directory, join(sandbox, `${name}-${nth}`));
        const { lostBytes, lostNames } = unsynced.lose(copy, nth === 0 ? "nothing" : "chance", random);
        lost = { lostBytes: lost.lostBytes + lostBytes, lostNames: lost.lostNames + lostNames };
        const end = await checkAndUse(copy, [killed]);
        ends.set(end, (ends.get(end) ?? 0) + 1);
      }
    }
    assertGreater(lost.lostBytes, 16 * 512);
    assertGreater(lost.lostNames, 3);
    assertGreater(ends.get("torn") ?? 0, 0, "some flushes were torn in their middle");
  }));

test("crash during fsync: killed at any moment of many, without the sectors that no returned fsync covers", () =>
  inSandbox(async (sandbox) => {
    const random = new Random(2);
    const directory = join(sandbox, "wal");
    const crashes: Crash[] = [];
    for (let life = 1; life <= 3; life++) {
      let syncs = 0;
      const plan = { life, callers: { plain: 6 }, options: busy, takesNotes: true };
      const isMoment = (line: CrashLine): boolean => "syncing" in line && ++syncs >= 10 + 17 * life;
      const killed = await crash(currentRuntime, directory, plan, isMoment);
      crashes.push(killed);
      const unsynced = new UnsyncedWrites(killed.notes);
      for (let nth = 0; nth < 4; nth++) {
        const copy = await copyDirectory(directory, join(sandbox, `life${life}-${nth}`));
        unsynced.lose(copy, nth === 0 ? "nothing" : "chance", random);
        await checkAndUse(copy, crashes);
      }
      // The next life begins with what the power left.
      unsynced.lose(directory, "chance", random);
    }
  }));

/** The log is as it should be, takes entries, and has them after the next open. How it ended is returned. */
async function checkAndUse(directory: string, crashes: readonly Crash[]): Promise<string> {
  const { wal, found } = await openAfterCrashes(directory, crashes);
  const lsns = await Promise.all([wal.commit("after"), wal.commit("that")]);
  assertEquals(lsns, [found.length + 1, found.length + 2]);
  await wal.close();
  const after = await Wal.open(directory, { runtime: await quickRuntime() });
  assertEquals(after.recovery.end, "clean");
  assertEquals((await readAll(after)).slice(found.length).map((entry) => entry.text()), ["after", "that"]);
  await after.close();
  return wal.recovery.end;
}

// -- corruption on disk

const texts: readonly string[] = ["first", "second, and longer", "", "fourth", "fifth", "last"];

test("corruption on disk: any flipped bit of an acknowledged frame refuses, says where, and changes nothing", () =>
  inSandbox(async (sandbox) => {
    const { directory, frames } = await logImage(sandbox, texts);
    const segment = await lastSegment(directory);
    const random = new Random(3);
    for (const { lsn, offset, lengthBytes } of frames.slice(0, 3)) {
      for (let at = offset; at < offset + lengthBytes; at++) {
        const refused = await refusalAfter(directory, segment, (bytes) => flip(bytes, at, random.integer(0, 7)));
        assertEquals(refused, { segment, offset, lsn, evidence: "frame" }, `a bit of the byte at ${at}`);
      }
    }
  }));

test("corruption on disk: frames that are gone or in each other's place refuse, with the first LSN that is missing", () =>
  inSandbox(async (sandbox) => {
    const { directory, frames } = await logImage(sandbox, ["equal 1", "equal 2", "equal 3", "equal 4", "equal 5"]);
    const segment = await lastSegment(directory);
    const [, second, third] = frames;
    assert(second !== undefined && third !== undefined);
    const { offset, lengthBytes } = second;
    const expected = { segment, offset, lsn: 2, evidence: "frame" };
    const zeroed = await refusalAfter(directory, segment, (bytes) => bytes.fill(0, offset, offset + lengthBytes));
    assertEquals(zeroed, expected);
    const swapped = await refusalAfter(directory, segment, (bytes) => {
      const copy = bytes.slice(offset, third.offset);
      bytes.copyWithin(offset, third.offset, third.offset + lengthBytes);
      bytes.set(copy, third.offset);
    });
    assertEquals(swapped, expected);
    const twice = await refusalAfter(directory, segment, (bytes) => bytes.copyWithin(offset, 4096, offset));
    assertEquals(twice, expected);
  }));

test("corruption on disk: a closed log that has lost its end, its last file or a header refuses", () =>
  inSandbox(async (sandbox) => {
    const wal = await Wal.open(sandbox, { segmentBytes: 16 * 1024 });
    while ((await segmentNames(sandbox)).length < 2) await wal.commit("x".repeat(1000));
    await wal.commit("the last one");
    await wal.close();
    const segment = await lastSegment(sandbox);
    const first = (await segmentNames(sandbox))[0] ?? "";
    const baseLsn = baseLsnOf(segment);
    const blank = await refusalAfter(sandbox, segment, (bytes) => bytes.fill(0, 4096));
    assertEquals(blank, { segment, offset: 4096, lsn: baseLsn, evidence: "lock-mark" });
    const header = await refusalAfter(sandbox, segment, (bytes) => flip(bytes, 4000, 5));
    assertEquals(header, { segment, offset: 0, lsn: baseLsn, evidence: "name" });
    const firstHeader = await refusalAfter(sandbox, first, (bytes) => flip(bytes, 100, 0));
    assertEquals(firstHeader, { segment: first, offset: 0, lsn: 1, evidence: "successor" });
    const vanished = await refusalAfter(sandbox, segment, () => "vanishes");
    assertEquals([vanished.segment, vanished.lsn, vanished.evidence], ["number 2", baseLsn, "lock-mark"]);
    const firstVanished = await refusalAfter(sandbox, first, () => "vanishes");
    assertEquals(firstVanished, { segment: "number 1", offset: 0, lsn: 1, evidence: "successor" });
  }));

test("corruption on disk: what open does not look at is refused by whoever reads it, and where", () =>
  inSandbox(async (sandbox) => {
    const wal = await Wal.open(sandbox, { segmentBytes: 16 * 1024 });
    while ((await segmentNames(sandbox)).length < 3) await wal.commit("x".repeat(1000));
    await wal.close();
    const [segment = "", second = ""] = await segmentNames(sandbox);
    const [, , { lsn, offset } = { lsn: 0, offset: 0 }] = loneFrames(["x".repeat(1000), "x".repeat(1000), ""]);
    await change(sandbox, segment, (bytes) => flip(bytes, offset + 500, 3));
    const opened = await Wal.open(sandbox);
    const shown: number[] = [];
    const error = await assertRejects(async () => {
      for await (const entry of opened.readable()) shown.push(entry.lsn);
    }, WalCorruptionError);
    assertEquals(shown, [1, 2]);
    assertEquals(placeOf(error), { segment, offset, lsn, evidence: "successor" });
    // What lies behind it is still there.
    const reader = opened.readable({ from: baseLsnOf(second) }).getReader();
    assertEquals((await reader.read()).value?.lsn, baseLsnOf(second));
    await reader.cancel();
    await opened.close();
  }));

test(
  "corruption on disk on each runtime: all of them refuse it in the same words",
  { skip: notHere },
  () =>
    inSandbox(async (sandbox) => {
      for (const writer of runtimeNames) {
        const directory = join(sandbox, writer);
        const options = { ...busy, segmentBytes: 0, idleMs: 3_600_000 };
        await crash(writer, directory, { life: 1, callers: { plain: 1 }, options }, afterAcknowledgements(5));
        const segment = await lastSegment(directory);
        await change(directory, segment, (bytes) => flip(bytes, 4096 + 50, 0));
        const before = await readDirectory(directory);
        for (const opener of runtimeNames.filter((name) => name !== writer)) {
          const refused = await runProgram<Refused>(opener, "open_program", { arguments: [directory] });
          assertEquals(refused, { segment, offset: 4096, lsn: 1, evidence: "frame" });
        }
        assertUnchanged(await readDirectory(directory), before);
      }
    }),
);
