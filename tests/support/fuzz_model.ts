/**
 * What a log was handed and what it said of it, held against what it holds in the end.
 */

import type { Entry } from "../../mod.ts";
import { Violation } from "./oracle.ts";
import { contentKey } from "./fuzz_values.ts";

/** What became of an entry, as far as its caller was told. */
type Fate =
  /** It was accepted; at this LSN, or at one that nobody was told of (0). */
  | { readonly is: "accepted"; readonly lsn: number; readonly isSynced: boolean }
  /** It was refused. */
  | { readonly is: "refused" }
  /** Nobody can say. */
  | { readonly is: "open" };

/** See the head of this file. */
export class CallModel {
  readonly #fates = new Map<string, Fate>();
  /** Entries of which nobody can say what they hold. */
  #unknown = 0;
  /** Up to here the log had been told to cut. */
  cutLsn = 1;
  /** Whether LSNs may be left out, and what was accepted be lost: the disk was full, or failed. */
  mayLose = false;

  /** It was accepted; `lsn` 0: nobody was told where. `isSynced`: it can never be lost any more. */
  accepted(key: string | null, lsn: number, isSynced = false): void {
    if (key === null) this.#unknown++;
    else this.#fates.set(key, { is: "accepted", lsn, isSynced });
  }

  /** It was refused, and must never be seen. */
  refused(key: string | null): void {
    if (key !== null) this.#fates.set(key, { is: "refused" });
  }

  /** It may be there or not. */
  open(key: string | null): void {
    if (key === null) this.#unknown++;
    else this.#fates.set(key, { is: "open" });
  }

  /** What the log holds in the end must be what was accepted. */
  check(entries: readonly Entry[], firstLsn: number, lastLsn: number): void {
    const found = new Map<string, number>();
    let nextLsn = firstLsn;
    for (const { lsn, kind, data } of entries) {
      if (lsn !== nextLsn && !this.mayLose) throw new Violation(`LSN ${nextLsn} is left out before ${lsn}`);
      nextLsn = lsn + 1;
      const key = contentKey(kind, data);
      this.#checkFound(key, lsn, found);
    }
    if (nextLsn !== lastLsn + 1 && !this.mayLose) {
      throw new Violation(`${nextLsn} to ${lastLsn} are left out at the end`);
    }
    if (firstLsn > this.cutLsn) {
      throw new Violation(`it begins with ${firstLsn}, and was to be cut before ${this.cutLsn}`);
    }
    for (const [key, fate] of this.#fates) {
      if (fate.is !== "accepted" || found.has(key)) continue;
      if (this.mayLose && !fate.isSynced) continue;
      const mayBeCut = fate.lsn === 0 ? firstLsn > 1 : fate.lsn < firstLsn;
      if (!mayBeCut) throw new Violation(`what was accepted at LSN ${fate.lsn} is lost: ${key}`);
    }
  }

  #checkFound(key: string, lsn: number, found: Map<string, number>): void {
    const fate = this.#fates.get(key);
    if (fate === undefined) {
      if (this.#unknown-- > 0) return;
      throw new Violation(`LSN ${lsn} holds what nobody handed over: ${key}`);
    }
    const twice = found.get(key);
    if (twice !== undefined) throw new Violation(`LSN ${twice} and ${lsn} hold the same: ${key}`);
    found.set(key, lsn);
    if (fate.is === "refused") throw new Violation(`LSN ${lsn} holds what was refused: ${key}`);
    if (fate.is === "accepted" && fate.lsn !== 0 && fate.lsn !== lsn) {
      throw new Violation(`LSN ${lsn} holds what was accepted at ${fate.lsn}: ${key}`);
    }
  }
}
