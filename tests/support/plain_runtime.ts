/**
 * A disk in memory that does at once what it is told, and allocates next to nothing: what a workload on it allocates is
 * the log's doing, and so is what can be seen of copies. Of what goes wrong on disks it knows nothing.
 */

import { crc32 } from "node:zlib";
import { nextHostTask } from "../../src/runtime/host_task.ts";
import { MemoryRuntime } from "../../src/runtime/memory.ts";
import type { OpenMode, RuntimeFile } from "../../src/runtime/port.ts";
import { DelegatingFile, DelegatingRuntime } from "./delegating_runtime.ts";

/** Taken before anyone may count what it copies. */
const { set } = Uint8Array.prototype;
const Bytes = Uint8Array;

/** One for all who wait for nothing. */
const DONE: Promise<void> = Promise.resolve();

/** How a plain disk is made. */
export interface PlainOptions {
  /** How large files may become before their buffers have to grow. */
  readonly capacityBytes?: number;
  /** Whether a sync in the pool returns only when nothing else can happen, and not at once. */
  readonly syncsLast?: boolean;
}

/** See the head of this file. Names, locks and the clock, which stands still, are a memory runtime's. */
export class PlainRuntime extends DelegatingRuntime {
  readonly #contents = new Map<string, Content>();
  readonly #capacityBytes: number;
  readonly #sync: () => Promise<void>;

  constructor({ capacityBytes = 64 * 1024, syncsLast = false }: PlainOptions = {}) {
    super(new MemoryRuntime({ crc32, manualTime: true }));
    this.#capacityBytes = capacityBytes;
    this.#sync = syncsLast ? nextHostTask : () => DONE;
  }

  override async open(path: string, mode: OpenMode): Promise<RuntimeFile> {
    const file = await super.open(path, mode);
    const content = this.#contents.get(path) ?? new Content(this.#capacityBytes);
    this.#contents.set(path, content);
    return new PlainFile(file, content, this.#sync);
  }

  override async rename(from: string, to: string): Promise<void> {
    await super.rename(from, to);
    const content = this.#contents.get(from);
    this.#contents.delete(from);
    if (content !== undefined) this.#contents.set(to, content);
  }

  override async unlink(path: string): Promise<void> {
    await super.unlink(path);
    this.#contents.delete(path);
  }
}

/** The bytes of a file, in a buffer with room for more. */
class Content {
  #bytes: Uint8Array;
  sizeBytes = 0;

  constructor(capacityBytes: number) {
    this.#bytes = new Bytes(capacityBytes);
  }

  read(target: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(target.length, this.sizeBytes - position));
    set.call(target, this.#bytes.subarray(position, position + count), 0);
    return count;
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > this.#bytes.length) {
      const grown = new Bytes(2 * end);
      set.call(grown, this.#bytes, 0);
      this.#bytes = grown;
    }
    set.call(this.#bytes, bytes, position);
    if (end > this.sizeBytes) this.sizeBytes = end;
  }
}

class PlainFile extends DelegatingFile {
  readonly #content: Content;
  readonly #sync: () => Promise<void>;

  constructor(inner: RuntimeFile, content: Content, sync: () => Promise<void>) {
    super(inner);
    this.#content = content;
    this.#sync = sync;
  }

  override read(target: Uint8Array, position: number): Promise<number> {
    return Promise.resolve(this.#content.read(target, position));
  }

  override write(bytes: Uint8Array, position: number): Promise<void> {
    this.#content.write(bytes, position);
    return DONE;
  }

  override writeSync(bytes: Uint8Array, position: number): void {
    this.#content.write(bytes, position);
  }

  override syncData(): Promise<void> {
    return this.#sync();
  }

  override syncDataSync(): void {}

  override size(): Promise<number> {
    return Promise.resolve(this.#content.sizeBytes);
  }
}
