// When the disk fails: everyone is told the one cause, the failed file is left alone, and what was acknowledged is there.

import { test } from "node:test";
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { type Entry, type IoMode, WalFailedError } from "../mod.ts";
import type { MemoryCall, MemoryCallName } from "../src/runtime/memory.ts";
import { ANY_WAL, type LogFixture, openLogWith, outcomeOf, quiet, soon, unheard } from "./support/log_fixture.ts";

/** The cause of a rejection, which must be the failure of the log. */
async function causeOf(call: Promise<unknown>): Promise<WalFailedError> {
  const outcome = await outcomeOf(call);
  assert(outcome.state === "rejected", `the call is ${outcome.state}`);
  assertInstanceOf(outcome.error, WalFailedError);
  return outcome.error;
}

test("every waiter and every later call gets the one cause, with the time and what was tried", async () => {
  const log = await openLogWith("kept", { maxBufferedBytes: 300 });
  const { wal } = log;
  await log.advance(1234);
  log.faults.slow("syncData", 5).fail("syncData", { path: ANY_WAL });
  const taken = wal.append("taken");
  await quiet();
  const waits = [wal.waitFor(taken), wal.flush(), wal.commit("p".repeat(400)), wal.commitBatch(["in", "line"])];
  waits.push(wal.waitFor(wal.lastLsn), wal.waitFor(wal.lastLsn, { durability: "write" }));
  const { ready } = wal;
  const told = [...waits, ready].map((each) => each.then(() => null, (error: unknown) => error));
  await log.advance(5);
  const failure = wal.error;
  assertInstanceOf(failure, WalFailedError);
  assertEquals([wal.state, failure.code, failure.time], ["failed", "WAL_FAILED", log.runtime.now()]);
  assertMatch(failure.message, /cannot write to \/data\/wal: EIO: syncData .*outcome .* unknown/);
  assertEquals((failure.cause as { code?: string }).code, "EIO");
  for (const error of await soon(Promise.all(told))) assertStrictEquals(error, failure);

  for (const call of [() => wal.append("x"), () => wal.appendBatch(["x"])]) {
    assertStrictEquals(assertThrows(call, WalFailedError), failure);
  }
  const calls = [() => wal.commit("x"), () => wal.commitBatch(["x"]), () => wal.flush(), () => wal.waitFor(taken)];
  for (const call of [...calls, () => wal.ready]) assertStrictEquals(await causeOf(call()), failure);
  assertEquals([wal.desiredSize, wal.syncedLsn, wal.durableLsn], [0, 1, 1]);
  await soon(wal.waitFor(1)); // what was acknowledged stays so
  const events = log.events.filter(({ level }) => level === "critical");
  assertEquals(events.map(({ type }) => type), ["failed"]);
  assertStrictEquals(await causeOf(wal.close()), failure);
  assertStrictEquals(await causeOf(wal.closed), failure);
});

test("close of a failed log unlocks and rejects; the directory can be opened again in the same process", async () => {
  const log = await openLogWith("kept");
  log.faults.fail("write", { path: ANY_WAL });
  await assertRejects(() => log.commit("x"), WalFailedError);
  const closing = log.wal.close();
  assertStrictEquals(log.wal.close(), closing);
  await assertRejects(() => closing, WalFailedError);
  assertEquals([log.wal.state, log.runtime.openFiles], ["closed", []]);
  log.faults.clear();
  await log.open();
  assertEquals((await log.readAll())[0], "1 kept");
});

test("a log that has failed touches its disk no more, but to be closed", async () => {
  for (const durability of ["fsync", "write", "none"] as const) {
    const log = await openLogWith("kept", { durability, windowMs: 10 });
    log.faults.fail("write", { path: ANY_WAL });
    log.wal.append("x");
    await log.advance(10);
    assertEquals(log.wal.state, "failed");
    const { calls } = log.runtime;
    await log.advance(60_000);
    assertEquals(log.runtime.calls, calls);
    await causeOf(log.wal.close());
    const late = log.calls(undefined, undefined, calls);
    assertEquals(late.filter(({ name, path }) => name !== "close" && !path.endsWith("/lock")), []);
  }
});

// -- each call on the write path

interface Accident {
  readonly name: string;
  readonly call: MemoryCallName;
  readonly where?: (call: MemoryCall) => boolean;
  /** What has to be there before. */
  readonly before?: (log: LogFixture) => Promise<unknown>;
  /** What goes on when it happens. */
  readonly story: (log: LogFixture) => Promise<unknown>;
}

const rotate = (log: LogFixture): Promise<unknown> => log.commit("r".repeat(4000));

const ACCIDENTS: readonly Accident[] = [
  { name: "a write", call: "write", story: (log) => log.commit("x") },
  { name: "a sync", call: "syncData", story: (log) => log.commit("x") },
  { name: "the write of a footer", call: "write", story: rotate },
  { name: "the sync of a full segment", call: "syncData", story: rotate },
  {
    name: "the write of the next header",
    call: "write",
    where: ({ position, length }) => position === 0 && length === 4096,
    story: rotate,
  },
  { name: "the birth of a segment", call: "rename", story: rotate },
  { name: "the sync of the directory", call: "syncDirectory", story: rotate },
  { name: "the opening of a spare", call: "open", story: rotate },
  {
    name: "the write that takes a mark away",
    call: "write",
    before: (log) => log.reopen(),
    story: (log) => log.commit("x"),
  },
  {
    name: "the sync of a mark that is taken away",
    call: "syncData",
    before: (log) => log.reopen(),
    story: (log) => log.commit("x"),
  },
];

for (const { name, call, where = () => true, before, story } of ACCIDENTS) {
  test(`${name} fails: so does the log, and after a crash everything acknowledged is there, and nothing half`, async () => {
    for (const io of ["pool", "blocking"] satisfies IoMode[]) {
      for (const keep of ["none", "all", "any"] as const) {
        const log = await openLogWith("kept", { io });
        await log.commit("acknowledged");
        await before?.(log);
        let isArmed = true;
        log.faults.onEvery((each) => {
          const isMet = isArmed && each.name === call && /\.wal$|\/wal$/.test(each.path) && where(each);
          if (isMet) isArmed = false;
          return isMet ? { code: "EIO", doneBytes: 20 } : undefined;
        });
        await causeOf(story(log));
        const batch = await outcomeOf(Promise.resolve().then(() => log.wal.appendBatch(["late", "batch"])));
        assertEquals(batch.state, "rejected");
        await causeOf(log.wal.close());
        log.checkManners();
        log.crash({ keep, seed: 3 });
        await log.open();
        const found = await log.readAll();
        assertEquals(found.slice(0, 2), ["1 kept", "2 acknowledged"]);
        assertGreaterOrEqual(3, found.length);
        assertEquals(await log.commit("after"), [found.length + 1]);
        await log.crashAndReopen();
        assertEquals(await log.readAll(), [...found, `${found.length + 1} after`]);
      }
    }
  });
}

test("a failed sync leaves a page cache that lies: who opens next writes again what it shows, before it is told", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const log = await openLogWith("kept", {}, { seed });
    log.faults.fail("syncData", { path: ANY_WAL });
    await causeOf(log.commit("x".repeat(1500), "y".repeat(1500)));
    await causeOf(log.wal.close());
    log.kill(); // the cache stays as it is
    await log.open();
    const found = await log.readAll();
    assertEquals(log.wal.syncedLsn, log.wal.lastLsn);
    await log.crashAndReopen();
    assertEquals(await log.readAll(), found);
  }
});

test("an error of the mark fails closing, and the log is whole without it", async () => {
  for (const nth of [1, 2]) {
    const log = await openLogWith("kept");
    log.faults.fail("syncData", { path: ANY_WAL, nth });
    await causeOf(log.wal.close());
    await log.crashAndReopen();
    assertEquals(await log.readAll(), ["1 kept"]);
  }
});

// -- streams

test("a stream that waits for entries when the log fails gets the one cause", async () => {
  const log = await openLogWith("kept", { durability: "none", windowMs: 100 });
  log.wal.append("accepted, never written");
  const before: Entry[] = [];
  const stream = (async () => {
    for await (const entry of log.wal.readable()) before.push(entry);
  })();
  log.faults.fail("write", { path: ANY_WAL });
  assertStrictEquals(await causeOf(stream), log.wal.error);
});

test("what was acknowledged and synced can still be read from a log that has failed", async () => {
  const log = await openLogWith("kept");
  await log.commit("also kept");
  log.faults.fail("syncData", { path: ANY_WAL });
  await causeOf(log.commit("x"));
  assertEquals(await log.readAll(), ["1 kept", "2 also kept"]);
});

test("after a failed sync nothing is acknowledged at any level, nor shown: the cache may drop what it was to write", async () => {
  for (const durability of ["write", "none"] as const) {
    const log = await openLogWith("kept", { durability });
    log.faults.fail("syncData", { path: /spare-0000000001/ });
    const lsn = log.wal.append("in the cache");
    await causeOf(log.wal.flush());
    for (const level of ["fsync", "write", "none"] as const) await causeOf(log.wal.waitFor(lsn, { durability: level }));
    assertEquals([log.wal.durableLsn, log.wal.syncedLsn, ...await log.readAll()], [1, 1, "1 kept"]);
  }
});

test("a reader that meets what a failing sync has just dropped is told of the failure, not of damage", async () => {
  for (let seed = 0; seed < 100; seed++) {
    const log = await openLogWith("kept", { durability: "write", lossMs: 10 }, { seed });
    await log.commit("x".repeat(1500), "y".repeat(1500));
    // Both end in the same moment: what the read still finds, and when the log hears of its sync, is a matter of chance.
    const lasts = ({ name, position }: MemoryCall): boolean => name === "syncData" || name === "read" && position > 0;
    log.faults.onEvery((call) =>
      lasts(call) ? { delayMs: 5, ...call.name === "syncData" ? { code: "EIO" } : {} } : undefined
    );
    const flushed = log.wal.flush();
    unheard(flushed);
    const read = log.readAll({ from: 2 }).catch((error: unknown) => error);
    for (let turn = 0; turn < 20; turn++) await log.advance(1);
    const outcome = await read;
    assertStrictEquals(await causeOf(flushed), log.wal.error);
    if (!Array.isArray(outcome)) assertStrictEquals(outcome, log.wal.error);
  }
});

test("a reader that fails does not fail the log", async () => {
  const log = await openLogWith("kept");
  log.faults.fail("read", { path: ANY_WAL });
  await assertRejects(() => log.readAll(), Error, "EIO");
  assertEquals(await log.commit("goes on"), [2]);
  assertEquals(await log.readAll(), ["1 kept", "2 goes on"]);
});
