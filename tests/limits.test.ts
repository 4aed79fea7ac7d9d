// Every limit at and past its last value, every kind of bad input with its own class and code; none of it loses anything.

import { readdir } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { test } from "node:test";
import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import {
  type EntryInput,
  Wal,
  WalBufferFullError,
  WalDirectoryError,
  WalError,
  WalFailedError,
  WalInputError,
  WalLimitError,
  WalOptionsError,
  WalRangeError,
  WalTruncatedError,
} from "../mod.ts";
import { encodeHeader, MAX_NUMBER, segmentName, SMALLEST_SEGMENT_BYTES } from "../src/format.ts";
import { detectRuntime } from "../src/runtime/detect.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import { headerWith } from "./support/frames.ts";
import { LogFixture, openLogWith, outcomeOf, pathOf, SMALL_SEGMENT_BYTES, soon } from "./support/log_fixture.ts";
import { inSandbox } from "./support/sandbox.ts";

/** Hands over what is not what the types say. */
function untyped<T>(value: unknown): T {
  return value as T;
}

/** A log of one empty segment with this id, whose first LSN will be `baseLsn`. */
function craftLog(id: number, baseLsn: number): LogFixture {
  const header = headerWith({
    ...{ id, baseLsn, headLsn: baseLsn, setId: 0, time: 0 },
    predecessor: { id: 0, endOffset: 0, lastLsn: baseLsn - 1 },
  });
  const bytes = new Uint8Array(SMALLEST_SEGMENT_BYTES);
  bytes.set(encodeHeader(header, crc32));
  return new LogFixture({ segmentBytes: SMALL_SEGMENT_BYTES }, {
    files: { [pathOf(segmentName(id, 0, baseLsn))]: bytes },
  });
}

/** Nothing was given out, the log goes on with the next LSN, and a crash leaves what is to be left. */
async function checkNothingLost(log: LogFixture): Promise<void> {
  const { lastLsn } = log.wal;
  assertEquals(await log.commit("after"), [lastLsn + 1]);
  await log.crashAndReopen();
  assertEquals(await log.readAll({ from: lastLsn }), [`${lastLsn} kept`, `${lastLsn + 1} after`]);
}

// -- entries and batches

test("an entry of maxEntryBytes is taken, one byte more is not, in whatever shape it comes", async () => {
  const log = await openLogWith("kept", { maxEntryBytes: 100 });
  const shapes: ((length: number) => EntryInput)[] = [
    (length) => new Uint8Array(length),
    (length) => "x".repeat(length),
    (length) => "x".repeat(length - 3) + "€",
    (length) => ({ data: "x".repeat(length) }),
    (length) => ({ kind: 5, data: [new Uint8Array(length - 1), new Uint8Array(1)] }),
  ];
  for (const shape of shapes) {
    const { lastLsn } = log.wal;
    const error = assertThrows(() => log.wal.append(shape(101)), WalLimitError);
    assertEquals([error.code, error.limit, error.value, error.most], ["WAL_LIMIT", "maxEntryBytes", 101, 100]);
    assertThrows(() => log.wal.appendBatch(["fits", shape(101)]), WalLimitError);
    await assertRejects(() => log.wal.commit(shape(101)), WalLimitError);
    assertEquals(log.wal.lastLsn, lastLsn);
    assertEquals(await log.wal.commit(shape(100)), lastLsn + 1);
  }
  await log.commit("kept");
  await checkNothingLost(log);
});

test("the entry limits count bytes, not characters", async () => {
  const log = await openLogWith("kept", { maxEntryBytes: 100 });
  assertThrows(() => log.wal.append("€".repeat(34)), WalLimitError);
  assertThrows(() => log.wal.append("x".repeat(98) + "€"), WalLimitError);
  log.wal.append("€".repeat(33));
  await log.commit("kept");
  await checkNothingLost(log);
});

test("a batch of maxBatchBytes is taken, one byte more is refused and not queued, however full the buffer is", async () => {
  const log = await openLogWith("kept", { maxBatchBytes: 300, maxBufferedBytes: 1000 });
  const batch = (length: number): Uint8Array[] => [new Uint8Array(100), new Uint8Array(100), new Uint8Array(length)];
  for (const buffered of [0, 800]) {
    if (buffered > 0) log.wal.append("b".repeat(buffered));
    const error = assertThrows(() => log.wal.appendBatch(batch(101)), WalLimitError);
    assertEquals([error.limit, error.value, error.most], ["maxBatchBytes", 301, 300]);
    const outcome = await outcomeOf(log.wal.commitBatch(batch(101)));
    assertInstanceOf(outcome.state === "rejected" ? outcome.error : outcome.state, WalLimitError);
    await soon(log.wal.commitBatch(batch(100)));
  }
  await log.commit("kept");
  await checkNothingLost(log);
});

test("a batch whose last entry is none is refused whole, and leaves no trace in what follows", async () => {
  const log = await openLogWith("kept");
  log.wal.append("a");
  assertThrows(() => log.wal.appendBatch(["b".repeat(5000), "c", untyped(7)]), WalInputError);
  log.wal.append("d");
  await log.wal.flush();
  assertEquals(await log.readAll(), ["1 kept", "2 a", "3 d"]);
  await log.commit("kept");
  await checkNothingLost(log);
});

// -- the buffer

test("the buffer takes one entry beyond its bound and no more, and nothing is lost of what it refuses", async () => {
  const log = await openLogWith("kept", { maxBufferedBytes: 1000 });
  log.wal.append("b".repeat(900));
  log.wal.append("c".repeat(5000));
  assertThrows(() => log.wal.append(""), WalBufferFullError);
  assertThrows(() => log.wal.appendBatch([""]), WalBufferFullError);
  await log.wal.flush();
  assertEquals((await log.readAll()).map((entry) => entry.slice(0, 4)), ["1 ke", "2 bb", "3 cc"]);
  await log.commit("kept");
  await checkNothingLost(log);
});

// -- LSNs and segment ids

test("the LSN 2^53 - 2 is the last one: appending past it throws, and the log reads, closes and opens as ever", async () => {
  const log = craftLog(1, MAX_NUMBER - 3);
  await log.open();
  assertEquals([log.wal.firstLsn, log.wal.lastLsn], [MAX_NUMBER - 3, MAX_NUMBER - 4]);
  assertThrows(() => log.wal.appendBatch(["a", "b", "c", "d"]), WalLimitError);
  assertEquals(log.wal.append("a"), MAX_NUMBER - 3);
  assertEquals(await log.wal.commitBatch(["b", "c"]), MAX_NUMBER - 1);
  const error = assertThrows(() => log.wal.append("d"), WalLimitError);
  assertEquals([error.limit, error.value, error.most], ["lsn", MAX_NUMBER, MAX_NUMBER - 1]);
  await assertRejects(() => log.wal.commit("d"), WalLimitError);
  const all = [`${MAX_NUMBER - 3} a`, `${MAX_NUMBER - 2} b`, `${MAX_NUMBER - 1} c`];
  assertEquals(await log.readAll(), all);
  await log.advance(1000);
  await log.reopen();
  assertEquals([log.wal.recovery.end, ...await log.readAll()], ["clean", ...all]);
  assertThrows(() => log.wal.append("d"), WalLimitError);
  await log.crashAndReopen();
  assertEquals(await log.readAll(), all);
});

test("after the last segment id the log fails and says why, and what was acknowledged is there", async () => {
  const log = craftLog(MAX_NUMBER - 1, 1);
  await log.open();
  await log.commit("a"); // an end that no mark makes clean takes a new segment: the last one
  assertEquals(log.segments().at(-1), segmentName(MAX_NUMBER, 0, 1));
  const rest = log.commit("b".repeat(5000));
  const failure = await assertRejects(() => rest, WalFailedError);
  assertInstanceOf(failure.cause, WalLimitError);
  assertEquals([failure.cause.limit, failure.cause.most], ["segmentId", MAX_NUMBER]);
  await assertRejects(() => log.wal.close(), WalFailedError);
  await log.crashAndReopen();
  assertEquals(await log.readAll(), ["1 a"]);
});

// -- bad input

test("what is no entry is refused by name, and gets no LSN", async () => {
  const log = await openLogWith("kept");
  const inputs: [unknown, string][] = [
    [undefined, "not undefined"],
    [null, "not null"],
    [7, "not 7"],
    [7n, "not 7"],
    [Symbol("s"), "a symbol"],
    [["a"], "an array"],
    [new ArrayBuffer(4), "new Uint8Array(buffer)"],
    [{}, "an object of Object"],
    [{ data: 7 }, "not 7"],
    [{ data: ["text"] }, 'not "text"'],
    [{ data: [new Uint8Array(1), null] }, "not null"],
    [{ data: new ArrayBuffer(4) }, "an object of ArrayBuffer"],
    [{ kind: -1, data: "" }, "not -1"],
    [{ kind: 192, data: "" }, "not 192"],
    [{ kind: 1.5, data: "" }, "not 1.5"],
    [{ kind: "7", data: "" }, 'not "7"'],
    [{ kind: NaN, data: "" }, "not NaN"],
  ];
  for (const [input, named] of inputs) {
    for (const call of [() => log.wal.append(untyped(input)), () => log.wal.appendBatch(["a", untyped(input)])]) {
      const error = assertThrows(call, WalInputError, named);
      assertEquals(error.code, "WAL_INPUT");
    }
    await assertRejects(() => log.wal.commit(untyped(input)), WalInputError, named);
  }
  assertEquals(log.wal.lastLsn, 1);
  await checkNothingLost(log);
});

test("a batch must be an array with entries in it", async () => {
  const log = await openLogWith("kept");
  for (const batch of [[], "text", new Set(["a"]), new Uint8Array(3), undefined, null, { length: 1, 0: "a" }]) {
    assertThrows(() => log.wal.appendBatch(untyped(batch)), WalInputError);
    await assertRejects(() => log.wal.commitBatch(untyped(batch)), WalInputError);
  }
  await checkNothingLost(log);
});

test("an LSN must be a whole number, and a range must lie in the log", async () => {
  const log = await openLogWith("kept");
  const { wal } = log;
  for (const lsn of [-1, 1.5, NaN, Infinity, "1", null, 1n]) {
    await assertRejects(() => wal.waitFor(untyped(lsn)), WalInputError);
    assertThrows(() => wal.readable({ from: untyped(lsn) }), WalInputError);
    assertThrows(() => wal.readable({ to: untyped(lsn) }), WalInputError);
  }
  await assertRejects(() => wal.waitFor(1, { durability: untyped("maybe") }), WalOptionsError, "maybe");
  await assertRejects(() => wal.waitFor(2), WalRangeError);
  for (const range of [{ from: 3 }, { to: 2 }, { from: 1, to: 2 }]) {
    assertThrows(() => wal.readable(range), WalRangeError, "the last one given out is 1");
  }
  const truncated = assertThrows(() => wal.readable({ from: 0 }), WalTruncatedError);
  assertEquals([truncated.code, truncated.firstLsn], ["WAL_TRUNCATED", 1]);
  await checkNothingLost(log);
});

test("a range that lies beyond the log is named as it was given: no end where there was none", async () => {
  const { wal } = await openLogWith("kept");
  const refusals = [[{ from: 10 }, "from LSN 10"], [{ from: 10, to: 12 }, "from LSN 10 to 12"]] as const;
  for (const [range, named] of refusals) {
    const { message } = assertThrows(() => wal.readable(range), WalRangeError);
    assertEquals(message, `cannot read ${named}: the last one given out is 1`);
  }
});

test("a log that begins late says so to who asks for what was before", async () => {
  const log = craftLog(1, 1000);
  await log.open();
  await log.commit("a");
  await assertRejects(() => log.wal.waitFor(998), WalTruncatedError, "begins with LSN 1000");
  assertEquals(assertThrows(() => log.wal.readable({ from: 999 }), WalTruncatedError).firstLsn, 1000);
});

test("options that are wrong are refused by name, before anything is touched", async () => {
  const runtime = new MemoryRuntime();
  for (const [options, named] of [[{ windowMs: -1 }, "windowMs"], [{ maxEntrys: 5 }, "maxEntrys"]] as const) {
    const error = await assertRejects(() => Wal.open("/wal", untyped({ runtime, ...options })), WalOptionsError, named);
    assertEquals(error.code, "WAL_OPTIONS");
  }
  await assertRejects(() => Wal.open("/wal", untyped(null)), WalOptionsError);
  assertEquals(runtime.calls, 0);
});

test("a preset gives way to what is said besides it, and undefined says nothing", async () => {
  const runtime = new MemoryRuntime();
  await (await Wal.open("/a", { runtime, preset: "oltp", maxEntries: 1 })).close();
  await (await Wal.open("/b", untyped({ runtime, preset: "async", lossMs: 60_000, windowMs: undefined }))).close();
  await (await Wal.open("/c", { runtime, maxEntries: Infinity, segmentBytes: 0, maxBytes: Infinity })).close();
});

test("a URL that names no file, or is written as a string, is refused as input", async () => {
  const runtime = new MemoryRuntime();
  for (const elsewhere of [new URL("https://example.org/wal"), "https://example.org/wal", "file:///data/wal"]) {
    await assertRejects(() => Wal.open(elsewhere, { runtime }), WalInputError, "directory");
  }
});

test("a file URL whose percent signs encode nothing is refused as input on every runtime, and nothing is made", () =>
  inSandbox(async (sandbox) => {
    for (const runtime of [await detectRuntime(), new MemoryRuntime()]) {
      for (const end of ["a%ZZ", "a%", "a%2", "%FF", "a%C3%28"]) {
        const url = new URL(`file://${sandbox}/${end}`);
        const error = await assertRejects(() => Wal.verify(url, { runtime }), WalInputError, url.href);
        assertEquals(error.code, "WAL_INPUT");
      }
      await assertRejects(() => Wal.open(new URL(`file://${sandbox}/a%ZZ`), { runtime }), WalInputError);
      await assertRejects(
        () => Wal.read(new URL(`file://${sandbox}/a%ZZ`), { runtime }).getReader().read(),
        WalInputError,
      );
    }
    assertEquals(await readdir(sandbox), []);
    await (await Wal.open(new URL(`file://${sandbox}/with%20space`))).close();
    assertEquals(await readdir(sandbox), ["with space"]);
  }));

test("a directory that is none, or may not be written, is refused with its path", async () => {
  const runtime = new MemoryRuntime();
  for (const directory of ["", 7, 7n, null, undefined, {}]) {
    await assertRejects(() => Wal.open(untyped(directory), { runtime }), WalInputError, "directory");
  }
  await runtime.open("/file", "create");
  for (const path of ["/file", "/file/below"]) {
    const error = await assertRejects(() => Wal.open(path, { runtime }), WalDirectoryError, path);
    assertEquals(error.code, "WAL_DIRECTORY");
  }
  for (const name of ["makeDirectory", "open", "list", "syncDirectory"] as const) {
    const log = new LogFixture();
    log.faults.fail(name, { code: "EACCES", path: name === "syncDirectory" ? "/data/wal" : /./ });
    const error = await assertRejects(() => log.open(), WalError);
    assertEquals([name, error.code, log.runtime.openFiles.length], [name, "WAL_DIRECTORY", 0]);
    assertStringIncludes(error.message, "/data/wal");
  }
});
