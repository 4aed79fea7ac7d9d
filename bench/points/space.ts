/**
 * `space`: what the log takes on the disk.
 *
 * Bytes that the disk has given to all files of the directory, spares and lock included, when the log has been closed,
 * by the bytes of its entries; of a log so large that its spares do not matter. Serially means one entry a flush;
 * nothing is synced in between, since that makes the same file and takes an hour. An empty log is one that was opened
 * and closed, and one with a single entry, which has its files.
 *
 * @module
 */

import { Wal } from "../../mod.ts";
import { atMost, type Figures } from "../harness/figures.ts";
import type { Contender, Point } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import { diskUse } from "../instruments/disk_use.ts";
import { arraysOf, ENTRY_BYTES, pick, randomEntries } from "../instruments/entries.ts";
import { sourceOf } from "../instruments/sources.ts";

const RATIO = "on disk, by the bytes of its entries";
const ALLOCATED = "allocated";
const APPARENT = "apparent";
const CHUNK = 64;
const MIB = 1024 * 1024;

type Write = (wal: Wal, entries: number) => Promise<void>;

const serially: Write = async (wal, count) => {
  const entries = randomEntries();
  for (let nth = 0; nth < count; nth++) await wal.commit(pick(entries, nth));
};

const grouped: Write = (wal, count) =>
  sourceOf(arraysOf(randomEntries(), CHUNK), count / CHUNK, 1).pipeTo(wal.writable());

function filled(name: string, count: number, options: Parameters<typeof Wal.open>[1], write: Write): Contender {
  return {
    name,
    round: async (directory: string) => {
      const wal = await Wal.open(directory, options);
      await write(wal, count);
      await wal.close();
      const value = diskUse(directory).allocatedBytes / (count * ENTRY_BYTES);
      return [{ what: RATIO, unit: "times", better: "lower", value }];
    },
  };
}

function empty(name: string, entries: number): Contender {
  return {
    name,
    round: async (directory: string) => {
      const wal = await Wal.open(directory);
      await serially(wal, entries);
      await wal.close();
      const { allocatedBytes, apparentBytes } = diskUse(directory);
      return [
        { what: ALLOCATED, unit: "MiB", better: "lower", value: allocatedBytes / MIB },
        { what: APPARENT, unit: "MiB", better: "lower", value: apparentBytes / MIB },
      ];
    },
  };
}

/** See the head of this file. */
export const space: Point = {
  name: "space",
  entryBytes: ENTRY_BYTES,
  isExact: true,
  contenders: (scale: Scale) => [
    filled("walstream, serially", scale.pick(300_000, 3000), { durability: "write", io: "blocking" }, serially),
    filled("walstream, grouped", scale.pick(1_280_000, 12_800), {}, grouped),
    empty("walstream, empty", 0),
    empty("walstream, one entry", 1),
  ],
  targets: (figures: Figures) => [
    atMost("serially, by byte of entries", "times", 1.7, figures.median("walstream, serially", RATIO)),
    atMost("grouped, by byte of entries", "times", 1.1, figures.median("walstream, grouped", RATIO)),
    ...["walstream, empty", "walstream, one entry"].flatMap((name) =>
      [ALLOCATED, APPARENT].map((what) => atMost(`${name}: ${what}`, "MiB", 1.1, figures.median(name, what)))
    ),
  ],
};
