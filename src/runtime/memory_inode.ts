/**
 * One file on a disk at its worst: what lies on the disk, what the page cache shows, and what lies between them.
 *
 * @module
 */
import { type Change, replay, surviveSector, versionsOf } from "./memory_change.ts";
import {
  cutSector,
  cutTable,
  flipSectorBit,
  isZero,
  pageOf,
  patchSector,
  putSector,
  type Sector,
  SECTOR_BYTES,
  type SectorTable,
  ZERO_SECTOR,
} from "./memory_sectors.ts";
import { EVERYTHING, type Survival } from "./memory_survival.ts";
import { Random } from "./random.ts";

/** With so many versions of sectors unsynced the kernel writes old ones by itself, as kernels do. */
const WRITE_BACK_SECTORS = 65_536;

/**
 * A file. The page cache is the table of the disk with an overlay of what differs, so that a sync moves the overlay down and
 * a snapshot shares the table.
 */
export class MemoryInode {
  /** The tree that may change this object; for every other it is a snapshot. */
  readonly owner: object;
  #sizeBytes = 0;
  /** Room up to here is taken from the disk. A hole counts when something is written behind it. */
  #allocatedSectors = 0;

  #table: SectorTable = [];
  #tableIsShared = false;
  #diskSizeBytes = 0;

  /** What the page cache shows other than the table: dirty sectors, and clean ones that a failed sync has left unwritten. */
  #overlay: Map<number, Sector> = new Map();
  #overlayEnd = 0;
  /** A pending cut hides what the table still has behind this. */
  #visibleBytes = Infinity;
  #pending: Change[] = [];
  #pendingSectors = 0;
  /** The clean and unwritten sectors; true: may still reach the disk when the kernel writes their page. */
  #unwritten: Map<number, boolean> = new Map();

  /** @param owner The tree that may change it. */
  constructor(owner: object) {
    this.owner = owner;
  }

  /** A file that was synced long ago. */
  static of(owner: object, bytes: Uint8Array): MemoryInode {
    const inode = new MemoryInode(owner);
    inode.write(bytes, 0, 0);
    inode.sync(new Random(0));
    return inode;
  }

  /** The same file for another tree. Nothing is copied but what is not on the disk. */
  copyFor(owner: object): MemoryInode {
    const copy = new MemoryInode(owner);
    copy.#sizeBytes = this.#sizeBytes;
    copy.#allocatedSectors = this.#allocatedSectors;
    copy.#table = this.#table;
    copy.#tableIsShared = true;
    copy.#diskSizeBytes = this.#diskSizeBytes;
    copy.#overlay = new Map(this.#overlay);
    copy.#overlayEnd = this.#overlayEnd;
    copy.#visibleBytes = this.#visibleBytes;
    copy.#pending = this.#pending.slice();
    copy.#pendingSectors = this.#pendingSectors;
    copy.#unwritten = new Map(this.#unwritten);
    return copy;
  }

  // -- as processes see it

  /** The size in bytes. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The room it takes. */
  get allocatedBytes(): number {
    return this.#allocatedSectors * SECTOR_BYTES;
  }

  /** Whether a failed sync has left the page cache and the disk apart. */
  get isLying(): boolean {
    return this.#unwritten.size > 0;
  }

  /** The number of the oldest unsynced change, or Infinity. */
  get oldestChange(): number {
    return this.#pending[0]?.sequence ?? Infinity;
  }

  /** Fills `target` from `position` on and gives the count. */
  read(target: Uint8Array, position: number): number {
    const endBytes = Math.min(position + target.length, this.#sizeBytes);
    if (endBytes <= position) return 0;
    const knownEnd = Math.min(endBytes, Math.max(this.#table.length, this.#overlayEnd) * SECTOR_BYTES);
    let at = position;
    while (at < knownEnd) {
      const index = Math.floor(at / SECTOR_BYTES);
      const offset = at - index * SECTOR_BYTES;
      const count = Math.min(SECTOR_BYTES - offset, endBytes - at);
      const sector = this.#cached(index);
      const whole = count === SECTOR_BYTES;
      if (sector === ZERO_SECTOR) target.fill(0, at - position, at - position + count);
      else target.set(whole ? sector : sector.subarray(offset, offset + count), at - position);
      at += count;
    }
    if (at < endBytes) target.fill(0, at - position, endBytes - position);
    return endBytes - position;
  }

  #cached(index: number): Sector {
    const over = this.#overlay.size === 0 ? undefined : this.#overlay.get(index);
    if (over !== undefined) return over;
    const sector = this.#table[index];
    if (sector === undefined) return ZERO_SECTOR;
    const visibleBytes = this.#visibleBytes - index * SECTOR_BYTES;
    if (visibleBytes >= SECTOR_BYTES) return sector;
    return visibleBytes <= 0 ? ZERO_SECTOR : cutSector(sector, visibleBytes);
  }

  /** Writes `bytes` at `position`, into the page cache alone. */
  write(bytes: Uint8Array, position: number, sequence: number): void {
    if (bytes.length === 0) return;
    const endBytes = position + bytes.length;
    const firstSector = Math.floor(position / SECTOR_BYTES);
    const sectors: (Sector | undefined)[] = [];
    let hasBytes = false;
    // The preparation of a file: nothing but a size.
    const isOnlySize = firstSector >= Math.max(this.#table.length, this.#overlayEnd) && isZero(bytes, 0, bytes.length);
    for (let at = isOnlySize ? endBytes : position; at < endBytes;) {
      const index = Math.floor(at / SECTOR_BYTES);
      const offset = at - index * SECTOR_BYTES;
      const count = Math.min(SECTOR_BYTES - offset, endBytes - at);
      const old = this.#cached(index);
      const fresh = patchSector(old, offset, bytes, at - position, at - position + count);
      const isNothingNew = fresh === ZERO_SECTOR && !this.#overlay.has(index) &&
        (this.#table[index] ?? ZERO_SECTOR) === ZERO_SECTOR;
      sectors.push(isNothingNew ? undefined : fresh);
      if (!isNothingNew) {
        hasBytes = true;
        this.#dirty(index, fresh);
      }
      at += count;
    }
    this.#sizeBytes = Math.max(this.#sizeBytes, endBytes);
    this.#allocatedSectors = Math.max(this.#allocatedSectors, Math.ceil(endBytes / SECTOR_BYTES));
    this.#enter({ sequence, cutBytes: null, endBytes, firstSector, sectors: hasBytes ? sectors : [] });
  }

  /** Sets the size. */
  truncate(sizeBytes: number, sequence: number): void {
    const endSector = Math.ceil(sizeBytes / SECTOR_BYTES);
    if (sizeBytes < this.#sizeBytes) {
      for (const index of this.#overlay.keys()) {
        if (index < endSector) continue;
        this.#overlay.delete(index);
        this.#unwritten.delete(index);
      }
      const keepBytes = sizeBytes - Math.floor(sizeBytes / SECTOR_BYTES) * SECTOR_BYTES;
      if (keepBytes > 0) this.#dirty(endSector - 1, cutSector(this.#cached(endSector - 1), keepBytes));
      this.#visibleBytes = Math.min(this.#visibleBytes, sizeBytes);
      this.#allocatedSectors = Math.min(this.#allocatedSectors, endSector);
    }
    this.#sizeBytes = sizeBytes;
    this.#enter({ sequence, cutBytes: sizeBytes, endBytes: 0, firstSector: 0, sectors: [] });
  }

  #dirty(index: number, sector: Sector): void {
    this.#overlay.set(index, sector);
    this.#overlayEnd = Math.max(this.#overlayEnd, index + 1);
    if (this.#unwritten.size === 0) return;
    this.#unwritten.delete(index);
    // The kernel writes pages, so that what lies beside this goes along.
    for (const other of this.#unwritten.keys()) {
      if (pageOf(other) === pageOf(index)) this.#unwritten.set(other, true);
    }
  }

  #enter(change: Change): void {
    this.#pending.push(change);
    this.#pendingSectors += change.sectors.length;
    if (this.#pendingSectors > WRITE_BACK_SECTORS && this.#pending.length > 1) this.#writeBackOldest();
  }

  #writeBackOldest(): void {
    const oldest = this.#pending.splice(0, this.#pending.length >> 1);
    for (const change of oldest) this.#pendingSectors -= change.sectors.length;
    this.#diskSizeBytes = replay(oldest, this.#ownTable(), this.#diskSizeBytes, EVERYTHING);
    this.#visibleBytes = this.#pending.reduce(
      (least, change) => Math.min(least, change.cutBytes ?? Infinity),
      Infinity,
    );
    for (const [index, sector] of this.#overlay) {
      if (this.#table[index] === sector && !this.#unwritten.has(index)) this.#overlay.delete(index);
    }
  }

  // -- syncs

  /** All of it is on the disk now, but for what an earlier sync has failed to write. */
  sync(random: Random): void {
    if (this.#pending.length === 0) return;
    const table = this.#ownTable();
    cutTable(table, this.#visibleBytes);
    if (this.#unwritten.size > 0) this.#writeNeighbours(random);
    const unwritten: [number, Sector][] = [];
    for (const [index, sector] of this.#overlay) {
      if (this.#unwritten.size > 0 && this.#unwritten.has(index)) unwritten.push([index, sector]);
      else putSector(table, index, sector);
    }
    this.#overlay.clear(); // far cheaper than to delete each
    for (const [index, sector] of unwritten) this.#overlay.set(index, sector);
    if (unwritten.length === 0) this.#overlayEnd = 0;
    this.#settle();
  }

  #settle(): void {
    this.#visibleBytes = Infinity;
    this.#diskSizeBytes = this.#sizeBytes;
    this.#pending = [];
    this.#pendingSectors = 0;
  }

  /** Sectors that share a page with one that is being written may be written too. */
  #writeNeighbours(random: Random): void {
    const pages = new Set<number>();
    for (const index of this.#overlay.keys()) if (!this.#unwritten.has(index)) pages.add(pageOf(index));
    for (const [index, mayReachDisk] of this.#unwritten) {
      if (mayReachDisk && pages.has(pageOf(index)) && random.chance(0.5)) this.#unwritten.delete(index);
    }
  }

  /**
   * A sync that failed: each dirty sector is on the disk, or may come there, or is lost; all of them count as clean. The size
   * is not data: it lasts now or with the next sync.
   */
  failSync(random: Random): void {
    const hasCuts = this.#pending.some((change) => change.cutBytes !== null);
    const sizeLasts = random.chance(0.5);
    const table = this.#ownTable();
    const changes = this.#pending;
    if (sizeLasts) {
      cutTable(table, this.#visibleBytes);
      this.#settle();
    } else {
      this.#pending = changes.map((change) => ({ ...change, sectors: [] }));
      this.#pendingSectors = 0;
    }
    for (const [index, sector] of this.#overlay) {
      if (this.#unwritten.has(index)) continue;
      const fate = random.pick(["written", "limbo", "lost"] as const);
      // What is written before a cut that comes later would be cut away with the rest.
      if (fate !== "written" || (hasCuts && !sizeLasts)) {
        this.#unwritten.set(index, fate === "limbo");
        continue;
      }
      const version = hasCuts || random.chance(0.8) ? sector : random.pick(versionsOf(changes, index, sector));
      putSector(table, index, version);
      if (version === sector) this.#overlay.delete(index);
      else this.#unwritten.set(index, false);
    }
  }

  /** The kernel forgets some of the clean pages, and with them what never reached the disk. */
  evict(random: Random): void {
    const pages = new Map<number, boolean>();
    for (const index of this.#unwritten.keys()) {
      const page = pageOf(index);
      if (!pages.has(page)) pages.set(page, random.chance(0.5));
      if (!pages.get(page)) continue;
      this.#unwritten.delete(index);
      this.#overlay.delete(index);
    }
  }

  /** The file as it is found after a power loss. */
  losePower(owner: object, survival: Survival): MemoryInode {
    if (this.#pending.length === 0 && this.#unwritten.size === 0) return this;
    const table = this.#table.slice();
    for (const [index, mayReachDisk] of this.#unwritten) {
      const sector = this.#overlay.get(index);
      if (mayReachDisk && sector !== undefined) surviveSector(table, index, sector, survival.sectorBytes(0, 0));
    }
    const sizeBytes = replay(this.#pending, table, this.#diskSizeBytes, survival);
    cutTable(table, sizeBytes);
    const after = new MemoryInode(owner);
    after.#table = table;
    after.#sizeBytes = after.#diskSizeBytes = sizeBytes;
    after.#allocatedSectors = Math.ceil(sizeBytes / SECTOR_BYTES);
    return after;
  }

  /** Turns a bit over on the disk, in the page cache and in everything on its way between them. */
  flipBit(position: number, bit: number): void {
    const index = Math.floor(position / SECTOR_BYTES);
    const turned = new Map<Sector, Sector>();
    const turn = (sector: Sector): Sector => {
      const known = turned.get(sector) ?? flipSectorBit(sector, position - index * SECTOR_BYTES, bit);
      turned.set(sector, known);
      return known;
    };
    const over = this.#overlay.get(index);
    if (over !== undefined) this.#overlay.set(index, turn(over));
    putSector(this.#ownTable(), index, turn(this.#table[index] ?? ZERO_SECTOR));
    this.#pending = this.#pending.map((change) => {
      const place = index - change.firstSector;
      const sector = change.sectors[place];
      return sector === undefined ? change : { ...change, sectors: change.sectors.with(place, turn(sector)) };
    });
  }

  #ownTable(): SectorTable {
    if (this.#tableIsShared) {
      this.#table = this.#table.slice();
      this.#tableIsShared = false;
    }
    return this.#table;
  }
}
