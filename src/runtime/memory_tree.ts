/**
 * What is on a disk and in its page cache: directories and files by number, and the names that lead to them.
 *
 * @module
 */
import { MemoryDirectory } from "./memory_directory.ts";
import { MemoryDiskError } from "./memory_error.ts";
import { MemoryInode } from "./memory_inode.ts";
import { pathParts } from "./memory_path.ts";
import { type MemoryKeep, Survivals } from "./memory_survival.ts";
import type { Random } from "./random.ts";

const ROOT = 1;

/** Where a path leads: the directory that holds its last name, and what bears that name, if anything does. */
interface Place {
  readonly directory: number;
  readonly name: string;
  readonly inode: number | undefined;
}

/** Directories and files. A copy costs a pointer for each of them: what is changed later is copied then. */
export class MemoryTree {
  /** Files that bear it are ours to change; a copy gives both trees a new one. */
  #owner: object = {};
  #nodes: Map<number, MemoryInode | MemoryDirectory> = new Map([[ROOT, new MemoryDirectory()]]);
  #nextInode = ROOT + 1;
  #nextSequence = 1;

  /** Another tree with the same content, which goes its own way. */
  copy(): MemoryTree {
    const copy = new MemoryTree();
    copy.#nodes = new Map(this.#nodes);
    copy.#nextInode = this.#nextInode;
    copy.#nextSequence = this.#nextSequence;
    this.#owner = {};
    return copy;
  }

  /** The tree that a power loss leaves of this one. */
  losePower(keep: MemoryKeep | null, random: Random): MemoryTree {
    let oldest = this.#nextSequence;
    for (const node of this.#nodes.values()) oldest = Math.min(oldest, node.oldestChange);
    const survivals = new Survivals(keep, random, oldest, this.#nextSequence);
    const after = this.copy();
    after.#nodes = new Map();
    this.#survive(ROOT, after, survivals);
    return after;
  }

  #survive(inode: number, after: MemoryTree, survivals: Survivals): void {
    if (after.#nodes.has(inode)) return;
    const node = this.#nodes.get(inode);
    if (node instanceof MemoryDirectory) {
      const names = node.survivors(survivals.next());
      after.#nodes.set(inode, new MemoryDirectory(names));
      for (const child of names.values()) this.#survive(child, after, survivals);
    } else if (node !== undefined) {
      after.#nodes.set(inode, node.losePower(after.#owner, survivals.next()));
    }
  }

  // -- files

  /** A file to look at. */
  file(inode: number): MemoryInode {
    const node = this.#nodes.get(inode);
    if (!(node instanceof MemoryInode)) throw new MemoryDiskError("EBADF", "use", `inode ${inode}`);
    return node;
  }

  /** A file to change. */
  ownFile(inode: number): MemoryInode {
    const file = this.file(inode);
    if (file.owner === this.#owner) return file;
    const own = file.copyFor(this.#owner);
    this.#nodes.set(inode, own);
    return own;
  }

  /** The number of one more change. */
  nextSequence(): number {
    return this.#nextSequence++;
  }

  /** Every file that a failed sync has left apart from the disk forgets some of its pages. */
  evict(random: Random): void {
    for (const [inode, node] of this.#nodes) {
      if (node instanceof MemoryInode && node.isLying) this.ownFile(inode).evict(random);
    }
  }

  /** The bytes taken by files that have a name or are among `open`. */
  usedBytes(open: Iterable<number>): number {
    const inUse = new Set(open);
    for (const node of this.#nodes.values()) {
      if (node instanceof MemoryDirectory) { for (const inode of node.names.values()) inUse.add(inode); }
    }
    let usedBytes = 0;
    for (const inode of inUse) {
      const node = this.#nodes.get(inode);
      if (node instanceof MemoryInode) usedBytes += node.allocatedBytes;
    }
    return usedBytes;
  }

  /** Forgets files that nobody can come to any more: not `open`, and without a name now or after a power loss. */
  collect(open: Iterable<number>): void {
    const reachable = new Set(open);
    for (const node of this.#nodes.values()) {
      if (node instanceof MemoryDirectory) { for (const inode of node.mentioned()) reachable.add(inode); }
    }
    for (const inode of this.#nodes.keys()) if (inode !== ROOT && !reachable.has(inode)) this.#nodes.delete(inode);
  }

  // -- names

  /** The file of a path, or undefined. */
  find(path: string, call: string): number | undefined {
    const { inode } = this.#locate(path, call);
    if (inode !== undefined && this.#nodes.get(inode) instanceof MemoryDirectory) {
      throw new MemoryDiskError("EISDIR", call, path);
    }
    return inode;
  }

  /** The names in a directory. */
  list(path: string, call: string): string[] {
    return [...this.#directory(path, call)[1].names.keys()];
  }

  /** Makes an empty file, or one of `bytes` that was synced long ago. */
  create(path: string, call: string, bytes?: Uint8Array): number {
    if (pathParts(path).length === 0) throw new MemoryDiskError("EEXIST", call, path);
    const { directory, name, inode: taken } = this.#locate(path, call);
    if (taken !== undefined) throw new MemoryDiskError("EEXIST", call, path);
    const inode = this.#nextInode++;
    this.#nodes.set(inode, bytes === undefined ? new MemoryInode(this.#owner) : MemoryInode.of(this.#owner, bytes));
    this.#change(directory, { remove: null, add: name, inode }, bytes !== undefined);
    return inode;
  }

  /** Gives a file another content, on the disk and in the page cache. */
  replace(inode: number, bytes: Uint8Array): void {
    this.#nodes.set(inode, MemoryInode.of(this.#owner, bytes));
  }

  /** Makes a directory and all above it. */
  makeDirectory(path: string, isOldAndSynced = false): void {
    let at = ROOT;
    for (const name of pathParts(path)) {
      const directory = this.#nodes.get(at);
      if (!(directory instanceof MemoryDirectory)) throw new MemoryDiskError("ENOTDIR", "makeDirectory", path);
      let inode = directory.names.get(name);
      if (inode === undefined) {
        inode = this.#nextInode++;
        this.#nodes.set(inode, new MemoryDirectory());
        this.#change(at, { remove: null, add: name, inode }, isOldAndSynced);
      }
      at = inode;
    }
    if (!(this.#nodes.get(at) instanceof MemoryDirectory)) throw new MemoryDiskError("EEXIST", "makeDirectory", path);
  }

  /** Moves a name. Between two directories it is two changes, and a power loss may leave both names or none. */
  rename(from: string, to: string): void {
    const source = this.#locate(from, "rename");
    const target = this.#locate(to, "rename");
    const inode = source.inode;
    if (inode === undefined) throw new MemoryDiskError("ENOENT", "rename", from);
    if (inode === target.inode) return;
    if (target.inode !== undefined && this.#nodes.get(target.inode) instanceof MemoryDirectory) {
      throw new MemoryDiskError("EISDIR", "rename", to);
    }
    if (source.directory === target.directory) {
      this.#change(source.directory, { remove: source.name, add: target.name, inode });
    } else {
      this.#change(target.directory, { remove: null, add: target.name, inode });
      this.#change(source.directory, { remove: source.name, add: null, inode });
    }
  }

  /** Gives a file a second name. */
  link(from: string, to: string): void {
    const inode = this.find(from, "link");
    const target = this.#locate(to, "link");
    if (inode === undefined) throw new MemoryDiskError("ENOENT", "link", from);
    if (target.inode !== undefined) throw new MemoryDiskError("EEXIST", "link", to);
    this.#change(target.directory, { remove: null, add: target.name, inode });
  }

  /** Removes the name of a file. */
  unlink(path: string, isOldAndSynced = false): void {
    const inode = this.find(path, "unlink");
    if (inode === undefined) throw new MemoryDiskError("ENOENT", "unlink", path);
    const { directory, name } = this.#locate(path, "unlink");
    this.#change(directory, { remove: name, add: null, inode }, isOldAndSynced);
  }

  /** Every name of the directory is as it is for good. */
  syncDirectory(path: string): void {
    const [inode, directory] = this.#directory(path, "syncDirectory");
    if (directory.oldestChange !== Infinity) this.#nodes.set(inode, directory.synced());
  }

  #change(
    inode: number,
    change: { remove: string | null; add: string | null; inode: number },
    isOldAndSynced = false,
  ): void {
    const directory = this.#nodes.get(inode) as MemoryDirectory;
    const numbered = { ...change, sequence: this.nextSequence() };
    this.#nodes.set(inode, isOldAndSynced ? directory.changedForGood(numbered) : directory.changed(numbered));
  }

  #directory(path: string, call: string): [number, MemoryDirectory] {
    const inode = pathParts(path).length === 0 ? ROOT : this.#locate(path, call).inode;
    if (inode === undefined) throw new MemoryDiskError("ENOENT", call, path);
    const node = this.#nodes.get(inode);
    if (!(node instanceof MemoryDirectory)) throw new MemoryDiskError("ENOTDIR", call, path);
    return [inode, node];
  }

  #locate(path: string, call: string): Place {
    const parts = pathParts(path);
    const name = parts.pop();
    if (name === undefined) throw new MemoryDiskError("EISDIR", call, path);
    let directory = ROOT;
    for (const part of parts) {
      const inode = this.#namesOf(directory, path, call).get(part);
      if (inode === undefined) throw new MemoryDiskError("ENOENT", call, path);
      directory = inode;
    }
    return { directory, name, inode: this.#namesOf(directory, path, call).get(name) };
  }

  #namesOf(inode: number, path: string, call: string): ReadonlyMap<string, number> {
    const node = this.#nodes.get(inode);
    if (!(node instanceof MemoryDirectory)) throw new MemoryDiskError("ENOTDIR", call, path);
    return node.names;
  }
}
