/**
 * `memory nothing|write|read DIRECTORY ENTRIES`: writes a log or reads it, or does neither, and says how much memory
 * this process has held at most.
 *
 * @module
 */

import process from "node:process";
import { Wal } from "../../mod.ts";
import { arraysOf, ENTRY_BYTES, randomEntries } from "../instruments/entries.ts";
import { peakResidentBytes } from "../instruments/resident.ts";
import { sourceOf } from "../instruments/sources.ts";

const CHUNK = 64;

async function write(directory: string, entries: number): Promise<void> {
  const wal = await Wal.open(directory);
  await sourceOf(arraysOf(randomEntries(), CHUNK), Math.ceil(entries / CHUNK), 1).pipeTo(wal.writable());
  await wal.close();
}

async function read(directory: string, entries: number): Promise<void> {
  const wal = await Wal.open(directory);
  let bytes = 0;
  for await (const batch of wal.readable({ batches: true })) {
    for (const entry of batch) {
      bytes += entry.data.length;
    }
  }
  await wal.close();
  if (bytes < entries * ENTRY_BYTES) {
    throw new Error(`only ${bytes} bytes were read`);
  }
}

const [what, directory = "", entries = "0"] = process.argv.slice(2);
if (what === "write") await write(directory, Number(entries));
if (what === "read") await read(directory, Number(entries));
process.stdout.write(`${peakResidentBytes()}\n`);
