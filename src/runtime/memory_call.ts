/**
 * The hook through which a test sees every call that a process makes to the disk, and spoils it.
 *
 * @module
 */

/**
 * The calls of the port that touch the disk, under the port's own names; a blocking one bears the name of its twin.
 *
 * @example Counting the syncs
 * ```ts
 * import { type MemoryCallName, MemoryRuntime } from "@walstream/wal/memory";
 *
 * const counted: MemoryCallName = "syncData";
 * let count = 0;
 * const runtime = new MemoryRuntime({ onCall: (call) => void (call.name === counted && count++) });
 * const file = await runtime.open("/note", "create");
 * await file.syncData();
 * file.syncDataSync();
 * console.log(count); // 2
 * ```
 */
export type MemoryCallName =
  | "open"
  | "read"
  | "write"
  | "syncData"
  | "truncate"
  | "size"
  | "tryLock"
  | "close"
  | "makeDirectory"
  | "list"
  | "rename"
  | "link"
  | "unlink"
  | "syncDirectory"
  | "freeBytes";

/**
 * One call to the disk.
 *
 * @example Writing down what a process does
 * ```ts
 * import { type MemoryCall, MemoryRuntime } from "@walstream/wal/memory";
 *
 * const calls: MemoryCall[] = [];
 * const runtime = new MemoryRuntime({ onCall: (call) => void calls.push(call) });
 * const file = await runtime.open("/note", "create");
 * await file.write(new Uint8Array(8), 16);
 * console.log(calls[1]); // { number: 2, name: "write", path: "/note", …, position: 16, length: 8, blocking: false }
 * ```
 */
export interface MemoryCall {
  /** The first call of a process is 1. */
  readonly number: number;
  /** What was called. */
  readonly name: MemoryCallName;
  /** The file or directory, for an open file the path it was opened by. */
  readonly path: string;
  /** The second path of `rename` and `link`, else null. */
  readonly to: string | null;
  /** Where `read` and `write` begin, the size that `truncate` sets, else 0. */
  readonly position: number;
  /** How much `read` and `write` are about, else 0. */
  readonly length: number;
  /** Whether the caller waits for it: `writeSync` and `syncDataSync`. */
  readonly blocking: boolean;
}

/**
 * What becomes of a call. All of it may be left out; `undefined` is a call that goes well.
 *
 * @example The third call fails, and the fifth is the last
 * ```ts
 * import { type MemoryFault, MemoryRuntime } from "@walstream/wal/memory";
 *
 * const faults: Record<number, MemoryFault> = { 3: { code: "EIO" }, 5: { stop: "before" } };
 * const runtime = new MemoryRuntime({ onCall: (call) => faults[call.number] });
 * const file = await runtime.open("/note", "create");
 * await file.write(new Uint8Array(8), 0);
 * await file.syncData().catch((error) => console.log(error.code)); // EIO
 * await file.syncData(); // succeeds, and proves nothing
 * file.close(); // the process has stopped before this
 * await runtime.stopped;
 * ```
 */
export interface MemoryFault {
  /**
   * The call fails with this code and without effect, but for a write (see `doneBytes`) and for `syncData`: each sector that it
   * should have written is on the disk, or may still come there, or is lost, and all of them count as clean from now on.
   */
  readonly code?: string;
  /** How much of a write is done before `code`, or before the process stops. */
  readonly doneBytes?: number;
  /** How long the call takes, in virtual milliseconds. A blocking call moves the clock. */
  readonly delayMs?: number;
  /** The process stops: before the call has any effect, or after its effect and before it returns. */
  readonly stop?: "before" | "after";
  /** Bits to turn over in what a read returns: bit 0 is the lowest one of its first byte, bit 8 of its second. */
  readonly flipBits?: readonly number[];
}

/**
 * Thrown by blocking calls of a process that has stopped. Other calls of it never settle.
 *
 * @example Stopping in a blocking call
 * ```ts
 * import { MemoryRuntime, ProcessStopped } from "@walstream/wal/memory";
 *
 * const runtime = new MemoryRuntime({ onCall: (call) => (call.name === "write" ? { stop: "after" } : undefined) });
 * const file = await runtime.open("/note", "create");
 * try {
 *   file.writeSync(new Uint8Array(8), 0);
 * } catch (error) {
 *   console.log(error instanceof ProcessStopped); // true
 * }
 * ```
 */
export class ProcessStopped extends Error {
  /** Made by the runtime. @param during The call that came too late. */
  constructor(during: string) {
    super(`the process has stopped: ${during} was its last call or came after it`);
    this.name = "ProcessStopped";
  }
}
