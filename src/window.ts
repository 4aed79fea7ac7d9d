/**
 * How long a flush waits for company: `windowMs`, `maxEntries` and `maxBytes`, whichever comes first, or somebody who cannot
 * wait.
 *
 * @module
 */

import { Alarm } from "./alarm.ts";
import type { Settings } from "./options.ts";
import type { Pending } from "./pending.ts";
import type { Runtime } from "./runtime/port.ts";

/** The window of what has arrived and is not yet taken. */
export class Window {
  readonly #settings: Settings;
  readonly #alarm: Alarm;
  /** It is over, or somebody cannot wait for that. */
  #isOver = false;

  /** @param settings May change while the log runs. @param onOver Called when the time is over. */
  constructor(settings: Settings, runtime: Runtime, onOver: () => void) {
    this.#settings = settings;
    // The process stays for what was accepted.
    this.#alarm = new Alarm(runtime, true, () => {
      this.#isOver = true;
      onOver();
    });
  }

  /** Whether what has arrived may go out. */
  isClosed(pending: Pending): boolean {
    const { windowMs, maxEntries, maxBytes } = this.#settings;
    if (windowMs === 0 || this.#isOver) return true;
    return pending.count >= maxEntries || pending.pendingBytes >= maxBytes;
  }

  /** Something has arrived: the timer runs while it waits, and only then. */
  arrived(): void {
    this.#alarm.set(this.#settings.windowMs);
  }

  /** What waits is not kept waiting; what is in flight already has nothing to do with the window after it. */
  close(pending: Pending): void {
    if (pending.frameCount > 0) this.#isOver = true;
  }

  /** What had arrived has been taken away: the next window begins with what arrives next. */
  taken(): void {
    this.#isOver = false;
    this.#alarm.cancel();
  }
}
