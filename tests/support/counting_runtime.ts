/**
 * A runtime that counts what is asked of the disk, in the words of the log: a write of zeros is none of frames.
 */

import { FrameKind } from "../../src/format.ts";
import { isZero } from "../../src/runtime/memory_sectors.ts";
import type { OpenMode, Runtime, RuntimeFile } from "../../src/runtime/port.ts";
import { DelegatingFile, DelegatingRuntime } from "./delegating_runtime.ts";

/** Where the kind stands in a frame's header. */
const KIND_AT = 44;

/** What can be counted: calls, and of those that move bytes how many. */
export type CostName =
  | `${"frame" | "control" | "header" | "zero" | "lock"}${"Writes" | "Bytes"}`
  | "syncs"
  | "directorySyncs"
  | "reads"
  | "readBytes"
  | "opens"
  | "closes"
  | "sizes"
  | "truncates"
  | "lists"
  | "renames"
  | "links"
  | "unlinks"
  | "directories"
  | "locks"
  | "freeSpaces";

/** How often each was asked for; what is missing never was. */
export type Costs = Readonly<Partial<Record<CostName, number>>>;

/** All that was written to files, whatever it was. */
export function writtenBytes(costs: Costs): number {
  const { frameBytes = 0, controlBytes = 0, headerBytes = 0, zeroBytes = 0, lockBytes = 0 } = costs;
  return frameBytes + controlBytes + headerBytes + zeroBytes + lockBytes;
}

/** Adds up. */
class Tally {
  #costs: Partial<Record<CostName, number>> = {};

  add(name: CostName, count = 1): void {
    this.#costs[name] = (this.#costs[name] ?? 0) + count;
  }

  /** What has come together; from now on it begins at nothing. */
  take(): Costs {
    const costs = this.#costs;
    this.#costs = {};
    return costs;
  }
}

/** See the head of this file. */
export class CountingRuntime extends DelegatingRuntime {
  readonly #tally = new Tally();

  constructor(inner: Runtime) {
    super(inner);
  }

  /** What was asked for since this was called last. */
  takeCosts(): Costs {
    return this.#tally.take();
  }

  override makeDirectory(path: string): Promise<void> {
    this.#tally.add("directories");
    return super.makeDirectory(path);
  }

  override list(path: string): Promise<string[]> {
    this.#tally.add("lists");
    return super.list(path);
  }

  override rename(from: string, to: string): Promise<void> {
    this.#tally.add("renames");
    return super.rename(from, to);
  }

  override link(from: string, to: string): Promise<void> {
    this.#tally.add("links");
    return super.link(from, to);
  }

  override unlink(path: string): Promise<void> {
    this.#tally.add("unlinks");
    return super.unlink(path);
  }

  override syncDirectory(path: string): Promise<void> {
    this.#tally.add("directorySyncs");
    return super.syncDirectory(path);
  }

  override async open(path: string, mode: OpenMode): Promise<RuntimeFile> {
    this.#tally.add("opens");
    return new CountingFile(await super.open(path, mode), path.endsWith("/lock"), this.#tally);
  }

  override freeBytes(path: string): Promise<number | null> {
    this.#tally.add("freeSpaces");
    return super.freeBytes(path);
  }
}

class CountingFile extends DelegatingFile {
  readonly #isLock: boolean;
  readonly #tally: Tally;

  constructor(inner: RuntimeFile, isLock: boolean, tally: Tally) {
    super(inner);
    this.#isLock = isLock;
    this.#tally = tally;
  }

  override read(target: Uint8Array, position: number): Promise<number> {
    this.#tally.add("reads");
    this.#tally.add("readBytes", target.length);
    return super.read(target, position);
  }

  override write(bytes: Uint8Array, position: number): Promise<void> {
    this.#countWrite(bytes, position);
    return super.write(bytes, position);
  }

  override writeSync(bytes: Uint8Array, position: number): void {
    this.#countWrite(bytes, position);
    super.writeSync(bytes, position);
  }

  #countWrite(bytes: Uint8Array, position: number): void {
    const what = this.#isLock ? "lock" : contentOf(bytes, position);
    this.#tally.add(`${what}Writes`);
    this.#tally.add(`${what}Bytes`, bytes.length);
  }

  override syncData(): Promise<void> {
    this.#tally.add("syncs");
    return super.syncData();
  }

  override syncDataSync(): void {
    this.#tally.add("syncs");
    super.syncDataSync();
  }

  override truncate(sizeBytes: number): Promise<void> {
    this.#tally.add("truncates");
    return super.truncate(sizeBytes);
  }

  override size(): Promise<number> {
    this.#tally.add("sizes");
    return super.size();
  }

  override tryLock(): Promise<boolean | null> {
    this.#tally.add("locks");
    return super.tryLock();
  }

  override close(): Promise<void> {
    this.#tally.add("closes");
    return super.close();
  }
}

/** What is written to a segment or a spare, by its first frame: only a skip, on a full disk, goes before entries. */
function contentOf(bytes: Uint8Array, position: number): "frame" | "control" | "header" | "zero" {
  if (isZero(bytes, 0, bytes.length)) return "zero";
  if (position === 0) return "header";
  const kind = bytes[KIND_AT];
  return kind === FrameKind.ENTRIES || kind === FrameKind.BATCH ? "frame" : "control";
}
