/**
 * `memory`: the most memory that a process holds while it pipes 4 GiB in, and another while it reads them back.
 *
 * Each is a process of its own that does nothing else. "Nothing" is one that only imports the log: what the runtime
 * takes by itself is in the other figures too and is not taken off.
 *
 * @module
 */

import { atMost, type Figures } from "../harness/figures.ts";
import type { Contender, Point, Reading } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import { startChild } from "../instruments/children.ts";
import { ENTRY_BYTES } from "../instruments/entries.ts";

const WRITING = "piping in";
const READING = "reading back";
const MB = 1e6;
const MIB = 1024 * 1024;

async function peakOf(what: string, directory: string, entries: number): Promise<number> {
  const child = startChild("memory", [what, directory, `${entries}`]);
  try {
    const peakBytes = Number(await child.nextLine());
    const { code, errors } = await child.ended;
    if (code !== 0) {
      throw new Error(`a child ended with ${code ?? "a signal"}: ${errors}`);
    }
    return peakBytes;
  } finally {
    await child.kill();
  }
}

function peak(what: string, bytes: number): Reading {
  return { what, unit: "MB", better: "lower", value: bytes / MB };
}

function contenders(scale: Scale): Contender[] {
  const entries = Math.ceil(scale.pick(4096 * MIB, 64 * MIB) / ENTRY_BYTES);
  return [
    {
      name: "walstream",
      round: async (directory: string) => [
        peak(WRITING, await peakOf("write", directory, entries)),
        peak(READING, await peakOf("read", directory, entries)),
      ],
    },
    {
      name: "nothing",
      round: async (directory: string) => [peak("only imported", await peakOf("nothing", directory, 0))],
    },
  ];
}

/** See the head of this file. */
export const memory: Point = {
  name: "memory",
  entryBytes: ENTRY_BYTES,
  hasWarmUp: false,
  contenders,
  targets: (figures: Figures) =>
    [WRITING, READING].map((what) =>
      atMost(`${what}: peak resident memory of any round`, "MB", 200, figures.most("walstream", what))
    ),
};
