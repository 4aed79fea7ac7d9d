// The system refuses something while many write: whatever it was and whenever, what was acknowledged is there after it.

import { assertGreater } from "@std/assert";
import { join } from "node:path";
import { test } from "node:test";
import { Wal } from "../mod.ts";
import { Random } from "../src/runtime/random.ts";
import { covered } from "./support/covered.ts";
import { type Crash, crash, untilLine } from "./support/crash.ts";
import { Ledger } from "./support/crash_ledger.ts";
import type { CrashPlan } from "./support/crash_program.ts";
import { cannotInject, type DoneCall, underInjection } from "./support/injection.ts";
import { readAll } from "./support/log_contents.ts";
import { currentRuntime } from "./support/processes.ts";
import { inSandbox } from "./support/sandbox.ts";

/** The nth call of each thread is refused, for good or once; some of them never come. */
const rules: readonly ((nth: number) => string)[] = [
  (nth) => `fdatasync:error=EIO:when=${nth}`,
  (nth) => `fdatasync:error=EIO:when=${nth}+`,
  (nth) => `pwrite64:error=EIO:when=${nth}`,
  (nth) => `pwrite64:error=ENOSPC:when=${nth}`,
  (nth) => `pwrite64:error=ENOSPC:when=${nth}+`,
  () => "fsync:error=EIO",
  () => "rename,renameat,renameat2:error=EIO",
  () => "rename,renameat,renameat2:error=ENOSPC",
  () => "unlink,unlinkat:error=EIO",
  () => "ftruncate:error=EIO",
];
const CALLERS: CrashPlan["callers"] = { plain: 3, mixed: 4, cutter: 1 };
const LOAD_MS = 250;

/** From the first failed write or sync of a file on, frames go there no more, nor is it synced. Zeros were on their way before. */
function checkLeftAlone(calls: readonly DoneCall[]): number {
  const failed = new Set<string>();
  for (const { what, file } of calls) {
    const isUse = /^(write|sync) segment/.test(what) && !what.startsWith("write segment: zeros");
    if (isUse && failed.has(file)) throw new Error(`${what} of ${file}, which had failed: ${JSON.stringify(calls)}`);
    if (isUse && what.endsWith(" EIO")) failed.add(file);
  }
  return calls.filter(({ what }) => / (EIO|ENOSPC)$/.test(what)).length;
}

test(
  "what the system refuses at any moment to a busy log loses nothing that was acknowledged",
  { skip: cannotInject },
  () =>
    inSandbox(async (sandbox) => {
      const random = new Random(1);
      const directory = join(sandbox, "wal");
      const ledger = new Ledger();
      let [refused, failures] = [0, 0];
      for (const [nth, rule] of rules.entries()) {
        const io = random.pick(["pool", "blocking"] as const);
        const options = { segmentBytes: random.pick([0, 64 * 1024]), idleMs: 1, io };
        const plan: CrashPlan = { life: nth + 1, callers: CALLERS, options, seed: nth };
        let calls: DoneCall[] = [];
        const after: Parameters<typeof crash>[3] = {
          after: async (program) => {
            await untilLine(program, (line) => "acknowledged" in line);
            const isOver = untilLine(program, (line) => "failed" in line).then(() => void failures++);
            const late = new Promise<void>((resolve) => setTimeout(resolve, LOAD_MS));
            const injection = { rules: [rule(random.integer(1, 12))] };
            const place = { directory, traceFile: join(sandbox, `trace${nth}`) };
            const body = (): Promise<void> => Promise.race([isOver, late]);
            ({ calls } = await underInjection(program, injection, place, body));
            isOver.catch(() => {}); // it is killed before it has said any more
          },
        };
        const { life, statements }: Crash = await crash(currentRuntime, directory, plan, after);
        refused += checkLeftAlone(calls);
        ledger.hear(life, statements);
        const wal = await Wal.open(directory);
        ledger.check(await readAll(wal), wal);
        await wal.close();
      }
      // How many it are is chance.
      for (const count of [refused, failures, ledger.checkedCount]) assertGreater(count, 0);
      covered({ injectedFaults: refused, logsThatFailed: failures, acknowledgementsChecked: ledger.checkedCount });
    }),
);
