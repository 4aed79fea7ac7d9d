/**
 * A log on a disk that is really full: what it kept, and what it rejected.
 */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { Wal, WalDiskFullError, type WalOptions } from "../../mod.ts";
import { within } from "./deadline.ts";
import { readAll } from "./log_contents.ts";

/** A log of which it is known what must be in it. */
export class FilledLog {
  readonly #directory: string;
  readonly #options: WalOptions;
  #wal: Wal | null = null;
  /** The texts that were acknowledged, by LSN. */
  readonly kept: Map<number, string> = new Map();
  readonly rejected: Set<number> = new Set();
  #count = 0;
  #roomCame: () => void = () => {};

  constructor(directory: string, options: WalOptions = {}) {
    this.#directory = directory;
    this.#options = options;
  }

  get wal(): Wal {
    assert(this.#wal !== null);
    return this.#wal;
  }

  async open(more: WalOptions = {}): Promise<void> {
    const onEvent: WalOptions["onEvent"] = ({ type }) => type === "disk-has-room" && this.#roomCame();
    this.#wal = await Wal.open(this.#directory, { ...this.#options, ...more, onEvent });
  }

  /** Does what makes room, and resolves when the log says that it has seen it. Nobody waits for it by a call. */
  async roomComes(makeRoom: () => unknown): Promise<void> {
    const came = new Promise<void>((resolve) => this.#roomCame = resolve);
    await makeRoom();
    await within(10, "that the log finds room again", came);
  }

  /** Commits entries of these lengths at once; resolves to how many were rejected because the disk is full. */
  async commit(...lengths: readonly number[]): Promise<number> {
    const { wal } = this;
    const firstLsn = wal.lastLsn + 1;
    const texts = lengths.map((length) => `${++this.#count} `.padEnd(length, "."));
    const outcomes = await Promise.allSettled(texts.map((text) => wal.commit(text)));
    assertEquals(wal.state, "open");
    for (const [nth, outcome] of outcomes.entries()) {
      if (outcome.status === "fulfilled") this.kept.set(outcome.value, texts[nth] ?? "");
      else assertInstanceOf(outcome.reason, WalDiskFullError);
    }
    for (let lsn = firstLsn; lsn <= wal.lastLsn; lsn++) if (!this.kept.has(lsn)) this.rejected.add(lsn);
    return outcomes.filter(({ status }) => status === "rejected").length;
  }

  /** Commits until nothing finds room any more, however small. */
  async fill(): Promise<void> {
    for (let length = 40_000; length >= 1;) {
      const rejected = await this.commit(length, 1, length, length);
      if (rejected > 0) length = Math.floor(length / 3);
    }
  }

  /** Cuts everything before the last `count` entries that were kept. */
  async cut(count: number): Promise<number> {
    const lsn = [...this.kept.keys()].at(-count) ?? 0;
    const { firstLsn, freedSegments } = await this.wal.truncateBefore(lsn);
    assertEquals(firstLsn, lsn);
    for (const each of this.kept.keys()) if (each < lsn) this.kept.delete(each);
    for (const each of this.rejected) if (each < lsn) this.rejected.delete(each);
    return freedSegments;
  }

  /** What was acknowledged is there, and nothing else: of what was rejected no LSN is ever one. */
  async check(): Promise<void> {
    const found = await readAll(this.wal);
    assertEquals(found.map(({ lsn }) => lsn), [...this.kept.keys()]);
    for (const entry of found) assertEquals(entry.text(), this.kept.get(entry.lsn), `LSN ${entry.lsn}`);
    for (const lsn of this.rejected) {
      const outcome = await this.wal.waitFor(lsn).then(() => "resolved", () => "rejected");
      assertEquals(outcome, "rejected", `waiting for LSN ${lsn}`);
    }
  }

  /** A reader without the lock shows nothing else either, though it may not show the end. */
  async checkOutside(): Promise<void> {
    const seen: number[] = [];
    for await (const entry of Wal.read(this.#directory)) {
      seen.push(entry.lsn);
      if (entry.lsn >= this.wal.firstLsn) assertEquals(entry.text(), this.kept.get(entry.lsn), `LSN ${entry.lsn}`);
    }
    const expected = [...this.kept.keys()].filter((lsn) => lsn <= (seen.at(-1) ?? 0));
    assertEquals(seen.filter((lsn) => lsn >= this.wal.firstLsn), expected);
  }

  async close(): Promise<void> {
    await this.wal.close();
    this.#wal = null;
  }
}
