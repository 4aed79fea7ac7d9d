// Killed on a disk that is really full: what was acknowledged is there, and the other runtimes find it so, with no byte free.

import { assertEquals, assertGreater } from "@std/assert";
import { statfsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Wal } from "../mod.ts";
import { Checker } from "./support/checker.ts";
import { covered } from "./support/covered.ts";
import { type Crash, crash } from "./support/crash.ts";
import type { CrashLine, CrashPlan } from "./support/crash_program.ts";
import { Ballast } from "./support/ballast.ts";
import { killRuns } from "./support/kills.ts";
import { currentRuntime, runtimeNames } from "./support/processes.ts";
import { cannotMount, inVolume } from "./support/volumes.ts";

const MIB = 1024 * 1024;
const noTmpfs: string | false = cannotMount("tmpfs");

/** So many callers have something rejected, and wait for room then. */
const CALLERS: CrashPlan["callers"] = { plain: 6, mixed: 4 };
const CALLER_COUNT = 10;

/** The moment in which all callers wait for room, for the `nth` time; `then` is called whenever that is so. */
function whenFull(nth: number, then: () => void = () => {}): (line: CrashLine) => boolean {
  const waiting = new Set<number>();
  let times = 0;
  return (line) => {
    if ("acknowledged" in line) waiting.delete(line.caller);
    if ("rejected" in line) waiting.add(line.caller);
    if (waiting.size < CALLER_COUNT) return false;
    waiting.clear();
    then();
    return ++times === nth;
  };
}

/** Whether something was acknowledged after something had been rejected. */
function wentOn({ statements }: Crash): boolean {
  const first = statements.findIndex((statement) => "rejected" in statement);
  return first >= 0 && statements.slice(first).some((statement) => "acknowledged" in statement);
}

const total = { kills: 0, acknowledgements: 0, rejections: 0 };

/** Tells the others of a life that was killed, and has each of them read and open what it has left. */
async function look(checkers: readonly Checker[], killed: Crash): Promise<void> {
  total.kills++;
  total.rejections += killed.statements.filter((statement) => "rejected" in statement).length;
  const { life, statements } = killed;
  for (const checker of checkers) await checker.ask({ hear: { life, statements } });
  for (const checker of checkers) {
    await checker.ask({ read: true });
    await checker.ask({ open: null });
  }
}

for (const [kind, sizeBytes] of [["tmpfs", 4 * MIB], ["ext4", 9 * MIB]] as const) {
  test(`${kind}: killed when it is full, and full from the beginning, and while it goes on when there is room again`, {
    skip: cannotMount(kind),
  }, () =>
    inVolume(kind, sizeBytes, async ({ path }) => {
      const directory = join(path, "wal");
      const checkers = runtimeNames.filter((name) => name !== currentRuntime).map((name) =>
        new Checker(name, directory)
      );
      const first = new Ballast(path, "first");
      const second = new Ballast(path, "second");
      const rest = new Ballast(path, "rest");
      const options = { segmentBytes: 256 * 1024, idleMs: 1 };
      const live = async (life: number, moment: Parameters<typeof crash>[3]): Promise<Crash> => {
        const killed = await crash(currentRuntime, directory, { life, callers: CALLERS, options }, moment);
        await look(checkers, killed);
        return killed;
      };
      try {
        first.fill(MIB);
        second.fill(MIB);
        let times = 0;
        const roomAtFirst = whenFull(2, () => ++times === 1 && first.remove());
        assertEquals(wentOn(await live(1, roomAtFirst)), true, "it went on by itself when there was room");
        rest.fill();
        assertEquals(statfsSync(path).bavail, 0);
        const full = await live(2, whenFull(1));
        assertEquals(wentOn(full), false);
        // Killed while it opens the log, with no byte free.
        await live(3, 0);
        second.remove();
        let acknowledged = 0;
        await live(4, (line) => "acknowledged" in line && ++acknowledged === 100);
        total.acknowledgements += Math.max(...checkers.map(({ checked }) => checked));
        const wal = await Wal.open(directory);
        assertGreater((await wal.truncateBefore(wal.lastLsn)).freedSegments, 5);
        await wal.close();
      } finally {
        await Promise.all(checkers.map((checker) => checker.end()));
      }
    }));
}

test("tmpfs: killed at random moments while there is more room, and less, and none", { skip: noTmpfs }, async () => {
  const tally = await killRuns({ writer: currentRuntime, kills: 8, seed: 3, volume: "tmpfs" });
  assertEquals(tally.kills, 8);
  total.kills += tally.kills;
  total.acknowledgements += tally.acknowledgements;
  total.rejections += tally.rejections;
});

test("what was looked at after kills on full disks", { skip: noTmpfs }, () => {
  const { kills, acknowledgements, rejections } = total;
  assertGreater(acknowledgements, 100);
  covered({ kills, acknowledgementsChecked: acknowledgements, rejectionsOnFullDisks: rejections });
});
