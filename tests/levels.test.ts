// Levels that entries ask for: the log does what the strongest asks, and tells each when it and all before it have it.

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import type { Durability } from "../mod.ts";
import { Levels } from "../src/levels.ts";
import { Random } from "../src/runtime/random.ts";
import { ANY_WAL, openLog, openLogWith, outcomeOf, soon } from "./support/log_fixture.ts";

/** What `Levels` says in a few words, said entry by entry. */
class PlainLevels {
  readonly #levels: Durability[] = [];

  note(lastLsn: number, level: Durability): void {
    while (this.#levels.length < lastLsn) this.#levels.push(level);
  }

  reject(firstLsn: number): void {
    this.#levels.fill("none", firstLsn - 1);
  }

  askSync(fromLsn: number, toLsn: number): boolean {
    return this.#levels.slice(fromLsn - 1, toLsn).includes("fsync");
  }

  durableLsn(syncedLsn: number, writtenLsn: number): number {
    const isDurable = (level: Durability, lsn: number): boolean =>
      lsn <= (level === "fsync" ? syncedLsn : level === "write" ? writtenLsn : Infinity);
    const first = this.#levels.findIndex((level, nth) => !isDurable(level, nth + 1));
    return first < 0 ? this.#levels.length : first;
  }
}

test("runs of levels say what a list of them would, whatever is accepted, rejected, written and synced", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Random(seed);
    const levels = new Levels();
    const plain = new PlainLevels();
    let lastLsn = 0;
    let writtenLsn = 0;
    let syncedLsn = 0;
    for (let step = 0; step < 60; step++) {
      const level = random.pick(["fsync", "write", "none"] as const);
      const draw = random.integer(0, 9);
      if (draw < 5) {
        lastLsn += random.integer(1, 4);
        for (const each of [levels, plain]) each.note(lastLsn, level);
      } else if (draw === 5 && lastLsn > writtenLsn) {
        for (const each of [levels, plain]) each.reject(writtenLsn + 1);
      } else if (draw < 8) writtenLsn = random.integer(writtenLsn, lastLsn);
      else {
        syncedLsn = random.integer(syncedLsn, writtenLsn);
        levels.forget(syncedLsn);
      }
      assertEquals(levels.durableLsn(syncedLsn, writtenLsn), plain.durableLsn(syncedLsn, writtenLsn), `seed ${seed}`);
      for (const [from, to] of [[syncedLsn + 1, writtenLsn], [random.integer(syncedLsn + 1, lastLsn + 1), Infinity]]) {
        assertEquals(levels.askSync(from ?? 1, to ?? 0), plain.askSync(from ?? 1, to ?? 0), `seed ${seed}`);
      }
    }
  }
});

test("a flush is synced if one of its entries asks for that, whatever the log or the others do", async () => {
  for (const own of ["fsync", "write", "none"] as const) {
    for (const levels of [["write", "write"], ["none", "fsync"], ["fsync", "none"], ["none", "write"]] as const) {
      const log = await openLogWith("first", { durability: own });
      const { syncs } = await log.countFlushes(() =>
        Promise.all(levels.map((durability) => log.wal.commit({ data: "x", durability })))
      );
      assertEquals(syncs, levels.some((level) => level === "fsync") ? 1 : 0, `${own}: ${levels}`);
    }
  }
});

test("a batch asks for what the strongest of its entries does", async () => {
  const log = await openLogWith("first", { durability: "none" });
  const { syncs } = await log.countFlushes(() =>
    log.wal.commitBatch([{ data: "a" }, { data: "b", durability: "fsync" }, "c"])
  );
  assertEquals([syncs, log.wal.syncedLsn], [1, 4]);
});

test("an entry that asks for less waits for those before it that ask for more, and for nothing else", async () => {
  const log = await openLogWith("first", { durability: "fsync" });
  log.faults.slow("syncData", 50);
  const lax = outcomeOf(log.wal.commit({ data: "a", durability: "write" }));
  assertEquals((await lax).state, "resolved");
  const strict = log.wal.commit("b");
  const behind = log.wal.commit({ data: "c", durability: "none" });
  assertEquals((await outcomeOf(behind)).state, "pending");
  assertEquals((await outcomeOf(log.wal.waitFor(4, { durability: "none" }))).state, "resolved");
  await log.advance(60);
  assertEquals([await soon(strict), await soon(behind)], [3, 4]);
});

test("who asks for a sync of an entry that asked for less gets one", async () => {
  const log = await openLogWith("first", { durability: "fsync" });
  const lsn = await log.wal.commit({ data: "a", durability: "write" });
  assertEquals(log.wal.syncedLsn, 1);
  const { syncs } = await log.countFlushes(() => log.wal.waitFor(lsn, { durability: "fsync" }));
  assertEquals([syncs, log.wal.syncedLsn], [1, 2]);
});

test("an entry at none in a log that syncs is synced before the loss is too great", async () => {
  const log = await openLogWith("first", { durability: "fsync" });
  await log.wal.commit({ data: "a", durability: "none" });
  await log.advance(500);
  assertEquals(log.wal.syncedLsn, 1);
  await log.advance(600);
  assertEquals(log.wal.syncedLsn, 2);
});

test("what a full disk rejects holds up nobody who comes later, whatever it had asked for", async () => {
  const log = await openLogWith("first", { durability: "write" });
  log.fillDisk(20_000);
  const lost = outcomeOf(log.wal.commit({ data: "x".repeat(1_500_000), durability: "fsync" }));
  assertEquals((await lost).state, "rejected");
  log.freeDisk();
  await log.advance(200);
  assertEquals(await soon(log.wal.commit("after")), 3);
  assertEquals([log.wal.durableLsn, log.wal.syncedLsn], [3, 1]);
});

// -- while it runs

test("a commit that waits for room asks for what it asked for when it was made", async () => {
  const log = await openLog({ maxBufferedBytes: 100 });
  log.faults.slow("syncData", 50);
  const first = log.wal.commit("a".repeat(200));
  const second = log.wal.commit("b");
  await log.wal.configure({ durability: "none" });
  await log.advance(1000);
  assertEquals([await soon(first), await soon(second), log.wal.syncedLsn], [1, 2, 2]);
});

test("a stronger level syncs what was accepted first, and holds for what comes; a weaker one holds at once", async () => {
  const log = await openLogWith("first", { durability: "none" });
  log.wal.append("a");
  await soon(log.wal.configure({ durability: "fsync" }));
  assertEquals(log.wal.syncedLsn, 2);
  log.faults.slow("syncData", 50);
  const strict = outcomeOf(log.wal.commit("b"));
  assertEquals((await strict).state, "pending");
  await log.advance(60);
  await soon(log.wal.configure({ durability: "write" }));
  assertEquals(await soon(log.wal.commit("c")), 4);
  assertEquals(log.wal.syncedLsn, 3);
});

test("windows, sizes and ways of syncing change while the log runs, and wrong ones change nothing", async () => {
  const log = await openLogWith("first", { durability: "fsync" });
  await log.wal.configure({ windowMs: 100, maxEntries: 3 });
  const waiting = log.wal.commit("a");
  assertEquals((await outcomeOf(waiting)).state, "pending");
  await log.wal.configure({ windowMs: 0 });
  assertEquals(await soon(waiting), 2);
  await log.wal.configure({ maxEntries: 1 });
  assertEquals(await log.countFlushes(() => log.commit("b", "c")), { writes: 2, syncs: 2 });
  await log.wal.configure({ maxEntries: Infinity, io: "blocking" });
  const from = log.faults.calls.length;
  await log.commit("d");
  assertEquals(log.calls("syncData", ANY_WAL, from).map(({ blocking }) => blocking), [true]);
  await log.wal.configure({ segmentBytes: 16 * 1024 });
  for (let nth = 0; nth < 8; nth++) await log.commit("x".repeat(2000));
  assertEquals(log.segments().length > 3, true);
  for (
    const wrong of [{ windowMs: -1 }, { spares: 3 }, { durability: "often" }, { maxEntries: 1, windowMs: 5 }, null]
  ) {
    assertEquals((await outcomeOf(log.wal.configure(wrong as object))).state, "rejected");
  }
  assertEquals(await log.countFlushes(() => log.commit("e", "f")), { writes: 1, syncs: 1 });
});
