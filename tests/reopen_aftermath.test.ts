// What a review made of reopening and mending: accidents that come some time after them, or in the middle.

import { crc32 } from "node:zlib";
import { test } from "node:test";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Wal } from "../mod.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import { evenText, frameAt, openEvenLog } from "./support/even_log.ts";
import { ANY_WAL, DIRECTORY, LogFixture, openLogWith, outcomeOf, pathOf, quiet, soon } from "./support/log_fixture.ts";

async function lines(wal: Wal): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of wal.readable()) found.push(`${entry.lsn} ${entry.text().slice(0, 8)}`);
  return found;
}

/** Four entries; the fifth fails at its sync, and is skipped by the reopening; then there are ten. */
async function openReopened(seed: number): Promise<LogFixture> {
  const log = new LogFixture({ segmentBytes: 16 * 1024 }, { seed });
  await log.open();
  for (let lsn = 1; lsn <= 4; lsn++) await log.commit(evenText(lsn));
  await quiet();
  log.faults.fail("syncData", { path: ANY_WAL, nth: 3 }); // after the full segment's and the next header's
  assertEquals((await outcomeOf(log.wal.commit("LOST".padEnd(900, ".")))).state, "rejected");
  log.faults.clear();
  await soon(log.wal.reopen());
  for (let lsn = 6; lsn <= 10; lsn++) await log.commit(evenText(lsn));
  await quiet();
  return log;
}

test("a follower that has seen part of a frame shows no LSN of it that a reopening has skipped", async () => {
  const log = await openLogWith("kept", { durability: "write" });
  const { wal } = log;
  const reader = wal.readable({ follow: true }).getReader();
  assertEquals((await soon(reader.read())).value?.text(), "kept");
  const next = reader.read();
  log.faults.slow("syncData", 10, { path: ANY_WAL });
  log.faults.fail("syncData", { path: ANY_WAL });
  const weak = wal.commit("weak");
  const strong = wal.commit({ data: "strong", durability: "fsync" });
  assertEquals((await outcomeOf(weak)).state, "resolved");
  const outcome = outcomeOf(strong);
  assertEquals((await soon(next)).value?.text(), "weak");
  await outcome;
  await log.advance(20);
  assertEquals((await outcomeOf(strong)).state, "rejected");
  log.faults.clear();
  await soon(wal.reopen());
  await soon(wal.commit("new"));
  const { value } = await soon(reader.read());
  assertEquals(`${value?.lsn} ${value?.text()}`, "4 new");
});

test("where a later segment is lost, nobody finds the failed one: it is gone, and its frames are set aside", async () => {
  for (const recovery of ["point-in-time", "salvage"] as const) {
    for (let seed = 1; seed <= 20; seed++) {
      const log = await openReopened(seed);
      log.kill();
      log.disk.remove(pathOf(log.segments()[1] ?? ""));
      await log.open({ recovery });
      await log.commit("new");
      const found = await lines(log.wal);
      assert(!found.some((line) => line.includes("LOST")), found.join());
      log.crash({ keep: "none" });
      await log.open();
      assertEquals(await lines(log.wal), found);
    }
  }
});

test("a salvage drops no entry because a torn frame of an earlier life claims its LSN", async () => {
  const log = await openEvenLog(4);
  await log.wal.configure({ durability: "write" });
  await soon(log.wal.commit("OLD5".padEnd(900, ".")));
  for (let lsn = 6; lsn <= 9; lsn++) log.wal.append(`OLD${lsn}`.padEnd(500, "."));
  await quiet();
  log.kill();
  log.disk.flipBit(pathOf(log.lastSegment()), frameAt(1) + 100, 1);
  await log.open(); // it is torn there, and the last LSN is 4
  await log.commit("big5".padEnd(3000, "."));
  for (let lsn = 6; lsn <= 9; lsn++) await log.commit(evenText(lsn));
  await quiet();
  const before = await lines(log.wal);
  log.kill();
  log.disk.remove(pathOf(log.segments().at(-2) ?? ""));
  await log.open({ recovery: "salvage" });
  const found = await lines(log.wal);
  for (const line of found) assert(before.includes(line), line);
  for (const lsn of [7, 8, 9]) assert(found.some((line) => line.startsWith(`${lsn} `)), found.join());
});

test("a log that is written fast is not called corrupt because there was more behind its end a moment later", async () => {
  const log = await openLogWith("kept", { segmentBytes: 64 * 1024 * 1024 });
  for (let nth = 0; nth < 5; nth++) await log.commit("x".repeat(300));
  await quiet();
  const runtime = new MemoryRuntime({ disk: log.disk, crc32, manualTime: true });
  let isOn = true;
  const writing = (async () => {
    while (isOn) await log.wal.commit("y".repeat(100));
  })();
  const { damage } = await Wal.verify(DIRECTORY, { runtime });
  isOn = false;
  await writing;
  assertEquals(damage.filter(({ kind }) => kind === "corrupt"), []);
});

test("a mending that is stopped before it has set the old files aside leaves them to the next opening, whole", async () => {
  for (const recovery of ["point-in-time", "salvage"] as const) {
    const log = await openEvenLog(10, { segmentBytes: 16 * 1024, spares: 0 });
    await log.wal.close();
    log.kill();
    const [first = "", , third = ""] = log.segments();
    log.disk.flipBit(pathOf(first), frameAt(3) + 100, 3);
    log.damage(third, (bytes) => {
      for (const frame of [2, 3]) bytes[frameAt(frame) + 20] = (bytes[frameAt(frame) + 20] ?? 0) ^ 1;
    });
    const evidence = log.file(third);
    log.faults.fail("rename", { path: /aside-/ });
    assertEquals((await outcomeOf(log.open({ recovery }))).state, "rejected");
    log.faults.clear();
    await log.open();
    await quiet();
    assertEquals(log.file(`aside-${third}`), evidence);
  }
});

test("a mending writes again only what it has checked", async () => {
  const log = await openEvenLog(1, { segmentBytes: 64 * 1024 });
  await log.wal.configure({ durability: "write" });
  for (const lsn of [2, 3, 4]) await soon(log.wal.commit(evenText(lsn)));
  await quiet();
  log.kill();
  const name = log.lastSegment();
  log.disk.flipBit(pathOf(name), frameAt(3) + 100, 1);
  const probe = new LogFixture({ segmentBytes: 64 * 1024 }, log.disk.kill());
  let last = 0;
  let at = 0;
  probe.faults.onEvery((call) => {
    if (!call.path.endsWith(name)) return undefined;
    if (call.name === "write" && at === 0) at = last;
    last = call.number;
    return undefined;
  });
  await probe.open({ recovery: "salvage" });
  log.faults.onEvery((call) => {
    if (call.number === at) log.disk.flipBit(pathOf(name), frameAt(2) + 100, 1);
    return undefined;
  });
  const opened = await outcomeOf(log.open({ recovery: "salvage" }));
  if (opened.state === "resolved") await lines(log.wal); // and then all of it can be read
});

test("reopenings that fail leave no files behind when one has succeeded", async () => {
  const log = await openLogWith("kept");
  log.faults.fail("syncData", { path: ANY_WAL });
  await outcomeOf(log.wal.commit("lost"));
  log.faults.clear();
  const before = log.names().length;
  log.faults.fail("syncDirectory", { times: Infinity });
  for (let nth = 0; nth < 20; nth++) await outcomeOf(log.wal.reopen());
  log.faults.clear();
  await soon(log.wal.reopen());
  await quiet();
  assertLessOrEqual(log.names().length, before + 2);
});

test("files whose last reader left while the log had failed go when it is back", async () => {
  const log = await openEvenLog(10);
  const reader = log.wal.readable().getReader();
  await reader.read();
  await log.wal.truncateBefore(9);
  log.faults.fail("syncData", { path: ANY_WAL });
  await outcomeOf(log.wal.commit("lost"));
  log.faults.clear();
  await reader.cancel();
  await soon(log.wal.reopen());
  await log.commit("new");
  await quiet();
  assertEquals(log.segments().length, 2);
});

test("a file that has failed is not written again under another name, when it has been cut away", async () => {
  const log = await openEvenLog(2);
  await quiet();
  log.faults.fail("syncData", { path: ANY_WAL });
  assertEquals((await outcomeOf(log.commit("lost"))).state, "rejected");
  log.faults.clear();
  await soon(log.wal.reopen());
  await log.commit(evenText(4), evenText(5));
  await log.wal.truncateBefore(5);
  for (let lsn = 6; lsn <= 20; lsn++) await log.commit(evenText(lsn));
  await quiet();
  assertEquals(log.disk.violations.filter((each) => !each.includes("lock")), []);
});
