import { detectRuntime } from "../../src/runtime/detect.ts";
import type { OpenMode, RuntimeFile } from "../../src/runtime/port.ts";
import { DelegatingFile, DelegatingRuntime } from "./delegating_runtime.ts";

/**
 * The runtime that runs this, with locks that anybody gets and syncs that do nothing: for a test that opens hundreds of logs
 * which nobody else knows of, and takes no power away from what it wrote there itself. On Node each true lock is a program
 * that has to be started.
 */
export async function quickRuntime(): Promise<DelegatingRuntime> {
  return new QuickRuntime(await detectRuntime());
}

class QuickRuntime extends DelegatingRuntime {
  override async open(path: string, mode: OpenMode): Promise<RuntimeFile> {
    return new QuickFile(await super.open(path, mode));
  }

  override syncDirectory(): Promise<void> {
    return Promise.resolve();
  }
}

class QuickFile extends DelegatingFile {
  override tryLock(): Promise<boolean> {
    return Promise.resolve(true);
  }

  override syncData(): Promise<void> {
    return Promise.resolve();
  }

  override syncDataSync(): void {}
}
