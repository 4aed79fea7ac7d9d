/**
 * Cutting the log from below: the head moves first, and when that is on the disk, files go.
 *
 * @module
 */

import { setTornAside } from "./aside.ts";
import { learnEnd, type Link } from "./chain.ts";
import type { Committer } from "./committer.ts";
import { WalClosedError, WalRangeError } from "./errors.ts";
import type { Report } from "./event.ts";
import { HEADER_BYTES } from "./format.ts";
import { openGoodSegment } from "./good_segment.ts";
import { type Place, release } from "./segment.ts";
import type { Freed, Spares } from "./spares.ts";
import type { Tail } from "./tail.ts";

/**
 * What {@linkcode Wal.truncateBefore} did.
 *
 * @example
 * ```ts
 * import { type Truncation, Wal } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * const lsn = await wal.commit("all before this is in the database by now");
 * const { firstLsn, freedBytes, heldBy }: Truncation = await wal.truncateBefore(lsn);
 * console.log(firstLsn === lsn, freedBytes, heldBy); // true, what the disk has back, and who reads old files still
 * await wal.close();
 * ```
 */
export interface Truncation {
  /** The first LSN there is from now on. */
  readonly firstLsn: number;
  /**
   * How many files were freed: removed, or ready to be used again. One that could not be is told of by an event, and goes at
   * the next opening.
   */
  readonly freedSegments: number;
  /** Their size. */
  readonly freedBytes: number;
  /** Who still reads what lies below; those files go when they have done so. */
  readonly heldBy: readonly string[];
}

/** What a cut works on. */
export interface CutOptions {
  readonly place: Place;
  readonly tail: Tail;
  readonly spares: Spares;
  readonly committer: Committer;
  readonly report: Report;
}

/** Cuts one log, and frees what lies below its head. */
export class Cut {
  readonly #options: CutOptions;

  /** @param options See {@linkcode CutOptions}. */
  constructor(options: CutOptions) {
    this.#options = options;
    options.tail.chain.onUnpinned = () => this.resume();
  }

  /** Frees what nobody reads any more, and what could not be freed while the log had failed. */
  resume(): void {
    void this.#free();
  }

  /** Makes `lsn` the first one there is, and frees what lies wholly before. */
  async before(lsn: number): Promise<Truncation> {
    const { tail, committer, report } = this.#options;
    const before = tail.headLsn;
    if (lsn > committer.lastLsn + 1) {
      const message = `cannot truncate before LSN ${lsn}: the last one given out is ${committer.lastLsn}`;
      throw new WalRangeError(message);
    }
    await committer.syncQuietly(); // what a full disk rejects meanwhile is another's: this may be what makes room
    await committer.exclusive("move the head of", async () => {
      if (!committer.isDrained) await tail.moveHead(lsn); // after the mark nothing is written any more
    });
    if (tail.headLsn < lsn) throw new WalClosedError("truncate");
    if (tail.headLsn > before) report({ type: "truncated", level: "info", firstLsn: tail.headLsn });
    const { segments, bytes } = await this.#free();
    const heldBy = tail.chain.below(tail.headLsn).flatMap(({ pins }) => [...pins].map(({ holder }) => holder));
    return { firstLsn: tail.headLsn, freedSegments: segments, freedBytes: bytes, heldBy };
  }

  /** Frees what lies wholly below the head, oldest first, up to the first file that somebody reads. */
  async #free(): Promise<Freed> {
    const { tail, spares, committer, report } = this.#options;
    if (committer.isDrained || committer.failure !== null) return { segments: 0, bytes: 0 };
    const links = new Map(tail.chain.shift(tail.headLsn).map((link) => [link.name, link]));
    if (links.size === 0) return { segments: 0, bytes: 0 };
    const isWorn = (name: string): boolean => links.get(name)?.hasFailed === true;
    const freed = await spares.free([...links.keys()], (name) => this.#setAside(links.get(name)), isWorn);
    const { segments, bytes } = freed;
    report({ type: "freed", level: "debug", segments, bytes });
    return freed;
  }

  async #setAside(link: Link | undefined): Promise<number> {
    if (link === undefined) return 0;
    const { place, tail, report } = this.#options;
    const logId = tail.segment?.header.logId ?? null;
    const endOffset = link.endOffset ?? await this.#lookUpEnd(link, logId);
    return await setTornAside(place, { name: link.name, logId, endOffset }, report);
  }

  async #lookUpEnd(link: Link, logId: string | null): Promise<number> {
    const { place } = this.#options;
    if (link.next === null) return HEADER_BYTES; // only the last one has none, and that is never cut
    const { file, header } = await openGoodSegment(place, { name: link.next.name, logId, where: "earlier" }, "read");
    await release(file);
    return learnEnd(link, header);
  }
}
