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

/**
 * An open file with its readers. What a reader gives out is views of what he has read, and whoever gets them may write into
 * them, or hand their buffer to somebody else: so no two readers are given the same.
 */
export class SharedFile implements Chunks {
  readonly opened: OpenSegmentFile;
  readonly link: Link;
  readonly #source: Chunks;
  /** One is looked at while the next is read. Of these nobody gets more than copies. */
  #chunks: readonly RecentChunk[] = [];
  /** How many have acquired it and not given it back. */
  users = 0;

  /** @param link Whose file it is. @param opened The file. */
  constructor(link: Link, opened: OpenSegmentFile) {
    this.link = link;
    this.opened = opened;
    this.#source = chunksOf(opened.file);
  }

  /** See {@linkcode Chunks}. A thousand followers that were woken by one flush read it once. */
  async readChunk(offset: number, lengthBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.users < 2) {
      this.#chunks = [];
      return await this.#source.readChunk(offset, lengthBytes);
    }
    const recent = this.#chunks.find((each) => each.offset === offset && each.lengthBytes === lengthBytes);
    if (recent !== undefined) return (await recent.bytes).slice();
    const chunk = { offset, lengthBytes, bytes: this.#source.readChunk(offset, lengthBytes) };
    this.#chunks = [chunk, ...this.#chunks.slice(0, 1)];
    chunk.bytes.catch(() => {
      this.#chunks = this.#chunks.filter((each) => each !== chunk); // whoever comes next tries again
    });
    return (await chunk.bytes).slice();
  }

  /** See {@linkcode Chunks}. */
  size(): Promise<number> {
    return this.#source.size();
  }
}

/** The open files of one log. */
export class SegmentFiles {
  readonly #place: Place;
  readonly #uses: Map<Link, Promise<SharedFile>> = new Map();

  /** @param place Where they are. */
  constructor(place: Place) {
    this.#place = place;
  }

  /** Where the file of a link is. */
  pathOf({ name }: Link): string {
    const { runtime, directory } = this.#place;
    return runtime.join(directory, name);
  }

  /** The file of a segment of this log, open as long as anyone has not given it back. Rejects where it cannot be used. */
  async acquire(link: Link, logId: string): Promise<SharedFile> {
    for (;;) {
      const use = this.#uses.get(link) ?? this.#open(link, logId);
      this.#uses.set(link, use);
      try {
        const file = await use;
        if (this.#uses.get(link) !== use) continue; // the last who had it has given it back meanwhile
        file.users++;
        return file;
      } catch (error) {
        if (this.#uses.get(link) === use) this.#uses.delete(link); // whoever comes next tries again
        throw error;
      }
    }
  }

  async #open(link: Link, logId: string): Promise<SharedFile> {
    const opened = await openGoodSegment(this.#place, { name: link.name, logId, where: "earlier" }, "read");
    return new SharedFile(link, opened);
  }

  /** Gives a file back. */
  async release(file: SharedFile): Promise<void> {
    if (--file.users > 0) return;
    this.#uses.delete(file.link);
    await release(file.opened.file);
  }
}
