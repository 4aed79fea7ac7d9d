// What the tests rely on in @std/assert and @std/fs. The stand-ins under tests/std must have it, and so must the real ones:
// nothing here goes beyond their documentation.

import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import {
  assert,
  assertEquals,
  assertExists,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";
import { copy, emptyDir, ensureDir, exists, walk } from "@std/fs";

// The assertions cannot be trusted to test themselves, so these two throw plain errors.

function holds(what: string, assertion: () => unknown): void {
  try {
    assertion();
  } catch (error) {
    throw new Error(`${what}: should hold, and failed`, { cause: error });
  }
}

function fails(what: string, assertion: () => unknown): string {
  try {
    assertion();
  } catch (error) {
    if (!(error instanceof AssertionError)) throw new Error(`${what}: threw no AssertionError`, { cause: error });
    return error.message;
  }
  throw new Error(`${what}: should fail, and held`);
}

async function failsLater(what: string, assertion: () => Promise<unknown>): Promise<void> {
  let failure: unknown;
  try {
    await assertion();
  } catch (error) {
    failure = error;
  }
  if (!(failure instanceof AssertionError)) throw new Error(`${what}: should fail`, { cause: failure });
}

async function inTemporaryDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "walstream-std-"));
  try {
    await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function pathsOf(entries: AsyncIterable<{ path: string }>, root: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of entries) paths.push(entry.path.slice(root.length));
  return paths.sort();
}

class Point {
  x: number;
  constructor(x: number) {
    this.x = x;
  }
}

class Place {
  x: number;
  constructor(x: number) {
    this.x = x;
  }
}

const circle = (): unknown => {
  const value: { self?: unknown } = {};
  value.self = value;
  return value;
};

/** Each row: what it is, and two values that are made anew for each use. */
const equalPairs: readonly (readonly [string, () => unknown, () => unknown])[] = [
  ["numbers", () => 1, () => 1],
  ["NaN", () => NaN, () => NaN],
  ["zero and minus zero", () => 0, () => -0],
  ["bigints", () => 10n, () => 10n],
  ["undefined", () => undefined, () => undefined],
  ["arrays within objects", () => ({ a: [1, { b: 2 }] }), () => ({ a: [1, { b: 2 }] })],
  ["keys in another order", () => ({ a: 1, b: 2 }), () => ({ b: 2, a: 1 })],
  ["symbol keys", () => ({ [Symbol.for("k")]: 1 }), () => ({ [Symbol.for("k")]: 1 })],
  ["an object without a prototype", () => Object.assign(Object.create(null), { a: 1 }), () => ({ a: 1 })],
  ["bytes", () => new Uint8Array([1, 2]), () => new Uint8Array([1, 2])],
  ["bytes at another place of a buffer", () => new Uint8Array([9, 1, 2]).subarray(1), () => new Uint8Array([1, 2])],
  ["no bytes", () => new Uint8Array(0), () => new Uint8Array(0)],
  ["dates", () => new Date(5), () => new Date(5)],
  ["invalid dates", () => new Date(NaN), () => new Date(NaN)],
  ["patterns", () => /a/g, () => /a/g],
  ["addresses", () => new URL("file:///a"), () => new URL("file:///a")],
  ["sets in another order", () => new Set([1, 2]), () => new Set([2, 1])],
  ["sets of objects", () => new Set([{ a: 1 }, { b: 2 }]), () => new Set([{ b: 2 }, { a: 1 }])],
  ["maps in another order", () => new Map([["a", 1], ["b", 2]]), () => new Map([["b", 2], ["a", 1]])],
  ["maps within maps", () => new Map([["a", new Map([[1, [2]]])]]), () => new Map([["a", new Map([[1, [2]]])]])],
  ["instances of one class", () => new Point(1), () => new Point(1)],
  ["circles", circle, circle],
];

const unequalPairs: readonly (readonly [string, () => unknown, () => unknown])[] = [
  ["numbers", () => 1, () => 2],
  ["a number and its text", () => 1, () => "1"],
  ["a number and a bigint", () => 1, () => 1n],
  ["null and undefined", () => null, () => undefined],
  ["an undefined key and no key", () => ({ a: undefined }), () => ({})],
  ["undefined keys of other names", () => ({ a: undefined }), () => ({ b: undefined })],
  ["arrays of other lengths", () => [1, 2], () => [1, 2, 3]],
  ["arrays in another order", () => [1, 2], () => [2, 1]],
  ["an array and an object", () => [], () => ({})],
  ["deep values", () => ({ a: [{ b: 1 }] }), () => ({ a: [{ b: 2 }] })],
  ["bytes", () => new Uint8Array([1, 2]), () => new Uint8Array([1, 3])],
  ["bytes of other lengths", () => new Uint8Array([1]), () => new Uint8Array([1, 0])],
  ["bytes and an array", () => new Uint8Array([1]), () => [1]],
  ["elements of other widths", () => new Uint8Array([1]), () => new Uint16Array([1])],
  ["dates", () => new Date(5), () => new Date(6)],
  ["patterns with other flags", () => /a/, () => /a/g],
  ["sets of other sizes", () => new Set([1]), () => new Set([1, 2])],
  ["sets", () => new Set([1, 2]), () => new Set([1, 3])],
  ["sets of objects", () => new Set([{ a: 1 }]), () => new Set([{ a: 2 }])],
  ["map values", () => new Map([["a", 1]]), () => new Map([["a", 2]])],
  ["map keys", () => new Map([["a", 1]]), () => new Map([["b", 1]])],
  ["instances of two classes", () => new Point(1), () => new Place(1)],
];

test("std: assertEquals takes values that look the same, and assertNotEquals refuses them", () => {
  for (const [what, left, right] of equalPairs) {
    holds(what, () => assertEquals(left(), right()));
    holds(what, () => assertEquals(right(), left()));
    fails(what, () => assertNotEquals(left(), right()));
  }
});

test("std: assertEquals refuses values that differ, and assertNotEquals takes them", () => {
  for (const [what, left, right] of unequalPairs) {
    fails(what, () => assertEquals(left(), right()));
    fails(what, () => assertEquals(right(), left()));
    holds(what, () => assertNotEquals(left(), right()));
  }
});

test("std: a failure of assertEquals bears the message that was given and shows the difference", () => {
  const message = fails(
    "objects",
    () => assertEquals({ same: 1, count: 41 }, { same: 1, count: 42 }, "after the crash"),
  );
  holds("message", () => assertStringIncludes(message, "after the crash"));
  holds("actual", () => assertMatch(message, /41/));
  holds("expected", () => assertMatch(message, /42/));
});

test("std: assertStrictEquals compares identity, and tells zero from minus zero", () => {
  const value = { a: 1 };
  holds("the same object", () => assertStrictEquals(value, value));
  holds("NaN", () => assertStrictEquals(NaN, NaN));
  fails("a copy", () => assertStrictEquals(value, { ...value }));
  fails("zeros", () => assertStrictEquals(0, -0));
  fails("values", () => assertStrictEquals("a", "b"));
});

test("std: assert, assertExists and fail", () => {
  holds("true", () => assert("text"));
  fails("empty text", () => assert(""));
  fails("zero", () => assert(0));
  assertStringIncludes(fails("message", () => assert(false, "why it matters")), "why it matters");
  holds("zero exists", () => assertExists(0));
  holds("false exists", () => assertExists(false));
  fails("null", () => assertExists(null));
  fails("undefined", () => assertExists(undefined));
  assertStringIncludes(fails("fail", () => fail("not here")), "not here");
});

test("std: assertions narrow types", () => {
  const maybe: string | undefined = ["text"].at(0);
  assertExists(maybe);
  holds("length", () => maybe.length);
  const unknown: unknown = new RangeError("deep");
  assertInstanceOf(unknown, RangeError);
  holds("message", () => unknown.message.length);
});

test("std: assertInstanceOf, assertMatch and assertStringIncludes", () => {
  holds("subclass", () => assertInstanceOf(new RangeError(), Error));
  fails("other class", () => assertInstanceOf(new Error(), RangeError));
  fails("no object", () => assertInstanceOf("text", String));
  holds("match", () => assertMatch("segment 12", /\d+$/));
  fails("no match", () => assertMatch("segment", /\d+$/));
  holds("part", () => assertStringIncludes("abc", "b"));
  fails("no part", () => assertStringIncludes("abc", "d"));
});

test("std: the four comparisons", () => {
  holds("2 > 1", () => assertGreater(2, 1));
  fails("1 > 1", () => assertGreater(1, 1));
  holds("1 >= 1", () => assertGreaterOrEqual(1, 1));
  fails("0 >= 1", () => assertGreaterOrEqual(0, 1));
  holds("1 < 2", () => assertLess(1, 2));
  fails("1 < 1", () => assertLess(1, 1));
  holds("1 <= 1", () => assertLessOrEqual(1, 1));
  fails("2 <= 1", () => assertLessOrEqual(2, 1));
  fails("NaN < 1", () => assertLess(NaN, 1));
  holds("bigints", () => assertGreater(2n, 1n));
  holds("dates", () => assertGreater(new Date(2), new Date(1)));
});

test("std: assertThrows returns what was thrown and checks class and message", () => {
  const error = new RangeError("offset 12 is outside");
  const thrower = () => {
    throw error;
  };
  holds("any error", () => assertStrictEquals(assertThrows(thrower), error));
  holds("class", () => assertStrictEquals(assertThrows(thrower, RangeError).message, error.message));
  holds("superclass and part", () => assertThrows(thrower, Error, "offset 12"));
  holds("message alone", () => assertThrows(thrower, "it must throw"));
  fails("other class", () => assertThrows(thrower, SyntaxError));
  fails("other text", () => assertThrows(thrower, RangeError, "offset 13"));
  const silent = fails("nothing thrown", () => assertThrows(() => {}, Error, "", "a closed log"));
  assertStringIncludes(silent, "a closed log");
  const textThrower = () => {
    throw "text";
  };
  fails("no error object", () => assertThrows(textThrower, Error));
  holds("no error object, no class", () => assertStrictEquals(assertThrows(textThrower), "text"));
});

test("std: assertRejects returns the rejection and checks class and message", async () => {
  const error = new RangeError("offset 12 is outside");
  const rejecter = () => Promise.reject(error);
  assertStrictEquals(await assertRejects(rejecter), error);
  assertStrictEquals((await assertRejects(rejecter, RangeError)).message, error.message);
  await assertRejects(rejecter, Error, "offset 12");
  await assertRejects(rejecter, "it must reject");
  await failsLater("other class", () => assertRejects(rejecter, SyntaxError));
  await failsLater("other text", () => assertRejects(rejecter, RangeError, "offset 13"));
  await failsLater("resolved", () => assertRejects(() => Promise.resolve(1)));
  await failsLater("resolved, class given", () => assertRejects(() => Promise.resolve(1), Error));
  await failsLater("no error object", () => assertRejects(() => Promise.reject("text"), Error));
  await failsLater("threw at once", () =>
    assertRejects(() => {
      throw error;
    }, RangeError));
});

test("std: exists, ensureDir and emptyDir", async () => {
  await inTemporaryDirectory(async (root) => {
    const deep = join(root, "a", "b");
    assertEquals(await exists(deep), false);
    await ensureDir(deep);
    await ensureDir(deep);
    assertEquals(await exists(deep), true);
    assertEquals(await exists(pathToFileURL(deep)), true);
    const file = join(deep, "file");
    await writeFile(file, "text");
    assertEquals([await exists(file, { isFile: true }), await exists(file, { isDirectory: true })], [true, false]);
    assertEquals([await exists(deep, { isFile: true }), await exists(deep, { isDirectory: true })], [false, true]);
    await assertRejects(() => ensureDir(file));
    await emptyDir(join(root, "a"));
    assertEquals(await pathsOf(walk(root), root), ["", "/a"]);
    await emptyDir(join(root, "new", "one"));
    assertEquals(await exists(join(root, "new", "one")), true);
  });
});

test("std: copy copies files and what is in directories, and overwrites only when told to", async () => {
  await inTemporaryDirectory(async (root) => {
    const from = join(root, "from");
    await mkdir(join(from, "sub"), { recursive: true });
    await writeFile(join(from, "sub", "file"), "first");
    const to = join(root, "to");
    await copy(from, to);
    assertEquals(await readFile(join(to, "sub", "file"), "utf8"), "first");
    await writeFile(join(from, "sub", "file"), "second");
    await assertRejects(() => copy(from, to));
    assertEquals(await readFile(join(to, "sub", "file"), "utf8"), "first");
    await copy(from, to, { overwrite: true });
    assertEquals(await readFile(join(to, "sub", "file"), "utf8"), "second");
    await copy(join(from, "sub", "file"), join(root, "single"));
    assertEquals(await readFile(join(root, "single"), "utf8"), "second");
    await assertRejects(() => copy(join(from, "sub", "file"), join(root, "single")));
    await assertRejects(() => copy(from, from));
    await assertRejects(() => copy(from, join(from, "sub", "below")));
    await assertRejects(() => copy(join(root, "missing"), join(root, "x")));
  });
});

test("std: walk yields the root, directories, files and links, as far as it is told to", async () => {
  await inTemporaryDirectory(async (root) => {
    await mkdir(join(root, "a", "b"), { recursive: true });
    await writeFile(join(root, "a", "one.ts"), "");
    await writeFile(join(root, "a", "b", "two.js"), "");
    await symlink(join(root, "a"), join(root, "link"));
    assertEquals(await pathsOf(walk(root), root), ["", "/a", "/a/b", "/a/b/two.js", "/a/one.ts", "/link"]);
    assertEquals(await pathsOf(walk(root, { maxDepth: 1 }), root), ["", "/a", "/link"]);
    const files = { includeDirs: false, includeSymlinks: false };
    assertEquals(await pathsOf(walk(root, files), root), ["/a/b/two.js", "/a/one.ts"]);
    assertEquals(await pathsOf(walk(root, { exts: [".ts"] }), root), ["/a/one.ts"]);
    assertEquals(await pathsOf(walk(root, { match: [/two\.js$/] }), root), ["/a/b/two.js"]);
    assertEquals(await pathsOf(walk(root, { skip: [/\/b$/] }), root), ["", "/a", "/a/one.ts", "/link"]);
    for await (const entry of walk(root, { exts: [".ts"] })) {
      assertEquals([entry.path, entry.name], [join(root, "a", "one.ts"), "one.ts"]);
      assertEquals([entry.isFile, entry.isDirectory, entry.isSymlink], [true, false, false]);
    }
  });
});
