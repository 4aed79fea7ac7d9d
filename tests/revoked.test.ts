// A proxy that was revoked throws whatever is asked of it: whoever hands one over is told by name what is wrong, as for anything else
// that is wrong, and nobody else loses anything.

import { test } from "node:test";
import { assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import {
  decodeJson,
  encodeJson,
  splitLines,
  Wal,
  WalAbortedError,
  type WalEvent,
  WalInputError,
  WalOptionsError,
} from "../mod.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import { revoked } from "./support/fuzz_values.ts";
import { openLogWith } from "./support/log_fixture.ts";

/** What a call throws, or rejects with. */
async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return null;
}

type Wanted = new (...given: never[]) => Error;

async function assertAll(wanted: Wanted, calls: Readonly<Record<string, () => unknown>>): Promise<void> {
  for (const [name, call] of Object.entries(calls)) {
    const error = await errorOf(call);
    assertInstanceOf(error, wanted, `${name}: ${error}`);
    assertMatch(
      error.message,
      /not an object that cannot be looked at|not a function|aborted: an object that cannot/,
      name,
    );
  }
}

async function writeOne(writable: WritableStream<never>, chunk: unknown): Promise<void> {
  const writer = writable.getWriter();
  for (const promise of [writer.ready, writer.closed]) promise.catch(() => {});
  await writer.write(chunk as never);
}

/** Writes to a transform of which somebody reads. */
async function putThrough(
  { readable, writable }: { readable: ReadableStream; writable: WritableStream<never> },
  chunk: unknown,
): Promise<void> {
  const reader = readable.getReader();
  for (const promise of [reader.read(), reader.closed]) promise.catch(() => {});
  await writeOne(writable, chunk);
}

const TARGETS: readonly object[] = [{}, [], () => {}, new Uint8Array(4)];

test("a revoked proxy in the place of an entry, or in one, is no entry, and nothing is lost by it", async () => {
  for (const target of TARGETS) {
    for (const isFrameOpen of [false, true]) {
      const log = await openLogWith("kept");
      const { wal } = log;
      if (isFrameOpen) wal.append("open");
      const { lastLsn } = wal;
      await assertAll(WalInputError, {
        append: () => wal.append(revoked(target)),
        "append data": () => wal.append({ data: revoked(target) }),
        "append part": () => wal.append({ data: [new Uint8Array(1), revoked<Uint8Array>(target)] }),
        "append kind": () => wal.append({ data: "", kind: revoked(target) }),
        "append durability": () => wal.append({ data: "", durability: revoked(target) }),
        appendBatch: () => wal.appendBatch(revoked(target)),
        "appendBatch of one": () => wal.appendBatch(["a", revoked(target)]),
        "appendBatch data": () => wal.appendBatch([{ data: revoked(target) }]),
        "appendBatch part": () => wal.appendBatch([{ data: [revoked<Uint8Array>(target)] }]),
        commit: () => wal.commit(revoked(target)),
        commitBatch: () => wal.commitBatch(revoked(target)),
        "commitBatch of one": () => wal.commitBatch([revoked(target)]),
        writable: () => writeOne(wal.writable(), revoked(target)),
        "writable of one": () => writeOne(wal.writable(), [revoked(target)]),
        acknowledge: () => putThrough(wal.acknowledge(), revoked(target)),
        "acknowledge data": () => putThrough(wal.acknowledge(), { data: revoked(target) }),
        "an LSN to wait for": () => wal.waitFor(revoked(target)),
        "an LSN to read from": () => wal.readable({ from: revoked(target) }),
        "an LSN to cut before": () => wal.truncateBefore(revoked(target)),
      });
      assertEquals(wal.lastLsn, lastLsn);
      assertEquals(await log.commit("after"), [lastLsn + 1]);
      await log.crashAndReopen();
      assertEquals((await log.readAll()).length, lastLsn + 1);
    }
  }
});

test("a revoked proxy in the place of options, or of one, is refused as options are", async () => {
  for (const target of [{}, []]) {
    const { wal } = await openLogWith("kept");
    const runtime = new MemoryRuntime();
    await assertAll(WalOptionsError, {
      open: () => Wal.open("/wal", revoked(target)),
      "open runtime": () => Wal.open("/wal", { runtime: revoked(target) }),
      "open signal": () => Wal.open("/wal", { runtime, signal: revoked(target) }),
      "open windowMs": () => Wal.open("/wal", { runtime, windowMs: revoked(target) }),
      waitFor: () => wal.waitFor(1, revoked(target)),
      "waitFor signal": () => wal.waitFor(1, { signal: revoked(target) }),
      readable: () => wal.readable(revoked(target)),
      "readable signal": () => wal.readable({ signal: revoked(target) }),
      writable: () => wal.writable(revoked(target)),
      acknowledge: () => wal.acknowledge(revoked(target)),
      configure: () => wal.configure(revoked(target)),
      "configure io": () => wal.configure({ io: revoked(target) }),
      read: () => Wal.read("/wal", revoked(target)),
      "read signal": () => Wal.read("/wal", { runtime, signal: revoked(target) }),
      verify: () => Wal.verify("/wal", revoked(target)),
      "verify signal": () => Wal.verify("/wal", { runtime, signal: revoked(target) }),
      "verify runtime": () => Wal.verify("/wal", { runtime: revoked(target) }),
      repair: () => Wal.repair("/wal", revoked(target)),
      "repair signal": () => Wal.repair("/wal", { runtime, signal: revoked(target) }),
      splitLines: () => splitLines(revoked(target)),
      "splitLines maxLineBytes": () => splitLines({ maxLineBytes: revoked(target) }),
      encodeJson: () => encodeJson(revoked(target)),
    });
    assertEquals(runtime.calls, 0);
    assertEquals(await wal.commit("after"), 2);
  }
});

test("a revoked proxy in the place of a directory, or of what goes through a stream, is refused as input", async () => {
  const runtime = new MemoryRuntime();
  for (const target of TARGETS) {
    await assertAll(WalInputError, {
      open: () => Wal.open(revoked(target), { runtime }),
      verify: () => Wal.verify(revoked(target), { runtime }),
      repair: () => Wal.repair(revoked(target), { runtime }),
      read: () => Wal.read(revoked(target), { runtime }).getReader().read(),
      splitLines: () => putThrough(splitLines(), revoked(target)),
      decodeJson: () => putThrough(decodeJson(), revoked(target)),
      "decodeJson of one": () => putThrough(decodeJson(), [revoked(target)]),
    });
  }
});

test("a proxy for a URL, which does not answer in its place, is refused as input", async () => {
  const url = new Proxy(new URL("file:///wal"), {});
  assertInstanceOf(await errorOf(() => Wal.open(url, { runtime: new MemoryRuntime() })), WalInputError);
});

test("a revoked proxy as the reason of a signal, or thrown by a listener, is told as what it is", async () => {
  const { wal } = await openLogWith("kept");
  const signal = AbortSignal.abort(revoked());
  await assertAll(WalAbortedError, {
    waitFor: () => wal.waitFor(1, { signal }),
    readable: () => wal.readable({ signal }).getReader().read(),
    open: () => Wal.open("/wal", { runtime: new MemoryRuntime(), signal }),
  });
  const events: WalEvent[] = [];
  const onEvent = (event: WalEvent): void => {
    events.push(event);
    if (event.type !== "listener-threw") throw revoked();
  };
  await (await Wal.open("/wal", { runtime: new MemoryRuntime(), onEvent })).close();
  const told = events.find((event) => event.type === "listener-threw");
  assertEquals(told?.type === "listener-threw" ? told.reason : null, "an object that cannot be looked at");
});
