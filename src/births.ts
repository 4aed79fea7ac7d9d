/**
 * Makes spares segments, one after the other: who they are, and what they say of themselves.
 *
 * @module
 */

import { getHex } from "./bytes.ts";
import { WalLimitError } from "./errors.ts";
import { type Epoch, HEADER_BYTES, MAX_NUMBER, type Predecessor, segmentName } from "./format.ts";
import { type Endowment, type Place, Segment } from "./segment.ts";
import type { Spares } from "./spares.ts";

/** What stays the same from one segment to the next. */
export interface Lineage {
  readonly logId: string;
  readonly epoch: Epoch;
}

/** Where a segment begins. */
export interface Birth {
  readonly predecessor: Predecessor;
  readonly headLsn: number;
  readonly time: number;
  /** How many bytes of frames lie before it. */
  readonly precedingBytes: number;
  /** Whether it may take the small spare that is kept back for cutting. */
  readonly isCutting: boolean;
  /** The frames that it is born with. */
  readonly endow?: Endowment | null;
  /** The id that completes its set; without one it stands for itself. */
  readonly setId?: number;
}

/** The segments of one log, from now on. */
export class Births {
  readonly #place: Place;
  readonly #spares: Spares;
  #highestId: number;
  /** Files that were to become segments and did not, by the names that they may bear. */
  #abandonedNames: string[] = [];
  /** Drawn for the first segment of a log. */
  #lineage: Lineage | null;

  /** @param highestId The highest id that any file bears or a voucher names. @param lineage Of the last segment, if there is one. */
  constructor(place: Place, spares: Spares, highestId: number, lineage: Lineage | null) {
    this.#place = place;
    this.#spares = spares;
    this.#highestId = highestId;
    this.#lineage = lineage;
  }

  /** Makes the next segment. When it rejects, its id is burnt, and nothing else has happened that counts. */
  async next(
    { predecessor, headLsn, time, precedingBytes, isCutting, endow = null, setId = 0 }: Birth,
  ): Promise<Segment> {
    if (this.#highestId >= MAX_NUMBER) {
      const message = `cannot begin a segment: the last segment id there is, ${MAX_NUMBER}, has been used`;
      throw new WalLimitError("segmentId", this.#highestId, MAX_NUMBER, message);
    }
    const spare = await this.#spares.take(isCutting);
    const id = ++this.#highestId; // burnt, whatever becomes of it
    const { logId, epoch } = this.#lineage ??= this.#newLineage();
    const salt = this.#random(8);
    const baseLsn = predecessor.lastLsn + 1;
    const header = { logId, epoch, id, baseLsn, salt, predecessor, headLsn, setId, time, precedingBytes };
    try {
      return await Segment.born(this.#place, spare, header, endow);
    } catch (error) {
      this.#abandonedNames.push(spare, segmentName(id, predecessor.id, baseLsn));
      throw error;
    }
  }

  /** The names of files that were to become segments and did not; they are forgotten: once another one has, nobody needs them. */
  takeAbandoned(): string[] {
    return this.#abandonedNames.splice(0);
  }

  /** From now on segments belong to a new line of history, which has all up to `lsn` in common with the one before. */
  beginEpoch(lsn: number): void {
    const { logId, epoch } = this.#lineage ?? this.#newLineage();
    this.#lineage = { logId, epoch: { id: this.#random(8), parentId: epoch.id, lsn } };
  }

  #newLineage(): Lineage {
    return { logId: this.#random(16), epoch: { id: this.#random(8), parentId: "0".repeat(16), lsn: 0 } };
  }

  #random(length: number): string {
    const bytes = new Uint8Array(length);
    this.#place.runtime.randomize(bytes);
    return getHex(bytes, 0, length);
  }
}

/**
 * What a segment after this one names, which ends where it is synced, up to `lastLsn`. One of which nothing is kept is not made a
 * predecessor, its own is named.
 */
export function predecessorOf({ header, syncedOffset }: Segment, lastLsn: number): Predecessor {
  return syncedOffset === HEADER_BYTES ? header.predecessor : { id: header.id, endOffset: syncedOffset, lastLsn };
}
