/**
 * A new empty directory for each turn.
 *
 * What a turn leaves behind is removed, and the removal is synced, before the next one begins: else that one's first
 * syncs would carry the journal of the other's deleted files.
 *
 * @module
 */

import * as fs from "node:fs";
import { join } from "node:path";

/** See the head of this file. */
export class RoundDirectories {
  readonly #parent: string;
  #nextNumber = 1;

  /** @param parent Exists, and belongs to this. */
  constructor(parent: string) {
    this.#parent = parent;
  }

  /** An empty directory. */
  make(): string {
    const directory = join(this.#parent, `${this.#nextNumber++}`);
    fs.mkdirSync(directory);
    this.#sync();
    return directory;
  }

  /** Takes a directory away. */
  async remove(directory: string): Promise<void> {
    await fs.promises.rm(directory, { recursive: true, force: true });
    this.#sync();
  }

  /** Takes all of them away. */
  async removeAll(): Promise<void> {
    for (const name of fs.readdirSync(this.#parent)) {
      await this.remove(join(this.#parent, name));
    }
  }

  #sync(): void {
    const descriptor = fs.openSync(this.#parent, "r");
    fs.fsyncSync(descriptor);
    fs.closeSync(descriptor);
  }
}
