import type { OpenMode, Runtime, RuntimeFile } from "../../src/runtime/port.ts";
import { SystemError } from "../../src/runtime/system_error.ts";
import { DelegatingFile, DelegatingRuntime } from "./delegating_runtime.ts";

/** Calls that the tests of the lock let fail. */
export type FaultyCall = "list" | "write" | "tryLock";

/** The code with which a call fails, or undefined where it goes well. */
export type Fault = (call: FaultyCall, path: string) => string | undefined;

/** A runtime of which some calls fail. */
export class FaultyRuntime extends DelegatingRuntime {
  readonly #fault: Fault;
  /** Files that are open. */
  openFiles = 0;

  constructor(inner: Runtime, fault: Fault) {
    super(inner);
    this.#fault = fault;
  }

  override async list(path: string): Promise<string[]> {
    this.check("list", path);
    return await this.inner.list(path);
  }

  override async open(path: string, mode: OpenMode): Promise<RuntimeFile> {
    const file = new FaultyFile(await this.inner.open(path, mode), this, path);
    this.openFiles++;
    return file;
  }

  check(call: FaultyCall, path: string): void {
    const code = this.#fault(call, path);
    if (code !== undefined) throw new SystemError(code, `${call} ${path}`);
  }
}

class FaultyFile extends DelegatingFile {
  readonly #runtime: FaultyRuntime;
  readonly #path: string;

  constructor(inner: RuntimeFile, runtime: FaultyRuntime, path: string) {
    super(inner);
    this.#runtime = runtime;
    this.#path = path;
  }

  override async write(bytes: Uint8Array, position: number): Promise<void> {
    this.#runtime.check("write", this.#path);
    await this.inner.write(bytes, position);
  }

  override async tryLock(): Promise<boolean | null> {
    this.#runtime.check("tryLock", this.#path);
    return await this.inner.tryLock();
  }

  override async close(): Promise<void> {
    await this.inner.close();
    this.#runtime.openFiles--;
  }
}
