/**
 * What was done to a file and no sync has covered.
 *
 * @module
 */
import {
  cutTable,
  putSector,
  type Sector,
  SECTOR_BYTES,
  type SectorTable,
  tearSector,
  ZERO_SECTOR,
} from "./memory_sectors.ts";
import type { Survival } from "./memory_survival.ts";

/** A write or a cut. */
export interface Change {
  /** Its place in the order of all changes of the disk. */
  readonly sequence: number;
  /** The size that was set; null for a write. */
  readonly cutBytes: number | null;
  /** Where the write ended; 0 for a cut. */
  readonly endBytes: number;
  readonly firstSector: number;
  /** The sectors as the write left them; undefined: zeros where there were zeros, which no crash can tell apart. */
  readonly sectors: readonly (Sector | undefined)[];
}

/** Does to a table what survives of some changes, in their order, and gives the size that the file has then. */
export function replay(changes: readonly Change[], table: SectorTable, sizeBytes: number, survival: Survival): number {
  let size = sizeBytes;
  for (const change of changes) {
    if (change.cutBytes !== null) {
      if (!survival.keeps(change.sequence)) continue;
      cutTable(table, change.cutBytes);
      size = change.cutBytes;
      continue;
    }
    for (let i = 0; i < change.sectors.length; i++) {
      const sector = change.sectors[i];
      if (sector === undefined) continue;
      surviveSector(table, change.firstSector + i, sector, survival.sectorBytes(change.sequence, i));
    }
    if (change.endBytes > size) size = survival.sizeBytes(change.sequence, size, change.endBytes);
  }
  return size;
}

/** Puts as much of a sector in its place as survives: see {@linkcode Survival.sectorBytes}. */
export function surviveSector(table: SectorTable, index: number, sector: Sector, newBytes: number): void {
  if (newBytes === 0) return;
  const isWhole = newBytes === SECTOR_BYTES;
  putSector(table, index, isWhole ? sector : tearSector(table[index] ?? ZERO_SECTOR, sector, newBytes));
}

/** All that the kernel may have written of a sector by itself before the sync. */
export function versionsOf(changes: readonly Change[], index: number, latest: Sector): Sector[] {
  const versions = changes.map((change) => change.sectors[index - change.firstSector]);
  return [...versions.filter((sector) => sector !== undefined), latest];
}
