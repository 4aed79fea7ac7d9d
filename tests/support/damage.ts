/**
 * Damages logs, and knows what open must make of that: refuse, say where, and leave everything as it is.
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Wal, WalCorruptionError } from "../../mod.ts";
import { type FileState, readDirectory } from "./directories.ts";
import type { Refused } from "./open_program.ts";
import { quickRuntime } from "./quick_runtime.ts";

/** The base LSN that a segment's name bears. */
export function baseLsnOf(segment: string): number {
  return Number(/(\d+)\.wal$/.exec(segment)?.[1]);
}

/** Turns one bit over. */
export function flip(bytes: Uint8Array, at: number, bit: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
}

/** Changes a file; a change that returns "vanishes" takes it away. */
export async function change(directory: string, name: string, how: (bytes: Uint8Array) => unknown): Promise<void> {
  const path = join(directory, name);
  const bytes = new Uint8Array(await readFile(path));
  if (how(bytes) === "vanishes") await unlink(path);
  else await writeFile(path, bytes);
}

/** Where the error says that the damage is. */
export function placeOf({ segment, offset, lsn, evidence }: WalCorruptionError): Refused {
  return { segment, offset, lsn, evidence };
}

/** What opening says to a log that was changed so. The change is undone afterwards; opening must have changed nothing. */
export async function refusalAfter(
  directory: string,
  name: string,
  how: (bytes: Uint8Array) => unknown,
): Promise<Refused> {
  const original = await readFile(join(directory, name));
  await change(directory, name, how);
  try {
    const before = await readDirectory(directory);
    const runtime = await quickRuntime();
    const error = await assertRejects(() => Wal.open(directory, { runtime }), WalCorruptionError);
    assertUnchanged(await readDirectory(directory), before);
    assertStringIncludes(error.message, `segment ${error.segment}, offset ${error.offset}, LSN ${error.lsn}`);
    return placeOf(error);
  } finally {
    await writeFile(join(directory, name), original);
  }
}

/** Not one byte is another, and no segment was written, be it the same bytes. The lock file has borne the opener's name. */
export function assertUnchanged(after: Map<string, FileState>, before: Map<string, FileState>): void {
  assertEquals([...after.keys()], [...before.keys()]);
  for (const [name, { bytes, modifiedMs }] of before) {
    const now = after.get(name) ?? { bytes: new Uint8Array(), modifiedMs: 0 };
    const lengthBytes = name === "lock" ? Math.min(512, bytes.length) : bytes.length;
    assert(now.bytes.length === bytes.length && isSame(now.bytes, bytes, 0, lengthBytes), `${name} was changed`);
    if (name !== "lock") assertEquals(now.modifiedMs, modifiedMs, `${name} was written`);
  }
}

/** Whether both have the same bytes there, and all of them. */
export function isSame(left: Uint8Array, right: Uint8Array, from: number, to: number): boolean {
  return left.length >= to && Buffer.compare(left.subarray(from, to), right.subarray(from, to)) === 0;
}

/** In how many bits two arrays differ in a range; what one of them lacks counts as zeros. */
export function turnedBits(left: Uint8Array, right: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) {
    for (let bits = (left[at] ?? 0) ^ (right[at] ?? 0); bits > 0; bits &= bits - 1) count++;
  }
  return count;
}
