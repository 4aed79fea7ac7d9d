/**
 * Logs before they are damaged: one story with four endings, told in memory, and all that is known of each. What stands in a
 * log is known from who wrote it; where it stands, from a reader who knows only the words in which the format is described.
 */

import type { WalOptions } from "../../mod.ts";
import { LogFixture, outcomeOf, quiet, SMALL_SEGMENT_BYTES } from "./log_fixture.ts";
import { readAsStranger, type StrangeFrame } from "./stranger.ts";

/** How a log ended. */
export const DAMAGE_ENDINGS = ["closed", "killed", "killed, torn tail", "killed between two segments"] as const;
/** One of them. */
export type DamageEnding = typeof DAMAGE_ENDINGS[number];

/** Files by their names. */
export type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** A frame as it was written. */
export interface OriginalFrame {
  readonly kind: string;
  readonly offset: number;
  readonly lengthBytes: number;
  readonly firstLsn: number;
  /** One less than the first where it holds none. */
  readonly lastLsn: number;
  /** Up to here it vouches. */
  readonly syncedLsn: number;
  /** Where the log begins, as a head frame says; 0 of all others. */
  readonly headLsn: number;
}

/** A segment as it was written. */
export interface OriginalSegment {
  readonly name: string;
  readonly id: number;
  readonly baseLsn: number;
  /** Where the log began, as its header says. */
  readonly headLsn: number;
  /** Without the footer. */
  readonly frames: readonly OriginalFrame[];
  readonly footer: OriginalFrame | null;
}

/** A log before it is damaged. */
export interface Original {
  readonly ending: DamageEnding;
  /** As it was written; where the tail is torn, before it was. */
  readonly whole: Files;
  /** As it was left. */
  readonly files: Files;
  /** Oldest first. */
  readonly segments: readonly OriginalSegment[];
  /** What was written, by LSN, as {@linkcode inWords} says it. */
  readonly texts: ReadonlyMap<number, string>;
  /** The frame that a crash tore. */
  readonly torn: OriginalFrame | null;
  /** What the lock file remembers. */
  readonly lockMark: { readonly segmentId: number; readonly offset: number; readonly lsn: number } | null;
}

/** What each is opened with. Frames are small, and so are files: each is looked at hundreds of times. */
export const DAMAGE_OPTIONS: WalOptions = { segmentBytes: SMALL_SEGMENT_BYTES, spares: 0 };

/** An entry in words: its kind and its text. */
export function inWords({ kind, data }: { readonly kind: number; readonly data: string }): string {
  return `${kind} ${data}`;
}

/** Writes entries, each with a kind and a text of its own, and remembers them. */
class Story {
  readonly log: LogFixture;
  readonly texts: Map<number, string> = new Map();
  readonly #voice: string;
  #count = 0;

  constructor(voice: string) {
    this.#voice = voice;
    this.log = new LogFixture(DAMAGE_OPTIONS, { seed: voice.length });
  }

  /** One entry of that length in a frame of its own. */
  async entry(length: number): Promise<void> {
    const entry = this.#entry(length);
    this.texts.set(await this.log.wal.commit(entry), inWords(entry));
    await quiet();
  }

  /** Several that share a frame: a batch, or what happened to come together. */
  async together(lengths: readonly number[], isBatch: boolean): Promise<void> {
    const entries = lengths.map((length) => this.#entry(length));
    const { wal } = this.log;
    const lsns = isBatch
      ? [await wal.commitBatch(entries)]
      : await Promise.all(entries.map((each) => wal.commit(each)));
    const firstLsn = Math.max(...lsns) - entries.length + 1;
    entries.forEach((entry, nth) => this.texts.set(firstLsn + nth, inWords(entry)));
    await quiet();
  }

  /** Rejected by a full disk: these LSNs will never be. */
  async rejected(): Promise<void> {
    this.log.fillDisk();
    await outcomeOf(this.log.wal.commitBatch([this.#entry(20_000), this.#entry(9)]));
    this.log.freeDisk();
    await this.log.advance(1000);
  }

  /** The process ends when the next segment has its name, and before it has a frame. */
  async stopBetweenSegments(): Promise<void> {
    const { log } = this;
    log.faults.stop("rename", "after");
    while (log.faults.countCalls("rename", { path: /-0000000004-\d+\.wal$/ }) === 0) {
      const entry = this.#entry(900);
      const lsn = log.wal.lastLsn + 1;
      const isDurable = await Promise.race([log.wal.commit(entry).then(() => true), quiet().then(() => false)]);
      if (isDurable) this.texts.set(lsn, inWords(entry));
    }
  }

  #entry(length: number): { readonly kind: number; readonly data: string } {
    const kind = ++this.#count % 128;
    return { kind, data: `${this.#voice} ${this.#count} `.padEnd(length, "abcdefgh") };
  }
}

/** Four segments with frames of every kind; LSN 1 is cut away. */
async function tell(voice: string): Promise<Story> {
  const story = new Story(voice);
  const { log } = story;
  await log.open();
  await story.entry(300);
  await story.together([40, 0, 200], true);
  await log.advance(1000); // idle
  await story.together([30, 70], false);
  await log.reopen(); // behind a mark, which is overwritten
  await story.entry(500);
  await story.rejected();
  await story.entry(120); // behind a skip
  await log.wal.truncateBefore(2);
  await story.together([50, 60, 70], true);
  while (log.segments().length < 3) await story.entry(1200);
  await story.entry(600);
  await log.advance(1000);
  await story.entry(250);
  while (log.segments().length < 4) await story.entry(1100);
  await story.together([90, 110], false);
  await log.advance(1000);
  await story.together([20, 30], true);
  await story.entry(60);
  await story.entry(44);
  return story;
}

/** The log with this ending; another voice makes it another log, of the same shape. */
export async function originalLog(ending: DamageEnding, voice = "entry"): Promise<Original> {
  const { log, texts } = await tellUntil(ending, voice);
  const files = new Map(log.names().filter((name) => !name.startsWith("spare")).map((name) => [name, log.file(name)]));
  const whole: Original = { ending, whole: files, files, texts, torn: null, ...describe(files) };
  const last = whole.segments.at(-1);
  const torn = ending === "killed, torn tail" ? last?.frames.at(-2) ?? null : null;
  return torn === null ? whole : { ...whole, torn, files: withTorn(files, last?.name ?? "", torn) };
}

async function tellUntil(ending: DamageEnding, voice: string): Promise<Story> {
  const story = await tell(voice);
  const { log } = story;
  if (ending === "closed") await log.wal.close();
  if (ending === "killed, torn tail") {
    // Nothing vouches for these.
    await log.wal.configure({ durability: "write" });
    for (const length of [80, 100, 40]) await story.entry(length);
  }
  if (ending === "killed between two segments") await story.stopBetweenSegments();
  log.kill();
  return story;
}

/** A crash has left the header of a frame and not all of its body. */
function withTorn(whole: Files, name: string, { offset, lengthBytes }: OriginalFrame): Files {
  const bytes = whole.get(name)?.slice() ?? new Uint8Array();
  return new Map([...whole, [name, bytes.fill(0, offset + 64, offset + lengthBytes)]]);
}

function describe(files: Files): Pick<Original, "segments" | "lockMark"> {
  const { frames, lockMark } = readAsStranger(files);
  const names = [...files.keys()].filter((name) => /^\d/.test(name)).sort();
  const segments = names.map((name) => {
    const bytes = files.get(name) ?? new Uint8Array();
    const [id = 0, , baseLsn = 0] = name.split(/[-.]/).map(Number);
    const own = frames.filter(({ segment }) => segment === id).map((frame) => describeFrame(bytes, frame));
    const headLsn = numberAt(bytes, 112);
    const footer = own.find(({ kind }) => kind === "FOOTER") ?? null;
    return { name, id, baseLsn, headLsn, frames: own.filter((frame) => frame !== footer), footer };
  });
  const { segment: segmentId = 0, ...mark } = lockMark ?? { offset: 0, lsn: 0 };
  return { segments, lockMark: lockMark === null ? null : { segmentId, ...mark } };
}

function describeFrame(bytes: Uint8Array, { kind, offset, firstLsn, payload }: StrangeFrame): OriginalFrame {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const lastLsn = kind === "SKIP" ? payload : firstLsn + view.getUint32(offset + 40, true) - 1;
  return {
    kind,
    offset,
    lengthBytes: view.getUint32(offset + 12, true),
    firstLsn,
    lastLsn,
    syncedLsn: numberAt(bytes, offset + 24),
    headLsn: kind === "HEAD" ? payload : 0,
  };
}

function numberAt(bytes: Uint8Array, at: number): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true));
}
