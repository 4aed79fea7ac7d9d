import type { OpenMode, Runtime, RuntimeFile } from "../../src/runtime/port.ts";
import { DelegatingFile, DelegatingRuntime } from "./delegating_runtime.ts";

/** The same runtime on a machine that has no lock of the kernel. */
export function withoutKernelLock(runtime: Runtime): Runtime {
  return new RuntimeWithoutLock(runtime);
}

class RuntimeWithoutLock extends DelegatingRuntime {
  override async open(path: string, mode: OpenMode): Promise<RuntimeFile> {
    return new FileWithoutLock(await this.inner.open(path, mode));
  }
}

class FileWithoutLock extends DelegatingFile {
  override tryLock(): Promise<null> {
    return Promise.resolve(null);
  }
}
