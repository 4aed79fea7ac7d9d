// What the fuzzer of calls found: things that a program may hand over, each as short as it can be told.

import process from "node:process";
import { test } from "node:test";
import { assertEquals, assertGreater, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { decodeJson, type EntryInput, splitLines, Wal, WalError, WalInputError, WalOptionsError } from "../mod.ts";
import { MemoryDisk, MemoryRuntime } from "../src/runtime/memory.ts";
import { untyped } from "./support/fuzz_values.ts";
import { DIRECTORY, openLogWith, quiet } from "./support/log_fixture.ts";

/** No refusal takes as long as this, however busy the machine is. */
const MOST_MS = 5000;

function detached(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

/** A view that lies outside of its buffer by now. */
function shrunk(): Uint8Array {
  const Resizable = untyped<new (length: number, options: object) => ArrayBuffer & { resize(length: number): void }>(
    ArrayBuffer,
  );
  const buffer = new Resizable(16, { maxByteLength: 16 });
  const bytes = new Uint8Array(buffer, 8, 8);
  buffer.resize(4);
  return bytes;
}

/** Every way into a log refuses it by a typed error, also behind an entry that waits; what else is there stays whole. */
async function assertRefused(input: unknown): Promise<void> {
  const log = await openLogWith("kept");
  const { wal } = log;
  wal.append("waits");
  const entry = untyped<EntryInput>(input);
  assertThrows(() => wal.append(entry), WalInputError);
  assertThrows(() => wal.append({ data: untyped<Uint8Array>(input) }), WalInputError);
  assertThrows(() => wal.append({ data: [new Uint8Array(1), untyped<Uint8Array>(input)] }), WalInputError);
  assertThrows(() => wal.appendBatch(["a", entry]), WalInputError);
  await assertRejects(() => wal.commit(entry), WalInputError);
  await assertRejects(() => wal.commitBatch([entry]), WalInputError);
  for (const stream of [wal.writable(), wal.acknowledge().writable]) {
    const writer = stream.getWriter();
    await assertRejects(() => writer.write(["first", entry]), WalInputError);
  }
  await wal.flush();
  assertEquals((await log.readAll()).map((line) => line.slice(2)), ["kept", "waits", "first", "first"]);
}

test("bytes that were transferred to somebody else, or whose buffer has shrunk, are refused", async () => {
  await assertRefused(detached());
  await assertRefused(shrunk());
});

test("a proxy of bytes, and what only inherits from them, is refused", async () => {
  await assertRefused(new Proxy(new Uint8Array(4), {}));
  await assertRefused(Object.create(Uint8Array.prototype));
});

test("bytes that lie about their length harm nobody: what is acknowledged beside them can be read", async () => {
  for (const value of [-5, 2, 9, NaN]) {
    for (const names of [["length"], ["length", "byteLength"]]) {
      const log = await openLogWith("kept");
      const bytes = new TextEncoder().encode("four");
      for (const name of names) Object.defineProperty(bytes, name, { value });
      log.wal.append("before");
      try {
        log.wal.append(bytes);
      } catch (error) {
        assertInstanceOf(error, WalInputError);
      }
      await log.commit("behind");
      const texts = (await log.readAll()).map((line) => line.slice(2));
      assertEquals(texts.filter((text) => text !== "four"), ["kept", "before", "behind"], `${names.join()} ${value}`);
    }
  }
});

test("an object whose constructor's name is no text is refused as any other", async () => {
  const { wal } = await openLogWith("kept");
  for (const odd of [{ constructor: { name: Symbol("s") } }, JSON.parse('{"constructor":{"name":{"toString":1}}}')]) {
    assertThrows(() => wal.append(untyped(odd)), WalInputError);
    await assertRejects(() => wal.waitFor(untyped(odd)), WalInputError);
    await assertRejects(() => wal.configure({ durability: untyped(odd) }), WalOptionsError);
  }
});

test("a preset must be a text: neither what has none nor what only looks like one is taken", async () => {
  for (const preset of [Object.create(null), ["oltp"], new String("oltp")]) {
    await assertRejects(
      () => Wal.open("/a", { runtime: new MemoryRuntime(), preset: untyped(preset) }),
      WalOptionsError,
    );
  }
});

test("a chunk of decodeJson that is no entry, and one of splitLines that is gone, end the stream in a typed error", async () => {
  for (const chunk of [5, null, undefined, {}, [null]]) {
    const { writable, readable } = decodeJson();
    const read = assertRejects(() => readable.getReader().read(), WalInputError);
    await assertRejects(() => writable.getWriter().write(untyped(chunk)), WalInputError);
    await read;
  }
  const { writable, readable } = splitLines();
  const read = assertRejects(() => readable.getReader().read(), WalInputError);
  await assertRejects(() => writable.getWriter().write(untyped(detached())), WalInputError);
  await read;
});

test("an array of four thousand million holes is refused at once", async () => {
  const { wal } = await openLogWith("kept");
  const holes = untyped<EntryInput[]>(Array(2 ** 32 - 1));
  const startMs = performance.now();
  assertThrows(() => wal.appendBatch(holes), WalInputError);
  assertThrows(() => wal.append({ data: untyped(holes) }), WalInputError);
  await assertRejects(() => wal.commitBatch(holes), WalInputError);
  await assertRejects(() => wal.writable().getWriter().write(holes), WalInputError);
  assertGreater(MOST_MS, performance.now() - startMs);
});

test("a lock file that cannot be read is a typed error of verify, and of a dry run", async () => {
  const disk = new MemoryDisk({ files: { [`${DIRECTORY}/lock`]: new Uint8Array(600) } });
  const runtime = new MemoryRuntime({ disk, onCall: ({ name }) => name === "read" ? { code: "EIO" } : undefined });
  await assertRejects(() => Wal.verify(DIRECTORY, { runtime }), WalError);
  await assertRejects(() => Wal.repair(DIRECTORY, { runtime, dryRun: true }), WalError);
  assertEquals(runtime.openFiles, []);
});

test("onProgress that rejects is nobody else's business, and one that throws ends nothing half-way", async () => {
  const log = await openLogWith("kept");
  await log.wal.close();
  const { runtime } = log;
  const unheard: unknown[] = [];
  const hear = (error: unknown): void => void unheard.push(error);
  process.on("unhandledRejection", hear);
  for (const onProgress of [() => Promise.reject(new Error("mine")), () => assertEquals(1, 2)]) {
    await Wal.verify(DIRECTORY, { runtime, onProgress: untyped(onProgress) }).catch(() => {});
    await Wal.repair(DIRECTORY, { runtime, onProgress: untyped(onProgress) }).catch(() => {});
  }
  await quiet();
  process.off("unhandledRejection", hear);
  assertEquals([unheard, runtime.openFiles], [[], []]);
});
