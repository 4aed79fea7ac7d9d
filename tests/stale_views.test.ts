// What somebody elsewhere sees who looks at a file while it changes under his eyes.

import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { HEADER_BYTES } from "../src/format.ts";
import { OutsideReader } from "../src/outside_reader.ts";
import { type MemoryCall, type MemoryDisk, MemoryRuntime } from "../src/runtime/memory.ts";
import { openEvenLog } from "./support/even_log.ts";
import { DIRECTORY, openLogWith, outcomeOf, pathOf } from "./support/log_fixture.ts";

/** What a reader elsewhere is shown when `change` happens just after the frames of a file were read for the `nth` time. */
async function shownThough(disk: MemoryDisk, name: string, nth: number, change: () => void): Promise<string[]> {
  let reads = 0;
  const onReturn = (call: MemoryCall): void => {
    if (call.name !== "read" || call.path !== pathOf(name) || call.position < HEADER_BYTES) return;
    if (++reads === nth) change();
  };
  const runtime = new MemoryRuntime({ disk, crc32, onReturn });
  const reader = new OutsideReader({ runtime, directory: DIRECTORY, crc32 }, null);
  const shown: string[] = [];
  for await (const entries of reader.turn(Infinity)) {
    shown.push(...entries.map((entry) => `${entry.lsn} ${entry.text().slice(0, 10)}`));
  }
  return shown;
}

test("a file that begins another life while a voucher is looked for shows nothing of the one before", async () => {
  const shown = async (nth: number): Promise<string[]> => {
    const log = await openEvenLog(3);
    const name = log.lastSegment();
    // The header of a file that is used again is overwritten first.
    return await shownThough(log.disk, name, nth, () => log.changeHeader(name, { salt: "00112233aabbccdd" }));
  };
  assertEquals(await shown(0), ["1 1.........", "2 2........."]);
  assertEquals(await shown(1), [], "while it is looked for where the log begins");
  assertEquals(await shown(2), [], "while a voucher is looked for");
});

test("what a full disk cuts back while a voucher is looked for is not shown, though what came in its place is vouched for", async () => {
  const log = await openLogWith("kept", { segmentBytes: 0 });
  const name = log.lastSegment();
  let halfWritten = new Uint8Array(0);
  log.faults.shortWrite(1, 4000, "ENOSPC", { path: /\.wal$/ }).onEvery((call) => {
    if (call.name === "truncate") halfWritten = log.file(name);
    return undefined;
  });
  const rejected = [log.wal.commitBatch(["rejected"]), log.wal.commitBatch(["r".repeat(3_000_000)])];
  assertEquals((await Promise.all(rejected.map(outcomeOf))).map(({ state }) => state), ["rejected", "rejected"]);
  await log.advance(200);
  await log.commit("instead");
  await log.commit("behind it");
  const afterwards = log.file(name);
  const shown = async (nth: number): Promise<string[]> => {
    const disk = log.disk.kill();
    disk.write(pathOf(name), halfWritten);
    return await shownThough(disk, name, nth, () => disk.write(pathOf(name), afterwards));
  };
  for (const nth of [1, 2, 3]) assertEquals(await shown(nth), ["1 kept", "4 instead"], `after the ${nth}. reading`);
});

test("files that are cut away between the listing and the opening of them are no damage: what is left is shown", async () => {
  const log = await openEvenLog(10);
  const disk = log.disk.kill();
  const [first = "", second = "", last = ""] = log.segments();
  await log.wal.truncateBefore(10);
  await log.commit("11");
  await log.commit("12");
  const afterwards = log.file(last);
  const shown = await shownThough(disk, last, 1, () => {
    for (const name of [first, second]) disk.remove(pathOf(name));
    disk.write(pathOf(last), afterwards);
  });
  assertEquals(shown, ["10 10........", "11 11"]);
});
