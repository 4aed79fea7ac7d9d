// When entries are written and synced, in whose company, and who is told in which order.

import { test } from "node:test";
import { assert, assertEquals, assertGreater, assertInstanceOf } from "@std/assert";
import { type Durability, type IoMode, Wal, WalFailedError } from "../mod.ts";
import { CONTROL_FRAME_BYTES } from "../src/format.ts";
import { nextHostTask } from "../src/runtime/host_task.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import type { RuntimeTimer } from "../src/runtime/port.ts";
import { DelegatingRuntime } from "./support/delegating_runtime.ts";
import { ANY_WAL, type LogFixture, openLogWith, outcomeOf, quiet, soon } from "./support/log_fixture.ts";

/** Notes what settles, in the order in which it does. */
function inOrder(): {
  watch: (name: string | number, promise: Promise<unknown>) => void;
  settled: (string | number)[];
} {
  const settled: (string | number)[] = [];
  const watch = (name: string | number, promise: Promise<unknown>): void => {
    promise.then(() => settled.push(name), () => settled.push(`not ${name}`));
  };
  return { watch, settled };
}

// -- company

test("a thousand concurrent commits make one write and one sync", async () => {
  const log = await openLogWith("first", { segmentBytes: 0 });
  const commits = Array.from({ length: 1000 }, (_, i) => `entry ${i}`);
  assertEquals(await log.countFlushes(() => log.commit(...commits)), { writes: 1, syncs: 1 });
  assertEquals(log.wal.durableLsn, 1001);
});

test("what arrives during a flush is the next one, all of it together", async () => {
  const log = await openLogWith("first");
  log.faults.slow("syncData", 10);
  const first = log.commit("a");
  await quiet();
  const rest = Array.from({ length: 50 }, (_, i) => log.wal.append(`b${i}`));
  const flushes = await log.countFlushes(async () => {
    await log.advance(10);
    assertEquals([await soon(first), log.wal.durableLsn], [[2], 2]);
    await log.advance(10);
    assertEquals(log.wal.durableLsn, rest.at(-1));
  });
  assertEquals(flushes, { writes: 1, syncs: 1 });
});

/** Each look at its clock is half a millisecond later than the one before: so long does each call take. */
class SlowMachine extends DelegatingRuntime {
  #ms = 0;

  override monotonicMs(): number {
    return this.#ms += 0.5;
  }
}

test("who commits again and again, on the calling thread, does not keep the event loop from turning", async () => {
  const runtime = new SlowMachine(new MemoryRuntime({ manualTime: true }));
  const wal = await Wal.open("/wal", { runtime, io: "blocking", idleMs: 3_600_000 });
  await wal.commit("first");
  await quiet();
  let turns = 0;
  let isOver = false;
  const turning = (async () => {
    for (; !isOver; turns++) await nextHostTask();
  })();
  for (let nth = 0; nth < 100; nth++) await wal.commit("again");
  assertGreater(turns, 30);
  isOver = true;
  await turning;
  await wal.close();
});

test("a sync that carries many flushes is as large as all of them: the thread is not held for it", async () => {
  const log = await openLogWith("first", { durability: "write", segmentBytes: 0 });
  for (let nth = 0; nth < 40; nth++) await log.wal.commit({ data: "small", durability: "fsync" });
  assertEquals(log.calls("syncData", ANY_WAL).at(-1)?.blocking, true);
  const from = log.faults.calls.length;
  const data = new Uint8Array(60_000);
  for (let nth = 0; nth < 1200; nth++) await log.wal.commit(data);
  assertEquals(log.calls("syncData", ANY_WAL, from).map(({ blocking }) => blocking), [false]);
});

test("preset sync gives each entry and each batch a write and a sync of its own", async () => {
  const log = await openLogWith("first", { preset: "sync" });
  const commits = (): Promise<unknown> =>
    Promise.all([log.commit("a", "b", "c"), log.wal.commitBatch(["d", "e"]), log.commit("f")]);
  assertEquals(await log.countFlushes(commits), { writes: 5, syncs: 5 });
  await log.crashAndReopen();
  assertEquals(await log.readAll(), ["1 first", "2 a", "3 b", "4 c", "5 d", "6 e", "7 f"]);
});

// -- windows

test("a window stays open for company and closes when its time is over", async () => {
  const log = await openLogWith("first", { windowMs: 10 });
  const flushes = await log.countFlushes(async () => {
    log.wal.append("a");
    await log.advance(6);
    const lsn = log.wal.append("b");
    await log.advance(3.9);
    assertEquals(log.wal.durableLsn, 1);
    await log.advance(0.1); // ten after the first, not after the last
    assertEquals(log.wal.durableLsn, lsn);
  });
  assertEquals(flushes, { writes: 1, syncs: 1 });
});

test("so many entries close the window, and so do so many bytes", async () => {
  const byCount = await openLogWith("first", { windowMs: 60_000, maxEntries: 3 });
  byCount.wal.append("a");
  byCount.wal.append("b");
  assertEquals((await outcomeOf(byCount.wal.waitFor(2))).state, "pending");
  byCount.wal.append("c");
  await soon(byCount.wal.waitFor(4));
  const byBytes = await openLogWith("first", { windowMs: 60_000, maxBytes: 1000 });
  byBytes.wal.append("a".repeat(500));
  assertEquals((await outcomeOf(byBytes.wal.waitFor(2))).state, "pending");
  byBytes.wal.append("b".repeat(500));
  await soon(byBytes.wal.waitFor(3));
});

test("flush, close, and who waits for room close the window at once", async () => {
  const closers: ((log: LogFixture) => Promise<unknown>)[] = [
    ({ wal }) => wal.flush(),
    ({ wal }) => wal.close(),
    ({ wal }) => (wal.append("more than fits".repeat(100)), wal.ready),
    (log) => {
      log.wal.append("more than fits".repeat(100));
      void log.commit("in line");
      return Promise.resolve();
    },
  ];
  for (const close of closers) {
    const log = await openLogWith("first", { windowMs: 60_000, maxBufferedBytes: 1000 });
    const lsn = log.wal.append("a");
    assertEquals((await outcomeOf(log.wal.waitFor(lsn))).state, "pending");
    await soon(close(log));
    await soon(log.wal.waitFor(lsn));
  }
});

test("a window that someone closed early does not take the time of the next one", async () => {
  const log = await openLogWith("first", { windowMs: 10 });
  log.wal.append("a");
  await log.advance(8);
  await soon(log.wal.flush());
  log.wal.append("b");
  await log.advance(8);
  assertEquals(log.wal.durableLsn, 2);
  await log.advance(2);
  assertEquals(log.wal.durableLsn, 3);
});

test("a flush of what is in flight already does not close the window of what comes after it", async () => {
  const log = await openLogWith("first", { windowMs: 10 });
  log.faults.slow("syncData", 5);
  log.wal.append("a");
  const first = log.wal.flush();
  await quiet();
  const second = log.wal.flush(); // the entry is on its way
  await log.advance(5);
  assertEquals([await soon(first), await soon(second)], [2, 2]);
  const flushes = await log.countFlushes(async () => {
    log.wal.append("b");
    await log.advance(9);
  });
  assertEquals(flushes, { writes: 0, syncs: 0 });
  await log.advance(10);
  assertEquals(log.wal.durableLsn, 3);
});

class TimerCounter extends DelegatingRuntime {
  set = 0;
  readonly running: Set<RuntimeTimer> = new Set();

  override setTimer(callback: () => void, delayMs: number, keepAlive: boolean): RuntimeTimer {
    this.set++;
    const timer = this.inner.setTimer(
      () => {
        this.running.delete(timer);
        callback();
      },
      delayMs,
      keepAlive,
    );
    this.running.add(timer);
    return {
      cancel: () => {
        timer.cancel();
        this.running.delete(timer);
      },
    };
  }
}

test("the window's timer runs only while something waits, and an idle log comes to rest", async () => {
  for (const size of [1, 3_000_000]) { // the second one ends where the file does, with nothing prepared behind it
    const inner = new MemoryRuntime({ manualTime: true });
    const runtime = new TimerCounter(inner);
    const wal = await Wal.open("/wal", { runtime, windowMs: 10 });
    await inner.clock.advance(1000);
    assertEquals(runtime.set, 0);
    wal.append("a".repeat(size));
    assertEquals(runtime.running.size, size === 1 ? 1 : 0);
    await inner.clock.advance(1000);
    assertEquals(wal.durableLsn, 1);
    const { set } = runtime;
    await inner.clock.advance(60_000);
    assertEquals([runtime.set - set, runtime.running.size], [0, 0], `after an entry of ${size} bytes`);
  }
});

test("an idle log vouches once for what is synced, in a frame that it does not sync", async () => {
  const log = await openLogWith("first", { idleMs: 100 });
  await log.commit("a");
  const flushes = await log.countFlushes(async () => {
    await log.advance(99);
    assertEquals(log.calls("write", ANY_WAL).at(-1)?.length, 56); // that of the entry
    await log.advance(5000);
  });
  assertEquals(flushes, { writes: 1, syncs: 0 });
  await log.crashAndReopen();
  assertEquals(log.wal.lastLsn, 2);
});

test("an idle log vouches also for a flush that ends just where its file does", async () => {
  const log = await openLogWith("first", { segmentBytes: 0, idleMs: 100 });
  await log.commit("a".repeat(3_000_000));
  const size = log.file(log.lastSegment()).length;
  await log.advance(150);
  assertEquals(log.file(log.lastSegment()).length, size + CONTROL_FRAME_BYTES);
});

test("an idle log on a full disk tries once to vouch, and once more when more is synced", async () => {
  const log = await openLogWith("first", { segmentBytes: 0, idleMs: 100 });
  await log.commit("a".repeat(3_000_000));
  log.fillDisk();
  const tried = async (): Promise<number> => {
    const from = log.faults.calls.length;
    await log.advance(60_000);
    return log.calls("write", ANY_WAL, from).length;
  };
  assertEquals([await tried(), await tried()], [1, 0]);
  assertEquals(log.wal.state, "open");
  log.fillDisk(64);
  await log.commit("b");
  assertEquals([await tried(), await tried()], [1, 0]);
  await log.crashAndReopen();
  assertEquals(log.wal.lastLsn, 3);
});

test("an idle log that was cut tries once on a full disk to vouch for its head", async () => {
  const log = await openLogWith("first", { segmentBytes: 0, idleMs: 100 });
  await log.commit("a".repeat(3_000_000));
  await log.advance(150);
  await log.wal.truncateBefore(2);
  log.faults.fail("write", { path: ANY_WAL, code: "ENOSPC", times: Infinity });
  const from = log.faults.calls.length;
  await log.advance(60_000);
  assertEquals(log.calls("write", ANY_WAL, from).length, 1);
  assertEquals(log.wal.state, "open");
});

// -- durability

test("at write an entry is durable without a sync, and a kill leaves it there", async () => {
  const log = await openLogWith("first", { durability: "write" });
  assertEquals(await log.countFlushes(() => log.commit("a", "b")), { writes: 1, syncs: 0 });
  assertEquals([log.wal.durableLsn, log.wal.syncedLsn], [3, 1]);
  assertEquals(await log.readAll(), ["1 first", "2 a", "3 b"]);
  log.kill();
  await log.open();
  assertEquals(await log.readAll(), ["1 first", "2 a", "3 b"]);
  assertGreater(log.wal.recovery.rewrittenBytes, 0);
});

test("at write there is a sync after each 64 MiB", async () => {
  const log = await openLogWith("first", { durability: "write", segmentBytes: 0 });
  const entry = new Uint8Array(4 * 1024 * 1024);
  const flushes = await log.countFlushes(async () => {
    for (let i = 0; i < 15; i++) await log.wal.commit(entry);
    assertEquals(log.wal.syncedLsn, 1);
    for (let i = 0; i < 15; i++) await log.wal.commit(entry);
  });
  assertEquals([flushes.syncs, log.wal.syncedLsn], [1, 17]);
});

test("at none an entry is durable at once, written behind, and synced before the loss is too great", async () => {
  const log = await openLogWith("first", { durability: "none", lossMs: 200 });
  log.wal.append("a");
  assertEquals([log.wal.durableLsn, log.wal.syncedLsn], [2, 1]);
  await soon(log.wal.waitFor(2));
  await log.advance(150);
  log.wal.append("b");
  await log.advance(49);
  assertEquals(log.wal.syncedLsn, 1);
  await log.advance(1);
  assertEquals(log.wal.syncedLsn, 3);
  log.wal.append("c");
  await log.advance(199);
  assertEquals(log.wal.syncedLsn, 3);
  await log.advance(1);
  await log.crashAndReopen();
  assertEquals(await log.readAll(), ["1 first", "2 a", "3 b", "4 c"]);
});

test("a reader at none is shown what the operating system has, and waits for it", async () => {
  const log = await openLogWith("first", { durability: "none", windowMs: 500 });
  log.faults.slow("write", 5);
  log.wal.append("a");
  const read = log.readAll();
  await quiet(); // it does not wait for the window
  await log.advance(5);
  assertEquals(await soon(read), ["1 first", "2 a"]);
  assertEquals(log.wal.syncedLsn, 1);
});

test("waiting for a stronger level forces a sync, for a weaker one none", async () => {
  const log = await openLogWith("first", { durability: "write", windowMs: 500 });
  const lsn = log.wal.append("a");
  const level = (durability: Durability): Promise<unknown> => log.wal.waitFor(lsn, { durability });
  await soon(level("none"));
  assertEquals((await outcomeOf(level("write"))).state, "pending");
  await log.advance(500);
  await soon(level("write"));
  assertEquals(log.wal.syncedLsn, 1);
  await soon(level("fsync"));
  assertEquals(log.wal.syncedLsn, lsn);
  const next = log.wal.append("b");
  await soon(log.wal.waitFor(next, { durability: "fsync" }));
  assertEquals(log.wal.syncedLsn, next);
});

// -- order

test("waits settle in LSN order, in whatever order they came", async () => {
  const log = await openLogWith("first");
  const { watch, settled } = inOrder();
  const lsns = [2, 3, 4, 5, 6].map((each) => log.wal.append(`${each}`));
  for (const lsn of [5, 3, 6, 2, 4, 3]) watch(lsn, log.wal.waitFor(lsn));
  await soon(log.wal.waitFor(lsns.at(-1) ?? 0));
  await quiet();
  assertEquals(settled, [2, 3, 3, 4, 5, 6]);
});

test("waits settle in LSN order also where the lower one was written before, and waits for a sync alone", async () => {
  const log = await openLogWith("first", { durability: "write" });
  const { watch, settled } = inOrder();
  const [lsn = 0] = await log.commit("written");
  watch(lsn, log.wal.waitFor(lsn, { durability: "fsync" }));
  watch(lsn + 1, log.wal.waitFor(log.wal.append("pending"), { durability: "fsync" }));
  await quiet();
  assertEquals(settled, [lsn, lsn + 1]);
});

test("who waits for a low LSN is not kept waiting by who waits for a high one", async () => {
  const log = await openLogWith("first", { windowMs: 500 });
  log.faults.slow("syncData", 5);
  const low = log.wal.append("low");
  void log.wal.flush();
  await quiet();
  const high = log.wal.append("high");
  const highWait = outcomeOf(log.wal.waitFor(high));
  const lowWait = log.wal.waitFor(low);
  await log.advance(5);
  assertEquals((await highWait).state, "pending");
  await soon(lowWait);
});

test("a failure is told in LSN order", async () => {
  const log = await openLogWith("first", { durability: "write" });
  const { watch, settled } = inOrder();
  log.faults.slow("write", 5).fail("syncData", { path: ANY_WAL });
  const written = log.wal.append("written");
  await log.advance(5);
  const taken = log.wal.append("in flight");
  watch(written, log.wal.waitFor(written, { durability: "fsync" }));
  watch(taken, log.wal.waitFor(taken, { durability: "fsync" }));
  await quiet();
  const pending = log.wal.append("pending");
  watch(pending, log.wal.waitFor(pending, { durability: "fsync" }));
  await log.advance(100);
  assertEquals(log.wal.state, "failed");
  assertEquals(settled, [`not ${written}`, `not ${taken}`, `not ${pending}`]);
});

test("in blocking mode a failed sync fails the log as it does in the pool", async () => {
  for (const io of ["pool", "blocking"] satisfies IoMode[]) {
    const log = await openLogWith("first", { io });
    log.faults.fail("syncData", { path: ANY_WAL, blocking: io === "blocking" });
    const outcome = await outcomeOf(log.wal.commit("a"));
    assert(outcome.state === "rejected");
    assertInstanceOf(outcome.error, WalFailedError);
  }
});
