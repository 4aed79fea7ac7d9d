// Who waits for room stands in line, and nobody passes: not even one who comes in the very moment in which there is room.

import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { Wal } from "../mod.ts";
import { MemoryRuntime } from "../src/runtime/memory.ts";
import { openLog } from "./support/log_fixture.ts";

const MOST_TURNS = 40;
const LEAST_BYTES = 100;

/** Calls `commit` when so many microtasks have run. */
async function commitAt(turns: number, commit: () => void): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await null;
  commit();
}

/** Two commits that come while a flush of a full buffer is under way; their LSNs in the order in which they were called. */
async function commitDuringFlush(io: "pool" | "blocking", firstTurn: number, secondTurn: number): Promise<number[]> {
  const limits = { maxBufferedBytes: LEAST_BYTES, maxBytes: LEAST_BYTES, maxEntryBytes: LEAST_BYTES };
  const runtime = new MemoryRuntime({ seed: 1, crc32 });
  const wal = await Wal.open("/wal", { ...limits, maxBatchBytes: LEAST_BYTES, runtime, io });
  await wal.commit("there is a segment");
  const commits: Promise<number>[] = [];
  // One counts its turns from before the flush, the other from after: so one comes before the flush within a turn.
  const second = commitAt(secondTurn, () => commits.push(wal.commit("second")));
  const flush = wal.commit("x".repeat(60));
  const first = commitAt(firstTurn, () => commits.push(wal.commit("first")));
  await Promise.all([first, second, flush]);
  const lsns = await Promise.all(commits);
  await wal.close();
  return lsns;
}

test("commits get their LSNs in the order of their calls, whatever moment of a flush they come in", async () => {
  for (const io of ["pool", "blocking"] as const) {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      for (const later of [-2, -1, 0, 1, 2]) {
        const lsns = await commitDuringFlush(io, turn, Math.max(0, turn + later));
        assertEquals(lsns, lsns.toSorted((a, b) => a - b), `${io}, turn ${turn} and ${turn + later}`);
      }
    }
  }
});

test("an entry whose getter closes the log while it is let in from the line is in the log, and its commit says so", async () => {
  const log = await openLog({ maxBufferedBytes: 100 });
  const first = log.wal.commit("a".repeat(200));
  let closing: Promise<void> | null = null;
  const closes = {
    get data(): string {
      closing ??= log.wal.close();
      return "b";
    },
  };
  const second = log.wal.commit(closes);
  assertEquals([await first, await second], [1, 2]);
  await closing;
  await log.crashAndReopen();
  assertEquals(log.wal.lastLsn, 2);
});
