import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import type { Runtime } from "../../src/runtime/port.ts";
import type { WithSubject } from "./contract_subject.ts";
import { assertRejectsWithCode } from "./system_code.ts";

/** What becomes of names. */
export function nameContract(name: string, withSubject: WithSubject): void {
  opening(name, withSubject);
  directories(name, withSubject);
  moving(name, withSubject);
  linking(name, withSubject);
  removing(name, withSubject);
  paths(name, withSubject);
}

function opening(name: string, withSubject: WithSubject): void {
  test(`${name}: a missing file is not made by reading or writing, and says ENOENT`, () =>
    withSubject(async ({ runtime, directory }) => {
      const path = runtime.join(directory, "file");
      await assertRejectsWithCode(() => runtime.open(path, "read"), "ENOENT");
      await assertRejectsWithCode(() => runtime.open(path, "write"), "ENOENT");
      await assertRejectsWithCode(() => runtime.open(runtime.join(path, "deeper"), "create"), "ENOENT");
      assertEquals(await runtime.list(directory), []);
    }));

  test(`${name}: a file is made once and says EEXIST the second time`, () =>
    withSubject(async ({ runtime, directory }) => {
      await put(runtime, directory, "file", "kept");
      await assertRejectsWithCode(() => runtime.open(runtime.join(directory, "file"), "create"), "EEXIST");
      assertEquals(await get(runtime, directory, "file"), "kept");
    }));

  test(`${name}: create-or-write makes what is missing and keeps what is there`, () =>
    withSubject(async ({ runtime, directory }) => {
      const path = runtime.join(directory, "file");
      const made = await runtime.open(path, "create-or-write");
      assertEquals(await made.size(), 0);
      await made.write(new TextEncoder().encode("kept"), 0);
      await made.close();
      const opened = await runtime.open(path, "create-or-write");
      assertEquals(await opened.size(), 4);
      await opened.close();
      assertEquals(await get(runtime, directory, "file"), "kept");
    }));

  test(`${name}: below a file there is nothing, and it says ENOTDIR`, () =>
    withSubject(async ({ runtime, directory }) => {
      const file = runtime.join(directory, "file");
      await put(runtime, directory, "file", "");
      await assertRejectsWithCode(() => runtime.open(runtime.join(file, "deeper"), "create"), "ENOTDIR");
      await assertRejectsWithCode(() => runtime.list(file), "ENOTDIR");
    }));

  test(`${name}: a directory is not opened for writing`, () =>
    withSubject(async ({ runtime, directory }) => {
      await assertRejectsWithCode(() => runtime.open(directory, "write"), "EISDIR");
      await assertRejectsWithCode(() => runtime.open(directory, "create-or-write"), "EISDIR");
      await assertRejectsWithCode(() => runtime.open(directory, "create"), "EEXIST");
    }));
}

function directories(name: string, withSubject: WithSubject): void {
  test(`${name}: a directory is made with all above it, and one that exists is no error`, () =>
    withSubject(async ({ runtime, directory }) => {
      const deep = runtime.join(runtime.join(directory, "a"), "b");
      await runtime.makeDirectory(deep);
      await runtime.makeDirectory(deep);
      await put(runtime, deep, "file", "x");
      await runtime.makeDirectory(deep);
      assertEquals(await runtime.list(directory), ["a"]);
      assertEquals(await runtime.list(deep), ["file"]);
    }));

  test(`${name}: a file in the place of a directory, or above it, is an error and stays`, () =>
    withSubject(async ({ runtime, directory }) => {
      await put(runtime, directory, "file", "kept");
      const path = runtime.join(directory, "file");
      await assertRejectsWithCode(() => runtime.makeDirectory(path), "EEXIST", "ENOTDIR");
      await assertRejectsWithCode(() => runtime.makeDirectory(runtime.join(path, "deeper")), "EEXIST", "ENOTDIR");
      assertEquals(await get(runtime, directory, "file"), "kept");
    }));

  test(`${name}: a list has every name once, and a missing directory says ENOENT`, () =>
    withSubject(async ({ runtime, directory }) => {
      assertEquals(await runtime.list(directory), []);
      const names = Array.from({ length: 120 }, (_, i) => `${i} ü`).sort();
      for (const each of names) await put(runtime, directory, each, "");
      assertEquals((await runtime.list(directory)).sort(), names);
      await assertRejectsWithCode(() => runtime.list(runtime.join(directory, "missing")), "ENOENT");
    }));

  test(`${name}: a directory is synced, and a missing one says ENOENT`, () =>
    withSubject(async ({ runtime, directory }) => {
      for (let round = 0; round < 3; round++) await runtime.syncDirectory(directory);
      await assertRejectsWithCode(() => runtime.syncDirectory(runtime.join(directory, "missing")), "ENOENT");
    }));
}

function moving(name: string, withSubject: WithSubject): void {
  test(`${name}: a rename replaces what bears the new name, and open files of both stay readable`, () =>
    withSubject(async ({ runtime, directory }) => {
      await put(runtime, directory, "old", "replaced");
      await put(runtime, directory, "new", "moved");
      const [from, to] = [runtime.join(directory, "new"), runtime.join(directory, "old")];
      const replaced = await runtime.open(to, "write");
      const moved = await runtime.open(from, "write");
      await runtime.rename(from, to);
      assertEquals(await runtime.list(directory), ["old"]);
      assertEquals(await get(runtime, directory, "old"), "moved");
      await replaced.write(new TextEncoder().encode("REPL"), 0);
      await moved.write(new TextEncoder().encode("MOV"), 0);
      assertEquals(await get(runtime, directory, "old"), "MOVed");
      const target = new Uint8Array(8);
      assertEquals(await replaced.read(target, 0), 8);
      assertEquals(new TextDecoder().decode(target), "REPLaced");
      await replaced.close();
      await moved.close();
      await assertRejectsWithCode(() => runtime.rename(from, to), "ENOENT");
    }));
}

function linking(name: string, withSubject: WithSubject): void {
  test(`${name}: a link is the same file under a second name, and a taken name says EEXIST`, () =>
    withSubject(async ({ runtime, directory }) => {
      await put(runtime, directory, "one", "first");
      await put(runtime, directory, "taken", "kept");
      const [one, two, taken] = ["one", "two", "taken"].map((each) => runtime.join(directory, each));
      await runtime.link(one ?? "", two ?? "");
      await put(runtime, directory, "one", "FIRST");
      assertEquals(await get(runtime, directory, "two"), "FIRST");
      await assertRejectsWithCode(() => runtime.link(one ?? "", taken ?? ""), "EEXIST");
      assertEquals(await get(runtime, directory, "taken"), "kept");
      await runtime.unlink(one ?? "");
      assertEquals(await get(runtime, directory, "two"), "FIRST");
      await assertRejectsWithCode(() => runtime.link(one ?? "", runtime.join(directory, "three")), "ENOENT");
    }));

  test(`${name}: of two links to one name, one is made`, () =>
    withSubject(async ({ runtime, directory }) => {
      await put(runtime, directory, "a", "a");
      await put(runtime, directory, "b", "b");
      const target = runtime.join(directory, "target");
      const links = ["a", "b"].map((each) => runtime.link(runtime.join(directory, each), target));
      const outcomes = await Promise.allSettled(links);
      assertEquals(outcomes.filter((outcome) => outcome.status === "fulfilled").length, 1);
    }));
}

function removing(name: string, withSubject: WithSubject): void {
  test(`${name}: a name that is removed is gone, its open file is not, and a missing one says ENOENT`, () =>
    withSubject(async ({ runtime, directory }) => {
      await put(runtime, directory, "file", "alive");
      const path = runtime.join(directory, "file");
      const file = await runtime.open(path, "read");
      await runtime.unlink(path);
      assertEquals(await runtime.list(directory), []);
      const target = new Uint8Array(5);
      assertEquals(await file.read(target, 0), 5);
      assertEquals(new TextDecoder().decode(target), "alive");
      await file.close();
      await assertRejectsWithCode(() => runtime.unlink(path), "ENOENT");
    }));

  test(`${name}: an empty directory that bears the name of a file is not removed as one, and stays`, () =>
    withSubject(async ({ runtime, directory }) => {
      const path = runtime.join(directory, "spare-0000000077.wal");
      await runtime.makeDirectory(path);
      await assertRejectsWithCode(() => runtime.unlink(path), "EISDIR", "EPERM");
      assertEquals(await runtime.list(directory), ["spare-0000000077.wal"]);
      assertEquals(await runtime.list(path), []);
    }));
}

function paths(name: string, withSubject: WithSubject): void {
  test(`${name}: a path is made absolute, and a URL of a file is taken as well`, () =>
    withSubject(({ runtime }) => {
      assertEquals(runtime.resolve("/a/b/../c"), "/a/c");
      assertEquals(runtime.resolve("/a/c/"), "/a/c");
      assertEquals(runtime.resolve(new URL("file:///a/with%20space/%C3%BC")), "/a/with space/ü");
      const relative = runtime.resolve("here");
      assert(relative.startsWith("/") && relative.endsWith("/here"), relative);
      assertEquals(runtime.join("/a/b", "name"), "/a/b/name");
      return Promise.resolve();
    }));

  test(`${name}: the ancestors of a path are named nearest first, up to the root`, () =>
    withSubject(({ runtime }) => {
      assertEquals(runtime.ancestors("/a/b/c"), ["/a/b", "/a", "/"]);
      assertEquals(runtime.ancestors("/a"), ["/"]);
      assertEquals(runtime.ancestors("/"), []);
      return Promise.resolve();
    }));
}

async function put(runtime: Runtime, directory: string, name: string, content: string): Promise<void> {
  const file = await runtime.open(runtime.join(directory, name), "create-or-write");
  await file.write(new TextEncoder().encode(content), 0);
  await file.close();
}

async function get(runtime: Runtime, directory: string, name: string): Promise<string> {
  const file = await runtime.open(runtime.join(directory, name), "read");
  const target = new Uint8Array(await file.size());
  await file.read(target, 0);
  await file.close();
  return new TextDecoder().decode(target);
}
