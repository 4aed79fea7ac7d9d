/**
 * A story of a log that is stopped before every sync that it makes, or ends, and what a power loss may leave of each.
 */

import type { WalOptions } from "../../mod.ts";
import { LogFixture, unheard } from "./log_fixture.ts";

/** A log up to where the story begins, and the story. */
export interface Story {
  /** What the log is opened with, before the power goes and after. */
  readonly options: WalOptions;
  readonly begin: (log: LogFixture) => Promise<unknown>;
  readonly goOn: (log: LogFixture) => Promise<unknown>;
}

/** Looks at what a power loss left: the fixture is that of the next process. */
export type Check = (log: LogFixture) => Promise<void>;

async function begun({ options, begin }: Story): Promise<LogFixture> {
  const log = new LogFixture(options);
  await log.open();
  await begin(log);
  return log;
}

/** The numbers of the calls of the story that sync a file or a directory. */
async function syncsOf(story: Story): Promise<number[]> {
  const log = await begun(story);
  const before = log.runtime.calls;
  await story.goOn(log);
  const syncs = log.faults.calls.filter(({ name }) => name === "syncData" || name === "syncDirectory");
  return syncs.map(({ number }) => number).filter((number) => number > before);
}

/**
 * Stops the story before every sync that it makes, and lets it come to its end, and then lets the power go, in as many ways as
 * there are `seeds`; calls `check` for each of them. Resolves to the number of syncs.
 */
export async function stopBeforeEverySync(story: Story, seeds: number, check: Check): Promise<number> {
  const syncs = await syncsOf(story);
  for (const at of [...syncs, Infinity]) {
    const log = await begun(story);
    log.faults.stopAt(at);
    const ended = story.goOn(log);
    unheard(ended);
    await Promise.race([log.runtime.stopped, ended]);
    for (let seed = 1; seed <= seeds; seed++) {
      try {
        await check(new LogFixture(story.options, log.disk.powerLoss({ keep: "any", seed })));
      } catch (error) {
        const told = error instanceof Error ? error.message : String(error);
        const where = at === Infinity ? "at the end" : `stopped before call ${at}`;
        throw new Error(`${where}, seed ${seed}: ${told}`, { cause: error });
      }
    }
  }
  return syncs.length;
}
