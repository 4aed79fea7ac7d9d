/**
 * What a log knows of the room on its disk: whether it was full when last looked at, and when to look again.
 *
 * @module
 */

import { Alarm } from "./alarm.ts";
import type { WalDiskFullError } from "./errors.ts";
import type { Runtime } from "./runtime/port.ts";

/** How often a log on a full disk looks whether there is room again. */
const PROBE_MS = 100;

/** Whether the disk under one log was full, and when to look again. */
export class DiskRoom {
  readonly #probeAlarm: Alarm;
  readonly #awaitedProbeAlarm: Alarm;
  #error: WalDiskFullError | null = null;
  #untold: WalDiskFullError | null = null;

  /** @param probe Looks whether there is room again. */
  constructor(runtime: Runtime, probe: () => void) {
    this.#probeAlarm = new Alarm(runtime, false, probe);
    this.#awaitedProbeAlarm = new Alarm(runtime, true, probe);
  }

  /** How it was found full, or null. */
  get error(): WalDiskFullError | null {
    return this.#error;
  }

  /** The disk is full. `isSilent` says whether entries were rejected for which nobody waited. */
  full(error: WalDiskFullError, isSilent: boolean): void {
    this.#error = error;
    if (isSilent) this.#untold = error;
  }

  /** There is room again. */
  free(): void {
    this.#error = null;
  }

  /** That entries were rejected for which nobody waited; whoever flushes or closes is told, once. */
  takeUntold(): WalDiskFullError | null {
    const untold = this.#untold;
    this.#untold = null;
    return untold;
  }

  /** Looks again in a while. The process stays for that only where somebody waits for it. */
  lookAgain(isAwaited: boolean): void {
    if (isAwaited) this.#awaitedProbeAlarm.set(PROBE_MS);
    else this.#probeAlarm.set(PROBE_MS);
  }

  /** Looks no more. */
  cancel(): void {
    this.#probeAlarm.cancel();
    this.#awaitedProbeAlarm.cancel();
  }
}
