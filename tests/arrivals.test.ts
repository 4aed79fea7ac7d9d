// Entries that arrive while a flush is under way, at each moment at which anything else can run, are written and synced:
// none is lost with the buffer that is being written, and none waits for a wake-up that never comes.

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import type { IoMode, WalOptions } from "../mod.ts";
import { afterMicrotasks, LogFixture, quiet, soon } from "./support/log_fixture.ts";

/** A story during which something arrives. All its calls to the disk are moments of arrival. */
interface Story {
  readonly name: string;
  readonly options: WalOptions;
  /** What has to be there before. */
  readonly before?: (log: LogFixture) => Promise<unknown>;
  readonly story: (log: LogFixture) => Promise<unknown>;
}

const segmentBytes = 16 * 1024; // small files are made quickly

const STORIES: readonly Story[] = [
  {
    name: "the first flush, which makes the first segment",
    options: { segmentBytes },
    story: (log) => log.commit("a", "b"),
  },
  {
    name: "a flush",
    options: { segmentBytes },
    before: (log) => log.commit("first"),
    story: (log) => log.commit("a", "b"),
  },
  {
    name: "a rotation by size",
    options: { segmentBytes },
    before: (log) => log.commit("x".repeat(3500)),
    story: (log) => log.commit("a".repeat(1000), "b".repeat(6000)),
  },
  {
    name: "a flush that spans two segments",
    options: { segmentBytes, preset: "sync" },
    before: (log) => log.commit("x".repeat(2000)),
    story: (log) => log.commit("a".repeat(1500), "b".repeat(1500), "c".repeat(1500)),
  },
  {
    name: "the taking away of a mark",
    options: { segmentBytes },
    before: async (log) => {
      await log.commit("first");
      await log.reopen();
    },
    story: (log) => log.commit("a"),
  },
  {
    name: "the first flush after a crash",
    options: { segmentBytes },
    before: async (log) => {
      await log.commit("first");
      await log.crashAndReopen();
    },
    story: (log) => log.commit("a"),
  },
  {
    name: "a flush that waits for zeros, which take long",
    options: {},
    before: (log) => log.commit("x".repeat(700_000)),
    story: async (log) => {
      log.faults.slow("write", 3, { blocking: false });
      const commits = Promise.all([log.commit("a"), log.commit("b".repeat(400_000))]);
      await log.advance(50);
      await commits;
    },
  },
  {
    name: "a sync of what was written before",
    options: { segmentBytes, durability: "write" },
    before: (log) => log.commit("first"),
    story: async (log) => {
      log.wal.append("a");
      await quiet();
      await log.wal.flush();
    },
  },
  {
    name: "a write that waits for others to make room",
    options: { segmentBytes, maxBufferedBytes: 300 },
    before: (log) => log.commit("first"),
    story: (log) => log.commit("a".repeat(400), "b".repeat(400), "c".repeat(400)),
  },
];

/** Tells the story in a new log and lets `arrive` run at one moment of it; then everything must be there after a crash. */
async function tell(
  { options, before, story }: Story,
  io: IoMode,
  arm: (log: LogFixture, arrive: () => void) => void,
): Promise<{ calls: number; arrivals: number }> {
  const log = new LogFixture({ ...options, io, idleMs: 3_600_000 }); // no idle frame wakes what nobody else has woken
  await log.open();
  await before?.(log);
  await quiet();
  const from = log.runtime.calls;
  const accepted: string[] = [];
  const arrivals: Promise<unknown>[] = [];
  const arrive = (): void => {
    const text = `arrived ${arrivals.length}`;
    arrivals.push(log.wal.commit(text).then((lsn) => accepted.push(`${lsn} ${text}`)));
  };
  arm(log, arrive);
  await story(log);
  await log.advance(50); // slow writes
  await soon(Promise.all(arrivals));
  await soon(log.wal.flush());
  const calls = log.runtime.calls - from;
  await log.crashAndReopen();
  const found = new Set(await log.readAll());
  assertEquals(accepted.filter((entry) => !found.has(entry)), []);
  assertEquals(found.size, log.wal.lastLsn);
  return { calls, arrivals: arrivals.length };
}

for (const story of STORIES) {
  for (const io of ["pool", "blocking"] as const) {
    test(`what arrives at any call of ${story.name} is written (${io})`, async () => {
      const { calls } = await tell(story, io, () => {});
      let arrivals = 0;
      for (let nth = 1; nth <= calls; nth++) {
        for (const isReturn of [false, true]) {
          const told = await tell(story, io, (log, arrive) => {
            let count = 0;
            const meet = (): void => {
              if (++count === nth) arrive();
            };
            if (isReturn) log.onReturn = meet;
            else log.faults.onEvery(() => void meet());
          });
          arrivals += told.arrivals;
        }
      }
      assertEquals(arrivals, 2 * calls);
    });
  }

  test(`what arrives at any microtask of ${story.name}, or after it, is written`, async () => {
    for (const io of ["pool", "blocking"] as const) {
      for (let offset = 0; offset < 48; offset++) {
        await tell(story, io, (log, arrive) => {
          // Each call is a moment from which to count: also the last one, after which the log comes to rest.
          let isArmed = true;
          log.onReturn = ({ name }) => {
            if (!isArmed || name !== "syncData" && offset % 2 === 0) return;
            isArmed = false;
            afterMicrotasks(offset >> 1, arrive);
          };
        });
      }
    }
  });
}

test("what is appended at any microtask after a flush has ended is written by the next one", async () => {
  const log = new LogFixture();
  await log.open();
  await log.commit("first");
  for (let offset = 0; offset < 60; offset++) {
    const ended = log.wal.commit(`a${offset}`);
    const next = ended.then(() =>
      new Promise<number>((resolve, reject) => {
        afterMicrotasks(offset, () => void log.wal.commit(`b${offset}`).then(resolve, reject));
      })
    );
    await soon(next);
  }
  await log.crashAndReopen();
  assertEquals(log.wal.lastLsn, 121);
});

test("with a window, what arrives while one is being written is written when its own is over", async () => {
  for (let offset = 0; offset < 60; offset++) {
    const log = new LogFixture({ windowMs: 10 });
    await log.open();
    log.onReturn = ({ name, path }) => {
      if (name !== "syncData" || !path.endsWith(".wal") || log.wal.lastLsn !== 1) return;
      afterMicrotasks(offset, () => void (log.wal.lastLsn === 1 && log.wal.append("b")));
    };
    log.wal.append("a");
    await log.advance(10);
    await log.advance(10);
    assertEquals([offset, log.wal.lastLsn, log.wal.durableLsn], [offset, 2, 2]);
  }
});
