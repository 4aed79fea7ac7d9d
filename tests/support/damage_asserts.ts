/**
 * What is asked of whatever was found in a damaged log, or said of it.
 */

import { assert, assertEquals, assertInstanceOf, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import {
  type Entry,
  type RecoveryMode,
  type Wal,
  WalCorruptionError,
  type WalDamage,
  WalFormatError,
  WalVersionError,
} from "../../mod.ts";
import { assertUnchanged, isSame } from "./damage.ts";
import { inWords, type Original } from "./damage_log.ts";
import type { ExpectedFlaw } from "./damage_model.ts";
import type { ExpectedOutcome } from "./damage_outcome.ts";
import { type Damaged, endOf, Remains } from "./damage_remains.ts";
import type { FileState } from "./directories.ts";

type Found = Map<string, FileState>;

/** Where something is wrong. Of what a crash tore, the first LSN may be told as that of frames which bear it. */
export function placeOf({ kind, segment, offset, firstLsn, evidence }: WalDamage | ExpectedFlaw): string {
  return `${kind}: ${segment}, offset ${offset}${kind === "torn" ? "" : `, LSN ${firstLsn}, evidence ${evidence}`}`;
}

/** The error is of the right kind and names the place. */
export function assertRefusal(error: unknown, flaw: ExpectedFlaw, mode: RecoveryMode): void {
  const { finding, segment, offset, firstLsn, isInLast } = flaw;
  const ErrorClass = finding === "future"
    ? WalVersionError
    : finding === "foreign" || finding === "no-segment"
    ? WalFormatError
    : WalCorruptionError;
  assertInstanceOf(error, ErrorClass);
  // Which of the last two is the stranger, only who looks at more of them can say.
  const knowsWhich = mode !== "tolerate-tail" || finding !== "foreign" || !isInLast;
  if (knowsWhich) assertStringIncludes(error.message, segment);
  if (!(error instanceof WalCorruptionError)) return;
  assertStringIncludes(error.message, `segment ${error.segment}, offset ${error.offset}, LSN ${error.lsn}`);
  assertEquals([error.segment, error.offset], [segment, offset]);
  // Who opens or reads it goes by names, and does not ask what has been cut away or torn besides.
  const isByName = mode === "tolerate-tail" && ["damaged", "missing", "vanished"].includes(finding);
  if (isByName) assertLessOrEqual(error.lsn, firstLsn);
  else assertEquals([error.lsn, error.evidence], [firstLsn, flaw.evidence]);
}

/** What opening tells. */
export function assertReport({ recovery }: Wal, expected: ExpectedOutcome): void {
  const { end, firstLsn, told, lastLsn: [least, most] } = expected;
  assertEquals([recovery.end, recovery.firstLsn], [end, firstLsn]);
  assertEquals(recovery.damage.map(placeOf), told.map(placeOf));
  const { lastLsn } = recovery;
  assert(least <= lastLsn && lastLsn <= most, `the last LSN is ${lastLsn}, not ${least} to ${most}`);
}

/** These entries and no others, each as it was written. */
export function assertEntries(found: readonly Entry[], lsns: readonly number[], { texts }: Original): void {
  assertEquals(found.map(({ lsn }) => lsn), [...lsns]);
  let time = 0;
  for (const entry of found) {
    assertEquals(inWords({ kind: entry.kind, data: entry.text() }), texts.get(entry.lsn));
    assertLessOrEqual(time, entry.time, `time goes back at LSN ${entry.lsn}`);
    ({ time } = entry);
  }
}

/** Only the lock file has borne the name of who tried. */
export function assertRefused(after: Found, before: Found): void {
  const withoutLock = (files: Found): Found => new Map([...files].filter(([name]) => name !== "lock"));
  assertUnchanged(withoutLock(after), withoutLock(before));
  assertEquals(lockMarkIn(after), lockMarkIn(before));
}

function lockMarkIn(files: Found): Uint8Array {
  const mark = new Uint8Array(32);
  mark.set(files.get("lock")?.bytes.subarray(0, 32) ?? []);
  return mark;
}

/** Where anything is wrong, every byte of every file is still somewhere; of one that goes, what is from the damage on. */
export function assertNothingLost(
  after: Found,
  original: Original,
  damaged: Damaged,
  flaws: readonly ExpectedFlaw[],
): void {
  if (flaws.length === 0) return;
  for (const [name, bytes] of damaged.files) {
    const frames = original.segments.find((segment) => segment.name === name)?.frames;
    if (!/^\d.*\.wal$/.test(name) || frames?.length === 0) continue; // of an empty one there is nothing to lose
    const isThere = [name, `aside-${name}`, `aside-${name}.2`].some((each) => isEqual(after.get(each)?.bytes, bytes));
    const { offset = 0 } = flaws.find(({ segment }) => segment === name) ?? {};
    const torn = after.get(`torn-${name.slice(0, 10)}-${offset}.bin`)?.bytes ?? new Uint8Array();
    const isLong = torn.length >= tellingBytes(name, offset, original, damaged);
    const isTornThere = isLong && isSame(torn, bytes.subarray(offset), 0, torn.length);
    assert(isThere || isTornThere, `what was in ${name} is lost`);
  }
}

function isEqual(found: Uint8Array | undefined, bytes: Uint8Array): boolean {
  return found !== undefined && found.length === bytes.length && isSame(found, bytes, 0, bytes.length);
}

/** From `offset` of a file to the end of the last frame behind it of which a header is left. */
function tellingBytes(name: string, offset: number, original: Original, damaged: Damaged): number {
  const remains = new Remains(original, damaged);
  const named = remains.chain.find((each) => each.name === name);
  const behind = named === undefined ? [] : remains.headersOf(named).filter((frame) => frame.offset >= offset);
  return behind.length === 0 ? Infinity : endOf(behind) - offset;
}
