/**
 * The files of segments as readers in this process see them: each is opened once for all who read it at the same time.
 *
 * @module
 */

import type { Link } from "./chain.ts";
import { openGoodSegment } from "./good_segment.ts";
import { type Chunks, chunksOf } from "./scan.ts";
import { type OpenSegmentFile, type Place, release } from "./segment.ts";

interface RecentChunk {
  readonly offset: number;
  readonly lengthBytes: number;
  readonly bytes: Promise<Uint8Array<ArrayBuffer>>;
}

/** An open file with its readers. */
export class SharedFile implements Chunks {
  readonly opened: OpenSegmentFile;
  readonly link: Link;
  readonly #source: Chunks;
  /** One is looked at while the next is read. */
  #chunks: readonly RecentChunk[] = [];

  /** @param link Whose file it is. @param opened The file. */
  constructor(link: Link, opened: OpenSegmentFile) {
    this.link = link;
    this.opened = opened;
    this.#source = chunksOf(opened.file);
  }

  /** See {@linkcode Chunks}. A thousand followers that were woken by one flush read it once. */
  readChunk(offset: number, lengthBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const recent = this.#chunks.find((each) => each.offset === offset && each.lengthBytes === lengthBytes);
    if (recent !== undefined) return recent.bytes;
    const chunk = { offset, lengthBytes, bytes: this.#source.readChunk(offset, lengthBytes) };
    this.#chunks = [chunk, ...this.#chunks.slice(0, 1)];
    chunk.bytes.catch(() => {
      this.#chunks = this.#chunks.filter((each) => each !== chunk); // whoever comes next tries again
    });
    return chunk.bytes;
  }

  /** See {@linkcode Chunks}. */
  size(): Promise<number> {
    return this.#source.size();
  }
}

interface Use {
  readonly file: Promise<SharedFile>;
  users: number;
}

/** See the head of this file. */
export class SegmentFiles {
  readonly #place: Place;
  readonly #uses: Map<Link, Use> = new Map();

  /** @param place Where they are. */
  constructor(place: Place) {
    this.#place = place;
  }

  /** The file of a segment of this log, open as long as anyone has not given it back. Rejects where it cannot be used. */
  async acquire(link: Link, logId: string): Promise<SharedFile> {
    let use = this.#uses.get(link);
    if (use === undefined) {
      const file = openGoodSegment(this.#place, { name: link.name, logId, where: "earlier" }, "read")
        .then((opened) => new SharedFile(link, opened));
      use = { file, users: 0 };
      this.#uses.set(link, use);
    }
    use.users++;
    try {
      return await use.file;
    } catch (error) {
      if (this.#uses.get(link) === use) this.#uses.delete(link); // whoever comes next tries again
      throw error;
    }
  }

  /** Gives a file back. */
  async release({ link, opened }: SharedFile): Promise<void> {
    const use = this.#uses.get(link);
    if (use === undefined || --use.users > 0) return;
    this.#uses.delete(link);
    await release(opened.file);
  }
}
