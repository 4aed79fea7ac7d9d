// @ts-self-types="./mod.d.ts"
import { inspect } from "node:util";

const contextLines = 3;
const shownLines = 40;

export class AssertionError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = "AssertionError";
  }
}

export function assert(expr, msg = "") {
  if (!expr) throw new AssertionError(msg);
}

export function assertEquals(actual, expected, msg) {
  if (!equal(actual, expected, new Map())) {
    throw new AssertionError(`Values are not equal${suffix(msg)}\n\n${difference(actual, expected)}\n`);
  }
}

export function assertNotEquals(actual, expected, msg) {
  if (equal(actual, expected, new Map())) {
    throw new AssertionError(`Expected something else than ${show(actual)}${suffix(msg)}`);
  }
}

export function assertStrictEquals(actual, expected, msg) {
  if (Object.is(actual, expected)) return;
  const alike = equal(actual, expected, new Map());
  const why = alike ? `They look the same and are two values: ${show(actual)}` : difference(actual, expected);
  throw new AssertionError(`Values are not strictly equal${suffix(msg)}\n\n${why}\n`);
}

export function assertExists(actual, msg) {
  if (actual === undefined || actual === null) {
    throw new AssertionError(`Expected a value that is not null or undefined, got ${actual}${suffix(msg)}`);
  }
}

export function assertInstanceOf(actual, expectedType, msg = "") {
  if (actual instanceof expectedType) return;
  throw new AssertionError(
    `Expected an instance of "${expectedType.name}", got ${classOf(actual)}: ${show(actual)}${suffix(msg)}`,
  );
}

export function assertMatch(actual, expected, msg) {
  if (!expected.test(actual)) throw new AssertionError(`Expected ${show(actual)} to match ${expected}${suffix(msg)}`);
}

export function assertStringIncludes(actual, expected, msg) {
  if (actual.includes(expected)) return;
  throw new AssertionError(`Expected ${show(actual)} to contain ${show(expected)}${suffix(msg)}`);
}

export function assertGreater(actual, expected, msg) {
  if (!(actual > expected)) throw new AssertionError(`Expected ${show(actual)} > ${show(expected)}${suffix(msg)}`);
}

export function assertGreaterOrEqual(actual, expected, msg) {
  if (!(actual >= expected)) throw new AssertionError(`Expected ${show(actual)} >= ${show(expected)}${suffix(msg)}`);
}

export function assertLess(actual, expected, msg) {
  if (!(actual < expected)) throw new AssertionError(`Expected ${show(actual)} < ${show(expected)}${suffix(msg)}`);
}

export function assertLessOrEqual(actual, expected, msg) {
  if (!(actual <= expected)) throw new AssertionError(`Expected ${show(actual)} <= ${show(expected)}${suffix(msg)}`);
}

export function assertThrows(fn, classOrMsg, msgIncludes, msg) {
  const wanted = expectation(classOrMsg, msgIncludes, msg);
  let thrown;
  try {
    fn();
  } catch (error) {
    thrown = { error };
  }
  if (thrown === undefined) throw new AssertionError(`Expected function to throw${suffix(wanted.msg)}`);
  checkError(thrown.error, wanted);
  return thrown.error;
}

export async function assertRejects(fn, classOrMsg, msgIncludes, msg) {
  const wanted = expectation(classOrMsg, msgIncludes, msg);
  let promise;
  try {
    promise = fn();
  } catch (error) {
    throw new AssertionError(`Function throws when expected to reject${suffix(wanted.msg)}`, { cause: error });
  }
  let thrown;
  try {
    await promise;
  } catch (error) {
    thrown = { error };
  }
  if (thrown === undefined) throw new AssertionError(`Expected function to reject${suffix(wanted.msg)}`);
  checkError(thrown.error, wanted);
  return thrown.error;
}

export function fail(msg) {
  throw new AssertionError(`Failed assertion${suffix(msg)}`);
}

function suffix(msg) {
  return msg ? `: ${msg}` : ".";
}

function expectation(classOrMsg, msgIncludes, msg) {
  if (typeof classOrMsg === "string") return { msg: classOrMsg };
  return { errorClass: classOrMsg, msgIncludes, msg };
}

function checkError(error, { errorClass, msgIncludes, msg }) {
  if (errorClass === undefined) return;
  if (!(error instanceof Error)) {
    throw new AssertionError(`Expected an Error, got ${show(error)}${suffix(msg)}`);
  }
  if (!(error instanceof errorClass)) {
    throw new AssertionError(
      `Expected an instance of "${errorClass.name}", got "${classOf(error)}": ${error.message}${suffix(msg)}`,
      { cause: error },
    );
  }
  if (msgIncludes !== undefined && !error.message.includes(msgIncludes)) {
    throw new AssertionError(
      `Expected an error message that contains ${show(msgIncludes)}, got ${show(error.message)}${suffix(msg)}`,
      { cause: error },
    );
  }
}

// `compared` remembers which pairs are under comparison, so that circles end.
function equal(left, right, compared) {
  if (left === right || Object.is(left, right)) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (!sameClass(left, right)) return false;
  if (left instanceof Date) return Object.is(left.getTime(), right.getTime());
  if (left instanceof RegExp || left instanceof URL) return String(left) === String(right);
  if (left instanceof Error && left.message !== right.message) return false;
  if (ArrayBuffer.isView(left) && !(left instanceof DataView)) return equalElements(left, right);
  if (compared.get(left) === right) return true;
  compared.set(left, right);
  if (left instanceof Set || left instanceof Map) return equalCollections(left, right, compared);
  return equalProperties(left, right, compared);
}

function sameClass(left, right) {
  const plain = (value) => value.constructor === undefined || value.constructor === Object;
  return left.constructor === right.constructor || (plain(left) && plain(right));
}

function equalElements(left, right) {
  return left.length === right.length && left.every((element, index) => equal(element, right[index]));
}

// Neither order nor identity of the keys matters: each element needs a deeply equal partner of its own.
function equalCollections(left, right, compared) {
  if (left.size !== right.size) return false;
  const partners = [...right.entries()];
  return [...left.entries()].every(([key, value]) => {
    const index = partners.findIndex((partner) =>
      equal(key, partner[0], new Map(compared)) && equal(value, partner[1], new Map(compared))
    );
    if (index >= 0) partners.splice(index, 1);
    return index >= 0;
  });
}

// A key with the value undefined is not the same as no key.
function equalProperties(left, right, compared) {
  const leftKeys = enumerableKeys(left);
  if (leftKeys.length !== enumerableKeys(right).length) return false;
  return leftKeys.every((key) => Object.hasOwn(right, key) && equal(left[key], right[key], compared));
}

function enumerableKeys(value) {
  return Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
}

function classOf(value) {
  return typeof value === "object" && value !== null ? value.constructor?.name ?? "an object" : typeof value;
}

function show(value, options) {
  return inspect(value, { depth: 12, sorted: true, maxArrayLength: 200, maxStringLength: 10_000, ...options });
}

function difference(actual, expected) {
  const bytes = actual instanceof Uint8Array && expected instanceof Uint8Array;
  return bytes ? byteDifference(actual, expected) : lineDifference(actual, expected);
}

function byteDifference(actual, expected) {
  let index = 0;
  while (index < actual.length && actual[index] === expected[index]) index++;
  const excerpt = (bytes) => {
    const hex = [...bytes.subarray(index, index + 16)].map((byte) => byte.toString(16).padStart(2, "0"));
    return `${bytes.length} bytes, from ${index} on: ${hex.join(" ") || "none"}`;
  };
  return `  actual   ${excerpt(actual)}\n  expected ${excerpt(expected)}`;
}

function lineDifference(actual, expected) {
  const options = { compact: false, breakLength: 100 };
  const left = show(actual, options).split("\n");
  const right = show(expected, options).split("\n");
  const shorter = Math.min(left.length, right.length);
  let start = 0;
  while (start < shorter && left[start] === right[start]) start++;
  let tail = 0;
  while (tail < shorter - start && left[left.length - 1 - tail] === right[right.length - 1 - tail]) tail++;
  return [
    ...left.slice(Math.max(0, start - contextLines), start).map((line) => `    ${line}`),
    ...clip(left.slice(start, left.length - tail)).map((line) => `  - ${line}`),
    ...clip(right.slice(start, right.length - tail)).map((line) => `  + ${line}`),
    ...right.slice(right.length - tail).slice(0, contextLines).map((line) => `    ${line}`),
    "  (- actual, + expected)",
  ].join("\n");
}

function clip(lines) {
  if (lines.length <= shownLines) return lines;
  return [...lines.slice(0, shownLines), `… ${lines.length - shownLines} lines more`];
}
