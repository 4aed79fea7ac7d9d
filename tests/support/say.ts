import { writeSync } from "node:fs";

const never = new Int32Array(new SharedArrayBuffer(4));

/** Writes a line to whoever started this program: it is in the pipe when this returns, whatever becomes of the process. */
export function say(line: string): void {
  const bytes = new TextEncoder().encode(line + "\n");
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      // A full pipe: whoever listens will empty it.
      if ((error as { code?: unknown }).code !== "EAGAIN") throw error;
      Atomics.wait(never, 0, 0, 1);
    }
  }
}
