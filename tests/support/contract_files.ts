import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import type { RuntimeFile } from "../../src/runtime/port.ts";
import type { Subject, WithSubject } from "./contract_subject.ts";
import { assertRejectsWithCode, assertThrowsWithCode } from "./system_code.ts";

/** What an open file does. */
export function fileContract(name: string, withSubject: WithSubject): void {
  readsAndWrites(name, withSubject);
  largeAndMany(name, withSubject);
  syncsAndFailures(name, withSubject);
  sizes(name, withSubject);
  closing(name, withSubject);
  locks(name, withSubject);
}

function readsAndWrites(name: string, withSubject: WithSubject): void {
  test(`${name}: what is written is read, at its place and no other`, () =>
    withFile(withSubject, async (file) => {
      await file.write(bytes("hello world"), 0);
      await file.write(bytes("W"), 6);
      file.writeSync(bytes("H"), 0);
      assertEquals(await textOf(file), "Hello World");
    }));

  test(`${name}: a short read at the end of the file says how much there was, and nothing behind the end is touched`, () =>
    withFile(withSubject, async (file) => {
      await file.write(bytes("abcdef"), 0);
      const target = new Uint8Array(8).fill(0x2e);
      assertEquals(await file.read(target, 4), 2);
      assertEquals(text(target), "ef......");
      assertEquals(await file.read(target, 6), 0);
      assertEquals(await file.read(target, 1_000_000), 0);
      assertEquals(await file.read(new Uint8Array(0), 0), 0);
      assertEquals(text(target), "ef......");
    }));

  test(`${name}: a view of a larger buffer is all that a read fills and a write takes`, () =>
    withFile(withSubject, async (file) => {
      const source = bytes("..abc..");
      await file.write(source.subarray(2, 4), 0);
      file.writeSync(source.subarray(4, 5), 2);
      assertEquals(await textOf(file), "abc");
      const target = bytes("......");
      assertEquals(await file.read(target.subarray(1, 4), 0), 3);
      assertEquals(text(target), ".abc..");
    }));

  test(`${name}: a write behind the end leaves zeros before it`, () =>
    withFile(withSubject, async (file) => {
      await file.write(bytes("x"), 3);
      file.writeSync(bytes("y"), 5);
      assertEquals(await contentOf(file), new Uint8Array([0, 0, 0, 0x78, 0, 0x79]));
    }));

  test(`${name}: a write of nothing is no error and grows nothing`, () =>
    withFile(withSubject, async (file) => {
      await file.write(new Uint8Array(0), 100);
      file.writeSync(new Uint8Array(0), 100);
      assertEquals(await file.size(), 0);
    }));
}

function largeAndMany(name: string, withSubject: WithSubject): void {
  test(`${name}: megabytes are written and read whole`, () =>
    withFile(withSubject, async (file) => {
      const much = pattern(5 * 1024 * 1024 + 13);
      await file.write(much, 7);
      const target = new Uint8Array(much.length);
      assertEquals(await file.read(target, 7), much.length);
      assert(equal(target, much));
      file.writeSync(much.subarray(1), 7);
      assertEquals(await file.read(target, 7), much.length);
      assert(equal(target.subarray(0, -1), much.subarray(1)));
    }));

  test(`${name}: writes and reads that are under way together do not move each other`, () =>
    withFile(withSubject, async (file) => {
      const size = 3000;
      await file.write(new Uint8Array(40 * size), 0);
      const writes = Array.from({ length: 40 }, (_, i) => file.write(new Uint8Array(size).fill(i + 1), i * size));
      const reads = Array.from({ length: 40 }, (_, i) => file.read(new Uint8Array(size), i * size));
      file.writeSync(bytes("z"), 40 * size);
      await Promise.all(writes);
      assertEquals(await Promise.all(reads), new Array(40).fill(size));
      const all = await contentOf(file);
      assert(all.subarray(0, 40 * size).every((byte, at) => byte === Math.floor(at / size) + 1));
      assertEquals(text(all.subarray(40 * size)), "z");
    }));

  test(`${name}: what one open file has written, another sees before any sync`, () =>
    withSubject(async ({ runtime, directory }) => {
      const path = runtime.join(directory, "file");
      const writer = await runtime.open(path, "create");
      const reader = await runtime.open(path, "read");
      await writer.write(bytes("pool"), 0);
      assertEquals(await textOf(reader), "pool");
      writer.writeSync(bytes("sync"), 4);
      assertEquals(await textOf(reader), "poolsync");
      await writer.close();
      await reader.close();
    }));
}

function syncsAndFailures(name: string, withSubject: WithSubject): void {
  test(`${name}: syncs of a file resolve, empty or not, in the pool or not`, () =>
    withFile(withSubject, async (file) => {
      await file.syncData();
      await file.write(bytes("abc"), 0);
      const [synced] = await Promise.all([file.syncData(), file.write(bytes("d"), 3)]);
      assertEquals(synced, undefined);
      file.syncDataSync();
      assertEquals(await textOf(file), "abcd");
    }));

  test(`${name}: a file that is open for reading takes no write`, () =>
    withSubject(async ({ runtime, directory }) => {
      const path = runtime.join(directory, "file");
      await (await runtime.open(path, "create")).close();
      const file = await runtime.open(path, "read");
      await assertRejectsWithCode(() => file.write(bytes("x"), 0), "EBADF");
      await assertThrowsWithCode(() => file.writeSync(bytes("x"), 0), "EBADF");
      await assertRejectsWithCode(() => file.truncate(10), "EBADF", "EINVAL");
      assertEquals(await file.size(), 0);
      await file.close();
    }));

  test(`${name}: a write that failed does not fail the next`, () =>
    withFile(withSubject, async (file) => {
      const failed = file.write(bytes("x"), Number.MAX_SAFE_INTEGER);
      const next = file.write(bytes("next"), 0);
      await assertRejectsWithCode(() => failed, "EFBIG", "EINVAL");
      await next;
      assertEquals(await textOf(file), "next");
    }));
}

function sizes(name: string, withSubject: WithSubject): void {
  test(`${name}: a file cut short and grown again has zeros where the rest was`, () =>
    withFile(withSubject, async (file) => {
      await file.write(bytes("abcdef"), 0);
      await file.truncate(2);
      assertEquals([await file.size(), await textOf(file)], [2, "ab"]);
      await file.truncate(4);
      assertEquals(await contentOf(file), new Uint8Array([0x61, 0x62, 0, 0]));
      await file.truncate(0);
      assertEquals(await file.size(), 0);
    }));
}

function closing(name: string, withSubject: WithSubject): void {
  test(`${name}: closing twice is no error, and a closed file takes no call, for itself or for the next file`, () =>
    withSubject(async ({ runtime, directory }) => {
      const file = await runtime.open(runtime.join(directory, "file"), "create");
      await Promise.all([file.close(), file.close()]);
      // The system gives this one the number of the one before.
      const next = await runtime.open(runtime.join(directory, "next"), "create");
      await assertRejectsWithCode(() => file.read(new Uint8Array(1), 0), "EBADF");
      await assertRejectsWithCode(() => file.write(bytes("x"), 0), "EBADF");
      await assertThrowsWithCode(() => file.writeSync(bytes("x"), 0), "EBADF");
      await assertRejectsWithCode(() => file.syncData(), "EBADF");
      await assertThrowsWithCode(() => file.syncDataSync(), "EBADF");
      await assertRejectsWithCode(() => file.truncate(0), "EBADF");
      await assertRejectsWithCode(() => file.size(), "EBADF");
      await assertRejectsWithCode(() => file.tryLock(), "EBADF");
      await file.close();
      await next.write(bytes("mine"), 0);
      assertEquals(await textOf(next), "mine");
      await next.close();
    }));

  test(`${name}: a file closed while calls are under way ends them first, and none reaches the next file`, () =>
    withSubject(async ({ runtime, directory }) => {
      const size = 20_000;
      const first = await runtime.open(runtime.join(directory, "first"), "create");
      const writes = Array.from({ length: 50 }, (_, i) => first.write(pattern(size), i * size));
      const synced = first.syncData();
      const closed = first.close();
      const second = await runtime.open(runtime.join(directory, "second"), "create");
      await Promise.all([...writes, synced, closed]);
      assertEquals(await second.size(), 0);
      await second.close();
      const again = await runtime.open(runtime.join(directory, "first"), "read");
      assertEquals(await again.size(), 50 * size);
      // To learn that the file ends takes a second call of the system, which then comes after the wish to close.
      const read = again.read(new Uint8Array(51 * size), 0);
      await again.close();
      assertEquals(await read, 50 * size);
    }));
}

function locks(name: string, withSubject: WithSubject): void {
  test(`${name}: one open file has the lock until it is closed, in the same process as well`, () =>
    withSubject(async (subject) => {
      const [first, second] = [await openLock(subject), await openLock(subject)];
      const isOurs = await first.tryLock();
      if (isOurs === null) {
        assert(subject.runtime.missing.some((capability) => capability.name === "kernel-lock"));
      } else {
        assertEquals(isOurs, true);
        assertEquals(await second.tryLock(), false);
        await first.close();
        assertEquals(await second.tryLock(), true);
        const third = await openLock(subject);
        assertEquals(await third.tryLock(), false);
        await third.close();
      }
      await first.close();
      await second.close();
    }));

  test(`${name}: a locked file is read, written and synced as any other, by others too`, () =>
    withSubject(async (subject) => {
      const [owner, other] = [await openLock(subject), await openLock(subject)];
      await owner.tryLock();
      await owner.write(bytes("owner"), 0);
      await owner.syncData();
      assertEquals(await textOf(other), "owner");
      await other.write(bytes("other"), 0);
      assertEquals(await textOf(owner), "other");
      await other.close();
      assertEquals((await openLockAndTry(subject)) === true, false);
      await owner.close();
    }));
}

async function openLockAndTry(subject: Subject): Promise<boolean | null> {
  const file = await openLock(subject);
  try {
    return await file.tryLock();
  } finally {
    await file.close();
  }
}

function openLock({ runtime, directory }: Subject): Promise<RuntimeFile> {
  return runtime.open(runtime.join(directory, "lock"), "create-or-write");
}

async function withFile(withSubject: WithSubject, body: (file: RuntimeFile) => Promise<void>): Promise<void> {
  await withSubject(async ({ runtime, directory }) => {
    const file = await runtime.open(runtime.join(directory, "file"), "create");
    try {
      await body(file);
    } finally {
      await file.close();
    }
  });
}

async function contentOf(file: RuntimeFile): Promise<Uint8Array> {
  const target = new Uint8Array(await file.size());
  assertEquals(await file.read(target, 0), target.length);
  return target;
}

async function textOf(file: RuntimeFile): Promise<string> {
  return text(await contentOf(file));
}

function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + (at >>> 8)) & 0xff);
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}
