// Nothing is allocated for a length that the file cannot hold, whoever says it, and with whatever checksum. What is forged here no
// accident makes: every checksum is right.

import { assert, assertEquals, assertLess } from "@std/assert";
import { crc32 } from "node:zlib";
import { test } from "node:test";
import { type Entry, Wal, WalError } from "../mod.ts";
import { getHex, viewOf } from "../src/bytes.ts";
import {
  encodeFrameHeader,
  encodeLockMark,
  FrameKind,
  MAX_FRAME_BYTES,
  MAX_NUMBER,
  type SegmentHeader,
} from "../src/format.ts";
import { RECOVERY_MODES } from "../src/options.ts";
import { withHeader } from "./support/damage_files.ts";
import { MemoryGround, type Watched } from "./support/damage_ground.ts";
import { type Changeable, edit } from "./support/damage_kind.ts";
import { DAMAGE_OPTIONS, inWords, type Original, originalLog, type OriginalSegment } from "./support/damage_log.ts";
import { endOf } from "./support/damage_remains.ts";
import { checksumOf, frameAt, type FrameWish } from "./support/frames.ts";

const MOST_READ_BYTES = 2 * 1024 * 1024;
const SALT_AT = 80;

/** A lie, and what it does to the files. */
interface Forgery {
  readonly name: string;
  readonly apply: (files: Changeable) => void;
}

/** Puts a frame there, sealed as only the log itself can. */
function forge({ name, id }: OriginalSegment, offset: number, wish: FrameWish): Forgery["apply"] {
  return edit(name, (bytes) => {
    const checksum = checksumOf(getHex(bytes, SALT_AT, 8), id);
    bytes.set(frameAt(offset, wish, checksum), offset);
  });
}

/** One entry that says that it is 4 GiB long, in a frame that is whole. */
function forgeEntry({ name, id }: OriginalSegment, offset: number, firstLsn: number): Forgery["apply"] {
  return edit(name, (bytes) => {
    const frame = new Uint8Array(56);
    const view = viewOf(frame);
    const header = { kind: FrameKind.ENTRIES, lengthBytes: 56, firstLsn, count: 1, syncedLsn: firstLsn - 1, time: 0 };
    encodeFrameHeader(view, 0, header);
    view.setUint32(48, 0xffff_fff0, true);
    checksumOf(getHex(bytes, SALT_AT, 8), id).seal(frame, view, 0, 56, offset);
    bytes.set(frame, offset);
  });
}

function framesThatLie(segment: OriginalSegment, words: string): Forgery[] {
  const [, second] = segment.frames;
  assert(second !== undefined);
  const end = endOf(segment.footer === null ? segment.frames : [...segment.frames, segment.footer]);
  const nextLsn = (segment.frames.at(-1)?.lastLsn ?? 0) + 1;
  const places = [["in the middle of", second.offset, second.firstLsn], ["behind", end, nextLsn]] as const;
  return places.flatMap(([where, offset, firstLsn]) => {
    const syncedLsn = firstLsn - 1;
    const lie = (what: string, wish: Partial<FrameWish>): Forgery => ({
      name: `${what}, ${where} ${words}`,
      apply: forge(segment, offset, { firstLsn, syncedLsn, ...wish }),
    });
    return [
      lie("a frame of a GiB", { entries: ["x"], statedBytes: MAX_FRAME_BYTES }),
      lie("a frame of 4 GiB", { entries: ["x"], statedBytes: 0xffff_fff8 }),
      lie("4 billion entries", { entries: ["x"], statedCount: 0xffff_ffff }),
      lie("a footer of a GiB", { kind: FrameKind.FOOTER, statedBytes: MAX_FRAME_BYTES }),
      lie("a skip over all LSNs", { kind: FrameKind.SKIP, payload: MAX_NUMBER }),
      { name: `an entry of 4 GiB, ${where} ${words}`, apply: forgeEntry(segment, offset, firstLsn) },
    ];
  });
}

/** Its index says where a reader may begin. */
function footersThatLie(segment: OriginalSegment): Forgery[] {
  const { footer } = segment;
  if (footer === null) return [];
  const wish = { kind: FrameKind.FOOTER, firstLsn: footer.firstLsn, syncedLsn: footer.syncedLsn } as const;
  return [
    {
      name: "a footer of 40 points that has none",
      apply: forge(segment, footer.offset, { ...wish, entries: ["x".repeat(40)] }),
    },
    { name: "a footer of a GiB", apply: forge(segment, footer.offset, { ...wish, statedBytes: MAX_FRAME_BYTES }) },
  ];
}

/** What the headers and the lock file say of places far away. */
function placesThatLie({ segments }: Original): Forgery[] {
  const change = (nth: number, changes: Partial<SegmentHeader>): Forgery["apply"] => {
    const { name = "" } = segments.at(nth) ?? {};
    return edit(name, (bytes) => withHeader(bytes, changes));
  };
  const predecessorOf = (nth: number): SegmentHeader["predecessor"] => ({
    id: segments.at(nth - 1)?.id ?? 0,
    endOffset: MAX_NUMBER,
    lastLsn: (segments.at(nth)?.baseLsn ?? 1) - 1,
  });
  const [, middle] = segments;
  const [, second] = middle?.frames ?? [];
  assert(middle !== undefined && second !== undefined);
  const { offset, firstLsn } = second;
  const mark = { segmentId: segments.at(-1)?.id ?? 0, offset: MAX_NUMBER, lsn: MAX_NUMBER };
  return [
    { name: "a predecessor without end, of the last segment", apply: change(-1, { predecessor: predecessorOf(-1) }) },
    { name: "a predecessor without end, of a middle segment", apply: change(-3, { predecessor: predecessorOf(-3) }) },
    {
      name: "a frame of a GiB in a segment without end",
      apply: (files) => {
        change(2, { predecessor: predecessorOf(2) })(files);
        forge(middle, offset, { firstLsn, statedBytes: MAX_FRAME_BYTES, entries: ["x"] })(files);
      },
    },
    { name: "bytes before it without end", apply: change(-1, { precedingBytes: MAX_NUMBER }) },
    {
      name: "a mark without end",
      apply: (files) => void files.set("lock", encodeLockMark(mark, crc32)),
    },
  ];
}

async function shownOf(entries: AsyncIterable<Entry>): Promise<Entry[]> {
  const found: Entry[] = [];
  try {
    for await (const entry of entries) found.push(entry);
  } catch (error) {
    if (!(error instanceof WalError)) throw error;
  }
  return found;
}

/** Every entry that was written and not overwritten is as it was; what is shown besides is no longer than its frame. */
async function assertModest(entries: AsyncIterable<Entry>, runtime: Watched, { texts }: Original): Promise<void> {
  for (const entry of await shownOf(entries)) {
    const isWritten = inWords({ kind: entry.kind, data: entry.text() }) === texts.get(entry.lsn);
    assert(isWritten || entry.data.length < 100, `LSN ${entry.lsn} is another`);
  }
  assertLess(runtime.largestReadBytes, MOST_READ_BYTES);
}

async function tryForgery(original: Original, { name, apply }: Forgery): Promise<void> {
  const ground = new MemoryGround();
  const files: Changeable = new Map([...original.files].map(([each, bytes]) => [each, bytes.slice()]));
  apply(files);
  for (const mode of RECOVERY_MODES) {
    await ground.lay(files);
    const runtime = ground.start();
    const options = { ...DAMAGE_OPTIONS, runtime, recovery: mode };
    const wal = await Wal.open(ground.directory, options).catch((error: unknown) => {
      assert(error instanceof WalError, `${name}, ${mode}: ${error}`);
      return null;
    });
    if (wal !== null) {
      const { firstLsn, lastLsn } = wal;
      await assertModest(wal.readable(), runtime, original);
      // Where a footer tells where to begin.
      if (lastLsn >= 4) await assertModest(wal.readable({ from: Math.max(4, firstLsn) }), runtime, original);
      await wal.close();
    }
    assertLess(runtime.largestReadBytes, MOST_READ_BYTES, `${name}, ${mode}`);
  }
  await ground.lay(files);
  const runtime = ground.start();
  await Wal.verify(ground.directory, { runtime });
  await assertModest(Wal.read(ground.directory, { runtime }), runtime, original);
  assertEquals(runtime.changes, [], name);
}

test("a length that is a lie costs no memory, in no mode, whoever tells it", async () => {
  for (const ending of ["closed", "killed"] as const) {
    const original = await originalLog(ending);
    const [first, last] = [original.segments[0], original.segments.at(-1)];
    assert(first !== undefined && last !== undefined);
    const forgeries = [
      ...framesThatLie(first, "the first segment"),
      ...framesThatLie(last, "the last segment"),
      ...footersThatLie(first),
      ...placesThatLie(original),
    ];
    for (const forgery of forgeries) await tryForgery(original, forgery);
  }
});
