/**
 * The files of a log that a fuzzer spoils, and what it has done to them.
 */

import { MemoryDisk } from "../../src/runtime/memory.ts";
import { type Base, type BaseFrame, framesIn } from "./fuzz_bases.ts";
import { DIRECTORY } from "./log_fixture.ts";

/** See the head of this file. */
export class Specimen {
  readonly base: Base;
  readonly files: Map<string, Uint8Array>;
  /** Names that are directories. */
  readonly directories: Set<string> = new Set();
  /** What was done, in words. */
  readonly steps: string[] = [];
  /** The names that are not as they were. */
  readonly touched: Set<string> = new Set();
  /** The logs of which pieces were put in. */
  readonly donors: Set<string> = new Set();
  /** Whether files were put, or moved, where none was: then nobody can say what belongs to the log. */
  hasStrangers = false;
  /** Whether checksums were made right: then what it shows may never have been written. */
  isForged = false;

  constructor(base: Base) {
    this.base = base;
    this.files = new Map(base.files);
  }

  /** The bytes under a name. */
  bytes(name: string): Uint8Array {
    return this.files.get(name) ?? new Uint8Array();
  }

  /** Puts a file there, or others' bytes into one. */
  put(name: string, bytes: Uint8Array, what: string): void {
    this.hasStrangers ||= !this.files.has(name);
    this.directories.delete(name);
    this.files.set(name, bytes);
    this.#did(name, what);
  }

  /** Takes a name away. */
  remove(name: string): void {
    this.files.delete(name);
    this.#did(name, "removed");
  }

  /** Gives a file another name; what bore that is gone, which is an accident of its own. */
  rename(name: string, to: string): void {
    const bytes = this.files.get(name);
    if (bytes === undefined || name === to) return;
    if (this.files.has(to)) this.remove(to);
    this.files.delete(name);
    this.directories.delete(to);
    this.files.set(to, bytes);
    this.hasStrangers = true;
    this.touched.add(to);
    this.#did(name, `renamed to ${to}`);
  }

  /** Puts a directory in the place of a file. */
  makeDirectory(name: string): void {
    this.files.delete(name);
    this.directories.add(name);
    this.hasStrangers = true;
    this.#did(name, "is a directory");
  }

  #did(name: string, what: string): void {
    this.touched.add(name);
    this.steps.push(`${name}: ${what}`);
  }

  /** The names that look like segments, oldest first. */
  segments(): string[] {
    return [...this.files.keys()].filter((name) => /^\d.*\.wal$/.test(name)).sort();
  }

  /** The frames of the base that still stand where they stood, behind the header that they had. */
  survivors(): BaseFrame[] {
    const isSame = (segment: string, from: number, to: number): boolean => {
      const now = this.bytes(segment).subarray(from, to);
      const before = this.base.files.get(segment)?.subarray(from, to);
      return now.length === to - from && before !== undefined && now.every((byte, nth) => byte === before[nth]);
    };
    const headers = new Map(this.segments().map((name) => [name, isSame(name, 0, 4096)]));
    return this.base.frames.filter(({ segment, offset, header }) =>
      headers.get(segment) === true && isSame(segment, offset, offset + header.lengthBytes)
    );
  }

  /** The frames that are there now, whoever wrote them. */
  frames(): BaseFrame[] {
    return this.segments().flatMap((name) => framesIn(name, this.bytes(name)));
  }

  /** A disk with all of it. */
  disk(seed: number): MemoryDisk {
    const disk = new MemoryDisk({ seed });
    for (const [name, bytes] of this.files) disk.write(`${DIRECTORY}/${name}`, bytes);
    for (const name of this.directories) disk.write(`${DIRECTORY}/${name}/inside`, new Uint8Array(1));
    if (this.files.size + this.directories.size === 0) {
      disk.write(`${DIRECTORY}/nothing`, new Uint8Array());
      disk.remove(`${DIRECTORY}/nothing`);
    }
    return disk;
  }

  /** What was done, for a person. */
  describe(): string {
    return [`a log of the shape "${this.base.name}"`, ...this.steps].join("\n  ");
  }
}
