/**
 * Waits for what may never come.
 */

import { nextHostTask } from "../../src/runtime/host_task.ts";
import type { MemoryRuntime } from "../../src/runtime/memory.ts";
import { Violation } from "./oracle.ts";

/** So many turns without a call to the disk: nothing will ever happen. */
const IDLE_TURNS = 3000;
/** No life is as long as this. */
const MOST_TURNS = 20_000;

/** Resolves when the task does, or the process stops; rejects when nothing can settle it any more. */
export async function toTheEnd<T>(task: Promise<T>, runtime: MemoryRuntime): Promise<T | undefined> {
  let isOver = false;
  const watch = async (): Promise<undefined> => {
    let calls = 0;
    for (let turn = 0, idle = 0; idle < IDLE_TURNS && turn < MOST_TURNS; turn++, idle++) {
      await nextHostTask();
      if (isOver) return;
      if (runtime.calls !== calls) idle = 0;
      calls = runtime.calls;
    }
    throw new Violation(`something waits for ever, after call ${calls}`);
  };
  try {
    return await Promise.race([task, runtime.stopped.then(() => undefined), watch()]);
  } finally {
    isOver = true;
  }
}
