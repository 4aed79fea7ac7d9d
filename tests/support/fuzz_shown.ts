/**
 * What a damaged log shows, held against what was written into it.
 */

import type { Entry, WalError, WalReadable } from "../../mod.ts";
import { type Base, type BaseFrame, entryKey } from "./fuzz_bases.ts";
import type { Specimen } from "./fuzz_specimen.ts";
import { typed } from "./fuzz_trial.ts";
import { DIRECTORY } from "./log_fixture.ts";
import type { MemoryDisk } from "../../src/runtime/memory.ts";
import { Violation } from "./oracle.ts";

/** Entries by LSN, and what ended the reading, if that was no end. */
export interface Shown {
  readonly entries: ReadonlyMap<number, string>;
  readonly error: WalError | null;
}

/** Reads a stream to its end. Throws where LSNs do not rise. */
export async function readShown(what: string, stream: WalReadable<Entry | Entry[]>): Promise<Shown> {
  const entries = new Map<number, string>();
  let lastLsn = 0;
  try {
    for await (const chunk of stream) {
      for (const { lsn, kind, data } of Array.isArray(chunk) ? chunk : [chunk]) {
        if (!(lsn > lastLsn)) throw new Violation(`${what}: LSN ${lsn} comes behind ${lastLsn}`);
        lastLsn = lsn;
        entries.set(lsn, entryKey(lsn, kind, data));
      }
    }
  } catch (error) {
    if (error instanceof Violation) throw error;
    return { entries, error: typed(what, error) };
  }
  return { entries, error: null };
}

/** Where no checksum was forged, what is shown was written, and nothing between two entries is left out unseen. */
export function checkGenuine(
  what: string,
  { entries }: Shown,
  specimen: Specimen,
  all: readonly Base[],
  mayLeaveOut: boolean,
): void {
  if (specimen.isForged) return;
  const sources = all.filter(({ name }) => name === specimen.base.name || specimen.donors.has(name));
  for (const [lsn, key] of entries) {
    if (sources.some(({ written }) => written.get(lsn)?.has(key))) continue;
    throw new Violation(`${what}: LSN ${lsn} shows what was never written there: ${key}`);
  }
  if (mayLeaveOut || specimen.donors.size > 0) return;
  const shown = [...entries.keys()];
  const [first = 0, last = 0] = [shown[0], shown.at(-1)];
  for (const [lsn, key] of specimen.base.entries) {
    if (lsn > first && lsn < last && !entries.has(lsn)) throw new Violation(`${what}: LSN ${lsn} is left out: ${key}`);
  }
}

/** Nothing that was there before is gone. */
export function checkKept(what: string, before: Shown, after: Shown, firstLsn = 0): void {
  for (const [lsn, key] of before.entries) {
    if (lsn < firstLsn || after.entries.get(lsn) === key) continue;
    throw new Violation(`${what}: LSN ${lsn} was ${key}, and is ${after.entries.get(lsn) ?? "not there"}`);
  }
}

/** A log that was closed, and of which one file was changed: all of it is there. */
export function checkWhole(what: string, { entries }: Shown, { base }: Specimen): void {
  for (const [lsn, key] of base.entries) {
    if (entries.get(lsn) !== key) throw new Violation(`${what}: LSN ${lsn} is lost, and nobody says so: ${key}`);
  }
}

/** All up to somewhere, and nothing behind it. */
export function checkPrefix(what: string, { entries }: Shown, { base }: Specimen): void {
  const last = [...entries.keys()].at(-1) ?? 0;
  for (const [lsn, key] of base.entries) {
    if (lsn <= last && entries.get(lsn) !== key) {
      throw new Violation(`${what}: LSN ${lsn} is lost before the end: ${key}`);
    }
  }
}

/** Frames that nobody has touched are in the log. */
export function checkSalvaged(what: string, { entries }: Shown, specimen: Specimen): void {
  for (const frame of specimen.survivors()) {
    for (const lsn of lsnsOf(frame, specimen.base)) {
      if (entries.has(lsn)) continue;
      throw new Violation(
        `${what}: LSN ${lsn} is lost, though its frame at ${frame.offset} of ${frame.segment} checks`,
      );
    }
  }
}

function lsnsOf({ header, lastLsn }: BaseFrame, { entries }: Base): number[] {
  if (header.count === 0) return [];
  return [...entries.keys()].filter((lsn) => lsn >= header.firstLsn && lsn <= lastLsn);
}

/** Frames that nobody has touched are in the log, or their bytes are in some file. */
export function checkEvidence(what: string, { entries }: Shown, specimen: Specimen, disk: MemoryDisk): void {
  const names = disk.names(DIRECTORY);
  for (const frame of specimen.survivors()) {
    const lost = lsnsOf(frame, specimen.base).filter((lsn) => !entries.has(lsn));
    if (lost.length === 0 || names.some((name) => holds(disk, name, frame, specimen))) continue;
    throw new Violation(
      `${what}: LSN ${lost[0]} is in no file any more; its frame was at ${frame.offset} of ${frame.segment}`,
    );
  }
}

function holds(disk: MemoryDisk, name: string, { segment, offset, header }: BaseFrame, specimen: Specimen): boolean {
  const id = segment.slice(0, segment.indexOf("-"));
  const isSame = name === segment || name.startsWith(`aside-${segment}`);
  const torn = new RegExp(`^torn-${id}-(\\d+)\\.bin$`).exec(name)?.[1];
  if (!isSame && torn === undefined || specimen.directories.has(name)) return false;
  const at = offset - Number(torn ?? 0);
  if (at < 0) return false;
  const found = disk.read(`${DIRECTORY}/${name}`).subarray(at, at + header.lengthBytes);
  const expected = specimen.bytes(segment).subarray(offset, offset + header.lengthBytes);
  return found.length === expected.length && found.every((byte, nth) => byte === expected[nth]);
}
