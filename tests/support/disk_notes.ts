/**
 * A runtime that says what it is about to do to the disk, so that whoever listens knows, after its death, what no sync
 * covered.
 */

import { Buffer } from "node:buffer";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import type { OpenMode, Runtime, RuntimeFile } from "../../src/runtime/port.ts";
import { DelegatingFile, DelegatingRuntime } from "./delegating_runtime.ts";

/** One thing that happens to the files of a log. Files are named as they are called at that moment. */
export type DiskNote =
  /** It was opened, or made, with so many bytes. */
  | { readonly open: string; readonly isNew: boolean; readonly sizeBytes: number }
  /** Bytes are about to be written; `old` is what they replace, in base64, and empty where that is zeros. */
  | { readonly write: string; readonly id: number; readonly at: number; readonly length: number; readonly old: string }
  | { readonly written: number }
  /** A sync is about to begin; the file has so many bytes. */
  | { readonly syncing: string; readonly sizeBytes: number }
  /** It has returned. */
  | { readonly synced: string }
  /** It has returned to the runtime, and will never return to the log. */
  | { readonly held: string }
  /** It is about to be renamed. */
  | { readonly rename: string; readonly to: string }
  /** Of the directory a sync is about to begin, or has returned. */
  | { readonly directory: "syncing" | "synced" };

/** A sync that never returns to the log: the `nth` of a file or directory of this kind, counted from 1. */
export interface HeldSync {
  readonly of: "segment" | "spare" | "directory";
  readonly nth: number;
}

/** See the head of this file. */
export class NotingRuntime extends DelegatingRuntime {
  readonly #directory: string;
  readonly #say: (note: DiskNote) => void;
  readonly #held: HeldSync | null;
  readonly #files = new Set<NotingFile>();
  #writes = 0;
  #syncs = 0;

  /** @param directory The log's, of which alone it takes notes. */
  constructor(inner: Runtime, directory: string, say: (note: DiskNote) => void, held: HeldSync | null) {
    super(inner);
    this.#directory = directory;
    this.#say = say;
    this.#held = held;
  }

  override async rename(from: string, to: string): Promise<void> {
    this.#say({ rename: basename(from), to: basename(to) });
    await super.rename(from, to);
    for (const file of this.#files) if (file.name === basename(from)) file.name = basename(to);
  }

  override async syncDirectory(path: string): Promise<void> {
    if (path !== this.#directory) return await super.syncDirectory(path);
    this.#say({ directory: "syncing" });
    await super.syncDirectory(path);
    if (this.#isHeld("directory")) await this.#hold("the directory");
    this.#say({ directory: "synced" });
  }

  override async open(path: string, mode: OpenMode): Promise<RuntimeFile> {
    const inner = await super.open(path, mode);
    const name = basename(path);
    if (mode === "read" || !name.endsWith(".wal")) return inner;
    const file = new NotingFile(inner, path, {
      say: this.#say,
      nextWrite: () => ++this.#writes,
      afterSync: async ({ name }) => {
        if (this.#isHeld(name.startsWith("spare") ? "spare" : "segment")) await this.#hold(name);
      },
      forget: (closed) => this.#files.delete(closed),
    });
    this.#say({ open: name, isNew: mode === "create", sizeBytes: file.heldBytes });
    this.#files.add(file);
    return file;
  }

  #isHeld(kind: HeldSync["of"]): boolean {
    return kind === this.#held?.of && ++this.#syncs === this.#held.nth;
  }

  #hold(name: string): Promise<never> {
    this.#say({ held: name });
    return new Promise(() => {});
  }
}

interface NotingHooks {
  readonly say: (note: DiskNote) => void;
  readonly nextWrite: () => number;
  /** Does not return where the log must not know that the sync has. */
  readonly afterSync: (file: NotingFile) => Promise<void>;
  readonly forget: (file: NotingFile) => void;
}

class NotingFile extends DelegatingFile {
  name: string;
  readonly #hooks: NotingHooks;
  readonly #descriptor: number;

  constructor(inner: RuntimeFile, path: string, hooks: NotingHooks) {
    super(inner);
    this.name = basename(path);
    this.#hooks = hooks;
    this.#descriptor = openSync(path, "r");
  }

  /** How large it is. */
  get heldBytes(): number {
    return fstatSync(this.#descriptor).size;
  }

  override async write(bytes: Uint8Array, position: number): Promise<void> {
    const id = this.#note(bytes.length, position);
    await super.write(bytes, position);
    this.#hooks.say({ written: id });
  }

  override writeSync(bytes: Uint8Array, position: number): void {
    const id = this.#note(bytes.length, position);
    super.writeSync(bytes, position);
    this.#hooks.say({ written: id });
  }

  override async syncData(): Promise<void> {
    this.#hooks.say({ syncing: this.name, sizeBytes: this.heldBytes });
    await super.syncData();
    await this.#hooks.afterSync(this);
    this.#hooks.say({ synced: this.name });
  }

  override syncDataSync(): void {
    this.#hooks.say({ syncing: this.name, sizeBytes: this.heldBytes });
    super.syncDataSync();
    this.#hooks.say({ synced: this.name });
  }

  override async close(): Promise<void> {
    this.#hooks.forget(this);
    closeSync(this.#descriptor);
    await super.close();
  }

  #note(length: number, at: number): number {
    const id = this.#hooks.nextWrite();
    const old = Buffer.alloc(Math.max(0, Math.min(length, this.heldBytes - at)));
    if (old.length > 0) readSync(this.#descriptor, old, 0, old.length, at);
    const isBlank = old.every((byte) => byte === 0);
    this.#hooks.say({ write: this.name, id, at, length, old: isBlank ? "" : old.toString("base64") });
    return id;
  }
}
