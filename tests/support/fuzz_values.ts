/**
 * What a caller without types may hand over: everything that a program can hold, and entries in every shape they may have.
 */

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import type { Random } from "../../src/runtime/random.ts";

/** Thrown by the caller's own code. */
export class Mine extends Error {}

/** A value in a few words, whatever it is. */
export function shown(value: unknown): string {
  try {
    return String(value).slice(0, 160);
  } catch {
    return "a value that has no text";
  }
}

/** What values are made of. */
export interface Maker {
  readonly random: Random;
  /** The caller's own code, run in the middle of a call. */
  readonly callBack: () => void;
}

/** Hands over what is not what the types say. */
export function untyped<T>(value: unknown): T {
  return value as T;
}

const NUMBERS: readonly number[] = [
  0,
  -0,
  1,
  2,
  3,
  -1,
  0.5,
  1.5,
  100,
  16_384,
  65_536,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 2,
  2 ** 53 - 1,
  2 ** 53,
  1e308,
  -Infinity,
  Infinity,
  NaN,
];

/** A number, good for nothing in particular. */
export function anyNumber({ random }: Maker): number {
  return random.pick(NUMBERS);
}

const TEXTS: readonly string[] = [
  "",
  "text",
  "7",
  "\ud800",
  "a\udfffb",
  "\0",
  "\ufeff",
  "fsync",
  "__proto__",
  "x".repeat(9000),
];

function anyFunction({ random }: Maker): unknown {
  return random.pick([
    () => undefined,
    () => {
      throw new Mine("a function of the caller");
    },
    class {},
    Symbol,
  ]);
}

function anyObject(maker: Maker): unknown {
  const { random, callBack } = maker;
  return random.pick<() => unknown>([
    () => ({}),
    () => Object.create(null),
    () => Object.freeze({ data: 1, kind: {} }),
    () => new Date(NaN),
    () => new Map([["data", 1]]),
    () => new Error("handed over"),
    () => Promise.resolve("data"),
    () => new Proxy({}, {}),
    () => new URL("file:///data"),
    () => new String("text"),
    () => ({ toString: () => "text", valueOf: () => 1 }),
    () => ({
      get data(): unknown {
        throw new Mine("a getter of the caller");
      },
    }),
    () => ({
      get data(): string {
        callBack();
        return "read in the middle of a call";
      },
    }),
    () =>
      new Proxy({}, {
        get: () => {
          throw new Mine("a trap of the caller");
        },
      }),
    () => revoked(random.pick([{}, [], () => {}, new Uint8Array(4)])),
    () => ({ constructor: { name: Symbol("none") } }),
    () => JSON.parse('{"constructor":{"name":{"toString":1}}}') as unknown,
  ])();
}

/** A proxy for `target` that was revoked, as what the types ask for. */
export function revoked<T>(target: object = {}): T {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy as T;
}

function anyBytes({ random }: Maker): unknown {
  return random.pick<() => unknown>([
    () => new ArrayBuffer(8),
    () => new Uint8ClampedArray(8),
    () => new Float64Array(2),
    () => new DataView(new ArrayBuffer(8)),
    () => new SharedArrayBuffer(8),
    () => new Uint16Array(1),
    detached,
    shrunk,
    () => liar(random.pick([-5, 3, 9, NaN, 2 ** 40]), random.chance(0.5)),
    () => new Proxy(new Uint8Array(4), {}),
    () => Object.create(Uint8Array.prototype) as unknown,
  ])();
}

function detached(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

/** Bytes that say something else of their length. */
function liar(length: number, isConsistent: boolean): Uint8Array {
  const bytes = new Uint8Array(4);
  Object.defineProperty(bytes, "length", { value: length });
  return isConsistent ? Object.defineProperty(bytes, "byteLength", { value: length }) : bytes;
}

/** A view that lies outside of its buffer by now. */
function shrunk(): Uint8Array {
  const buffer = untyped<new (length: number, options: object) => ArrayBuffer & { resize(length: number): void }>(
    ArrayBuffer,
  );
  const resizable = new buffer(16, { maxByteLength: 32 });
  const bytes = new Uint8Array(resizable, 8, 8);
  resizable.resize(4);
  return bytes;
}

function anyArray(maker: Maker): unknown {
  const { random } = maker;
  return random.pick<() => unknown>([
    () => [],
    () => Array(3),
    () => ["a", , "b"],
    () => [[["nested"]]],
    () => [undefined, null],
    () => Array(20_000),
    () => Object.freeze([anyValue(maker)]),
    () => new Proxy(["a"], {}),
    () => ({ length: 2, 0: "a", 1: "b" }),
    () => new Set(["a"]),
  ])();
}

/** Anything at all. */
export function anyValue(maker: Maker): unknown {
  const { random } = maker;
  return random.pick<() => unknown>([
    () => undefined,
    () => null,
    () => random.chance(0.5),
    () => anyNumber(maker),
    () => random.pick([0n, 5n, 2n ** 64n]),
    () => random.pick(TEXTS),
    () => random.pick([Symbol("s"), Symbol.iterator]),
    () => anyFunction(maker),
    () => anyObject(maker),
    () => anyObject(maker),
    () => anyBytes(maker),
    () => anyArray(maker),
    () => random.pick([AbortSignal.abort(new Mine("aborted")), { aborted: true }, new AbortController()]),
  ])();
}

/** An entry, and what must come of it. */
export interface Handed {
  readonly input: unknown;
  /** What it is stored as; null: nobody can say, or it is none. */
  readonly key: string | null;
}

/** What an entry holds, in a word. */
export function contentKey(kind: number, data: Uint8Array): string {
  return `${kind} ${data.length} ${crc32(data).toString(16)}`;
}

const LENGTHS: readonly number[] = [0, 0, 3, 50, 50, 700, 3000, 70_000];

/** An entry that is one, in any shape; its text begins with `tag`, so that there is no second like it. */
export function goodEntry(maker: Maker, tag: string): Handed {
  const { random, callBack } = maker;
  const bytes = new Uint8Array(Math.max(tag.length, random.pick(LENGTHS)));
  random.fill(bytes);
  bytes.set(new TextEncoder().encode(tag));
  const kind = random.pick([0, 0, 1, 127, 191]);
  const plain = contentKey(0, bytes);
  const withKind = contentKey(kind, bytes);
  const text = tag + random.pick(["", "\ud800", "\ufeffx", "€".repeat(30), "\udc00\ud800"]);
  const half = random.integer(0, bytes.length);
  return random.pick<() => Handed>([
    () => ({ input: bytes, key: plain }),
    () => ({ input: Buffer.from(bytes), key: plain }),
    () => ({ input: shared(bytes), key: plain }),
    () => ({ input: within(bytes), key: plain }),
    () => ({ input: text, key: contentKey(0, new TextEncoder().encode(text)) }),
    () => ({ input: { data: text, kind }, key: contentKey(kind, new TextEncoder().encode(text)) }),
    () => ({ input: Object.freeze({ kind, data: bytes }), key: withKind }),
    () => ({ input: { kind, data: [bytes.subarray(0, half), bytes.subarray(half)] }, key: withKind }),
    () => ({
      input: { kind, data: bytes, durability: random.pick(["fsync", "write", "none", undefined]) },
      key: withKind,
    }),
    () => ({ input: new Proxy({ kind, data: bytes }, {}), key: withKind }),
    () => ({ input: Object.assign(Object.create(null), { kind, data: bytes, more: 1 }), key: withKind }),
    () => ({ input: fromGetters(kind, bytes, callBack), key: withKind }),
    () => ({ input: { kind, data: [], durability: undefined }, key: null }),
  ])();
}

function shared(bytes: Uint8Array): Uint8Array {
  const view = new Uint8Array(new SharedArrayBuffer(bytes.length));
  view.set(bytes);
  return view;
}

function within(bytes: Uint8Array): Uint8Array {
  const larger = new Uint8Array(bytes.length + 20).fill(0xee);
  larger.set(bytes, 7);
  return larger.subarray(7, 7 + bytes.length);
}

function fromGetters(kind: number, data: Uint8Array, callBack: () => void): object {
  return {
    get kind(): number {
      callBack();
      return kind;
    },
    get data(): Uint8Array {
      callBack();
      return data;
    },
  };
}

/** An entry, or none. */
export function anyEntry(maker: Maker, tag: string): Handed {
  const { random } = maker;
  if (random.chance(0.7)) return goodEntry(maker, tag);
  return random.pick<() => Handed>([
    () => ({ input: anyValue(maker), key: null }),
    () => ({ input: { data: anyValue(maker) }, key: null }),
    () => ({ input: { data: tag, kind: anyValue(maker) }, key: null }),
    () => ({ input: { data: tag, durability: anyValue(maker) }, key: null }),
    () => ({ input: { data: [new Uint8Array(3), anyValue(maker)] }, key: null }),
  ])();
}

/** Options of which some are wrong; `good` are ways to make each that are right. */
export function anyOptions(maker: Maker, good: Readonly<Record<string, readonly unknown[]>>): Record<string, unknown> {
  const { random } = maker;
  const options: Record<string, unknown> = {};
  for (const [name, values] of Object.entries(good)) {
    if (random.chance(0.6)) continue;
    options[name] = random.chance(0.75) ? random.pick(values) : anyValue(maker);
  }
  if (random.chance(0.05)) options[random.pick(["unknown", "Durability", "constructor"])] = anyValue(maker);
  return options;
}
