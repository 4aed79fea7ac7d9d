/**
 * Where damaged logs lie: in a real directory, or in memory where it is to be quick. Who works there is watched: how much it reads
 * at once, and whatever it changes.
 */

import { mkdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { MemoryDisk, MemoryRuntime } from "../../src/runtime/memory.ts";
import type { OpenMode, Runtime, RuntimeFile } from "../../src/runtime/port.ts";
import { isSame } from "./damage.ts";
import type { Files } from "./damage_log.ts";
import { DelegatingFile, DelegatingRuntime } from "./delegating_runtime.ts";
import { type FileState, readDirectory } from "./directories.ts";
import { quickRuntime } from "./quick_runtime.ts";

/** A directory that holds one log after the other. */
export interface Ground {
  readonly directory: string;
  /** Makes it hold these files and no others. */
  lay(files: Files): Promise<void>;
  /** What it holds now. */
  look(): Promise<Map<string, FileState>>;
  /** A process that works there. */
  start(): Watched;
}

/** A runtime that remembers what it was asked for. */
export class Watched extends DelegatingRuntime {
  /** The largest buffer that was to be filled. */
  largestReadBytes = 0;
  /** Every call that changes anything. */
  readonly changes: string[] = [];

  override async open(path: string, mode: OpenMode): Promise<RuntimeFile> {
    if (mode === "create" || mode === "create-or-write") this.changes.push(`open ${path}`);
    return new WatchedFile(await super.open(path, mode), this, path);
  }

  override rename(from: string, to: string): Promise<void> {
    this.changes.push(`rename ${from}`);
    return super.rename(from, to);
  }

  override link(from: string, to: string): Promise<void> {
    this.changes.push(`link ${from}`);
    return super.link(from, to);
  }

  override unlink(path: string): Promise<void> {
    this.changes.push(`unlink ${path}`);
    return super.unlink(path);
  }

  override makeDirectory(path: string): Promise<void> {
    this.changes.push(`make ${path}`);
    return super.makeDirectory(path);
  }
}

class WatchedFile extends DelegatingFile {
  readonly #watched: Watched;
  readonly #path: string;

  constructor(inner: RuntimeFile, watched: Watched, path: string) {
    super(inner);
    this.#watched = watched;
    this.#path = path;
  }

  override read(target: Uint8Array, position: number): Promise<number> {
    this.#watched.largestReadBytes = Math.max(this.#watched.largestReadBytes, target.length);
    return super.read(target, position);
  }

  override write(bytes: Uint8Array, position: number): Promise<void> {
    this.#watched.changes.push(`write ${this.#path}`);
    return super.write(bytes, position);
  }

  override writeSync(bytes: Uint8Array, position: number): void {
    this.#watched.changes.push(`write ${this.#path}`);
    super.writeSync(bytes, position);
  }

  override truncate(sizeBytes: number): Promise<void> {
    this.#watched.changes.push(`truncate ${this.#path}`);
    return super.truncate(sizeBytes);
  }
}

/** In memory. */
export class MemoryGround implements Ground {
  readonly directory = "/data/wal";
  #disk: MemoryDisk = new MemoryDisk();

  lay(files: Files): Promise<void> {
    const paths = [...files].map(([name, bytes]) => [`${this.directory}/${name}`, bytes] as const);
    this.#disk = new MemoryDisk({ files: Object.fromEntries(paths), seed: 1 });
    return Promise.resolve();
  }

  look(): Promise<Map<string, FileState>> {
    const state = (name: string): FileState => ({ bytes: this.#disk.read(`${this.directory}/${name}`), modifiedMs: 0 });
    return Promise.resolve(new Map(this.#disk.names(this.directory).map((name) => [name, state(name)])));
  }

  start(): Watched {
    return new Watched(new MemoryRuntime({ disk: this.#disk, crc32 }));
  }
}

/** On the disk. */
export class DiskGround implements Ground {
  readonly directory: string;
  readonly #runtime: Runtime;

  private constructor(directory: string, runtime: Runtime) {
    this.directory = directory;
    this.#runtime = runtime;
  }

  /** In a directory of its own. */
  static async in(sandbox: string): Promise<DiskGround> {
    const directory = join(sandbox, "wal");
    await mkdir(directory);
    return new DiskGround(directory, await quickRuntime());
  }

  async lay(files: Files): Promise<void> {
    const there = await this.look();
    for (const name of there.keys()) if (!files.has(name)) await unlink(join(this.directory, name));
    for (const [name, bytes] of files) {
      const now = there.get(name)?.bytes;
      const isThere = now !== undefined && now.length === bytes.length && isSame(now, bytes, 0, bytes.length);
      if (!isThere) await writeFile(join(this.directory, name), bytes);
    }
  }

  look(): Promise<Map<string, FileState>> {
    return readDirectory(this.directory);
  }

  start(): Watched {
    return new Watched(this.#runtime);
  }
}
