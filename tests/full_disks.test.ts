// Disks that are really full, to the last byte: a file system in memory, which says so at once, and ext4 on an image, which
// finds a place for what was written only later.

import { assert, assertEquals, assertGreater, assertRejects, assertThrows } from "@std/assert";
import { statfsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { WalDiskFullError } from "../mod.ts";
import { detectRuntime } from "../src/runtime/detect.ts";
import { Ballast } from "./support/ballast.ts";
import { covered } from "./support/covered.ts";
import { FilledLog } from "./support/full_disk.ts";
import { withoutKernelLock } from "./support/without_kernel_lock.ts";
import { cannotMount, inVolume, type VolumeKind } from "./support/volumes.ts";

const MIB = 1024 * 1024;
const kinds: Readonly<Record<VolumeKind, number>> = { tmpfs: 4 * MIB, ext4: 9 * MIB };
const total = { kept: 0, rejected: 0 };

type Body = (log: FilledLog, ballast: Ballast, fillUp: () => void) => Promise<void>;

/** A log on a file system of its own, and a ballast of 1 MiB in there. */
async function onVolume(kind: VolumeKind, body: Body): Promise<void> {
  await inVolume(kind, kinds[kind], async ({ path }) => {
    const ballast = new Ballast(path, "ballast");
    ballast.fill(MIB);
    const log = new FilledLog(join(path, "wal"), { segmentBytes: 256 * 1024 });
    await log.open();
    await body(log, ballast, () => {
      new Ballast(path, "rest").fill();
      assertEquals(statfsSync(path).bavail, 0);
    });
    await log.check();
    total.kept += log.kept.size;
    total.rejected += log.rejected.size;
    await log.close();
  });
}

/** There is room again: the log takes entries until the disk is full once more, and has them all when it is opened anew. */
async function assertGoesOn(log: FilledLog): Promise<void> {
  assertEquals(await log.commit(10_000, 10, 10_000), 0);
  await log.fill();
  await log.check();
  await log.close();
  await log.open();
  await log.check();
  await log.checkOutside();
}

for (const kind of ["tmpfs", "ext4"] as const) {
  const skip = cannotMount(kind);
  const testThere = (name: string, body: Body): void => {
    test(`${kind}, ${name}`, { skip }, () => onVolume(kind, body));
  };

  testThere(
    "filled up by commits: what was acknowledged is there, what was rejected is not, and it goes on",
    async (log, ballast) => {
      await log.fill();
      assertGreater(log.rejected.size, 0);
      assertThrows(() => log.wal.append("x"), WalDiskFullError);
      await log.check();
      await log.checkOutside();
      await log.roomComes(() => ballast.remove());
      await assertGoesOn(log);
    },
  );

  testThere(
    "full to the last byte: a cut works, makes room, and the log goes on in it by itself",
    async (log, _, fillUp) => {
      await log.fill();
      fillUp();
      await log.roomComes(async () => assertGreater(await log.cut(20), 5));
      await assertGoesOn(log);
    },
  );

  testThere(
    "full to the last byte: cuts of which each frees no file work one after the other",
    async (log, _, fillUp) => {
      await log.commit(...Array<number>(60).fill(100));
      await log.commit(2 * MIB);
      fillUp();
      await log.fill();
      for (let count = 50; count > 40; count--) assertEquals(await log.cut(count), 0);
      await log.check();
      await log.close();
      await log.open();
      assertEquals(await log.cut(30), 0);
      await log.checkOutside();
    },
  );

  testThere(
    "full to the last byte: it is closed, opened and read, by a lock of the kernel and by a number",
    async (log, _, fillUp) => {
      const byNumber = withoutKernelLock(await detectRuntime());
      await log.fill();
      fillUp();
      for (const options of [{}, {}, { runtime: byNumber }]) {
        await log.close();
        await log.open(options);
        await log.check();
        await log.checkOutside();
        assertEquals(await log.commit(100_000), 1);
        await assertRejects(() => log.wal.commitBatch(["x".repeat(100_000)]), WalDiskFullError);
      }
      await log.roomComes(async () => assertGreater(await log.cut(5), 5));
      assertEquals(await log.commit(100), 0);
      await log.close();
      await log.open({ runtime: byNumber });
    },
  );
}

test("what was looked at on full disks", { skip: cannotMount("tmpfs") }, () => {
  assert(total.kept > 0 && total.rejected > 0);
  covered({ entriesKeptOnFullDisks: total.kept, entriesRejectedThere: total.rejected });
});
