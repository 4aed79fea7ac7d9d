/**
 * One directory on a disk at its worst: its names as processes see them, and as a power loss may leave them.
 *
 * @module
 */
import type { Survival } from "./memory_survival.ts";

/** One change of names that no sync of the directory has covered: a name goes, a name comes, or both at once. */
export interface NameChange {
  /** Its place in the order of all changes of the disk. */
  readonly sequence: number;
  readonly remove: string | null;
  readonly add: string | null;
  readonly inode: number;
}

/** A directory; it never changes, each change makes another. */
export class MemoryDirectory {
  /** The names as processes see them. */
  readonly names: ReadonlyMap<string, number>;
  readonly #synced: ReadonlyMap<string, number>;
  readonly #pending: readonly NameChange[];

  /** A directory whose names are all synced. */
  constructor(
    names: ReadonlyMap<string, number> = new Map(),
    synced: ReadonlyMap<string, number> = names,
    pending: readonly NameChange[] = [],
  ) {
    this.names = names;
    this.#synced = synced;
    this.#pending = pending;
  }

  /** The number of the oldest unsynced change, or Infinity. */
  get oldestChange(): number {
    return this.#pending[0]?.sequence ?? Infinity;
  }

  /** The directory after one more change. */
  changed(change: NameChange): MemoryDirectory {
    const names = new Map(this.names);
    apply(names, change);
    return new MemoryDirectory(names, this.#synced, [...this.#pending, change]);
  }

  /** The directory after a change that was synced long ago. */
  changedForGood(change: NameChange): MemoryDirectory {
    const names = new Map(this.names);
    const synced = new Map(this.#synced);
    apply(names, change);
    apply(synced, change);
    return new MemoryDirectory(names, synced, this.#pending);
  }

  /** The directory after a sync. */
  synced(): MemoryDirectory {
    return new MemoryDirectory(this.names);
  }

  /** The names that a power loss leaves. */
  survivors(survival: Survival): Map<string, number> {
    const names = new Map(this.#synced);
    for (const change of this.#pending) if (survival.keeps(change.sequence)) apply(names, change);
    return names;
  }

  /** Every inode that a process or a power loss may still find here. */
  *mentioned(): Generator<number> {
    yield* this.names.values();
    yield* this.#synced.values();
    for (const change of this.#pending) yield change.inode;
  }
}

function apply(names: Map<string, number>, change: NameChange): void {
  // What was removed may never have come, or something else may bear its name by now.
  if (change.remove !== null && names.get(change.remove) === change.inode) names.delete(change.remove);
  if (change.add !== null) names.set(change.add, change.inode);
}
