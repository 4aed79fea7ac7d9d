// What a log costs: the system calls that strace sees, on the runtime that runs this. The numbers are promises; whoever
// changes one has changed what a commit costs, or what it is worth.

import { assert, assertEquals, assertGreater } from "@std/assert";
import { test } from "node:test";
import { type LogSteps, traceLogs } from "./support/log_calls.ts";
import { currentRuntime } from "./support/processes.ts";
import { inSandbox } from "./support/sandbox.ts";
import { cannotTrace } from "./support/system_calls.ts";

const flush = ["write segment: entries", "sync segment"];
/** A spare, prepared before, becomes a segment. */
const birth = ["write spare: header", "sync spare", "rename spare", "sync directory"];
/** The mark is written when a sync has returned after all that it vouches for. */
const end = [
  "sync segment",
  "write segment: mark",
  "sync segment",
  "write lock: mark",
  "sync lock",
  "write lock: nobody",
];
const lock = ["create lock", "write lock: owner"];

let traced: Promise<LogSteps> | null = null;

function steps(): Promise<LogSteps> {
  traced ??= inSandbox((sandbox) => traceLogs(currentRuntime, "traced_program", sandbox));
  return traced;
}

/** The calls of a step to its own log, but for the preparation of spares: that is done in the background, at any moment. */
async function callsOf(name: string): Promise<string[]> {
  const calls = (await steps()).get(name);
  assert(calls !== undefined, `there is no step ${name}`);
  const inUse = new Set<string>();
  const counted = calls.filter(({ what, log, file }) => {
    if (log !== name.split(":")[0]) return false;
    if (what === "write spare: header") inUse.add(file);
    return !/^(create|write|sync|unlink) spare/.test(what) || inUse.has(file);
  });
  return counted.map(({ what }) => what);
}

for (const io of ["pool", "blocking"]) {
  test(`${io}: opening an empty directory makes the lock, and syncs the directory and the one above`, {
    skip: cannotTrace,
  }, async () => {
    assertEquals(await callsOf(`${io}: open`), [...lock, "sync parent", "sync directory"]);
  });

  test(`${io}: the first commit syncs the header before the rename, and the directory before the first frame`, {
    skip: cannotTrace,
  }, async () => {
    assertEquals(await callsOf(`${io}: first commit`), [...birth, ...flush]);
  });

  test(`${io}: each flush is one write and one fdatasync`, { skip: cannotTrace }, async () => {
    assertEquals(await callsOf(`${io}: three commits`), [...flush, ...flush, ...flush]);
    assertEquals(await callsOf(`${io}: batch`), ["write segment: batch", "sync segment"]);
  });

  test(`${io}: a thousand concurrent commits are one write and one fdatasync`, { skip: cannotTrace }, async () => {
    assertEquals(await callsOf(`${io}: thousand commits`), flush);
  });

  test(`${io}: a rotation syncs the old segment before its successor has a name`, { skip: cannotTrace }, async () => {
    assertEquals(await callsOf(`${io}: rotation`), ["write segment: footer", "sync segment", ...birth, ...flush]);
  });

  test(`${io}: nothing is synced twice, and closing marks the end`, { skip: cannotTrace }, async () => {
    assertEquals(await callsOf(`${io}: flush`), []);
    assertEquals(await callsOf(`${io}: close`), end);
  });
}

test("a thousand concurrent commits in one window are one write and one fdatasync", { skip: cannotTrace }, async () => {
  assertEquals(await callsOf("window: thousand commits"), flush);
});

test(
  'at durability "write" nothing is synced but what rotation, flush and close ask for',
  { skip: cannotTrace },
  async () => {
    const write = "write segment: entries";
    assertEquals(await callsOf("write: open"), [...lock, "sync parent", "sync directory"]);
    assertEquals(await callsOf("write: first commit"), [...birth, write]);
    assertEquals(await callsOf("write: three commits"), [write, write, write]);
    assertEquals(await callsOf("write: thousand commits"), [write]);
    assertEquals(await callsOf("write: batch"), ["write segment: batch"]);
    assertEquals(await callsOf("write: rotation"), ["write segment: footer", "sync segment", ...birth, write]);
    assertEquals(await callsOf("write: flush"), ["sync segment"]);
    assertEquals(await callsOf("write: close"), end);
  },
);

test('at durability "none" it is the same, until somebody asks for more', { skip: cannotTrace }, async () => {
  const write = "write segment: entries";
  assertEquals(await callsOf("none: three commits"), [write, write, write]);
  assertEquals(await callsOf("none: stronger"), ["sync segment"]);
  assertEquals(await callsOf("none: close"), end);
});

test("an idle log writes one empty frame and syncs nothing for it", { skip: cannotTrace }, async () => {
  assertEquals(await callsOf("idle: one commit"), [...birth, ...flush, "write segment: idle"]);
  assertEquals(await callsOf("idle: close"), end);
});

test("opening a closed log syncs its end, and writes only the mark again, which nothing vouches for", {
  skip: cannotTrace,
}, async () => {
  const opened = [...lock, "sync directory", "sync segment", "write segment: mark", "sync segment"];
  assertEquals(await callsOf("pool: open again"), opened);
  assertEquals(await callsOf("pool: look"), [...opened, "write lock: nobody"]);
});

test(
  "before anything is written behind a mark, it is overwritten and that is synced",
  { skip: cannotTrace },
  async () => {
    const unmark = ["write segment: idle", "sync segment"];
    assertEquals(await callsOf("pool: first commit behind a mark"), [...unmark, ...flush]);
    assertEquals(await callsOf("pool: close again"), end);
  },
);

test("opening after a crash writes again, in one write, what nothing vouches for, and syncs it", {
  skip: cannotTrace,
}, async () => {
  // It begins with the idle frame that had taken the mark's place.
  const again = ["write segment: idle", "sync segment"];
  assertEquals(await callsOf("crashed: open"), [...lock, "sync directory", "sync segment", ...again]);
});

test(
  "the first commit after a crash begins a segment, and leaves the old one as it is",
  { skip: cannotTrace },
  async () => {
    assertEquals(await callsOf("crashed: first commit"), ["sync segment", ...birth, ...flush]);
    assertEquals(await callsOf("crashed: close"), end);
  },
);

test("torn bytes are copied and synced, in a synced directory, before their file is freed", {
  skip: cannotTrace,
}, async () => {
  assertEquals(await callsOf("freed: first commit"), ["sync segment", ...birth, ...flush]);
  const calls = await callsOf("freed: open and close again");
  const copied = ["create torn", "write torn: entries", "sync torn", "sync directory"];
  assertEquals(
    calls.filter((what) => / (torn|directory)|^(rename|unlink)/.test(what)),
    ["sync directory", ...copied, "rename segment", "sync directory"],
  );
});

test("a spare is made, filled with zeros and synced before it is used", { skip: cannotTrace }, async () => {
  const spares = new Map<string, string[]>();
  for (const { what, log, file } of [...(await steps()).values()].flat()) {
    const name = `${log} ${file}`;
    if (file.startsWith("spare-")) spares.set(name, [...spares.get(name) ?? [], what]);
  }
  const prepared = ["create spare", "write spare: zeros", "sync spare"];
  const used = ["write spare: header", "sync spare", "rename spare"];
  // What the copy of a log has, was made by another.
  const own = [...spares].filter(([name]) => !/^(crashed|freed)/.test(name));
  for (const [name, calls] of own) {
    assertEquals(calls, calls.length === prepared.length ? prepared : [...prepared, ...used], name);
  }
  assertGreater(own.length, 6);
});

test("no write to a segment runs while it is being synced", { skip: cannotTrace }, async () => {
  const calls = [...(await steps()).values()].flat().filter(({ what }) => /^(write|sync) segment/.test(what));
  for (const sync of calls.filter(({ what }) => what.startsWith("sync"))) {
    const during = calls.filter((call) => call !== sync && call.began < sync.returned && call.returned > sync.began);
    assertEquals(during, []);
  }
});

test(
  "in the pool's mode frames go into the page cache by the thread that asks, and everything that may take long does not",
  {
    skip: cannotTrace,
  },
  async () => {
    for (const [name, calls] of await steps()) {
      const onMainThread = calls.filter((call) => call.isOnMainThread).map(({ what }) => what);
      if (name === "blocking: three commits") assertGreater(onMainThread.filter((what) => /sync/.test(what)).length, 0);
      if (/^(blocking|outside)/.test(name)) continue;
      for (const what of onMainThread) assert(/^write segment: (entries|batch)$/.test(what), `${name}: ${what}`);
    }
  },
);
