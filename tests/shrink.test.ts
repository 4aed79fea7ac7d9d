// A history that breaks a promise is told so that a person can find out why: small, as source, with all that happens in it.

import { assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { test } from "node:test";
import { exploreCrashes, exploreFailures } from "./support/explorer.ts";
import { type History, randomHistory } from "./support/histories.ts";
import { nothingSoaked } from "./support/history_run.ts";
import { literalOf } from "./support/literal.ts";
import { kindOfFailure, shrink } from "./support/shrink.ts";
import { BrokenHistory, soakOne } from "./support/soak.ts";
import { Trace } from "./support/trace.ts";

/** Seeds whose histories have a long commit and an EIO in one of their lives. */
function isBroken({ lives }: History): boolean {
  return lives.some(({ steps, mishaps }) =>
    steps.some((step) => "commit" in step && step.commit.some((length) => length >= 100)) &&
    mishaps.some(({ fault }) => fault.code === "EIO")
  );
}

test("a history is made as small as it can be while it still breaks the same promise", async () => {
  const seeds = Array.from({ length: 200 }, (_, seed) => seed).filter((seed) => isBroken(randomHistory(seed)));
  for (const seed of seeds.slice(0, 5)) {
    const failureOf = (history: History): Promise<string | null> => Promise.resolve(isBroken(history) ? "lost" : null);
    const { history, tries } = await shrink(randomHistory(seed), failureOf, 60_000);
    assertEquals(history.lives.length, 1);
    const [life] = history.lives;
    assertEquals(life?.steps, [{ commit: [100] }]);
    assertEquals(life?.mishaps.map(({ fault }) => fault), [{ code: "EIO" }]);
    assertEquals([life?.arrivals, life?.options, life?.misread, life?.isWatched], [[], {}, null, false]);
    assertLess(tries, 3000);
  }
});

test("another promise that is broken on the way is no reason to go on", async () => {
  const history = randomHistory(3);
  const failureOf = (candidate: History): Promise<string> =>
    Promise.resolve(candidate.lives.length === history.lives.length ? "lost" : "a hole");
  const { history: small } = await shrink(history, failureOf, 10_000);
  assertEquals(small.lives.length, history.lives.length);
});

test("violations are of one kind whatever their numbers are", () => {
  assertEquals(kindOfFailure(new Error("lost 4, acknowledged at write")), "lost N, acknowledged at write");
  assertEquals(kindOfFailure(new Error("7 was never written: <12><12><1")), "N was never written: <N><N");
  assertEquals(kindOfFailure("call 4, write a: failed; call 5, write a: failed"), "call N, write a: failed");
});

test("a history that breaks a promise is told with its seed, as source, and with all that happens in it", async () => {
  const history = randomHistory(7);
  const [life] = history.lives;
  if (life === undefined) throw new Error("a history has a life");
  // Options that contradict each other are refused, and nothing that befell the disk explains that.
  const refused = { ...life, mishaps: [], options: { maxEntries: 1, windowMs: 5 } };
  const failing: History = { ...history, lives: [refused, ...history.lives.slice(1)] };
  const error = await assertRejects(() => soakOne(failing, nothingSoaked(), null, () => 5000), BrokenHistory);
  assertMatch(error.kind, /^nothing had gone wrong, and yet: windowMs N contradicts maxEntries N/);
  assertMatch(error.message, /^seed 7: nothing had gone wrong/);
  assertMatch(error.message, /npm run soak -- --seed 7,.*\n {2}WALSTREAM_SEED=7 npm test -- --on /);
  assertMatch(error.message, /await HistoryRun\.run\(\{\n {2}seed: 7,\n/);
  assertMatch(error.message, /options: \{ maxEntries: 1, windowMs: 5 \},\n\s+steps: \[\],/);
  assertMatch(error.message, /roomBytes: Infinity,/);
  assertMatch(error.message, /What happens in it:\n-- life 1\n.*contradicts maxEntries/);
});

test("a workload that breaks a promise is told with the call, what was left, and all that happens up to there", async () => {
  const steps = [{ commit: [5] }, { restart: true }] as const;
  const refused = { name: "refused", options: { maxEntries: 1, windowMs: 5 }, steps };
  for (const explore of [exploreCrashes, (workload: typeof refused) => exploreFailures(workload, "EIO")]) {
    const { message } = await assertRejects(() => explore(refused), Error);
    assertMatch(message, /^refused: nothing goes wrong: nothing had gone wrong, and yet: windowMs 5 contradicts/);
  }
});

test("a trace keeps the last lines, and forgets what went well", () => {
  const trace = new Trace();
  trace.say("first");
  const length = trace.length;
  trace.call(
    { number: 7, name: "write", path: "/data/wal/lock", to: null, position: 512, length: 20, blocking: true },
    { code: "EIO", doneBytes: 4 },
  );
  assertEquals(trace.text, "first\n  7 write lock at 512, 20 bytes, blocking → EIO (a write after 4 bytes)");
  trace.cut(length);
  assertEquals(trace.text, "first");
  for (let nth = 1; nth <= 1000; nth++) trace.say(`line ${nth}`);
  const lines = trace.text.split("\n");
  assertEquals([lines[0], lines.length, lines.at(-1)], ["… 801 lines before", 201, "line 1000"]);
});

test("data is told as source", () => {
  const value = { name: 'a "b"', least: -Infinity, list: [1, [], { "x-y": null }], missing: undefined, is: true };
  assertEquals(literalOf(value), '{ name: "a \\"b\\"", least: -Infinity, list: [1, [], { "x-y": null }], is: true }');
  const long = { first: "x".repeat(60), second: "y".repeat(60) };
  assertEquals(literalOf(long), `{\n  first: "${"x".repeat(60)}",\n  second: "${"y".repeat(60)}",\n}`);
});
