// Those who wait for LSNs: they settle in LSN order whatever the order in which they came, and nobody waits for ever.

import { test } from "node:test";
import { crc32 } from "node:zlib";
import { assert, assertEquals } from "@std/assert";
import { nextHostTask } from "../src/runtime/host_task.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import { Random } from "../src/runtime/random.ts";
import { Waiters } from "../src/waiters.ts";
import { Wal } from "../src/wal.ts";

/** A log as waiters see it: a durable LSN, a few rejected ones, a failure, and who waits. */
class Sea {
  readonly settled: string[] = [];
  readonly waiting: number[] = [];
  readonly rejected: Map<number, Error> = new Map();
  failure: Error | null = null;
  durableLsn = 0;
  readonly #waiters: Waiters;

  durableAt(): number {
    return this.durableLsn;
  }

  rejectionOf(lsn: number): Error | null {
    return this.rejected.get(lsn) ?? null;
  }

  constructor() {
    this.#waiters = new Waiters(this);
  }

  wait(...lsns: number[]): void {
    for (const lsn of lsns) {
      this.waiting.push(lsn);
      const settle = (outcome: string): void => {
        this.waiting.splice(this.waiting.indexOf(lsn), 1);
        const lower = this.waiting.filter((other) => other < lsn);
        this.settled.push(lower.length === 0 ? outcome : `${outcome} before ${lower}`);
      };
      this.#waiters.wait(lsn, "fsync").then(
        (lsn) => settle(`${lsn}`),
        (error: Error) => settle(`${lsn} ${error.message}`),
      );
    }
  }

  /** Something has moved: everyone is woken. What was settled since the last look. */
  async notify(durableLsn: number = this.durableLsn): Promise<string[]> {
    this.durableLsn = durableLsn;
    this.#waiters.wake();
    await nextHostTask();
    return this.settled.splice(0);
  }
}

function permutations(values: readonly number[]): number[][] {
  if (values.length === 0) return [[]];
  return values.flatMap((value, nth) => permutations(values.toSpliced(nth, 1)).map((rest) => [value, ...rest]));
}

test("what is durable already does not wait", async () => {
  const sea = new Sea();
  sea.durableLsn = 3;
  for (const lsn of [3, 1, 2]) {
    sea.wait(lsn);
    await nextHostTask();
  }
  assertEquals(sea.settled, ["3", "1", "2"]);
});

test("waits settle in LSN order, in whatever order they came", async () => {
  for (const order of permutations([1, 2, 3, 4, 5])) {
    const sea = new Sea();
    sea.wait(...order);
    await nextHostTask();
    assertEquals(sea.settled, []);
    assertEquals(await sea.notify(5), ["1", "2", "3", "4", "5"], `they came as ${order}`);
  }
});

test("one who comes when something has moved, and before those who wait are told of it, does not overtake them", async () => {
  const sea = new Sea();
  sea.wait(1, 2);
  sea.durableLsn = 3;
  sea.wait(3);
  await nextHostTask();
  assertEquals(sea.settled, []);
  assertEquals(await sea.notify(3), ["1", "2", "3"]);
});

test("several who wait for one LSN are settled together, before those who wait for the next", async () => {
  const sea = new Sea();
  sea.wait(2, 1, 2, 3, 1, 3, 2);
  assertEquals(await sea.notify(3), ["1", "1", "2", "2", "2", "3", "3"]);
});

test("those whose entries are not yet durable wait on, and wake again", async () => {
  const sea = new Sea();
  sea.wait(1, 2, 3);
  assertEquals(await sea.notify(0), []);
  assertEquals(await sea.notify(2), ["1", "2"]);
  assertEquals(await sea.notify(2), []);
  assertEquals(await sea.notify(3), ["3"]);
});

test("one who comes late, for a lower LSN than others wait for, waits no longer than his own entry takes", async () => {
  const sea = new Sea();
  sea.wait(10, 7);
  assertEquals(await sea.notify(8), ["7"]);
  assertEquals(await sea.notify(10), ["10"]);
});

test("when the log fails, everyone is told the one cause, in LSN order, but for those whose entries are durable", async () => {
  for (const order of permutations([1, 2, 3, 4])) {
    const sea = new Sea();
    sea.wait(...order);
    sea.failure = new Error("failed");
    assertEquals(await sea.notify(2), ["1", "2", "3 failed", "4 failed"], `they came as ${order}`);
    sea.wait(9);
    await nextHostTask();
    assertEquals(sea.settled, ["9 failed"]);
  }
});

test("when a full disk takes entries back, those who wait for them are told, and the others are not held up", async () => {
  for (const order of permutations([1, 2, 3, 4])) {
    const sea = new Sea();
    sea.wait(...order);
    for (const lsn of [3, 4]) sea.rejected.set(lsn, new Error("full"));
    assertEquals(await sea.notify(2), ["1", "2", "3 full", "4 full"], `they came as ${order}`);
    sea.wait(5);
    assertEquals(await sea.notify(5), ["5"]);
  }
});

test("whoever comes whenever, nobody is settled before one with a lower LSN, and in the end all are", async () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = new Random(seed);
    const sea = new Sea();
    const told: string[] = [];
    let count = 0;
    for (let step = 0; step < 12; step++) {
      for (let nth = random.integer(0, 4); nth > 0; nth--) {
        sea.wait(sea.durableLsn + random.integer(1, 9));
        count++;
      }
      if (random.chance(0.5)) await nextHostTask();
      told.push(...await sea.notify(sea.durableLsn + random.integer(0, 4)));
    }
    told.push(...await sea.notify(Infinity));
    assertEquals(told.filter((each) => !/^\d+$/.test(each)), [], `seed ${seed}`);
    assertEquals([told.length, sea.waiting], [count, []], `seed ${seed}`);
  }
});

test("one who wants a sync of what is written goes before one who wants it of what is yet to be written", async () => {
  const wal = await Wal.open("/wal", { runtime: new MemoryRuntime({ crc32 }), durability: "write" });
  await wal.commit("written, and not synced");
  wal.append("neither");
  assert(wal.syncedLsn === 0);
  const settled: number[] = [];
  const wait = (lsn: number): Promise<number> =>
    wal.waitFor(lsn, { durability: "fsync" }).then(() => settled.push(lsn));
  await Promise.all([wait(1), wait(2)]);
  assertEquals(settled, [1, 2]);
  await wal.close();
});

test("a thousand commits at once are told in LSN order, with whoever waits for one of them in between, at any level", async () => {
  for (const durability of ["fsync", "write"] as const) {
    const wal = await Wal.open("/wal", { runtime: new MemoryRuntime({ crc32 }), durability });
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
    await wal.close();
  }
});

test("one who waits for no more than the log gives is told before higher LSNs, though one in front asked for more", async () => {
  const wal = await Wal.open("/wal", { runtime: new MemoryRuntime({ crc32 }), durability: "write" });
  await wal.commit("makes the first segment");
  const told: string[] = [];
  const all = [wal.commit({ data: "synced", durability: "fsync" }).then((lsn) => told.push(`commit ${lsn}`))];
  for (let nth = 0; nth < 4; nth++) all.push(wal.commit("written").then((lsn) => told.push(`commit ${lsn}`)));
  all.push(wal.waitFor(4, { durability: "write" }).then((lsn) => told.push(`wait ${lsn}`)));
  await Promise.all(all);
  const place = (what: string): number => told.indexOf(what);
  assert(place("wait 4") < place("commit 5") && place("commit 2") < place("commit 3"), told.join(", "));
  await wal.close();
});
