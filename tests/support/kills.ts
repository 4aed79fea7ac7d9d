/**
 * Kills processes that write to one log, one after the other, at random moments, and has other runtimes look at it after each.
 * As many kills as one likes: a part of the tests, and of the soak (see `kill_soak.ts`).
 */

import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TornReport, WalOptions, WalRecovery } from "../../mod.ts";
import { parseSegmentName, tornName } from "../../src/format.ts";
import { Random } from "../../src/runtime/random.ts";
import { Ballast } from "./ballast.ts";
import { Checker } from "./checker.ts";
import { type Crash, crash } from "./crash.ts";
import type { Statement } from "./crash_ledger.ts";
import type { CrashPlan } from "./crash_program.ts";
import { type RuntimeName, runtimeNames } from "./processes.ts";
import { inVolume, type VolumeKind } from "./volumes.ts";

/** What is to be done. */
export interface KillOptions {
  /** Who writes. The others look. */
  readonly writer: RuntimeName;
  readonly kills: number;
  /** What plans and moments are drawn from. The machine's own moments are not: a run is never quite the same. */
  readonly seed: number;
  /** Whether the log is on a small file system of its own, which is full at times, and has room again. */
  readonly volume?: VolumeKind;
  /** Told what happens, line by line. */
  readonly say?: (line: string) => void;
}

/** What was done. */
export interface KillTally {
  kills: number;
  /** Of these each was found to be true, at least once. */
  acknowledgements: number;
  /** Submissions for which the disk was full. */
  rejections: number;
  /** Looks at the log, and entries that they found. */
  looks: number;
  entries: number;
  /** Kills that tore something. */
  torn: number;
}

/** In words, for whoever wants to know how much was covered. */
export function tellKills(tally: KillTally): string {
  const { kills, acknowledgements, rejections, looks, entries, torn } = tally;
  const [acknowledged, read] = [acknowledgements, entries].map((count) => count.toLocaleString("en"));
  const full = rejections === 0 ? "" : `, ${rejections} rejections`;
  const seen = `${looks} looks at ${read} entries, ${torn} torn ends`;
  return `kills: ${kills}, ${acknowledged} acknowledgements checked${full}, ${seen}`;
}

/**
 * Runs them in a directory of its own, which is gone afterwards; or rejects, at the first thing that is wrong: then the
 * directory stays, and the error names it, and the seed.
 */
export async function killRuns(options: KillOptions): Promise<KillTally> {
  const sandbox = await mkdtemp(join(tmpdir(), "walstream-kills-"));
  const runOn = async (root: string, ballast: Ballast | null): Promise<KillTally> => {
    const run = new KillRun(options, { sandbox, root, ballast });
    try {
      return await run.run();
    } catch (error) {
      await run.keep();
      const what = error instanceof Error ? error.message : String(error);
      const where = `the log is kept in ${sandbox}: wal, and before, as it lay there when it was looked at`;
      const { seed, writer, volume } = options;
      const which = `WALSTREAM_KILL_SEED=${seed}, ${writer}${volume === undefined ? "" : ` on ${volume}`}`;
      throw new Error(`${which}, kill ${run.tally.kills}: ${what}; ${where}`, { cause: error });
    } finally {
      await run.end();
    }
  };
  const { volume } = options;
  const tally = volume === undefined
    ? await runOn(sandbox, null)
    : await inVolume(volume, VOLUME_BYTES[volume], ({ path }) => runOn(path, new Ballast(path, "ballast")));
  await rm(sandbox, { recursive: true });
  return tally;
}

const MOST_DELAY_MS = 220;

const MIB = 1024 * 1024;
const VOLUME_BYTES: Readonly<Record<VolumeKind, number>> = { tmpfs: 5 * MIB, ext4: 10 * MIB };
const MOST_BALLAST_BYTES = 3 * MIB;

/** Where the log is, where it is kept should something be wrong, and what takes up the rest of its disk at times. */
interface KillPlace {
  readonly sandbox: string;
  readonly root: string;
  readonly ballast: Ballast | null;
}

/** Torn bytes that were reported, and must stay somewhere. */
interface Evidence {
  readonly torn: TornReport;
  readonly bytes: Uint8Array;
}

class KillRun {
  readonly #options: KillOptions;
  readonly #random: Random;
  readonly #place: KillPlace;
  readonly #directory: string;
  readonly #checkers: readonly Checker[];
  readonly #evidence: Evidence[] = [];
  /** What was found by the last look, where nothing was written since. */
  #lastFound: WalRecovery | null = null;
  #life = 0;
  readonly tally: KillTally = { kills: 0, acknowledgements: 0, rejections: 0, looks: 0, entries: 0, torn: 0 };
  readonly #said: (readonly [life: number, statements: readonly Statement[]])[] = [];

  constructor(options: KillOptions, place: KillPlace) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#place = place;
    this.#directory = join(place.root, "wal");
    this.#checkers = runtimeNames.filter((name) => name !== options.writer)
      .map((name) => new Checker(name, this.#directory));
  }

  async run(): Promise<KillTally> {
    const { kills, say = () => {} } = this.#options;
    await mkdir(this.#directory); // the first may be killed before it has done so
    while (this.tally.kills < kills) {
      const nth = this.tally.kills++;
      const plan = this.#plan();
      // Now and then while it opens the log, mostly while it writes.
      const delayMs = this.#random.chance(0.2) ? this.#random.integer(0, 20) : this.#random.integer(20, MOST_DELAY_MS);
      const checker = this.#checkers[nth % this.#checkers.length] as Checker;
      if (nth > 0 && this.#random.chance(0.5)) await checker.ask({ follow: true });
      const weather = this.#weather();
      const killed = await crash(this.#options.writer, this.#directory, plan, delayMs);
      clearTimeout(weather);
      await this.#heard(killed);
      await this.#look(checker, nth === kills - 1);
      say(`kill ${nth + 1} after ${delayMs} ms: ${killed.statements.length} statements, ${JSON.stringify(plan)}`);
    }
    for (const checker of this.#checkers) await this.#open(checker, null);
    await this.#checkEvidence();
    const sum = (of: "looks" | "entries"): number => this.#checkers.reduce((total, each) => total + each[of], 0);
    this.tally.acknowledgements = Math.max(...this.#checkers.map(({ checked }) => checked));
    this.tally.looks = sum("looks");
    this.tally.entries = sum("entries");
    return this.tally;
  }

  /** On a small disk there is more or less room, from now on or from some time on. */
  #weather(): ReturnType<typeof setTimeout> | undefined {
    const { ballast } = this.#place;
    if (ballast === null) return;
    const draw = (): () => void => {
      const sizeBytes = this.#random.chance(0.5) ? Infinity : this.#random.integer(1, MOST_BALLAST_BYTES);
      return this.#random.chance(0.5) ? () => ballast.remove() : () => ballast.fill(sizeBytes);
    };
    const [now, later] = [draw(), draw()];
    now();
    return setTimeout(later, this.#random.integer(0, 2 * MOST_DELAY_MS));
  }

  /** Keeps the log as it is, and all that was said. */
  async keep(): Promise<void> {
    const { sandbox, root } = this.#place;
    await writeFile(join(sandbox, "said.json"), JSON.stringify(this.#said));
    if (root !== sandbox) await cp(this.#directory, join(sandbox, "wal"), { recursive: true });
  }

  /** Ends what was started. */
  async end(): Promise<void> {
    await Promise.all(this.#checkers.map((checker) => checker.end()));
  }

  #plan(): CrashPlan {
    const random = this.#random;
    const options: WalOptions = {
      segmentBytes: random.pick([16, 64, 256, 1024]) * 1024,
      maxBufferedBytes: random.pick([16 * 1024, 1024 * 1024, 64 * 1024 * 1024]),
      windowMs: random.pick([0, 0, 0, 2]),
      idleMs: random.pick([1, 50]),
      spares: random.integer(0, 2),
      io: random.pick(["auto", "pool", "blocking"]),
      durability: random.pick(["fsync", "fsync", "write"]),
    };
    const isLarge = random.chance(0.15);
    const callers = isLarge ? { large: 1, plain: 2 } : { mixed: random.integer(1, 8), plain: 2, cutter: 1 };
    return { life: ++this.#life, callers, options, seed: this.#options.seed * 10_000 + this.#life };
  }

  async #heard({ life, statements, recovery }: Crash): Promise<void> {
    const found = this.#lastFound;
    this.#lastFound = null;
    if (recovery !== null && found !== null) compareFindings(recovery, found);
    await this.#collect(recovery);
    await this.#tell(life, statements);
  }

  async #tell(life: number, statements: readonly Statement[]): Promise<void> {
    this.#said.push([life, statements]);
    this.tally.rejections += statements.filter((statement) => "rejected" in statement).length;
    for (const checker of this.#checkers) await checker.ask({ hear: { life, statements } });
  }

  /** Reads the log without its lock, and mostly opens it: what is left alone, the next life must recover by itself. */
  async #look(checker: Checker, isLast: boolean): Promise<void> {
    await checker.ask({ read: true });
    if (!isLast && this.#random.chance(0.3)) return;
    await this.#open(checker, this.#random.chance(0.5) ? ++this.#life : null);
  }

  async #open(checker: Checker, visit: number | null): Promise<void> {
    const before = join(this.#place.sandbox, "before");
    await rm(before, { recursive: true, force: true });
    await cp(this.#directory, before, { recursive: true });
    const { recovery, statements } = await checker.ask({ open: visit });
    if (this.#lastFound !== null && recovery !== null) compareFindings(recovery, this.#lastFound);
    await this.#collect(recovery);
    if (visit === null) this.#lastFound = recovery;
    else {
      this.#lastFound = null;
      await this.#tell(visit, statements);
    }
  }

  /** Keeps what an opener reported as torn. It lies where it lay, unless its file was freed meanwhile. */
  async #collect(recovery: WalRecovery | null): Promise<void> {
    const torn = recovery?.torn ?? null;
    if (recovery === null || torn === null) return;
    if (torn.bytes < 1 || ![0, recovery.lastLsn + 1].includes(torn.firstLsn)) {
      throw new Error(`the log ends with LSN ${recovery.lastLsn}, and what was torn is ${JSON.stringify(torn)}`);
    }
    if (this.#evidence.some(({ torn: { segment } }) => segment === torn.segment)) return;
    this.tally.torn++;
    const bytes = await readTorn(this.#directory, torn);
    if (bytes === null) throw new Error(`nothing is left of what was reported as torn: ${JSON.stringify(torn)}`);
    this.#evidence.push({ torn, bytes });
  }

  async #checkEvidence(): Promise<void> {
    for (const { torn, bytes } of this.#evidence) {
      const left = await readTorn(this.#directory, torn);
      if (left === null || bytes.some((byte, at) => byte !== left[at])) {
        throw new Error(`what was torn is not kept: ${JSON.stringify(torn)}`);
      }
    }
  }
}

/** Where nothing was written between two openings, both find the same. */
function compareFindings(now: WalRecovery, before: WalRecovery): void {
  const seen = ({ firstLsn, lastLsn, torn }: WalRecovery): string => JSON.stringify({ firstLsn, lastLsn, torn });
  if (seen(now) !== seen(before)) throw new Error(`one opening found ${seen(before)}, and the next one ${seen(now)}`);
}

/** Torn bytes, in their segment or in the copy that was made before that was freed; null where they are in neither. */
async function readTorn(directory: string, { segment, offset, bytes }: TornReport): Promise<Uint8Array | null> {
  const id = parseSegmentName(segment)?.id ?? 0;
  const copy = await readFile(join(directory, tornName(id, offset))).catch(() => null);
  if (copy !== null) return new Uint8Array(copy.subarray(0, bytes));
  const whole = await readFile(join(directory, segment)).catch(() => null);
  return whole === null ? null : new Uint8Array(whole.subarray(offset, offset + bytes));
}
