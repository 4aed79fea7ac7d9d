/**
 * What Node, Bun and Deno share: names, clock, timers and randomness on `node:` modules.
 *
 * @module
 */

import { randomFillSync } from "node:crypto";
import * as fs from "node:fs";
import * as paths from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import * as zlib from "node:zlib";
import { systemCode } from "../errors.ts";
import type {
  Crc32,
  MissingCapability,
  OpenMode,
  ProcessIdentity,
  Runtime,
  RuntimeFile,
  RuntimeTimer,
} from "./port.ts";
import { hasProcess, judgeAlive, readIdentity } from "./process_identity.ts";
import { SystemError, withSystemCode } from "./system_error.ts";
import { setSystemTimer } from "./system_timer.ts";

const FLAGS: Readonly<Record<OpenMode, number>> = {
  "read": fs.constants.O_RDONLY,
  "write": fs.constants.O_RDWR,
  "create": fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL,
  "create-or-write": fs.constants.O_RDWR | fs.constants.O_CREAT,
};

// What statfs says where a machine, a file system or a permission does not give it.
const NO_FREE_SPACE: readonly string[] = ["EACCES", "EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"];

/** A runtime of which only opening files is left to say. */
export abstract class SystemRuntime implements Runtime {
  /** See the port. */
  abstract readonly name: string;
  readonly #missing: MissingCapability[] = [];
  #identity: ProcessIdentity | null = null;

  /** The runtime's own where it has one; Node before 20.15 has none. */
  readonly crc32: Crc32 | null = typeof zlib.crc32 === "function" ? zlib.crc32 : null;

  /** Knows what is missing on this machine; what is only known by trying comes later. */
  constructor() {
    if (process.platform === "win32") this.noteMissing("directory-sync", "Windows does not sync directories");
  }

  /** See the port. */
  abstract open(path: string, mode: OpenMode): Promise<RuntimeFile>;

  /** See the port. */
  get missing(): readonly MissingCapability[] {
    return this.#missing;
  }

  /** See the port. */
  now(): number {
    return Date.now();
  }

  /** See the port. */
  monotonicMs(): number {
    return performance.now();
  }

  /** See the port. */
  setTimer(callback: () => void, delayMs: number, keepAlive: boolean): RuntimeTimer {
    return setSystemTimer(callback, delayMs, keepAlive);
  }

  /** See the port. */
  randomize(target: Uint8Array): void {
    randomFillSync(target);
  }

  /** See the port. */
  resolve(directory: string | URL): string {
    return paths.resolve(typeof directory === "string" ? directory : fileURLToPath(directory));
  }

  /** See the port. */
  join(directory: string, name: string): string {
    return paths.join(directory, name);
  }

  /** See the port. */
  ancestors(path: string): string[] {
    const found: string[] = [];
    for (let at = path, above = paths.dirname(at); above !== at; at = above, above = paths.dirname(at)) {
      found.push(above);
    }
    return found;
  }

  /** See the port. */
  async makeDirectory(path: string): Promise<void> {
    await named(fs.promises.mkdir(path, { recursive: true }));
  }

  /** See the port. */
  list(path: string): Promise<string[]> {
    return named(fs.promises.readdir(path));
  }

  /** See the port. */
  rename(from: string, to: string): Promise<void> {
    return named(fs.promises.rename(from, to));
  }

  /** See the port. */
  link(from: string, to: string): Promise<void> {
    return named(fs.promises.link(from, to));
  }

  /** See the port. */
  unlink(path: string): Promise<void> {
    return named(fs.promises.unlink(path));
  }

  /** See the port. */
  async syncDirectory(path: string): Promise<void> {
    if (!this.mayRead(path)) throw new SystemError("EACCES", `no permission to read ${path}, which syncing it takes`);
    const descriptor = await this.openDescriptor(path, fs.constants.O_RDONLY | (fs.constants.O_DIRECTORY ?? 0));
    try {
      await new Promise<void>((resolve, reject) => {
        fs.fsync(descriptor, (error) => error ? reject(withSystemCode(error)) : resolve());
      });
    } finally {
      await new Promise<void>((resolve) => fs.close(descriptor, () => resolve()));
    }
  }

  /** See the port. */
  async freeBytes(path: string): Promise<number | null> {
    if (!this.mayAskFreeSpace()) return null;
    try {
      const { bavail, bsize } = await named(fs.promises.statfs(path));
      return bavail * bsize;
    } catch (error) {
      if (!NO_FREE_SPACE.includes(systemCode(error) ?? "")) throw error;
      this.noteMissing("free-space", error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  /** See the port. */
  identity(): Promise<ProcessIdentity> {
    this.#identity ??= readIdentity((path) => this.mayRead(path));
    return Promise.resolve(this.#identity);
  }

  /** See the port. */
  async isAlive(owner: ProcessIdentity): Promise<boolean | null> {
    return judgeAlive(owner, await this.identity(), (path) => this.mayRead(path), (pid) => this.hasProcess(pid));
  }

  /** Puts a capability on the list of what is missing, once. */
  protected noteMissing(name: MissingCapability["name"], reason: string): void {
    if (!this.#missing.some((known) => known.name === name)) this.#missing.push({ name, reason });
  }

  /** Whether a path may be read without anyone being prompted. */
  protected mayRead(_path: string): boolean {
    return true;
  }

  /** Whether free space may be asked for without anyone being prompted. */
  protected mayAskFreeSpace(): boolean {
    return true;
  }

  /** Whether a process bears this number, or null where that may not be asked. */
  protected hasProcess(pid: number): boolean | null {
    return hasProcess(pid);
  }

  /** Opens a file as one of the port's modes, or as numeric flags say. */
  protected openDescriptor(path: string, mode: OpenMode | number): Promise<number> {
    const flags = typeof mode === "number" ? mode : FLAGS[mode];
    return new Promise((resolve, reject) => {
      fs.open(path, flags, 0o666, (error, descriptor) => error ? reject(withSystemCode(error)) : resolve(descriptor));
    });
  }
}

async function named<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw withSystemCode(error);
  }
}
