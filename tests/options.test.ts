// Options: what holds when nothing is said, what each preset sets, and how each slip is refused by name.

import { test } from "node:test";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { encodeJson, splitLines, Wal } from "../mod.ts";
import { WalOptionsError } from "../src/errors.ts";
import { MAX_FRAME_BYTES } from "../src/format.ts";
import { PRESETS, type Settings, settle, type WalOptions } from "../src/options.ts";
import { MemoryDisk, MemoryRuntime } from "../src/runtime/memory.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

const runtime = new MemoryRuntime();
const wal = await Wal.open("/wal", { runtime });

/** The options as a program without types may give them. */
function loose(options: object): WalOptions {
  return options;
}

/** Asserts that the options are refused, in words that hold all of `words`. */
function assertRefused(options: object, ...words: string[]): void {
  const error = assertThrows(() => settle(loose(options)), WalOptionsError);
  assertEquals(error.code, "WAL_OPTIONS");
  for (const word of words) assertStringIncludes(error.message, word);
}

const defaults: Settings = {
  durability: "fsync",
  windowMs: 0,
  maxEntries: Infinity,
  maxBytes: MIB,
  io: "auto",
  segmentBytes: 64 * MIB,
  maxEntryBytes: 16 * MIB,
  maxBatchBytes: 64 * MIB,
  maxBufferedBytes: 64 * MIB,
  spares: 2,
  idleMs: 50,
  lossMs: 1000,
  recovery: "tolerate-tail",
};

test("with nothing said, or only undefined, the documented defaults hold", () => {
  assertEquals(settle({}), defaults);
  const nothing = Object.fromEntries(Object.keys(defaults).map((name) => [name, undefined]));
  assertEquals(settle(loose({ ...nothing, preset: undefined, onEvent: undefined, signal: undefined })), defaults);
});

test("each preset sets what its name promises, and leaves all else alone", () => {
  assertEquals(settle({ preset: "sync" }), { ...defaults, maxEntries: 1 });
  assertEquals(settle({ preset: "oltp" }), { ...defaults, windowMs: 5, maxEntries: 50 });
  assertEquals(settle({ preset: "mixed" }), { ...defaults, windowMs: 10, maxEntries: 100 });
  assertEquals(settle({ preset: "analytics" }), { ...defaults, windowMs: 20, maxEntries: 500 });
  assertEquals(settle({ preset: "batch" }), { ...defaults, windowMs: 50, maxEntries: 1000 });
  assertEquals(settle({ preset: "async" }), { ...defaults, durability: "none", windowMs: 50 });
  assertEquals(Object.keys(PRESETS).length, 6);
});

test("what is said wins over the preset, and a preset's other words still hold", () => {
  const settings = settle({ preset: "batch", windowMs: 7, durability: "write" });
  assertEquals([settings.windowMs, settings.durability, settings.maxEntries], [7, "write", 1000]);
  assertEquals(settle({ preset: "async", durability: "fsync" }).durability, "fsync");
  assertEquals(settle(loose({ preset: "batch", windowMs: undefined })).windowMs, 50);
  for (const preset of Object.keys(PRESETS) as (keyof typeof PRESETS)[]) {
    assertEquals(settle({ ...defaults, lossMs: 600, durability: "none", preset }), {
      ...defaults,
      ...{ lossMs: 600, durability: "none" },
    });
  }
});

test("settings are the caller's own: two logs do not share them, and options are left as they were", () => {
  const options = Object.freeze({ preset: "oltp", windowMs: 3 } as const);
  const first = settle(options) as { windowMs: number };
  first.windowMs = 99;
  assertEquals(settle(options).windowMs, 3);
  assertEquals(settle({}).windowMs, 0);
});

// -- ranges

const ranges: Readonly<Record<string, readonly [least: number, most: number]>> = {
  windowMs: [0, 600_000],
  maxEntries: [1, Infinity],
  maxBytes: [1, Infinity],
  segmentBytes: [16 * KIB, Number.MAX_SAFE_INTEGER],
  maxEntryBytes: [0, MAX_FRAME_BYTES / 2],
  maxBatchBytes: [0, MAX_FRAME_BYTES / 2],
  maxBufferedBytes: [1, MAX_FRAME_BYTES],
  spares: [0, 1024],
  idleMs: [1, 3_600_000],
  lossMs: [1, 3_600_000],
};

test("every number is taken from the least to the most, and refused by name beyond either", () => {
  const names = Object.entries(defaults).filter(([, value]) => typeof value === "number").map(([name]) => name);
  assertEquals(Object.keys(ranges).sort(), names.sort());
  for (const [name, [least, most]] of Object.entries(ranges)) {
    for (const value of [least, least + 1, most]) {
      assertEquals(settle(loose({ [name]: value }))[name as keyof Settings], value);
    }
    const beyond = [...(least === 0 ? [] : [least - 1]), -1, ...(most === Infinity ? [] : [most + 1, Infinity])];
    for (const value of beyond.filter((value) => name !== "segmentBytes" || value !== 0)) {
      assertRefused({ [name]: value }, name, String(value), String(least));
    }
  }
});

test("what is no number, and half a one, is refused by name and value", () => {
  for (const name of Object.keys(ranges)) {
    for (const value of ["5", null, NaN, true]) assertRefused({ [name]: value }, name, String(value));
    assertRefused({ [name]: 10n }, name, "not 10n"); // which is no 10
    for (const value of [{}, [5], Object.create(null)]) assertRefused({ [name]: value }, name, "not an ");
    if (name !== "windowMs") assertRefused({ [name]: 20_000.5 }, name, "20000.5");
  }
  assertEquals(settle({ windowMs: 0.5 }).windowMs, 0.5);
});

test("a segment may be without bound, and is never too small for its header and control frames", () => {
  assertEquals(settle({ segmentBytes: 0 }).segmentBytes, 0);
  for (const segmentBytes of [1, 4096, 16 * KIB - 1]) assertRefused({ segmentBytes }, "segmentBytes", "never rotate");
});

test("a word that is none of the choices is refused, and the choices are named", () => {
  assertRefused({ durability: "sync" }, "durability", "sync", "fsync, write, none");
  assertRefused({ io: "fast" }, "io", "fast", "auto, pool, blocking");
  assertRefused({ recovery: "lenient" }, "recovery", "strict, tolerate-tail, point-in-time, salvage");
  for (const preset of ["fast", "OLTP", "", null, 1, "toString", "__proto__"]) {
    assertRefused({ preset }, "preset", "oltp", String(preset));
  }
  for (const name of ["durability", "io", "recovery"]) assertRefused({ [name]: null }, name);
});

test("an option that is not there is refused, and those that are are named", () => {
  for (const name of ["fsync", "windowms", "Durability", "toString", "constructor", "hasOwnProperty"]) {
    assertRefused({ [name]: 1 }, `no option ${name}`, "windowMs", "preset", "signal");
  }
  assertRefused(JSON.parse('{"__proto__":{"windowMs":5}}'), "__proto__");
});

test("options that are none, and parts that are not what they should be, are refused", () => {
  for (const options of [null, 5, "sync", undefined]) {
    assertThrows(() => settle(options as unknown as WalOptions), WalOptionsError, String(options));
  }
  for (const onEvent of [null, "log", {}]) assertRefused({ onEvent }, "onEvent");
  for (const runtime of [null, "node", {}, MemoryRuntime]) assertRefused({ runtime }, "runtime");
  for (const signal of [null, {}, new AbortController()]) assertRefused({ signal }, "signal");
  assertEquals(settle({ onEvent: () => {}, runtime: new MemoryRuntime(), signal: AbortSignal.abort() }), defaults);
});

// -- options of everything else

/** Calls that take options: what each takes, what it refuses, and a word of how. */
const others: readonly (readonly [
  name: string,
  call: (options: object) => unknown,
  taken: object,
  refused: object,
  word: string,
])[] = [
  ["splitLines", splitLines, { maxLineBytes: 1 }, { maxLineBytes: 0 }, "from 1, not 0"],
  ["encodeJson", encodeJson, { kind: 191 }, { kind: 192 }, "0 to 191, not 192"],
  ["encodeJson", encodeJson, { kind: 0 }, { kind: "3" }, 'not "3"'],
  ["encodeJson", encodeJson, {}, { durability: "fsync" }, "no option durability"], // that is the stream's into the log
  ["writable", (options) => wal.writable(options), { durability: "write" }, { durability: "sync" }, 'not "sync"'],
  ["acknowledge", (options) => wal.acknowledge(options), { batches: false }, { batches: "false" }, 'not "false"'],
  ["acknowledge", (options) => wal.acknowledge(options), { durability: "none" }, { durability: 0 }, "not 0"],
  ["readable", (options) => wal.readable(options), { follow: true }, { follow: 1 }, "true or false, not 1"],
  ["readable", (options) => wal.readable(options), { batches: true }, { batches: "yes" }, 'not "yes"'],
  ["read", (options) => Wal.read("/wal", options), { follow: false }, { follow: "false" }, 'not "false"'],
  ["read", (options) => Wal.read("/wal", options), { batches: true }, { batches: null }, "not null"],
  ["read", (options) => Wal.read("/wal", options), { runtime }, { runtime: {} }, "runtime must be"],
  ["MemoryDisk", (options) => new MemoryDisk(options), { seed: 5 }, { seed: "5" }, 'not "5"'],
  ["MemoryDisk", (options) => new MemoryDisk(options), { sizeBytes: 0 }, { sizeBytes: -1 }, "from 0, not -1"],
  [
    "powerLoss",
    (options) => runtime.disk.powerLoss(options),
    { keep: "none" },
    { keep: "nothing" },
    "none, all, first",
  ],
  ["powerLoss", (options) => runtime.disk.powerLoss(options), { seed: 1.5 }, { seed: NaN }, "not NaN"],
  ["MemoryRuntime", (options) => new MemoryRuntime(options), { disk: runtime.disk }, { disk: {} }, "a MemoryDisk"],
  ["MemoryRuntime", (options) => new MemoryRuntime(options), { manualTime: true }, { manualTime: 1 }, "not 1"],
  ["MemoryRuntime", (options) => new MemoryRuntime(options), { kernelLock: false }, { kernelLock: "no" }, 'not "no"'],
  ["MemoryRuntime", (options) => new MemoryRuntime(options), { now: 0 }, { now: "0" }, 'not "0"'],
  ["MemoryRuntime", (options) => new MemoryRuntime(options), { onCall: () => undefined }, { onCall: {} }, "a function"],
];

test("an option that a call does not know, or cannot take, is refused as soon as it is given, wherever that is", () => {
  for (const [name, call, taken, refused, word] of others) {
    call(taken);
    call(Object.fromEntries(Object.keys(taken).map((each) => [each, undefined])));
    const { message } = assertThrows(() => call(refused), WalOptionsError, Object.keys(refused)[0]);
    assertStringIncludes(message, word);
    assertThrows(() => call({ ...taken, nonsense: 1 }), WalOptionsError, `${name} has no option nonsense`);
    assertThrows(() => call(null as unknown as object), WalOptionsError, `the options of ${name}`);
  }
});

// -- contradictions

test("an entry alone waits for no company: a window contradicts it", () => {
  assertRefused({ maxEntries: 1, windowMs: 5 }, "windowMs 5", "maxEntries 1");
  assertRefused({ preset: "sync", windowMs: 5 }, "windowMs 5", "maxEntries 1");
  assertEquals(settle({ maxEntries: 1, windowMs: 0 }).maxEntries, 1);
  assertEquals(settle({ preset: "oltp", maxEntries: 1 }).maxEntries, 1);
});

test("entries cannot be written later than they must be synced", () => {
  assertRefused({ durability: "none", windowMs: 101, lossMs: 100 }, "windowMs 101", "lossMs 100");
  assertEquals(settle({ durability: "none", windowMs: 100, lossMs: 100 }).windowMs, 100);
});

test("what may be taken at once cannot be more than may wait at all, where both were said", () => {
  for (const name of ["maxEntryBytes", "maxBatchBytes", "maxBytes"]) {
    assertRefused({ [name]: 1001, maxBufferedBytes: 1000 }, `${name} 1001`, "maxBufferedBytes 1000");
    settle(loose({ [name]: 1000, maxBufferedBytes: 1000 }));
  }
  assertEquals(settle({ maxBytes: Infinity, maxBufferedBytes: 1000 }).maxBytes, Infinity);
  assertEquals(settle({ maxBufferedBytes: 1000 }).maxEntryBytes, 16 * MIB);
  assertEquals(settle({ maxBatchBytes: 100 * MIB }).maxBufferedBytes, 64 * MIB);
});
