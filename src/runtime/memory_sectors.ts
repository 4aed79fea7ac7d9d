/**
 * Sectors: the pieces in which bytes reach a disk, or do not. A sector is never changed once it is in use, so that the page
 * cache, the disk, every unsynced write and every snapshot may hold the same one.
 *
 * @module
 */

/** What a disk writes at once. */
export const SECTOR_BYTES = 512;

/** A page of the page cache, which the kernel writes as a whole, has this many sectors. */
const PAGE_SECTORS = 8;

/** The page that a sector is in. */
export function pageOf(index: number): number {
  return Math.floor(index / PAGE_SECTORS);
}

/** 512 bytes that nobody changes. */
export type Sector = Uint8Array;

/** All zeros. There is one, so that a prepared file costs nothing. */
export const ZERO_SECTOR: Sector = new Uint8Array(SECTOR_BYTES);

// An array buffer of its own costs ten times what a view into a shared one does; larger slabs would be kept alive by one
// sector that lasts.
const SLAB_BYTES = 32 * SECTOR_BYTES;
let slab: Uint8Array = new Uint8Array(SLAB_BYTES);
let slabUsedBytes = 0;

function newSector(): Sector {
  if (slabUsedBytes === SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsedBytes = 0;
  }
  slabUsedBytes += SECTOR_BYTES;
  return slab.subarray(slabUsedBytes - SECTOR_BYTES, slabUsedBytes);
}

/** `old` with `bytes[from..to)` laid over it at `offset`. */
export function patchSector(old: Sector, offset: number, bytes: Uint8Array, from: number, to: number): Sector {
  if ((old === ZERO_SECTOR || to - from === SECTOR_BYTES) && isZero(bytes, from, to)) return ZERO_SECTOR;
  const sector = newSector();
  if (to - from < SECTOR_BYTES) sector.set(old);
  sector.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), offset);
  return sector;
}

/** The first `keepBytes` of a sector, and zeros behind them. */
export function cutSector(old: Sector, keepBytes: number): Sector {
  if (old === ZERO_SECTOR || keepBytes === SECTOR_BYTES) return old;
  return patchSector(ZERO_SECTOR, 0, old, 0, keepBytes);
}

/** A sector that was being written when the power went: `newBytes` of the new one, from the front, or (below 0) from the back. */
export function tearSector(old: Sector, fresh: Sector, newBytes: number): Sector {
  if (newBytes >= 0) return patchSector(old, 0, fresh, 0, newBytes);
  return patchSector(old, SECTOR_BYTES + newBytes, fresh, SECTOR_BYTES + newBytes, SECTOR_BYTES);
}

/** A sector with one bit turned over. */
export function flipSectorBit(old: Sector, offset: number, bit: number): Sector {
  const sector = newSector();
  sector.set(old);
  sector[offset] = (old[offset] ?? 0) ^ (1 << bit);
  return sector;
}

/** Whether `bytes[from..to)` is nothing but zeros. */
export function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  if (bytes[from] !== 0 && from < to) return false; // as nearly everything is that is no preparation of a file
  let at = from;
  if (to - from >= WORDS_AT_ONCE * 4 && (bytes.byteOffset + from) % 4 === 0) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + from, (to - from) >> 2);
    const count = areZero(words);
    if (count < 0) return false;
    at += count * 4;
  }
  while (at < to) if (bytes[at++] !== 0) return false;
  return true;
}

const WORDS_AT_ONCE = 8;

/** How many words were looked at, in whole groups; below 0: one of them is not zero. */
function areZero(words: Int32Array): number {
  const end = words.length - words.length % WORDS_AT_ONCE;
  const word = (at: number): number => words[at] as number;
  for (let at = 0; at < end; at += WORDS_AT_ONCE) {
    const low = word(at) | word(at + 1) | word(at + 2) | word(at + 3);
    if ((low | word(at + 4) | word(at + 5) | word(at + 6) | word(at + 7)) !== 0) return -1;
  }
  return end;
}

/** A row of sectors by number; what it does not reach is zeros. */
export type SectorTable = Sector[];

/** Puts a sector in its place. The row never gets holes, which would make it slow. */
export function putSector(table: SectorTable, index: number, sector: Sector): void {
  if (index >= table.length && sector === ZERO_SECTOR) return;
  while (table.length < index) table.push(ZERO_SECTOR);
  table[index] = sector;
}

/** Takes away everything from `sizeBytes` on. */
export function cutTable(table: SectorTable, sizeBytes: number): void {
  const sectors = Math.ceil(sizeBytes / SECTOR_BYTES);
  if (sectors > table.length) return;
  table.length = sectors;
  const keepBytes = sizeBytes - (sectors - 1) * SECTOR_BYTES;
  const last = table[sectors - 1];
  if (last !== undefined) table[sectors - 1] = cutSector(last, keepBytes);
}
