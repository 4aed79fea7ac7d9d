/**
 * `append`: the call alone.
 *
 * The window is so long that no flush begins by itself. A group of entries that is about what a flush carries by
 * default is appended and timed, then flushed and not timed, again and again: so the log's two buffers have grown, and
 * nothing is in flight while the watch runs. What is read is the time of the loop, which is on the processor all the
 * while.
 *
 * @module
 */

import type { EntryInput } from "../../mod.ts";
import { logContender } from "../contenders/logs.ts";
import { atMost, type Figures } from "../harness/figures.ts";
import type { Contender, Point } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import { ENTRY_BYTES, ENTRY_MASK, randomEntries } from "../instruments/entries.ts";

/** About 1 MiB. */
const GROUP = 8192;
const WARM_UP_GROUPS = 4;
const WHAT = "a call";
/** So long that no timer of the log that was set before goes off in the next group. */
const QUIET_MS = 2;

const OPTIONS = {
  windowMs: 600_000,
  maxBytes: Infinity,
  maxBufferedBytes: 256 * 1024 * 1024,
  segmentBytes: 0, // no rotation in the background either
};

function appending(form: string, entries: readonly EntryInput[], scale: Scale): Contender {
  const groups = scale.pick(100, 2);
  return logContender({
    name: `walstream, ${form}`,
    options: OPTIONS,
    work: async (wal, watch) => {
      let elapsedMs = 0;
      for (let group = -WARM_UP_GROUPS; group < groups; group++) {
        watch.start();
        for (let nth = 0; nth < GROUP; nth++) {
          wal.append(entries[nth & ENTRY_MASK] as EntryInput);
        }
        const groupMs = watch.stop();
        if (group >= 0) elapsedMs += groupMs;
        await wal.flush();
        await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      }
      return [{ what: WHAT, unit: "µs", better: "lower", value: elapsedMs * 1000 / (groups * GROUP) }];
    },
  });
}

/** See the head of this file. */
export const append: Point = {
  name: "append",
  entryBytes: ENTRY_BYTES,
  contenders: (scale: Scale) => {
    const bytes = randomEntries();
    // As many bytes as characters, flat in memory: not the pieces of some longer string.
    const texts = bytes.map((entry) => Array.from(entry, (byte) => String.fromCharCode(32 + byte % 95)).join(""));
    return [
      appending("Uint8Array", bytes, scale),
      appending("string", texts, scale),
      appending("{ kind, data }", bytes.map((data) => ({ kind: 7, data })), scale),
    ];
  },
  targets: (figures: Figures) => [
    atMost("a call with a Uint8Array", "µs", 0.25, figures.median("walstream, Uint8Array", WHAT)),
  ],
};
