// Those who wait together: one resolution tells all of a frame, and yet each hears of it in LSN order, whoever came late.

import { test } from "node:test";
import { crc32 } from "node:zlib";
import { assert, assertEquals } from "@std/assert";
import { nextHostTask } from "../src/runtime/host_task.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import { Random } from "../src/runtime/random.ts";
import { Wal } from "../src/wal.ts";
import { WaitingGroup } from "../src/waiting_group.ts";

/** Notes what becomes of each, as it becomes known. */
class Notes {
  readonly told: string[] = [];

  of(name: string, promise: Promise<number>): void {
    promise.then(
      (lsn) => this.told.push(`${name}: ${lsn}`),
      (error: Error) => this.told.push(`${name}: ${error.message}`),
    );
  }
}

function groupOf(count: number, notes: Notes): WaitingGroup {
  const group = new WaitingGroup(1, 1, "fsync");
  for (let lsn = 1; lsn <= count; lsn++) notes.of(`${lsn}`, group.join());
  return group;
}

function openLog(options: { readonly durability?: "write" } = {}): Promise<Wal> {
  return Wal.open("/wal", { runtime: new MemoryRuntime({ crc32 }), ...options });
}

test("only the next entry of the same frame, which asks for the same, may join", () => {
  const group = groupOf(3, new Notes());
  assert(group.takes(4, 1, "fsync"));
  assert(!group.takes(3, 1, "fsync"), "somebody waits for that already");
  assert(!group.takes(5, 1, "fsync"), "nobody waits for what is before");
  assert(!group.takes(4, 4, "fsync"), "another frame may come to another end");
  assert(!group.takes(4, 1, "write"), "it is durable earlier");
  assert(!new WaitingGroup(3, 0, null).takes(4, 1, "fsync"), "whoever came by himself stays so");
});

test("one who comes late is told before those who wait for more, although they came before him", async () => {
  const notes = new Notes();
  const group = groupOf(4, notes);
  for (const lsn of [3, 1, 3, 2]) notes.of("late", group.joinLate(lsn));
  group.resolve();
  await nextHostTask();
  assertEquals(notes.told, ["1: 1", "late: 1", "2: 2", "late: 2", "3: 3", "late: 3", "late: 3", "4: 4"]);
});

test("what is said of one is said of all, to the latecomers too", async () => {
  const notes = new Notes();
  const group = groupOf(2, notes);
  notes.of("late", group.joinLate(1));
  group.reject(new Error("failed"));
  await nextHostTask();
  assertEquals(notes.told, ["1: failed", "late: failed", "2: failed"]);
});

test("a latecomer who gives up is gone, and holds up nobody; once told he does not listen any more", async () => {
  const notes = new Notes();
  const group = groupOf(3, notes);
  const [gone, stays] = [new AbortController(), new AbortController()];
  notes.of("gone", group.joinLate(2, gone.signal));
  notes.of("stays", group.joinLate(2, stays.signal));
  gone.abort();
  await nextHostTask();
  assertEquals(notes.told.length, 1);
  assert(notes.told[0]?.startsWith("gone: waiting for LSN 2"), notes.told[0]);
  group.resolve();
  await nextHostTask();
  stays.abort();
  await nextHostTask();
  assertEquals(notes.told.slice(1), ["1: 1", "2: 2", "stays: 2", "3: 3"]);
});

test("a thousand commits at once are told in LSN order, with whoever waits for one of them in between, at any level", async () => {
  for (const durability of ["fsync", "write"] as const) {
    const wal = await openLog(durability === "write" ? { durability } : {});
    const random = new Random(11);
    const told: number[] = [];
    const note = (lsn: number): number => told.push(lsn);
    const all: Promise<unknown>[] = [];
    for (let nth = 0; nth < 1000; nth++) {
      all.push(wal.commit("entry").then(note));
      const lsn = random.integer(1, wal.lastLsn);
      if (random.chance(0.2)) all.push(wal.waitFor(lsn).then(note));
      if (random.chance(0.1)) all.push(wal.waitFor(lsn, { durability }).then(note));
      if (random.chance(0.1)) wal.append("nobody waits for it");
      if (random.chance(0.05)) all.push(wal.commitBatch(["one", "two"]).then(note));
    }
    await Promise.all(all);
    assertEquals(told, told.toSorted((one, other) => one - other));
    assertEquals(told.length, all.length);
    await wal.close();
  }
});

test("an entry that asks for less is told of its write, not of the sync that its neighbours in the frame wait for", async () => {
  const wal = await openLog({ durability: "write" });
  const told: string[] = [];
  const commits = [
    wal.commit("written").then(() => told.push(`written, ${wal.syncedLsn} synced`)),
    wal.commit({ data: "synced", durability: "fsync" }).then(() => told.push(`synced, ${wal.syncedLsn} synced`)),
    wal.commit("behind it").then(() => told.push(`behind it, ${wal.syncedLsn} synced`)),
  ];
  await Promise.all(commits);
  assertEquals(told, ["written, 0 synced", "synced, 3 synced", "behind it, 3 synced"]);
  await wal.close();
});
