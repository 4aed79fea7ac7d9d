// An older copy of a log is put back under somebody who reads it elsewhere: he has shown what is not in it any more.

import { assertEquals, assertRejects } from "@std/assert";
import { crc32 } from "node:zlib";
import { test } from "node:test";
import { WalRewoundError } from "../mod.ts";
import { OutsideReader } from "../src/outside_reader.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import { EVEN, evenText, frameAt, openEvenLog } from "./support/even_log.ts";
import { DIRECTORY, type LogFixture, openLog, pathOf, quiet } from "./support/log_fixture.ts";

/** Somebody who reads the log elsewhere. */
class Elsewhere {
  readonly #reader: OutsideReader;

  constructor({ disk }: LogFixture) {
    this.#reader = new OutsideReader(
      { runtime: new MemoryRuntime({ disk, crc32 }), directory: DIRECTORY, crc32 },
      null,
    );
  }

  /** The LSNs that it shows now, up to this one at the most. */
  async read(toLsn: number = Infinity): Promise<readonly number[]> {
    const lsns: number[] = [];
    for await (const entries of this.#reader.turn(toLsn)) lsns.push(...entries.map(({ lsn }) => lsn));
    return lsns;
  }
}

/** Commits entries as long as all are, up to this LSN; in another hand, if it is another history. */
async function goOn(log: LogFixture, lastLsn: number, hand = "."): Promise<void> {
  while (log.wal.lastLsn < lastLsn) await log.commit(evenText(log.wal.lastLsn + 1).replaceAll(".", hand));
}

function copyOf(log: LogFixture): Map<string, Uint8Array> {
  return new Map(log.names().map((name) => [name, log.file(name)]));
}

function putBack(log: LogFixture, copy: ReadonlyMap<string, Uint8Array>): void {
  for (const name of log.names()) log.disk.remove(pathOf(name));
  for (const [name, bytes] of copy) log.plant(name, bytes);
}

test("a log that was killed is put back and written anew, each file as long as before: the second one bears another salt", async () => {
  const log = await openEvenLog(1);
  log.kill();
  const copy = copyOf(log);
  await log.open(); // goes on in a second file, behind an end that was not clean
  await goOn(log, 3);
  await log.wal.close();
  const elsewhere = new Elsewhere(log);
  assertEquals(await elsewhere.read(), [1, 2, 3]);
  putBack(log, copy);
  await log.open();
  await goOn(log, 4, "!");
  await assertRejects(() => elsewhere.read(), WalRewoundError);
});

// A log that was closed goes on in the same file, under the same salt. Four entries fill one.
for (const [place, shown] of [["in the middle of that file", [1, 2, 3]], ["at the end of it", [1, 2, 3, 4]]] as const) {
  for (const [what, lastLsn] of [["not gone on with", 1], ["written as far", 4], ["written further", 9]] as const) {
    test(`a log that was closed is put back, and ${what}: who stands ${place} is told`, async () => {
      const log = await openEvenLog(1);
      await log.wal.close();
      const copy = copyOf(log);
      await log.open();
      await goOn(log, 9);
      const elsewhere = new Elsewhere(log);
      assertEquals(await elsewhere.read(shown.length), shown);
      await log.wal.close();
      putBack(log, copy);
      await log.open();
      await goOn(log, lastLsn, "!");
      await assertRejects(() => elsewhere.read(), WalRewoundError);
    });
  }
}

test("another log is put there that was cut just where the reader stands: he is told", async () => {
  const log = await openEvenLog(9);
  const elsewhere = new Elsewhere(log);
  assertEquals(await elsewhere.read(4), [1, 2, 3, 4]);
  const other = await openLog(EVEN, { seed: 7 });
  await goOn(other, 9);
  await other.wal.truncateBefore(5);
  await quiet();
  putBack(log, copyOf(other));
  await assertRejects(() => elsewhere.read(), WalRewoundError);
});

for (
  const [place, file, shown, rest] of [
    ["in the middle of a file", 0, [1, 2, 3], [4, 5, 6, 7]],
    ["at the end of a file", 0, [1, 2, 3, 4], [5, 6, 7]],
    ["in the last file", 1, [1, 2, 3, 4, 5, 6], [7]],
  ] as const
) {
  test(`the last that was read is damaged since: who stands behind it, ${place}, reads on`, async () => {
    const log = await openEvenLog(7);
    const elsewhere = new Elsewhere(log);
    assertEquals(await elsewhere.read(shown.length), shown);
    log.disk.flipBit(pathOf(log.segments()[file] ?? ""), frameAt(shown.length - 4 * file), 3);
    await goOn(log, 8);
    assertEquals(await elsewhere.read(), rest);
    await goOn(log, 9);
    assertEquals(await elsewhere.read(), [8]);
  });
}
