/**
 * Mutants of section 4: readers elsewhere.
 */

import { type Mutant, tests } from "./mutant.ts";

export const readingElsewhere: readonly Mutant[] = [
  {
    rule: "4 readers elsewhere show only what later bytes vouch for",
    name: "shows a reader elsewhere what nothing vouches for",
    file: "src/outside_reader.ts",
    find: `vouchedLsn = Math.max(vouchedLsn, frame.header.syncedLsn);`,
    replace: `vouchedLsn = Math.max(vouchedLsn, frame.lastLsn);`,
    caughtBy: tests("outside_reader", "what is only in the page cache is not shown"),
  },
  {
    rule: "4 nothing read before its voucher is kept",
    name: "shows a reader elsewhere what was read before its voucher",
    file: "src/outside_reader.ts",
    find: `return new FrameScanner(chunksOf(file), checksum, offset, lsn, limitOffset);`,
    replace: `return new FrameScanner(keptChunksOf(file), checksum, offset, lsn, limitOffset);`,
    also: [{
      file: "src/outside_reader.ts",
      find: `function damage({ name, endOffset }: Section`,
      replace: `const kept = new WeakMap<object, Map<number, Promise<Uint8Array<ArrayBuffer>>>>();
function keptChunksOf(file: Parameters<typeof chunksOf>[0]): ReturnType<typeof chunksOf> {
  const chunks = kept.get(file) ?? new Map<number, Promise<Uint8Array<ArrayBuffer>>>();
  kept.set(file, chunks);
  const { readChunk, size } = chunksOf(file);
  return {
    readChunk: (offset, length) => {
      const chunk = chunks.get(offset) ?? readChunk(offset, length);
      chunks.set(offset, chunk);
      return chunk;
    },
    size,
  };
}

function damage({ name, endOffset }: Section`,
    }],
    caughtBy: tests("stale_views", "what a full disk cuts back while a voucher is looked for"),
  },
  {
    rule: "4 when a voucher is seen, they read the header",
    name: "does not look at the header again when a voucher is seen",
    file: "src/outside_reader.ts",
    find: `      if (await this.#chain.hasChanged(section)) return "stale";\n      const turn`,
    replace: `      const turn`,
    caughtBy: tests("stale_views", "a file that begins another life"),
  },
  {
    rule: "4 … or on a bad frame, they read the header",
    name: "calls a reused file damaged without looking at its header",
    file: "src/outside_reader.ts",
    find: `        if (await this.#chain.hasChanged(section)) return "stale";\n        const { offset`,
    replace: `        const { offset`,
    caughtBy: tests("outside_reader", "a log that is written over in place"),
  },
  {
    rule: "4 … the header, and on when id or salt are others than before",
    name: "does not see that a file has begun another life",
    file: "src/outside_chain.ts",
    find: `return again.header.salt !== salt;`,
    replace: `return salt === "";`,
    caughtBy: tests("outside_reader", "a log that is written over in place"),
  },
  {
    rule: "4 anything else: WalRewoundError",
    name: "goes on elsewhere in a copy of the file that it has read",
    file: "src/anchor.ts",
    find: `if (passed === null) return true;`,
    replace: `if (passed !== undefined) return true;`,
    caughtBy: tests("put_back", "a log that was closed is put back, and written as far"),
  },
  {
    rule: "4 anything else: WalRewoundError",
    name: "goes on elsewhere behind a copy of the file that it has read to its end",
    file: "src/outside_chain.ts",
    find: `await this.#isWhereItLeft(names, anchor) ?`,
    replace: `await this.#isWhereItLeft([], anchor) ?`,
    caughtBy: tests("put_back", "a log that was closed is put back, and written further: who stands at the end"),
  },
  {
    rule: "4 a voucher behind a bad frame makes it corrupt",
    name: "takes damage behind a reader elsewhere for another log",
    file: "src/outside_chain.ts",
    find: `if (!isDamaged) throw new WalRewoundError(`,
    replace: `if (isDamaged !== null) throw new WalRewoundError(`,
    caughtBy: tests("put_back", "the last that was read is damaged since"),
  },
  {
    rule: "4 a refusal names segment, offset and LSN",
    name: "takes damage in the last segment for a file that is missing",
    file: "src/outside_chain.ts",
    find: `if (await vouchedBehind(last, offset) < lsn) {`,
    replace: `if (await vouchedBehind(last, offset) < Infinity) {`,
    caughtBy: tests("damage_findings", "a reader elsewhere names the damage that hides the head frame"),
  },
  {
    rule: "4 corrupt only if a voucher was seen, else it is the end",
    name: "reads on elsewhere to the end of what is vouched for, and calls that damage",
    file: "src/outside_reader.ts",
    find: `while (this.#chain.nextLsn <= toLsn && scanner.nextLsn <= vouchedLsn) {`,
    replace: `while (this.#chain.nextLsn <= toLsn) {`,
    caughtBy: tests("outside_reader", "it needs no lock, and shows an entry"),
  },
  {
    rule: "4 a voucher behind a bad frame makes it corrupt",
    name: "never looks behind a bad frame for a voucher",
    file: "src/outside_reader.ts",
    find: `return isEnough ? vouchedLsn : await this.#searchVoucher(section, scanner.offset, vouchedLsn);`,
    replace: `return isEnough || this.#searchVoucher === undefined ? vouchedLsn : vouchedLsn;`,
    caughtBy: tests("outside_reader", "damage that something vouches behind is told with its place"),
  },
  {
    rule: "4 a log gone idle writes one empty frame",
    name: "never writes an idle frame",
    file: "src/vouching.ts",
    find: `Math.max(this.#stampedLsn, this.#triedLsn) < syncedLsn;`,
    replace: `Math.max(this.#stampedLsn, this.#triedLsn, syncedLsn) < -1;`,
    caughtBy: tests("committer", "an idle log vouches once"),
  },
  {
    rule: "4 a log gone idle writes one empty frame",
    name: "writes idle frames again and again",
    file: "src/tail.ts",
    find: `return this.#vouching.wantsIdle(this.#syncedLsn) && this.#hasControlRoom();`,
    replace: `return this.#syncedLsn > 0 && this.#hasControlRoom();`,
    caughtBy: tests("committer", "an idle log vouches once"),
  },
  {
    rule: "4 a log gone idle writes one empty frame",
    name: "writes no idle frame behind a head frame",
    file: "src/vouching.ts",
    find: `return this.#owesHead || Math.max(`,
    replace: `return Math.max(`,
    caughtBy: tests("outside_reader", "a cut is seen as soon as something follows it"),
  },
  {
    rule: "4 a log gone idle writes one empty frame",
    name: "tries the idle frame behind a head frame again and again on a full disk",
    file: "src/vouching.ts",
    find: `this.#triedLsn = syncedLsn;
    this.#owesHead = false;`,
    replace: `this.#triedLsn = syncedLsn;`,
    caughtBy: tests("committer", "an idle log that was cut tries once on a full disk"),
  },
  {
    rule: "4 one that has shown nothing begins anew at head",
    name: "holds a reader that has shown nothing to the log it once saw",
    file: "src/outside_chain.ts",
    find: `if (this.#anchor === null) this.#logId = header.logId;`,
    replace: `this.#logId ??= header.logId;`,
    caughtBy: tests("outside_reader", "a log that a power cut takes before it has begun"),
  },
  {
    rule: "4 they walk the chain down from the highest id, every time",
    name: "lets a reader elsewhere begin at the lowest id",
    file: "src/outside_chain.ts",
    find: `segmentsOf(files);`,
    replace: `segmentsOf(files).reverse();`,
    caughtBy: tests("outside_reader", "a vanished segment in the middle of a log"),
  },
  {
    rule: "4 they list the directory, every time",
    name: "lets a reader elsewhere go on with the listing it once took",
    file: "src/outside_chain.ts",
    find: `  async #list(): Promise<SegmentName[]> {\n`,
    replace: `  #once: Promise<SegmentName[]> | null = null;
  #list(): Promise<SegmentName[]> {
    return this.#once ??= this.#listOnce();
  }
  async #listOnce(): Promise<SegmentName[]> {\n`,
    caughtBy: tests("outside_reader", "it needs no lock, and shows an entry"),
  },
  {
    rule: "4 the chain begins above its place: WalTruncatedError",
    name: "shows a reader elsewhere what comes after a gap that was cut",
    file: "src/outside_chain.ts",
    find: `if (first.baseLsn > nextLsn) throw new WalTruncatedError(`,
    replace: `if (first.baseLsn > Infinity) throw new WalTruncatedError(`,
    caughtBy: tests("outside_reader", "a follower that falls behind while its file is used again"),
  },
  {
    rule: "4 anything else: WalRewoundError",
    name: "lets a reader elsewhere go on in another line of history",
    file: "src/outside_chain.ts",
    find: `if (first.baseLsn < nextLsn || !isSameLine) throw`,
    replace: `if (first.baseLsn < 0 || isSameLine === null) throw`,
    caughtBy: tests("outside_reader", "a log that was cut just behind what was read, on another line"),
  },
  {
    rule: "4 its place is gone and the chain begins with the next LSN of the same segment or epoch: go on",
    name: "tells a reader elsewhere of another history where only its file went",
    file: "src/outside_chain.ts",
    find: `const isSameLine = predecessor.id === anchor.id || epoch.id === anchor.epochId ||`,
    replace: `const isSameLine =`,
    caughtBy: tests("outside_reader", "a log that was cut just behind what was read, on the same line"),
  },
  {
    rule: "4 anything else: WalRewoundError",
    name: "lets a reader elsewhere go on in another log",
    file: "src/outside_chain.ts",
    find: `if (header.logId !== this.#logId) throw`,
    replace: `if (header.logId === "") throw`,
    caughtBy: tests("put_back", "another log is put there that was cut just where the reader stands"),
  },
  {
    rule: "4 ENOENT: list again",
    name: "fails a reader elsewhere whose file goes between two calls",
    file: "src/outside_chain.ts",
    find: `if (systemCode(error) === "ENOENT") return null;`,
    replace: `if (systemCode(error) === "never") return null;`,
    caughtBy: tests("stale_views", "files that are cut away between the listing"),
  },
  {
    rule: "4 a successor's header vouches for its predecessor up to the stated end",
    name: "does not hold a reader elsewhere to what a successor states",
    file: "src/outside_chain.ts",
    find: `const { endOffset, lastLsn } = successor?.header.predecessor ?? {`,
    replace: `const { endOffset, lastLsn } = {`,
    caughtBy: tests("outside_reader", "damage that something vouches behind is told with its place"),
  },
  {
    rule: "4 the walk ends where nothing is before",
    name: "begins elsewhere with a segment whose name says wrongly that nothing is before it",
    file: "src/outside_chain.ts",
    find: `if (lowest === undefined || lowest.baseLsn <= this.#nextLsn) return walked.links;`,
    replace: `if (lowest !== null) return walked.links;`,
    caughtBy: tests("damage_findings", "a reader elsewhere does not begin with a segment whose name lies"),
  },
  {
    rule: "4 a voucher behind a bad frame makes it corrupt",
    name: "does not believe a head frame elsewhere where what follows it is damaged",
    file: "src/outside_contents.ts",
    find: `await vouchedBehind(opened, endOffset) > 0) headLsn`,
    replace: `await vouchedBehind(opened, endOffset) > Infinity) headLsn`,
    caughtBy: tests("outside_reader", "a head frame is believed where what follows it is damaged"),
  },
  {
    rule: "4 corrupt: refuse, naming segment, offset, LSN",
    name: "names elsewhere the LSN that was asked for in place of the one that is damaged",
    file: "src/outside_reader.ts",
    find: `throw damage(section, offset, nextLsn, hasNoGoodFrame(`,
    replace: `throw damage(section, offset, this.#chain.nextLsn, hasNoGoodFrame(`,
    caughtBy: tests("outside_reader", "readers here and elsewhere name damage alike"),
  },
  {
    rule: "4 corrupt: refuse, naming segment, offset, LSN",
    name: "tells a follower elsewhere that a file is missing where damage hides the head frame",
    file: "src/outside_chain.ts",
    find: `if (await vouchedBehind(last, offset) < lsn) {`,
    replace: `if (this.#anchor !== null || await vouchedBehind(last, offset) < lsn) {`,
    caughtBy: tests("outside_reader", "a follower elsewhere names the damage that hides the head frame"),
  },
];
