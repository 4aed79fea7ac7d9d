// Streams into the log: accepted when written, durable when closed, and every way in which they end.

import { test } from "node:test";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  type EntryInput,
  WalClosedError,
  WalDiskFullError,
  WalFailedError,
  WalInputError,
  WalLimitError,
  WalOptionsError,
} from "../mod.ts";
import { ANY_WAL, openLog, openLogWith, outcomeOf, quiet, soon } from "./support/log_fixture.ts";

type Chunk = EntryInput | readonly EntryInput[];

/** A source that counts how much is asked of it. */
class Source {
  pulled = 0;
  cancelled: unknown = undefined;
  readonly stream: ReadableStream<Chunk>;

  constructor(chunks: Iterable<Chunk>) {
    const iterator = chunks[Symbol.iterator]();
    this.stream = new ReadableStream<Chunk>({
      pull: (controller) => {
        const { done, value } = iterator.next();
        if (done) return controller.close();
        this.pulled++;
        controller.enqueue(value);
      },
      cancel: (reason) => {
        this.cancelled = reason;
      },
    }, { highWaterMark: 0 });
  }
}

test("write means accepted: it resolves before anything is on the disk; close means durable, and leaves the log open", async () => {
  const log = await openLog();
  log.faults.slow("syncData", 50);
  const stream = log.wal.writable();
  const writer = stream.getWriter();
  await soon(writer.write("a"));
  await soon(writer.write(["b", { kind: 5, data: "c" }]));
  await soon(writer.write([]));
  assertEquals([stream.firstLsn, stream.lastLsn, stream.count, log.wal.syncedLsn], [1, 3, 3, 0]);
  const closed = writer.close();
  assertEquals((await outcomeOf(closed)).state, "pending");
  await log.advance(500);
  await soon(closed);
  assertEquals([log.wal.durableLsn, log.wal.state], [3, "open"]);
  await log.crashAndReopen();
  assertEquals(await log.readAll(), ["1 a", "2 b", "3 c"]);
});

test("a stream that was given nothing has no LSNs, and is closed at once", async () => {
  const log = await openLog();
  const stream = log.wal.writable();
  await soon(stream.getWriter().close());
  assertEquals([stream.firstLsn, stream.lastLsn, stream.count, log.wal.lastLsn], [0, 0, 0, 0]);
});

test("many streams at once share the log, each with its own count, in the order in which they wrote", async () => {
  const log = await openLog();
  const writers = ["a", "b", "c"].map((name) => ({ name, stream: log.wal.writable() }));
  const open = writers.map(({ stream }) => stream.getWriter());
  for (let round = 0; round < 100; round++) {
    for (const [nth, writer] of open.entries()) await writer.write(`${writers[nth]?.name}${round}`);
  }
  const flushes = await log.countFlushes(() => Promise.all(open.map((writer) => writer.close())));
  assertLess(flushes.syncs, 3);
  assertEquals(writers.map(({ stream }) => [stream.firstLsn, stream.lastLsn, stream.count]), [
    [1, 298, 100],
    [2, 299, 100],
    [3, 300, 100],
  ]);
  assertEquals((await log.readAll()).slice(0, 4), ["1 a0", "2 b0", "3 c0", "4 a1"]);
});

test("two thousand entries piped in one by one are a few syncs, and not one each", async () => {
  const log = await openLog({ segmentBytes: 0 });
  log.faults.slow("syncData", 1);
  const source = new Source(Array.from({ length: 2000 }, (_, nth) => `entry ${nth}`));
  const { syncs } = await log.countFlushes(async () => {
    let isOver = false;
    const piped = source.stream.pipeTo(log.wal.writable()).finally(() => isOver = true);
    while (!isOver) await log.advance(1);
    await piped;
  });
  assertLess(syncs, 100);
  await log.crashAndReopen();
  assertEquals(log.wal.lastLsn, 2000);
});

// -- backpressure

test("a full buffer holds up the source, in bytes", async () => {
  const log = await openLog({ maxBufferedBytes: 100_000, segmentBytes: 0 });
  log.faults.slow("syncData", 10);
  const source = new Source(Array.from({ length: 1000 }, () => "x".repeat(10_000)));
  const piped = source.stream.pipeTo(log.wal.writable());
  await quiet();
  assertLess(source.pulled, 200); // the buffer, and what the stream itself holds
  await log.advance(20_000);
  await soon(piped);
  assertEquals(log.wal.durableLsn, 1000);
});

test("small chunks hold up the source as well, in count", async () => {
  const log = await openLog({ maxBufferedBytes: 100, segmentBytes: 0 });
  log.faults.slow("syncData", 10);
  const writer = log.wal.writable().getWriter();
  let written = 0;
  for (; (writer.desiredSize ?? 0) > 0; written++) {
    writer.write("").catch(() => {});
    await quiet();
  }
  assertLess(written, 100);
  assertEquals((await outcomeOf(writer.ready)).state, "pending");
  await log.advance(10_000);
  await soon(writer.ready);
});

test("arrays of empty entries hold up the source by their number", async () => {
  const log = await openLog({ maxBufferedBytes: 100, segmentBytes: 0 });
  log.faults.slow("syncData", 10);
  const lines = Array.from({ length: 10_000 }, () => "");
  const source = new Source(Array.from({ length: 1000 }, () => lines));
  source.stream.pipeTo(log.wal.writable()).catch(() => {});
  await quiet();
  assertLess(source.pulled, 10);
});

/** So much gathers for one flush while another is in flight. */
const AHEAD = 1024 * 1024;

test("a source that never waits is held up while a flush is in flight, when enough for the next one is there", async () => {
  const log = await openLogWith("first", { segmentBytes: 0 });
  log.faults.slow("syncData", 50);
  const source = new Source(Array.from({ length: 10_000 }, () => "x".repeat(1000)));
  const piped = source.stream.pipeTo(log.wal.writable());
  for (let flush = 0; flush < 4; flush++) {
    const before = source.pulled;
    await log.advance(50);
    assertLess((source.pulled - before) * 1000, 2.1 * AHEAD);
  }
  await log.advance(1000);
  await soon(piped);
  assertLess(log.wal.stats().mostPendingBytes, 2.1 * AHEAD);
  assertLess(log.wal.stats().flushes, 15);
});

test("who is held up and gives up does not wait for the disk", async () => {
  const log = await openLogWith("first", { segmentBytes: 0, io: "pool" });
  log.faults.slow("syncData", 10_000);
  log.wal.append("in flight");
  await quiet();
  const writer = log.wal.writable().getWriter();
  writer.closed.catch(() => {});
  const write = await outcomeOf(writer.write("x".repeat(AHEAD)));
  assertEquals(write.state, "pending");
  await soon(writer.abort(new Error("enough")));
});

test("who is held up does not wait for a window that is still open", async () => {
  const log = await openLogWith("first", { segmentBytes: 0, windowMs: 60_000, maxBytes: 16 * AHEAD });
  log.faults.slow("syncData", 50);
  log.wal.append("in flight");
  void log.wal.flush();
  await quiet();
  const stream = log.wal.writable();
  const written = new Source(Array.from({ length: 2000 }, () => "x".repeat(1000))).stream.pipeTo(stream, {
    preventClose: true,
  });
  await log.advance(50);
  await soon(written);
  assertEquals(stream.count, 2000);
});

test("who is held up when the log fails hears of it", async () => {
  const log = await openLogWith("first", { segmentBytes: 0, io: "pool" });
  log.faults.slow("syncData", 50).fail("syncData", { path: ANY_WAL });
  const piped = new Source(Array.from({ length: 10_000 }, () => "x".repeat(1000))).stream.pipeTo(log.wal.writable());
  const held = await outcomeOf(piped);
  assertEquals(held.state, "pending");
  await log.advance(1000);
  await assertRejects(() => soon(piped), WalFailedError);
});

test("who is held up when the log is closed hears of it", async () => {
  const log = await openLogWith("first", { segmentBytes: 0, io: "pool" });
  log.faults.slow("syncData", 50);
  const piped = new Source(Array.from({ length: 10_000 }, () => "x".repeat(1000))).stream.pipeTo(log.wal.writable());
  const held = await outcomeOf(piped);
  assertEquals(held.state, "pending");
  void log.wal.close();
  await log.advance(1000);
  await assertRejects(() => soon(piped), WalClosedError);
});

test("a stream waits in line for room, behind who was there before", async () => {
  const log = await openLog({ maxBufferedBytes: 1000 });
  log.faults.slow("syncData", 10);
  const first = log.wal.commit("a".repeat(2000));
  const second = log.wal.commit("b");
  const stream = log.wal.writable();
  const written = stream.getWriter().write(["c", "d"]);
  assertEquals((await outcomeOf(written)).state, "pending");
  await log.advance(100);
  assertEquals([await first, await second], [1, 2]);
  await soon(written);
  assertEquals([stream.firstLsn, stream.lastLsn], [3, 4]);
});

// -- levels

test("the entries of a stream ask for its level, unless they say so themselves, and close waits for just that", async () => {
  const log = await openLog();
  await log.commit("first");
  log.faults.slow("syncData", 50);
  const lax = log.wal.writable({ durability: "write" }).getWriter();
  await lax.write("a");
  await soon(lax.close());
  assertEquals([log.wal.durableLsn, log.wal.syncedLsn], [2, 1]);
  const mixed = log.wal.writable({ durability: "write" }).getWriter();
  await mixed.write({ data: "b", durability: "fsync" });
  const closed = mixed.close();
  assertEquals((await outcomeOf(closed)).state, "pending");
  await log.advance(60);
  await soon(closed);
  assertEquals(log.wal.syncedLsn, 3);
});

// -- the end of a stream

test("aborting keeps what was accepted, and who waits for room leaves the line", async () => {
  const log = await openLog({ maxBufferedBytes: 1000 });
  log.faults.slow("syncData", 10);
  const stream = log.wal.writable();
  const writer = stream.getWriter();
  await writer.write("a".repeat(2000));
  const waiting = outcomeOf(writer.write("never"));
  const behind = log.wal.commit("b");
  const aborted = writer.abort(new Error("enough"));
  assertEquals((await waiting).state, "rejected");
  await soon(aborted);
  await log.advance(100);
  assertEquals(await soon(behind), 2);
  assertEquals((await log.readAll()).length, 2);
});

test("an error in the source aborts the stream, and what came before is in the log", async () => {
  const log = await openLog();
  const source = new ReadableStream<string>({
    start: (controller) => controller.enqueue("a"),
    pull: () => Promise.reject(new Error("the source is dry")),
  });
  await assertRejects(() => soon(source.pipeTo(log.wal.writable())), Error, "dry");
  await log.wal.flush();
  assertEquals(await log.readAll(), ["1 a"]);
});

test("a wrong entry ends the stream with its error; what came before it in the same array is in the log", async () => {
  const wrong: [unknown, new (...args: never[]) => Error][] = [
    [7, WalInputError],
    [null, WalInputError],
    [undefined, WalInputError],
    [{ kind: 500, data: "" }, WalInputError],
    [{ data: "", durability: "sometimes" }, WalInputError],
    ["x".repeat(200), WalLimitError],
  ];
  for (const [entry, ErrorClass] of wrong) {
    const log = await openLog({ maxEntryBytes: 100 });
    const source = new Source([["a", entry as EntryInput, "b"], ...Array.from({ length: 9999 }, () => "c")]);
    const error = await soon(source.stream.pipeTo(log.wal.writable()).catch((error: unknown) => error));
    assertInstanceOf(error, ErrorClass);
    assertStrictEquals(source.cancelled, error);
    await log.wal.flush();
    assertEquals(await log.readAll(), ["1 a"]);
  }
});

test("whoever closes a stream that has ended by itself hears why, and not only that it has", async () => {
  const log = await openLog();
  const stream = log.wal.writable();
  const writer = stream.getWriter();
  const cause = await soon(writer.write(7 as unknown as string).catch((error: unknown) => error));
  assertInstanceOf(cause, WalInputError);
  assertStrictEquals(await soon(writer.close().catch((error: unknown) => error)), cause);
  writer.releaseLock();
  assertStrictEquals(await soon(stream.close().catch((error: unknown) => error)), cause);
  const closed = log.wal.writable();
  await log.wal.close();
  assertInstanceOf(await soon(closed.close().catch((error: unknown) => error)), WalClosedError);
});

test("a log that fails ends its streams at once with the one cause, the idle ones too", async () => {
  const log = await openLog();
  await log.commit("first");
  await quiet();
  const idle = log.wal.writable().getWriter();
  const closing = log.wal.writable().getWriter();
  log.faults.fail("syncData", { path: ANY_WAL });
  await closing.write("a");
  const outcomes = [await outcomeOf(closing.close()), await outcomeOf(idle.closed), await outcomeOf(idle.write("b"))];
  for (const outcome of outcomes) {
    assert(outcome.state === "rejected");
    assertStrictEquals(outcome.error, log.wal.error);
  }
  assertThrows(() => log.wal.writable(), WalFailedError);
});

test("a full disk ends the streams whose entries it rejects, and no others", async () => {
  const log = await openLog({ spares: 0 });
  await log.commit("first");
  const untouched = log.wal.writable().getWriter();
  await untouched.write("a");
  await log.wal.flush();
  const rejected = log.wal.writable().getWriter();
  log.fillDisk();
  await rejected.write("b".repeat(5000));
  await quiet();
  assertInstanceOf(await soon(rejected.closed.catch((error: unknown) => error)), WalDiskFullError);
  log.freeDisk();
  await log.advance(200);
  await untouched.write("c");
  await soon(untouched.close());
  await log.crashAndReopen();
  assertEquals(await log.readAll(), ["1 first", "2 a", "4 c"]);
});

test("closing the log ends its streams; what they wrote is durable, and one that was being closed is closed well", async () => {
  const log = await openLog();
  const open = log.wal.writable().getWriter();
  const closing = log.wal.writable().getWriter();
  await open.write("a");
  await closing.write("b");
  const closed = closing.close();
  await soon(log.wal.close());
  await soon(closed);
  assertInstanceOf(await soon(open.closed.catch((error: unknown) => error)), WalClosedError);
  assertThrows(() => log.wal.writable(), WalClosedError);
  await log.crashAndReopen();
  assertEquals(await log.readAll(), ["1 a", "2 b"]);
});

test("a stream counts its own entries, whoever else appends while one of them is being read", async () => {
  const log = await openLog();
  const stream = log.wal.writable();
  const entry = {
    get durability(): "fsync" {
      log.wal.append("other");
      return "fsync";
    },
    data: "a",
  };
  await soon(stream.getWriter().write([entry]));
  assertEquals([stream.firstLsn, stream.lastLsn, stream.count], [2, 2, 1]);
});

test("a write that waited in line and was let in is told so, though the log is closed just then", async () => {
  const log = await openLogWith("first", { maxBufferedBytes: 1 });
  const writer = log.wal.writable().getWriter();
  writer.closed.catch(() => {});
  const closed = log.wal.commit("a").then(() => log.wal.close());
  await soon(writer.write("b"));
  await soon(closed);
  await log.open();
  assertEquals(await log.readAll(), ["1 first", "2 a", "3 b"]);
});

test("options of a stream that are wrong are refused by name", async () => {
  const log = await openLog();
  for (const options of [null, { durable: true }, { durability: "often" }]) {
    assertThrows(() => log.wal.writable(options as object), WalOptionsError);
    assertThrows(() => log.wal.acknowledge(options as object), WalOptionsError);
  }
});
