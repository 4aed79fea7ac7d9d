/**
 * An open file of the memory runtime.
 *
 * @module
 */
import type { MemoryCallName } from "./memory_call.ts";
import { MemoryDiskError } from "./memory_error.ts";
import type { MemoryProcess, MemoryRequest } from "./memory_process.ts";
import type { MemoryHandle, MemoryVolume } from "./memory_volume.ts";
import type { RuntimeFile } from "./port.ts";

/** Maps the calls of an open file to the disk. */
export class MemoryFile implements RuntimeFile {
  readonly #process: MemoryProcess;
  readonly #handle: MemoryHandle;
  readonly #isWritable: boolean;
  readonly #hasLock: boolean;
  #isClosed = false;

  /** @param process Whose it is. @param handle What it names. @param hasLock Whether the machine has locks. */
  constructor(process: MemoryProcess, handle: MemoryHandle, isWritable: boolean, hasLock: boolean) {
    this.#process = process;
    this.#handle = handle;
    this.#isWritable = isWritable;
    this.#hasLock = hasLock;
  }

  /** Fills `target` from `position` on. */
  read(target: Uint8Array, position: number): Promise<number> {
    const request = this.#request("read", (volume) => volume.tree.file(this.#handle.inode).read(target, position));
    return this.#process.start({ ...request, target, position, length: target.length });
  }

  /** Writes in the pool. */
  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.#process.start(this.#writing(bytes, position));
  }

  /** Writes at once. */
  writeSync(bytes: Uint8Array, position: number): void {
    this.#process.startBlocking(this.#writing(bytes, position));
  }

  /** fdatasync in the pool. */
  syncData(): Promise<void> {
    return this.#process.start(this.#request("syncData", (volume) => volume.sync(this.#handle.inode)));
  }

  /** fdatasync at once. */
  syncDataSync(): void {
    this.#process.startBlocking(this.#request("syncData", (volume) => volume.sync(this.#handle.inode)));
  }

  /** Sets the size. */
  truncate(sizeBytes: number): Promise<void> {
    const request = this.#request("truncate", (volume) => {
      if (!this.#isWritable) throw new MemoryDiskError("EINVAL", "truncate", this.#handle.path);
      volume.truncate(this.#handle.inode, sizeBytes);
    });
    return this.#process.start({ ...request, position: sizeBytes });
  }

  /** The size as processes see it. */
  size(): Promise<number> {
    return this.#process.start(this.#request("size", (volume) => volume.tree.file(this.#handle.inode).sizeBytes));
  }

  /** Takes the lock, if nobody has it. */
  tryLock(): Promise<boolean | null> {
    const lock = (volume: MemoryVolume): boolean | null => this.#hasLock ? volume.lock(this.#handle) : null;
    return this.#process.start(this.#request("tryLock", lock));
  }

  /** Gives the file back, and the lock with it, as soon as no call of it is in flight. */
  async close(): Promise<void> {
    const take = this.#isClosed ? () => {} : (volume: MemoryVolume) => volume.close(this.#handle);
    this.#isClosed = true;
    const { path } = this.#handle;
    await this.#process.whenLanded(this.#handle);
    return await this.#process.start({ name: "close", path, handle: this.#handle, changes: false, take });
  }

  #writing(bytes: Uint8Array, position: number): MemoryRequest<void> {
    const take = (volume: MemoryVolume, limitBytes: number): void => {
      if (!this.#isWritable) throw new MemoryDiskError("EBADF", "write", this.#handle.path);
      volume.write(this.#handle.inode, bytes, position, limitBytes);
    };
    return { ...this.#request("write", take), position, length: bytes.length };
  }

  #request<T>(name: MemoryCallName, take: MemoryRequest<T>["take"]): MemoryRequest<T> {
    const { path } = this.#handle;
    const bad = (): T => {
      throw new MemoryDiskError("EBADF", name, path);
    };
    const changes = name === "write" || name === "syncData" || name === "truncate";
    return { name, path, handle: this.#handle, changes, take: this.#isClosed ? bad : take };
  }
}
