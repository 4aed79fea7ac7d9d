/**
 * A log in memory with its disk, its process and its clock, and the verbs of the stories that tests tell of it.
 *
 * Time stands still until a test lets it pass, so that nothing happens but what the story says.
 */

import { crc32 } from "node:zlib";
import { type ReadOptions, Wal, type WalEvent, type WalOptions } from "../../mod.ts";
import {
  decodeHeader,
  encodeHeader,
  HEADER_BYTES,
  LOCK_MARK_BYTES,
  parseSegmentName,
  parseSpareName,
  type SegmentHeader,
} from "../../src/format.ts";
import { nextHostTask } from "../../src/runtime/host_task.ts";
import {
  type MemoryCall,
  type MemoryCallName,
  MemoryDisk,
  type MemoryDiskOptions,
  type MemoryPowerLoss,
  MemoryRuntime,
} from "../../src/runtime/memory.ts";
import { type FaultPlan, faults } from "./faults.ts";

export const DIRECTORY = "/data/wal";

/** The smallest segments there are: a few entries fill one. */
export const SMALL_SEGMENT_BYTES: number = 16 * 1024;

/** What a promise has come to. */
export type Outcome<T> =
  | { readonly state: "pending" }
  | { readonly state: "resolved"; readonly value: T }
  | { readonly state: "rejected"; readonly error: unknown };

/** A file's path in the log's directory. */
export function pathOf(name: string): string {
  return `${DIRECTORY}/${name}`;
}

/** Any segment's path. A segment that was born in this process bears the path of the spare that it was. */
export const SEGMENT: RegExp = /\/\d[^/]*\.wal$/;

/** Any segment or spare. */
export const ANY_WAL: RegExp = /\.wal$/;

/** See the head of this file. */
export class LogFixture {
  disk: MemoryDisk;
  /** The present process. */
  runtime: MemoryRuntime;
  /** What goes wrong in the present process: nothing, until it is told. */
  faults: FaultPlan;
  /** What the log has told, in all its lives. */
  readonly events: WalEvent[] = [];
  /** The test's own code at every call that returns. */
  onReturn: (call: MemoryCall, error: Error | null) => void = () => {};
  readonly #options: WalOptions;
  #wal: Wal | null = null;

  constructor(options: WalOptions = {}, disk: MemoryDiskOptions | MemoryDisk = {}) {
    this.#options = options;
    this.disk = disk instanceof MemoryDisk ? disk : new MemoryDisk({ seed: 1, ...disk });
    this.faults = faults();
    this.runtime = this.#startProcess();
  }

  #startProcess(): MemoryRuntime {
    this.faults = faults();
    const { onCall } = this.faults;
    const onReturn = (call: MemoryCall, error: Error | null): void => this.onReturn(call, error);
    return new MemoryRuntime({ disk: this.disk, crc32, manualTime: true, onCall, onReturn });
  }

  /** The log that was opened last. */
  get wal(): Wal {
    if (this.#wal === null) throw new Error("no log has been opened yet");
    return this.#wal;
  }

  /** Opens the log with the options of the fixture, and with others on top of them. */
  async open(options: WalOptions = {}): Promise<Wal> {
    const onEvent = (event: WalEvent): void => void this.events.push(event);
    this.#wal = await Wal.open(DIRECTORY, { onEvent, runtime: this.runtime, ...this.#options, ...options });
    return this.#wal;
  }

  /** Commits texts at the same moment; resolves to their LSNs. */
  commit(...texts: readonly string[]): Promise<number[]> {
    return Promise.all(texts.map((text) => this.wal.commit(text)));
  }

  // -- accidents

  /** The power goes: of what was not synced nothing is left, unless something else is said. */
  crash(how: MemoryPowerLoss = { keep: "none" }): void {
    this.#end((disk) => disk.powerLoss(how));
  }

  /** The process is killed; what it handed to the operating system is still there. */
  kill(): void {
    this.#end((disk) => disk.kill());
  }

  /** Whatever a log must never do to a disk, it has not done. The lock file is none of the log's files. */
  checkManners(): void {
    const violations = this.disk.violations.filter((violation) => !violation.includes(pathOf("lock")));
    if (violations.length > 0) throw new Error(`the log treats its disk badly: ${violations.join("; ")}`);
  }

  #end(after: (disk: MemoryDisk) => MemoryDisk): void {
    this.checkManners();
    this.runtime.stop();
    this.disk = after(this.disk);
    this.runtime = this.#startProcess();
  }

  /** Crashes, and opens what is left. */
  async crashAndReopen(options: WalOptions = {}): Promise<Wal> {
    this.crash();
    return await this.open(options);
  }

  /** Closes the log well and opens it again, in another process. */
  async reopen(options: WalOptions = {}): Promise<Wal> {
    await this.wal.close();
    this.kill();
    return await this.open(options);
  }

  /** The disk has room for so many more bytes, and for no more. */
  fillDisk(roomBytes = 0): void {
    this.disk.sizeBytes = this.disk.usedBytes + roomBytes;
  }

  /** The disk has as much room as anyone may want. */
  freeDisk(): void {
    this.disk.sizeBytes = Infinity;
  }

  /** Lets time pass. */
  async advance(durationMs: number): Promise<void> {
    await this.runtime.clock.advance(durationMs);
  }

  // -- what is there

  /** The entries of a stream as `lsn text`. */
  async readAll(options: ReadOptions = {}): Promise<string[]> {
    const found: string[] = [];
    for await (const entry of this.wal.readable({ ...options, batches: false })) {
      found.push(`${entry.lsn} ${entry.text()}`);
    }
    return found;
  }

  /** The names in the directory, sorted. */
  names(): string[] {
    return this.disk.names(DIRECTORY);
  }

  /** The names of the segments, oldest first. */
  segments(): string[] {
    return this.names().filter((name) => parseSegmentName(name) !== null);
  }

  /** The name of the newest segment. */
  lastSegment(): string {
    const name = this.segments().at(-1);
    if (name === undefined) throw new Error("there is no segment yet");
    return name;
  }

  /** The names of the spares. */
  spares(): string[] {
    return this.names().filter((name) => parseSpareName(name) !== null);
  }

  /** The bytes of a file in the directory. */
  file(name: string): Uint8Array<ArrayBuffer> {
    return this.disk.read(pathOf(name));
  }

  /** Puts a file into the directory as if it had lain there for long. */
  plant(name: string, bytes: Uint8Array): void {
    this.disk.write(pathOf(name), bytes);
  }

  /** Changes a file as if it had been so for long. */
  damage(name: string, change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array | void): void {
    const bytes = this.file(name);
    this.plant(name, change(bytes) ?? bytes);
  }

  /** What a segment says of itself. */
  header(name: string): SegmentHeader {
    const header = decodeHeader(this.file(name).subarray(0, HEADER_BYTES), crc32);
    if ("fault" in header) throw new Error(`the header of ${name} is ${header.fault}`);
    return header;
  }

  /** Gives a segment another header, whole and well. */
  changeHeader(name: string, changes: Partial<SegmentHeader>): void {
    this.damage(name, (bytes) => bytes.set(encodeHeader({ ...this.header(name), ...changes }, crc32)));
  }

  /** Every byte in the directory, but for the lock's owner, who comes and goes. */
  contents(): Map<string, string> {
    return new Map(
      this.names().map((name) => {
        const bytes = this.file(name);
        const kept = name === "lock" ? bytes.subarray(0, LOCK_MARK_BYTES) : bytes;
        return [name, `${kept.length} bytes, CRC ${crc32(kept)}`];
      }),
    );
  }

  /** The calls that the present process has made from the `from`th on. */
  calls(name?: MemoryCallName, path?: RegExp, from = 0): MemoryCall[] {
    return this.faults.calls.slice(from).filter((call) =>
      (name === undefined || call.name === name) && (path === undefined || path.test(call.path))
    );
  }

  /** How many writes and syncs of segments and spares a story makes. */
  async countFlushes(story: () => Promise<unknown>): Promise<{ writes: number; syncs: number }> {
    await quiet(); // a spare may be in the making
    const from = this.faults.calls.length;
    await story();
    return {
      writes: this.calls("write", ANY_WAL, from).length,
      syncs: this.calls("syncData", ANY_WAL, from).length,
    };
  }
}

/** A log that is open, with small segments unless something else is said. */
export async function openLog(options: WalOptions = {}, disk: MemoryDiskOptions = {}): Promise<LogFixture> {
  const log = new LogFixture({ segmentBytes: SMALL_SEGMENT_BYTES, ...options }, disk);
  await log.open();
  return log;
}

/** The same with one entry, which is synced; nothing goes on in it. */
export async function openLogWith(
  text: string,
  options: WalOptions = {},
  disk: MemoryDiskOptions = {},
): Promise<LogFixture> {
  const log = await openLog(options, disk);
  log.wal.append(text);
  await log.wal.flush();
  await quiet();
  return log;
}

/** Lets everything happen that can happen while time stands still. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await nextHostTask();
}

/** What a promise comes to while time stands still. */
export async function outcomeOf<T>(promise: Promise<T>): Promise<Outcome<T>> {
  let outcome: Outcome<T> = { state: "pending" };
  promise.then((value) => outcome = { state: "resolved", value }, (error) => outcome = { state: "rejected", error });
  await quiet();
  return outcome;
}

/** What a promise resolves to while time stands still; a promise that does not is a failure and no endless wait. */
export async function soon<T>(promise: Promise<T>): Promise<T> {
  const outcome = await outcomeOf(promise);
  if (outcome.state === "resolved") return outcome.value;
  if (outcome.state === "rejected") throw outcome.error;
  throw new Error("nothing goes on any more, and the promise is still pending");
}

/** What nobody will hear of: the process stops before that. */
export function unheard(promise: Promise<unknown>): void {
  promise.catch(() => {});
}

/** Calls back after so many turns of the microtask queue. */
export function afterMicrotasks(count: number, callback: () => void): void {
  if (count === 0) callback();
  else queueMicrotask(() => afterMicrotasks(count - 1, callback));
}
