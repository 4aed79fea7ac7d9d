// A power cut that takes a frame and leaves the one behind it: what stands there must prove nothing that is not so.

import { assertEquals, assertGreater } from "@std/assert";
import { test } from "node:test";
import { EVEN, evenText } from "./support/even_log.ts";
import { type LogFixture, outcomeOf, quiet } from "./support/log_fixture.ts";
import { stopBeforeEverySync } from "./support/stopped_everywhere.ts";

const SEEDS = 40;

/** An entry whose frame ends 56 bytes, a control frame's length, before a sector does: what comes after that begins a sector. */
const beforeLastPlace = "a".repeat(403);

/** Opens, and finds these entries, or more of `then`. */
async function opensWith(log: LogFixture, texts: readonly string[], then: readonly string[] = []): Promise<void> {
  await log.open();
  const found = (await log.readAll()).map((line) => line.replace(/^\d+ /, ""));
  const all = [...texts, ...then];
  assertEquals(found, all.slice(0, Math.max(found.length, texts.length)));
}

test("behind a mark a crash takes one frame and leaves the next: that one never comes back", async () => {
  const syncs = await stopBeforeEverySync(
    {
      options: EVEN,
      begin: async (log) => {
        await log.commit(evenText(1));
        await log.reopen();
      },
      goOn: (log) => Promise.all([2, 3].map((lsn) => log.wal.commitBatch([evenText(lsn)]))),
    },
    SEEDS,
    async (log) => {
      await log.open();
      const found = await log.readAll();
      const [lsn = 0] = await log.commit(evenText(9)); // just where the lost frame was, if it goes behind the mark
      await log.crashAndReopen();
      assertEquals(await log.readAll(), [...found, `${lsn} ${evenText(9)}`]);
    },
  );
  assertGreater(syncs, 1);
});

test("a crash while a log is closed takes its idle frame and leaves the mark behind it: nothing is damaged", async () => {
  const syncs = await stopBeforeEverySync(
    {
      options: EVEN,
      begin: async (log) => {
        await log.commit(beforeLastPlace);
        await log.advance(100);
        await quiet();
      },
      goOn: (log) => log.wal.close(),
    },
    SEEDS,
    (log) => opensWith(log, [beforeLastPlace]),
  );
  assertGreater(syncs, 1);
});

test("a crash while a log is closed takes the skip of what was rejected and leaves the mark behind it", async () => {
  const syncs = await stopBeforeEverySync(
    {
      options: { segmentBytes: 0 },
      begin: async (log) => {
        await log.commit(beforeLastPlace);
        await quiet();
        log.fillDisk();
        assertEquals((await outcomeOf(log.wal.commit("b".repeat(3_000_000)))).state, "rejected");
        log.freeDisk();
      },
      goOn: (log) => log.wal.close(),
    },
    SEEDS,
    (log) => opensWith(log, [beforeLastPlace]),
  );
  assertGreater(syncs, 1);
});
