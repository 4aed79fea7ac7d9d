/**
 * A runtime in memory: a disk at its worst, virtual time, and faults at any call, to test a log with, and what is built on it.
 *
 * @example
 * ```ts
 * import { Wal } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const wal = await Wal.open("/wal", { runtime: new MemoryRuntime() });
 * console.log(await wal.commit("hello")); // 1
 * await wal.close();
 * ```
 *
 * @module
 */
export { type MemoryCall, type MemoryCallName, type MemoryFault, ProcessStopped } from "./memory_call.ts";
export type { MemoryClock } from "./memory_clock.ts";
export { MemoryDisk, type MemoryDiskOptions, type MemoryPowerLoss } from "./memory_disk.ts";
export { MemoryRuntime, type MemoryRuntimeOptions } from "./memory_runtime.ts";
export type { MemoryKeep } from "./memory_survival.ts";
