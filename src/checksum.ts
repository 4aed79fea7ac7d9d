/**
 * CRC-32 (IEEE), which may be continued: the runtime's own, or hash-wasm's where it has none.
 *
 * @module
 */
import type { IHasher } from "hash-wasm";
import type { Crc32 } from "./runtime/port.ts";

/** The reflected polynomial of IEEE 802.3. */
const POLYNOMIAL = 0xedb88320;

let wasm: Promise<Crc32> | null = null;

/**
 * The fastest CRC-32 there is here. hash-wasm takes a moment to load, so that is done once, and only where it is wanted; its one
 * instance then serves every log of the process, since no call of it waits for anything.
 *
 * @param native The runtime's own, or null.
 */
export function createChecksum(native: Crc32 | null): Promise<Crc32> {
  if (native !== null) return Promise.resolve(exact(native));
  wasm ??= loadWasm();
  return wasm;
}

async function loadWasm(): Promise<Crc32> {
  const { createCRC32 } = await import("hash-wasm");
  return withSeed(await createCRC32());
}

/** Node 20 says 0 of an empty buffer, where it ought to say what came before. Only a buffer that has no address shows it. */
function exact(native: Crc32): Crc32 {
  if (native(new Uint8Array(new ArrayBuffer(0)), 1) === 1) return native;
  return (bytes, seed) => bytes.length === 0 ? seed : native(bytes, seed);
}

/**
 * A hasher begins anew each time and takes no seed. So it is first fed the four bytes whose CRC-32 is the seed: what follows
 * is then counted as if it followed the bytes that the seed was computed from. Loading a state with the seed in it comes to
 * the same, but it costs more and hangs on how hash-wasm lays out its states.
 */
function withSeed(hasher: IHasher): Crc32 {
  const table = invertedTable();
  const prefix = new Uint8Array(4);
  return (bytes, seed) => {
    hasher.init();
    if (seed !== 0) {
      putPrefix(prefix, seed, table);
      hasher.update(prefix);
    }
    const digest = hasher.update(bytes).digest("binary");
    return (((digest[0] ?? 0) << 24) | ((digest[1] ?? 0) << 16) | ((digest[2] ?? 0) << 8) | (digest[3] ?? 0)) >>> 0;
  };
}

/**
 * What four bytes lead from the CRC-32 of nothing to `crc`: found backwards, one byte a step. A step forwards shifts the
 * register by a byte and adds an entry of the table; no two entries share their top byte, so that tells which it was.
 */
function putPrefix(prefix: Uint8Array, crc: number, table: Int32Array): void {
  let register = ~crc;
  for (let step = 0; step < 4; step++) register = (register << 8) ^ (table[register >>> 24] ?? 0);
  register = ~register; // the register began with all ones, and the first four bytes are added to just that
  for (let i = 0; i < 4; i++) prefix[i] = register >>> (8 * i);
}

/** By the top byte of an entry of the CRC table: the entry shifted out of the register, with its index in the low byte. */
function invertedTable(): Int32Array {
  const table = new Int32Array(256);
  for (let index = 0; index < 256; index++) {
    let entry = index;
    for (let bit = 0; bit < 8; bit++) entry = entry & 1 ? (entry >>> 1) ^ POLYNOMIAL : entry >>> 1;
    table[entry >>> 24] = (entry << 8) ^ index;
  }
  return table;
}
