import type {
  Crc32,
  MissingCapability,
  OpenMode,
  ProcessIdentity,
  Runtime,
  RuntimeFile,
  RuntimeTimer,
} from "../../src/runtime/port.ts";

/** A runtime that hands every call on to another; a test overrides the calls that its story is about. */
export class DelegatingRuntime implements Runtime {
  protected readonly inner: Runtime;
  readonly name: string;
  readonly crc32: Crc32 | null;

  constructor(inner: Runtime) {
    this.inner = inner;
    this.name = inner.name;
    this.crc32 = inner.crc32;
  }

  get missing(): readonly MissingCapability[] {
    return this.inner.missing;
  }

  now(): number {
    return this.inner.now();
  }

  monotonicMs(): number {
    return this.inner.monotonicMs();
  }

  setTimer(callback: () => void, delayMs: number, keepAlive: boolean): RuntimeTimer {
    return this.inner.setTimer(callback, delayMs, keepAlive);
  }

  randomize(target: Uint8Array): void {
    this.inner.randomize(target);
  }

  resolve(directory: string | URL): string {
    return this.inner.resolve(directory);
  }

  join(directory: string, name: string): string {
    return this.inner.join(directory, name);
  }

  ancestors(path: string): string[] {
    return this.inner.ancestors(path);
  }

  makeDirectory(path: string): Promise<void> {
    return this.inner.makeDirectory(path);
  }

  list(path: string): Promise<string[]> {
    return this.inner.list(path);
  }

  rename(from: string, to: string): Promise<void> {
    return this.inner.rename(from, to);
  }

  link(from: string, to: string): Promise<void> {
    return this.inner.link(from, to);
  }

  unlink(path: string): Promise<void> {
    return this.inner.unlink(path);
  }

  syncDirectory(path: string): Promise<void> {
    return this.inner.syncDirectory(path);
  }

  open(path: string, mode: OpenMode): Promise<RuntimeFile> {
    return this.inner.open(path, mode);
  }

  freeBytes(path: string): Promise<number | null> {
    return this.inner.freeBytes(path);
  }

  identity(): Promise<ProcessIdentity> {
    return this.inner.identity();
  }

  isAlive(owner: ProcessIdentity): Promise<boolean | null> {
    return this.inner.isAlive(owner);
  }
}

/** An open file that hands every call on to another. */
export class DelegatingFile implements RuntimeFile {
  protected readonly inner: RuntimeFile;

  constructor(inner: RuntimeFile) {
    this.inner = inner;
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.inner.read(target, position);
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.inner.write(bytes, position);
  }

  writeSync(bytes: Uint8Array, position: number): void {
    this.inner.writeSync(bytes, position);
  }

  syncData(): Promise<void> {
    return this.inner.syncData();
  }

  syncDataSync(): void {
    this.inner.syncDataSync();
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.inner.truncate(sizeBytes);
  }

  size(): Promise<number> {
    return this.inner.size();
  }

  tryLock(): Promise<boolean | null> {
    return this.inner.tryLock();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
