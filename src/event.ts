/**
 * What the log tells whoever listens.
 *
 * @module
 */

import { describe, isRevoked } from "./errors.ts";
import type { MissingCapability } from "./runtime/port.ts";

/**
 * How much an event matters.
 *
 * @example Telling only what matters
 * ```ts
 * import { Wal, type WalEventLevel } from "@walstream/wal";
 *
 * const loud: readonly WalEventLevel[] = ["warning", "critical"];
 * const wal = await Wal.open("data/wal", {
 *   onEvent: (event) => loud.includes(event.level) && console.warn(event),
 * });
 * await wal.close();
 * ```
 */
export type WalEventLevel = "debug" | "info" | "warning" | "critical";

/**
 * Plain data, handed to `onEvent` as it happens.
 *
 * @example
 * ```ts
 * import { Wal, type WalEvent } from "@walstream/wal";
 * import { MemoryRuntime } from "@walstream/wal/memory";
 *
 * const tell = (event: WalEvent): void => {
 *   if (event.type === "recovered") console.log(`the next LSN is ${event.lastLsn + 1}`); // the next LSN is 1
 * };
 * const wal = await Wal.open("/wal", { onEvent: tell, runtime: new MemoryRuntime() });
 * await wal.close();
 * ```
 */
export type WalEvent =
  & { readonly level: WalEventLevel; readonly time: number }
  & (
    /** The log was opened, and this is what was found, damage in so many places for one; see `wal.recovery`. */
    | {
      readonly type: "recovered";
      readonly end: "new" | "clean" | "unclean" | "torn" | "mended";
      readonly damages: number;
      readonly firstLsn: number;
      readonly lastLsn: number;
    }
    /** A new segment takes the frames from now on. */
    | { readonly type: "rotated"; readonly segment: string; readonly baseLsn: number }
    /** The log was cut from below: it begins here now. */
    | { readonly type: "truncated"; readonly firstLsn: number }
    /** So many files of what was cut are not part of it any more; more may follow when their readers have done. */
    | { readonly type: "freed"; readonly segments: number; readonly bytes: number }
    /** Something this machine or permission does not give; the log goes on without. */
    | { readonly type: "capability-missing"; readonly name: MissingCapability["name"]; readonly reason: string }
    /** A spare could not be prepared and was dropped; the log goes on. */
    | { readonly type: "spare-dropped"; readonly reason: string }
    /** What a crash or a failure had left in a file that goes was copied into another one, for you to look at. */
    | {
      readonly type: "set-aside";
      readonly segment: string;
      readonly offset: number;
      readonly bytes: number;
      readonly file: string;
    }
    /** Files that are not part of the log could not be removed; they are tried again at the next open. */
    | { readonly type: "cleanup-failed"; readonly reason: string }
    /** A sync took long: the disk is slow, or busy with something else. */
    | { readonly type: "slow-sync"; readonly elapsedMs: number }
    /** The disk is full: these LSNs were rejected and will never be; 0 to 0 when nothing waited. */
    | { readonly type: "disk-full"; readonly firstLsn: number; readonly lastLsn: number; readonly reason: string }
    /** There is room again, and the log takes entries. */
    | { readonly type: "disk-has-room" }
    /** The log has failed and takes no more. */
    | { readonly type: "failed"; readonly reason: string }
    /** A failed log was opened again, in place: these LSNs were given out and will never be; 0 to 0 when there are none. */
    | { readonly type: "reopened"; readonly firstSkippedLsn: number; readonly lastSkippedLsn: number }
    /** A listener threw; said once. */
    | { readonly type: "listener-threw"; readonly reason: string }
  );

/** Takes an event without its time. */
export type Report = (event: DistributiveOmit<WalEvent, "time">) => void;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** A {@linkcode Report} that hands events to a listener, which may be absent and may throw. */
export function reporter(listener: ((event: WalEvent) => void) | undefined, now: () => number): Report {
  let hasThrown = false;
  const tellOnce = (error: unknown): void => {
    if (hasThrown || listener === undefined) return;
    hasThrown = true;
    call(listener, { type: "listener-threw", level: "warning", reason: reasonOf(error), time: now() }, () => {});
  };
  return (event) => {
    if (listener !== undefined) call(listener, { ...event, time: now() } as WalEvent, tellOnce);
  };
}

/** The same listener, of which nobody hears what it throws or rejects with. */
export function quietly<T extends readonly unknown[]>(
  listener: ((...told: T) => unknown) | undefined,
): (...told: T) => void {
  return (...told) => {
    if (listener !== undefined) call((args: T) => listener(...args), told, () => {});
  };
}

/** What a listener throws, or rejects with where it is asynchronous, is nobody else's business. */
function call<T>(listener: (told: T) => unknown, told: T, onError: (error: unknown) => void): void {
  try {
    const result = listener(told);
    if (result instanceof Promise) result.catch(onError);
  } catch (error) {
    onError(error);
  }
}

function reasonOf(error: unknown): string {
  return !isRevoked(error) && error instanceof Error ? `${error.name}: ${error.message}` : describe(error);
}
