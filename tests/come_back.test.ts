// A log that has failed comes back, and is at once hit again, or looked at closely.

import { assertEquals, assertRejects } from "@std/assert";
import { test } from "node:test";
import { type EntryInput, Wal, WalRewoundError } from "../mod.ts";
import { evenText, frameAt, openEvenLog } from "./support/even_log.ts";
import { ANY_WAL, DIRECTORY, LogFixture, openLogWith, outcomeOf, pathOf, soon } from "./support/log_fixture.ts";

/** The sync of these fails the log. */
async function failBy(log: LogFixture, ...entries: readonly EntryInput[]): Promise<void> {
  log.faults.fail("syncData", { path: ANY_WAL });
  await Promise.all(entries.map((entry) => outcomeOf(log.wal.commit(entry))));
  assertEquals(log.wal.state, "failed");
  log.faults.clear();
}

test("the power goes just after a log has come back: what it has copied is on the disk", async () => {
  const log = await openLogWith("kept", { durability: "write" });
  for (const text of ["a", "b"]) await soon(log.wal.commit(text));
  await failBy(log, { data: "lost", durability: "fsync" });
  await soon(log.wal.reopen());
  assertEquals(log.wal.syncedLsn, 4);
  await log.crashAndReopen();
  assertEquals(await log.readAll(), ["1 kept", "2 a", "3 b"]);
});

test("somebody was told of an entry in the middle of a batch when the log failed: the batch comes back whole", async () => {
  const log = await openLogWith("kept");
  const { wal } = log;
  log.faults.fail("syncData", { path: ANY_WAL });
  const last = wal.appendBatch(["one", "two", "three"]);
  assertEquals(await soon(wal.waitFor(last - 1, { durability: "write" })), 3);
  assertEquals((await outcomeOf(wal.waitFor(last))).state, "rejected");
  log.faults.clear();
  await soon(wal.reopen());
  assertEquals(await log.readAll(), ["1 kept", "2 one", "3 two", "4 three"]);
});

test("a mark is taken away in half when the log fails: the half of it is not part of the log that comes back", async () => {
  const log = await openLogWith("kept");
  await log.reopen();
  log.faults.shortWrite(1, 20, "EIO", { path: ANY_WAL });
  assertEquals((await outcomeOf(log.wal.commit("lost"))).state, "rejected");
  await soon(log.wal.reopen());
  assertEquals(await soon(log.wal.commit("new")), 3);
  assertEquals((await Wal.verify(DIRECTORY, { runtime: log.runtime })).damage, []);
  await log.crashAndReopen({ recovery: "strict" });
  assertEquals(await log.readAll(), ["1 kept", "3 new"]);
});

test("a log without other spares, on a disk without a free byte, comes back in the one that is kept back", async () => {
  const log = await openLogWith("kept", { spares: 0 });
  log.fillDisk();
  await failBy(log, "lost");
  await soon(log.wal.reopen());
  assertEquals([log.wal.state, await soon(log.wal.commit("new"))], ["open", 3]);
});

test("what was set aside once is not written over when a file of the same name is set aside again", async () => {
  const log = await openEvenLog(10);
  await log.wal.close();
  const [, name = ""] = log.segments();
  const before = new TextEncoder().encode("what somebody may still want to look at");
  log.plant(`aside-${name}`, before);
  log.disk.flipBit(pathOf(name), frameAt(1) + 100, 3);
  await Wal.repair(DIRECTORY, { mode: "salvage", runtime: log.runtime });
  assertEquals(log.file(`aside-${name}`), before);
});

test("a log is cut at damage and written anew until a file begins just where a reader elsewhere stands: he is told", async () => {
  const log = await openEvenLog(10);
  const reader = Wal.read(DIRECTORY, { runtime: log.runtime, follow: true }).getReader();
  for (let lsn = 1; lsn <= 9; lsn++) assertEquals((await soon(reader.read())).value?.lsn, lsn);
  await log.wal.close();
  log.disk.flipBit(pathOf(log.segments()[0] ?? ""), frameAt(3) + 100, 3);
  await log.open({ recovery: "point-in-time" });
  assertEquals(log.wal.lastLsn, 2);
  const begins = (): number[] => log.segments().map((name) => log.header(name).baseLsn);
  for (let lsn = 3; !begins().includes(10); lsn++) await log.commit(lsn < 7 ? `${lsn}` : evenText(lsn));
  await assertRejects(
    () => soon(Promise.race([reader.read(), log.advance(100).then(() => reader.read())])),
    WalRewoundError,
  );
});

test("a segment's name was in doubt when the log failed: what comes back bears another, and outlives the power", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const log = new LogFixture({}, { seed });
    await log.open();
    log.faults.fail("syncDirectory", { path: DIRECTORY });
    assertEquals((await outcomeOf(log.wal.commit("lost"))).state, "rejected");
    await soon(log.wal.reopen());
    await log.commit("kept");
    await log.wal.close();
    log.crash({ keep: "any", seed });
    await log.open();
    assertEquals(await log.readAll(), ["2 kept"]);
  }
});

test("two bring a failed log back at once, and each goes on as soon as he is told: nothing of either is lost", async () => {
  for (let calls = 1; calls <= 8; calls++) {
    const log = await openLogWith("kept");
    await failBy(log, "lost");
    const goOn = async (text: string): Promise<string> => {
      await log.wal.reopen();
      return `${await log.wal.commit(text)} ${text}`;
    };
    const at = log.runtime.calls + calls; // of the first one, when the second comes
    const second = new Promise<string>((resolve, reject) => {
      log.faults.onEvery(({ number }) => {
        if (number === at) queueMicrotask(() => goOn("second").then(resolve, reject));
        return undefined;
      });
    });
    const committed = [await soon(goOn("first")), await soon(second)];
    await log.crashAndReopen();
    assertEquals(await log.readAll(), ["1 kept", ...committed.sort()], `after ${calls} calls`);
  }
});
