/**
 * Looks at a damaged log in every way there is, and holds what comes of it against what must.
 */

import { assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { type Entry, type RecoveryMode, Wal, type WalRepair } from "../../mod.ts";
import { assertUnchanged } from "./damage.ts";
import {
  assertEntries,
  assertNothingLost,
  assertRefusal,
  assertRefused,
  assertReport,
  placeOf,
} from "./damage_asserts.ts";
import type { Ground, Watched } from "./damage_ground.ts";
import { DAMAGE_OPTIONS, type Original } from "./damage_log.ts";
import { type Expectation, expectationOf, stateOf } from "./damage_model.ts";
import { type ExpectedOutcome, outcomeIn } from "./damage_outcome.ts";
import type { Damaged } from "./damage_remains.ts";
import type { FileState } from "./directories.ts";

/** No more is read at once, but for a frame that is larger. */
const MOST_READ_BYTES = 2 * 1024 * 1024;

/** How often logs were opened or looked at, in this process. */
export const counts: { opens: number } = { opens: 0 };

/** What an opening rejected with. */
class Refused {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** One damaged log. */
export class Trial {
  readonly #ground: Ground;
  readonly #original: Original;
  readonly #damaged: Damaged;
  readonly expected: Expectation;
  #isLaid = false;

  constructor(ground: Ground, original: Original, damaged: Damaged) {
    this.#ground = ground;
    this.#original = original;
    this.#damaged = damaged;
    this.expected = expectationOf(original, damaged);
  }

  /** What lies there, and a process that works on it. */
  async #start(): Promise<{ runtime: Watched; before: Map<string, FileState> }> {
    if (!this.#isLaid) await this.#ground.lay(this.#damaged.files);
    this.#isLaid = true;
    counts.opens++;
    return { runtime: this.#ground.start(), before: await this.#ground.look() };
  }

  // -- without changing anything

  /** Verifying tells all that is wrong, and where. */
  async verify(): Promise<void> {
    const { runtime, before } = await this.#start();
    const { state, damage, firstLsn } = await Wal.verify(this.#ground.directory, { runtime });
    assertEquals(damage.map(placeOf), this.expected.flaws.map(placeOf));
    assertEquals([state, firstLsn], [stateOf(this.expected), this.expected.headLsn]);
    await this.#assertUntouched(before, runtime);
  }

  /** Who reads without the lock is shown no entry that is not the log's, and none behind what is wrong. */
  async readElsewhere(): Promise<void> {
    const { runtime, before } = await this.#start();
    const found: Entry[] = [];
    await gather(Wal.read(this.#ground.directory, { runtime }), found);
    assertEntries(found, this.expected.onTheWay.slice(0, found.length), this.#original);
    await this.#assertUntouched(before, runtime);
  }

  /** What a repair would do, without doing it. */
  async #dryRun(mode: RecoveryMode): Promise<WalRepair> {
    const { runtime, before } = await this.#start();
    const told = await Wal.repair(this.#ground.directory, { mode, dryRun: true, runtime });
    await this.#assertUntouched(before, runtime);
    assertEquals(told.found.damage.map(placeOf), this.expected.flaws.map(placeOf));
    return told;
  }

  async #assertUntouched(before: Map<string, FileState>, runtime: Watched): Promise<void> {
    assertEquals(runtime.changes, []);
    assertUnchanged(await this.#ground.look(), before);
    assertModest(runtime);
  }

  // -- opening

  /** Opening refuses, or shows what it must; and then the log is sound, unless that is not asked. */
  async open(mode: RecoveryMode, { isBrief = false }: { readonly isBrief?: boolean } = {}): Promise<void> {
    const outcome = outcomeIn(mode, this.expected);
    const { runtime, before } = await this.#start();
    const options = { ...DAMAGE_OPTIONS, recovery: mode, runtime };
    const opened = await Wal.open(this.#ground.directory, options).catch((error: unknown) => new Refused(error));
    assertModest(runtime);
    if (opened instanceof Refused) {
      if (outcome.refusal === null) throw opened.error;
      assertRefusal(opened.error, outcome.refusal, mode);
      return assertRefused(await this.#ground.look(), before);
    }
    this.#isLaid = false;
    const isSound = outcome.stop === null && !isBrief;
    try {
      assertEquals(outcome.refusal, null, "it must refuse");
      assertReport(opened, outcome);
      await this.#assertShows(opened, outcome);
      if (isSound) await opened.commit("afterwards");
    } finally {
      await opened.close();
    }
    assertModest(runtime);
    if (isBrief) return;
    assertNothingLost(await this.#ground.look(), this.#original, this.#damaged, this.expected.flaws);
    if (isSound) await this.#assertSound(outcome.shown, opened.lastLsn, "afterwards");
  }

  async #assertShows(wal: Wal, { shown, stop }: ExpectedOutcome): Promise<void> {
    const found: Entry[] = [];
    const error = await gather(wal.readable(), found);
    if (stop === null && error !== null) throw error;
    if (stop !== null) assertRefusal(error, stop, "tolerate-tail");
    assertEntries(found, shown, this.#original);
  }

  /** In the strictest mode it opens, and is whole. */
  async #assertSound(lsns: readonly number[], lastLsn: number, last: string | null): Promise<void> {
    counts.opens++;
    const options = { ...DAMAGE_OPTIONS, recovery: "strict", runtime: this.#ground.start() } as const;
    const wal = await Wal.open(this.#ground.directory, options);
    try {
      const found: Entry[] = [];
      const error = await gather(wal.readable(), found);
      if (error !== null) throw error;
      if (last !== null) {
        const appended = found.pop();
        assertEquals([appended?.lsn, appended?.text(), wal.recovery.end], [lastLsn, last, "clean"]);
      }
      assertEntries(found, lsns, this.#original);
      assertEquals([wal.recovery.damage, wal.lastLsn], [[], lastLsn]);
    } finally {
      await wal.close();
    }
  }

  /** The log is cut behind all that is damaged, so that files go: the damage does not. */
  async cutAway(mode: RecoveryMode): Promise<void> {
    if (outcomeIn(mode, this.expected).refusal !== null) return;
    const { runtime } = await this.#start();
    const wal = await Wal.open(this.#ground.directory, { ...DAMAGE_OPTIONS, recovery: mode, runtime });
    this.#isLaid = false;
    try {
      await wal.truncateBefore(await wal.commit("afterwards"));
    } finally {
      await wal.close();
    }
    const flawed = new Set(this.expected.flaws.map(({ segment }) => segment));
    const files = new Map([...this.#damaged.files].filter(([name]) => flawed.has(name)));
    assertNothingLost(await this.#ground.look(), this.#original, { ...this.#damaged, files }, this.expected.flaws);
  }

  // -- repairing

  /** What a dry run tells is what a repair does; afterwards it is sound. */
  async repair(mode: RecoveryMode): Promise<void> {
    const { dryRun: _, ...told } = await this.#dryRun(mode);
    const { runtime, before } = await this.#start();
    this.#isLaid = false;
    const { dryRun: __, ...done } = await Wal.repair(this.#ground.directory, { mode, runtime });
    assertEquals(done, told);
    assertModest(runtime);
    const after = await this.#ground.look();
    const { flaws } = this.expected;
    const outcome = outcomeIn(mode, this.expected);
    // It looks at all of the log, whatever the mode.
    const refusal = mode === "tolerate-tail" ? flaws.find(({ kind }) => kind === "corrupt") ?? null : outcome.refusal;
    assertEquals(done.outcome, refusal !== null ? "refused" : flaws.length === 0 ? "clean" : "mended");
    if (refusal !== null) {
      assertStringIncludes(done.refusal ?? "", refusal.segment);
      return assertRefused(after, before);
    }
    assertNothingLost(after, this.#original, this.#damaged, flaws);
    await this.#assertSound(outcome.shown, done.lastLsn, null);
  }
}

function assertModest({ largestReadBytes }: Watched): void {
  assertLess(largestReadBytes, MOST_READ_BYTES);
}

/** All that can be read, and what stopped it. */
async function gather(entries: AsyncIterable<Entry>, found: Entry[]): Promise<unknown> {
  try {
    for await (const entry of entries) found.push(entry);
    return null;
  } catch (error) {
    return error;
  }
}
