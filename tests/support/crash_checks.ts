/**
 * What must be true of the entries that are found after a crash.
 */

import { assertEquals } from "@std/assert";
import { type Acknowledgement, entryOf, type ReadEntry, type Submission } from "./crash_entries.ts";

/** Fails unless each entry is genuine, none is missing in between or there twice, and batches are whole. */
export function checkGenuine(entries: readonly ReadEntry[]): Submission[] {
  const found = entries.map(submissionOf);
  const seen = new Set<string>();
  let lifeBefore = 0;
  for (const [nth, submission] of found.entries()) {
    const { life, number, batch: [first, last] } = submission;
    const lsn = nth + 1; // nothing was rejected, so LSNs have no gaps
    const name = `${life} ${number}`;
    assertEquals(seen.has(name), false, `LSN ${lsn} holds what another one holds`);
    assertEquals(life >= lifeBefore, true, `LSN ${lsn} comes from an earlier life than the one before it`);
    const batch = found.slice(nth - (number - first), nth + (last - number) + 1);
    assertEquals(
      batch.map((each) => [each.life, each.number]),
      Array.from({ length: last - first + 1 }, (_, at) => [life, first + at]),
      `LSN ${lsn} belongs to a batch that is not whole`,
    );
    seen.add(name);
    lifeBefore = life;
  }
  return found;
}

function submissionOf(entry: ReadEntry, nth: number): Submission {
  const [life = 0, number = 0, first = 0, last = 0] = entry.text().split(" ", 4).map(Number);
  const submission: Submission = { life, number, batch: [first, last] };
  const read = { lsn: entry.lsn, kind: entry.kind, data: entry.text() };
  assertEquals(read, { lsn: nth + 1, ...entryOf(submission) }, `LSN ${entry.lsn} is not as it was written`);
  return submission;
}

/** Fails unless every acknowledged entry is there, under the LSN that was acknowledged. */
export function checkAcknowledged(
  found: readonly Submission[],
  life: number,
  acknowledgements: readonly Acknowledgement[],
): void {
  for (const { acknowledged, number } of acknowledgements) {
    const { life: foundLife, number: foundNumber } = found[acknowledged - 1] ?? { life: 0, number: 0 };
    assertEquals([foundLife, foundNumber], [life, number], `LSN ${acknowledged} was acknowledged and is not there`);
  }
}
