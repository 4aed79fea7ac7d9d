// Numbers in two halves, and bytes in digits: what goes in comes out, at every edge.

import { test } from "node:test";
import { assertEquals, assertNotEquals } from "@std/assert";
import { getHex, getU64, putHex, putU64, viewOf } from "../src/bytes.ts";
import { Random } from "../src/runtime/random.ts";

const most = Number.MAX_SAFE_INTEGER;

/** Each power of two with its neighbours, and some in between. */
function edges(): number[] {
  const random = new Random(1);
  const powers = Array.from({ length: 53 }, (_, bit) => 2 ** bit);
  const between = Array.from({ length: 500 }, () => random.bits() * random.integer(0, 2 ** 21 - 1));
  return [0, most - 1, most, ...powers.flatMap((power) => [power - 1, power, power + 1]), ...between];
}

test("a number of up to 53 bits lies as a 64-bit number does, little-endian, and comes back", () => {
  const bytes = new Uint8Array(24).fill(0xff);
  const view = viewOf(bytes);
  for (const value of edges()) {
    putU64(view, 8, value);
    assertEquals(view.getBigUint64(8, true), BigInt(value));
    assertEquals(getU64(view, 8), value);
  }
  assertEquals([getHex(bytes, 0, 8), getHex(bytes, 16, 8)], ["ff".repeat(8), "ff".repeat(8)]);
});

test("a number above 2^53 - 1 is never read as one that is not", () => {
  const view = viewOf(new Uint8Array(8));
  for (const value of [2n ** 53n, 2n ** 53n + 1n, 2n ** 60n + 1n, 2n ** 64n - 1n]) {
    view.setBigUint64(0, value, true);
    assertEquals(getU64(view, 0) > most, true, `${value}`);
  }
});

test("a view of a part of a buffer sees that part alone", () => {
  const whole = new Uint8Array(16);
  const part = whole.subarray(4, 12);
  putU64(viewOf(part), 0, 0x0102_0304_0506);
  assertEquals(getHex(whole, 0, 16), "00000000" + "0605040302010000" + "00000000");
  assertEquals([viewOf(part).byteOffset, viewOf(part).byteLength], [4, 8]);
});

test("every byte has its two digits, zeros in front too", () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const hex = getHex(all, 0, 256);
  assertEquals([hex.length, hex.slice(0, 6), hex.slice(-4)], [512, "000102", "feff"]);
  const back = new Uint8Array(258);
  putHex(back, 1, hex);
  assertEquals(back.subarray(1, 257), all);
  assertEquals([back[0], back[257]], [0, 0]);
  assertNotEquals(getHex(back, 0, 256), hex);
});
