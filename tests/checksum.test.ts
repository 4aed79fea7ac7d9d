import { assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import { test } from "node:test";
import * as zlib from "node:zlib";
import { createChecksum } from "../src/checksum.ts";
import type { Crc32 } from "../src/runtime/port.ts";
import { Random } from "../src/runtime/random.ts";

/** Where a wrong loop goes wrong: around a word, around the 16 KiB that hash-wasm takes at once. */
const lengths = [...Array(70).keys(), 511, 4095, 4096, 16_383, 16_384, 16_385, 50_001, 1 << 20];

/** zlib's, and bit by bit where it has none or (Node 20, an empty buffer) a wrong one. */
const reference: Crc32 = (bytes, seed) =>
  "crc32" in zlib && bytes.length > 0 ? zlib.crc32(bytes, seed) : bitByBit(bytes, seed);

function bitByBit(bytes: Uint8Array, seed: number): number {
  let register = ~seed;
  for (const byte of bytes) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit++) register = register & 1 ? (register >>> 1) ^ 0xedb88320 : register >>> 1;
  }
  return ~register >>> 0;
}

function randomBytes(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return bytes;
}

test("the checksum of 123456789 is the one that every CRC-32 is known by", async () => {
  const digits = new TextEncoder().encode("123456789");
  assertEquals((await createChecksum(null))(digits, 0), 0xcbf43926);
  assertEquals(reference(digits, 0), 0xcbf43926);
  assertEquals(bitByBit(digits, 0), 0xcbf43926);
});

test("hash-wasm and zlib agree at every length and from every seed", async () => {
  const checksum = await createChecksum(null);
  const random = new Random(1);
  for (const length of lengths) {
    const bytes = randomBytes(random, length);
    for (const seed of [0, 1, 0x80000000, 0xffffffff, random.bits(), random.bits()]) {
      assertEquals(checksum(bytes, seed), reference(bytes, seed), `${length} bytes from seed ${seed}`);
    }
  }
  for (let bit = 0; bit < 32; bit++) {
    const seed = (1 << bit) >>> 0;
    assertEquals(checksum(new Uint8Array(0), seed), seed);
    assertEquals(checksum(new Uint8Array(3), seed), bitByBit(new Uint8Array(3), seed));
  }
});

test("a checksum in pieces is the checksum of the whole, wherever it is cut", async () => {
  const checksum = await createChecksum(null);
  const whole = randomBytes(new Random(2), 100);
  for (let cut = 0; cut <= whole.length; cut++) {
    assertEquals(checksum(whole.subarray(cut), checksum(whole.subarray(0, cut), 0)), checksum(whole, 0));
  }
});

test("one bit turned over anywhere, or another seed, is another checksum", async () => {
  const checksum = await createChecksum(null);
  const bytes = randomBytes(new Random(3), 40);
  const right = checksum(bytes, 7);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assertNotEquals(checksum(bytes, 7), right);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  }
  assertNotEquals(checksum(bytes, 8), right);
});

test("the runtime's own checksum is used where there is one, and hash-wasm is loaded once", async () => {
  const native: Crc32 = (bytes, seed) => seed + bytes.length;
  assertStrictEquals(await createChecksum(native), native);
  assertStrictEquals(await createChecksum(null), await createChecksum(null));
});

test("a runtime's own checksum that forgets its seed over an empty buffer, as Node 20's does, is put right", async () => {
  const forgetful: Crc32 = (bytes, seed) => bytes.length === 0 ? 0 : bitByBit(bytes, seed);
  const own: Crc32 = "crc32" in zlib ? zlib.crc32 : forgetful;
  for (const native of [forgetful, own]) {
    const checksum = await createChecksum(native);
    for (const empty of [new Uint8Array(0), new Uint8Array(new ArrayBuffer(0))]) assertEquals(checksum(empty, 7), 7);
    assertEquals(checksum(new Uint8Array(3), 7), bitByBit(new Uint8Array(3), 7));
  }
});
