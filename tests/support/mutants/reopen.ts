/**
 * Mutants of section 6: reopen().
 */

import { type Mutant, tests } from "./mutant.ts";

export const reopen: readonly Mutant[] = [
  {
    rule: "6 reopen: a skip from q + 1 to lastLsn",
    name: "does not skip what was given out and is not there when it is reopened",
    file: "src/inheritance.ts",
    find: `if (lastLsn > this.#keptLsn) await writer.put(`,
    replace: `if (lastLsn > Infinity) await writer.put(`,
    caughtBy: tests("reopen", "after a failed sync the log goes on behind what was synced"),
  },
  {
    rule: "6 reopen: no LSN is given twice",
    name: "goes on, reopened, with the LSN behind what it kept",
    file: "src/tail.ts",
    find: `this.#writtenLsn = this.#syncedLsn = lastLsn;`,
    replace: `this.#writtenLsn = this.#syncedLsn = inheritance.keptLsn;`,
    caughtBy: tests("reopen", "after a failed sync the log goes on behind what was synced"),
  },
  {
    rule: "6 reopen: what was acknowledged and written after p is read back",
    name: "loses, reopened, what was acknowledged at write",
    file: "src/inheritance.ts",
    find: `if (segment === null || acknowledgedLsn <= syncedLsn) return;`,
    replace: `if (segment === null || acknowledgedLsn > 0) return;`,
    caughtBy: tests("reopen", "what was acknowledged as written is copied and synced"),
  },
  {
    rule: "6 reopen: at fsync q = p",
    name: "keeps, reopened, what was written and never acknowledged",
    file: "src/tail.ts",
    find: `acknowledgedLsn: Math.min(acknowledgedLsn, this.#writtenLsn),`,
    replace: `acknowledgedLsn: this.#writtenLsn,`,
    caughtBy: tests("reopen", "what was acknowledged as written is copied and synced"),
  },
  {
    rule: "6 reopen: what was acknowledged and written after p is read back",
    name: "copies, reopened, all of a frame of which the first entries were acknowledged",
    file: "src/inheritance.ts",
    find: `if (header.kind !== FrameKind.ENTRIES || lastLsn <= acknowledgedLsn) return copyOf(frame);`,
    replace: `if (header.kind > 0 || lastLsn <= acknowledgedLsn) return copyOf(frame);`,
    caughtBy: tests("reopen", "an entry that somebody was told is written survives"),
  },
  {
    rule: "6 reopen: copies up to the first bad frame; 3.5 a batch is there all together or not at all",
    name: "cuts, reopened, a batch of which a part was acknowledged",
    file: "src/inheritance.ts",
    find: `if (header.kind !== FrameKind.ENTRIES || lastLsn <= acknowledgedLsn) return copyOf(frame);`,
    replace: `if (lastLsn <= acknowledgedLsn) return copyOf(frame);`,
    caughtBy: tests("come_back", "somebody was told of an entry in the middle of a batch"),
  },
  {
    rule: "3.3 frames copied by reopen are synced before the rename",
    name: "copies, reopened, into a segment that has its name already",
    file: "src/segment.ts",
    find: `        if (endow !== null) endOffset = await endow(file, checksum);\n`,
    replace: ``,
    also: [{
      file: "src/segment.ts",
      find: `await runtime.syncDirectory(directory); // only now may a frame follow`,
      replace:
        `await runtime.syncDirectory(directory);\n      if (endow !== null) endOffset = await endow(file, checksum);`,
    }],
    caughtBy: tests("come_back", "the power goes just after a log has come back"),
  },
  {
    rule: "6 reopen: the failed file is neither written nor synced again",
    name: "syncs the failed file once more when it is reopened",
    file: "src/tail.ts",
    find: `    await failed?.settleExtension();\n`,
    replace: `    await failed?.file.syncData().catch(() => {});\n`,
    caughtBy: tests("reopen", "the failed file is neither written nor synced again"),
  },
  {
    rule: "6 reopen: predecessor as above",
    name: "states, reopened, an end of the failed file that no sync covers",
    file: "src/births.ts",
    find: `predecessorOf({ header, syncedOffset }: Segment,`,
    replace: `predecessorOf({ header, endOffset: syncedOffset }: Segment,`,
    caughtBy: tests("reopen", "what was torn off a failed segment is kept aside"),
  },
  {
    rule: "6 reopen: predecessor as above",
    name: "states, reopened, an end behind a mark that may have been taken away",
    file: "src/segment.ts",
    find: `    this.syncedOffset = offset; // until the sync returns`,
    replace: `    // until the sync returns`,
    caughtBy: tests("come_back", "a mark is taken away in half"),
  },
  {
    rule: "6 reopen: rename, sync the directory, then memory moves",
    name: "is open again before there is a segment to go on in",
    file: "src/tail.ts",
    find: `    const segment = await this.#bear(true, inheritance);\n`,
    replace: `    moved(this.#syncedLsn);\n    const segment = await this.#bear(true, inheritance);\n`,
    caughtBy: tests("reopen", "a reopening that fails leaves the log failed"),
  },
  {
    rule: "6 reopen: if it fails, the log is still failed",
    name: "goes on though its reopening has failed",
    file: "src/committer.ts",
    find: `      throw new WalIoError(\`reopen the log in`,
    replace: `      this.#settlement.reopen(lastLsn);\n      throw new WalIoError(\`reopen the log in`,
    caughtBy: tests("reopen", "a reopening that fails leaves the log failed"),
  },
  {
    rule: "6 waitFor of a skipped one rejects",
    name: "resolves a wait for an LSN that was skipped when it was reopened",
    file: "src/settlement.ts",
    find: `if (keptLsn < this.#lastLsn) this.reject(keptLsn + 1, new WalRangeError(SKIPPED, this.#failure));`,
    replace: ``,
    caughtBy: tests("reopen", "after a failed sync the log goes on behind what was synced"),
  },
  {
    rule: "6 reopen: let calls in flight settle",
    name: "is reopened while it is being reopened, or a call is on its way to the failed file",
    file: "src/committer.ts",
    find: `this.#pump.push(() => this.#goOn().then(resolve, reject));`,
    replace: `this.#goOn().then(resolve, reject);`,
    caughtBy: tests("come_back", "two bring a failed log back at once"),
  },
  {
    rule: "3.3 one small spare is always kept back",
    name: "does not take the spare that is kept back when it is reopened",
    file: "src/tail.ts",
    find: `await this.#bear(true, inheritance);`,
    replace: `await this.#bear(false, inheritance);`,
    caughtBy: tests("come_back", "a log without other spares"),
  },
  {
    rule: "3.2 segment id is 1 + the highest in any name or tried; 5 that id is burnt",
    name: "gives an id again that was tried in vain",
    file: "src/births.ts",
    find: `const id = ++this.#highestId; // burnt, whatever becomes of it`,
    replace: `const id = this.#highestId + 1;`,
    also: [{
      file: "src/births.ts",
      find: `return await Segment.born(this.#place, spare, header, endow);`,
      replace: `const segment = await Segment.born(this.#place, spare, header, endow);
    this.#highestId = id;
    return segment;`,
    }],
    caughtBy: tests("come_back", "a segment's name was in doubt when the log failed"),
  },
];
