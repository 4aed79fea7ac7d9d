// Through the log: what comes out is durable, numbered, in order, and just what went in; and both ends always settle.

import { test } from "node:test";
import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { type Entry, type EntryInput, WalClosedError, WalDiskFullError } from "../mod.ts";
import { Follower } from "./support/follower.ts";
import { ANY_WAL, type LogFixture, openLogWith, outcomeOf, quiet, soon } from "./support/log_fixture.ts";

type Chunk = EntryInput | readonly EntryInput[];

/** Both ends of a stream through a log. */
function bothEnds(
  log: LogFixture,
): { writer: WritableStreamDefaultWriter<Chunk>; reader: ReadableStreamDefaultReader<Entry> } {
  const { writable, readable } = log.wal.acknowledge();
  return { writer: writable.getWriter(), reader: readable.getReader() };
}

/** Somebody who writes through a log, and reads along as it comes out. */
class Through extends Follower {
  readonly writer: WritableStreamDefaultWriter<Chunk>;

  constructor(log: LogFixture) {
    const { writer, reader } = bothEnds(log);
    super(reader);
    this.writer = writer;
  }
}

test("entries come out numbered when they are durable, and not before", async () => {
  const log = await openLogWith("first");
  log.faults.slow("syncData", 50);
  const through = new Through(log);
  await through.writer.write("a");
  await through.writer.write(["b", "c"]);
  await log.advance(40);
  assertEquals(await through.news(), []);
  await log.advance(200);
  assertEquals(await through.news(), ["2 a", "3 b", "4 c"]);
  await soon(through.writer.close());
  assertEquals(await soon(through.ended), "closed");
});

test("what comes out is what a reader of the log sees: kind, time and bytes, of every form of entry", async () => {
  const log = await openLogWith("first");
  const through = new Through(log);
  const bytes = new Uint8Array([1, 2, 3]);
  let reads = 0;
  const getter = {
    get data(): string {
      return `read ${++reads} times`;
    },
  };
  class Message {
    get data(): string {
      return "by the class";
    }
  }
  const inputs: EntryInput[] = [new Message(), "täxt", bytes, { kind: 9, data: [bytes, bytes] }, { data: "" }, getter];
  for (const input of inputs) await through.writer.write(input);
  bytes.fill(0);
  await soon(through.writer.close());
  await soon(through.ended);
  const seen: Entry[] = [];
  for await (const entry of log.wal.readable({ from: 2 })) seen.push(entry);
  const plain = ({ lsn, kind, time, data }: Entry): unknown => ({ lsn, kind, time, data: [...data] });
  assertEquals(through.seen.map(plain), seen.map(plain));
  assertGreater(through.seen[0]?.time ?? 0, 1_700_000_000_000);
});

test("others write in between: each stream gets its own entries back, and no others", async () => {
  const log = await openLogWith("first");
  const streams = [new Through(log), new Through(log)];
  for (let nth = 0; nth < 50; nth++) {
    for (const [which, { writer }] of streams.entries()) await writer.write(`${which}:${nth}`);
    log.wal.append("neither");
  }
  for (const [which, through] of streams.entries()) {
    await soon(through.writer.close());
    await soon(through.ended);
    assertEquals(through.seen.map((entry) => entry.text()), Array.from({ length: 50 }, (_, nth) => `${which}:${nth}`));
  }
});

test("at write an entry comes out when it is written, at none too: what comes out is never lost by a kill", async () => {
  for (const durability of ["write", "none"] as const) {
    const log = await openLogWith("first", { durability });
    log.faults.slow("write", 10);
    await log.commit("from now on writes go through the pool");
    const through = new Through(log);
    await through.writer.write("a");
    assertEquals(await through.news(), []);
    await log.advance(15);
    assertEquals([log.wal.syncedLsn < 3, ...await through.news()], [true, "3 a"]);
  }
});

test("by batches, what became durable together comes out together", async () => {
  const log = await openLogWith("first");
  log.faults.slow("syncData", 50);
  const { writable, readable } = log.wal.acknowledge({ batches: true });
  const writer = writable.getWriter();
  const out: string[] = [];
  const ended = (async (): Promise<void> => {
    for await (const entries of readable) out.push(entries.map((entry) => entry.text()).join(" "));
  })();
  await writer.write("a");
  await quiet(); // its flush has begun
  await writer.write(["b", "c"]);
  await writer.write("d");
  await log.advance(200);
  await soon(writer.close());
  await soon(ended);
  assertEquals(out, ["a", "b c d"]);
});

// -- backpressure

test("a consumer that stops reading holds up the source, and neither the log nor its end", async () => {
  const log = await openLogWith("first", { segmentBytes: 0 });
  const { writer, reader } = bothEnds(log);
  let written = 0;
  const write = async (): Promise<void> => {
    for (; written < 100_000; written += 100) await writer.write(Array.from({ length: 100 }, () => "x"));
  };
  const writing = outcomeOf(write());
  await quiet();
  await writing;
  const heldAt = written;
  assertLess(heldAt, 30_000);
  await log.commit("others go on");
  assertEquals(written, heldAt);
  for (let nth = 0; nth < 1000; nth++) await reader.read();
  await quiet();
  assertGreater(written, heldAt);
  await soon(log.wal.close());
});

test("one chunk of many entries is held up as well, in its middle", async () => {
  const log = await openLogWith("first", { segmentBytes: 0 });
  const { writer, reader } = bothEnds(log);
  const writing = writer.write(Array.from({ length: 100_000 }, () => ""));
  writing.catch(() => {});
  await quiet();
  const { lastLsn } = log.wal;
  assertLess(lastLsn, 17_000);
  for (let nth = 0; nth < 1000; nth++) await reader.read();
  await quiet();
  assertGreater(log.wal.lastLsn, lastLsn);
  await soon(log.wal.close());
});

test("large entries hold up the source by their bytes", async () => {
  const log = await openLogWith("first", { segmentBytes: 0 });
  const { writer } = bothEnds(log);
  let written = 0;
  const write = async (): Promise<void> => {
    for (; written < 100; written++) await writer.write(new Uint8Array(1024 * 1024));
  };
  write().catch(() => {});
  await quiet();
  await quiet();
  assertLess(written, 40);
  await soon(log.wal.close());
});

// -- the ends

test("cancelling what comes out ends what goes in, and what was accepted stays in the log", async () => {
  const log = await openLogWith("first");
  const { writer, reader } = bothEnds(log);
  await writer.write("a");
  await soon(reader.cancel(new Error("enough")));
  await assertRejects(() => soon(writer.write("b")), Error, "enough");
  await log.wal.flush();
  assertEquals(await log.readAll(), ["1 first", "2 a"]);
});

test("aborting what goes in ends what comes out with the reason, after what was accepted", async () => {
  const log = await openLogWith("first");
  log.faults.slow("syncData", 50);
  const through = new Through(log);
  await through.writer.write("a");
  await soon(through.writer.abort(new Error("enough")));
  assertEquals(await through.news(), []);
  await log.advance(100);
  assertEquals(((await soon(through.ended)) as Error).message, "enough");
  assertEquals(await through.news(), ["2 a"]);
});

test("a wrong entry ends both ends with its error", async () => {
  const log = await openLogWith("first");
  const through = new Through(log);
  const error = await soon(through.writer.write(["a", 7 as unknown as EntryInput]).catch((error: unknown) => error));
  assertStrictEquals(await soon(through.ended), error);
  assertEquals(await through.news(), ["2 a"]);
});

test("a log that fails gives out what was durable, then the cause; a stream that was being closed as well", async () => {
  for (const isClosing of [false, true]) {
    const log = await openLogWith("first");
    const through = new Through(log);
    await through.writer.write("a");
    assertEquals(await through.news(), ["2 a"]);
    log.faults.fail("syncData", { path: ANY_WAL });
    await through.writer.write("b");
    if (isClosing) through.writer.close().catch(() => {});
    await quiet();
    assertStrictEquals(await soon(through.ended), log.wal.error);
    assertEquals(await through.news(), []);
  }
});

test("a stream that was closed well, and whose entries die with the log before they came out, says so", async () => {
  const log = await openLogWith("first", { durability: "write" });
  const { writer, reader } = bothEnds(log);
  for (const text of ["a", "b", "c"]) await writer.write(text);
  await soon(writer.close());
  log.faults.fail("syncData", { path: /spare-0000000001/ });
  assertEquals((await outcomeOf(log.wal.flush())).state, "rejected");
  assertStrictEquals(await soon(new Follower(reader).ended), log.wal.error);
});

test("a write that waits for its reader is not accepted after the stream has ended", async () => {
  const log = await openLogWith("first", { segmentBytes: 0 });
  const { writer, reader } = bothEnds(log);
  await writer.write(Array.from({ length: 16_384 }, () => "x"));
  const late = outcomeOf(writer.write("late"));
  await soon(reader.cancel(new Error("enough")));
  assertEquals((await late).state, "rejected");
  await log.wal.flush();
  assertEquals(log.wal.lastLsn, 16_385);
});

test("a stream is aborted also while a write waits for its reader", async () => {
  const log = await openLogWith("first", { segmentBytes: 0 });
  const { writer } = bothEnds(log);
  await writer.write(Array.from({ length: 16_384 }, () => "x"));
  const late = outcomeOf(writer.write("late"));
  await soon(writer.abort(new Error("enough")));
  assertEquals((await late).state, "rejected");
  assertEquals(log.wal.lastLsn, 16_385);
});

test("a full disk gives out what was durable, then says so; nothing that it rejected comes out", async () => {
  const log = await openLogWith("first", { spares: 0 });
  const through = new Through(log);
  await through.writer.write("a");
  log.faults.slow("write", 5);
  await quiet();
  log.fillDisk();
  await through.writer.write("b".repeat(5000));
  await log.advance(50);
  assertInstanceOf(await soon(through.ended), WalDiskFullError);
  assertEquals(await through.news(), ["2 a"]);
});

test("a log that is closed gives out all that was accepted first", async () => {
  const log = await openLogWith("first");
  const open = new Through(log);
  const closing = new Through(log);
  await open.writer.write("a");
  await closing.writer.write("b");
  const closed = closing.writer.close();
  await soon(log.wal.close());
  await soon(closed);
  assertInstanceOf(await soon(open.ended), WalClosedError);
  assertEquals(await soon(closing.ended), "closed");
  assertEquals([await open.news(), await closing.news()], [["2 a"], ["3 b"]]);
});

test("entries that are piped through a log come out on the other side, and an error of the source as well", async () => {
  const log = await openLogWith("first");
  let left = 100;
  const source = new ReadableStream<string>({
    pull: (controller) => left-- > 0 ? controller.enqueue(`entry ${left}`) : controller.error(new Error("dry")),
  });
  const reader = source.pipeThrough(log.wal.acknowledge()).getReader();
  const lsns: number[] = [];
  const read = async (): Promise<void> => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) lsns.push(next.value.lsn);
  };
  const error = await soon(read().catch((error: unknown) => error));
  assert(error instanceof Error);
  assertEquals([error.message, lsns.length, lsns.at(-1)], ["dry", 100, 101]);
});
