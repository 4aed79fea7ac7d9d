/**
 * The calls of a log, with arguments that may be anything.
 */

import { Wal } from "../../mod.ts";
import { RECOVERY_MODES } from "../../src/options.ts";
import type { Outcome, Session } from "./fuzz_session.ts";
import { anyEntry, anyOptions, anyValue, goodEntry, type Handed, Mine, untyped } from "./fuzz_values.ts";
import { DIRECTORY } from "./log_fixture.ts";
import { Violation } from "./oracle.ts";

/** One call, or a few that belong together. */
export type Step = (session: Session) => Promise<unknown>;

/** Errors after which an entry is not in the log, and never will be. */
const REFUSALS: readonly unknown[] = [
  "WAL_INPUT",
  "WAL_LIMIT",
  "WAL_OPTIONS",
  "WAL_BUFFER_FULL",
  "WAL_DISK_FULL",
  "WAL_CLOSED",
];

/** Tells the model what became of entries that were handed over together; the last one is at the LSN that was told. */
export function note({ model, wal }: Session, handed: readonly Handed[], outcome: Outcome): void {
  for (const [nth, { key }] of handed.entries()) {
    if ("value" in outcome) {
      const lsn = Number(outcome.value) - (handed.length - 1 - nth);
      model.accepted(key, lsn, wal.syncedLsn >= Number(outcome.value));
    } else if (REFUSALS.includes(outcome.code) || outcome.error instanceof Mine) model.refused(key);
    else model.open(key);
  }
}

/** An LSN, near one that there is or not. */
function anyLsn(session: Session): unknown {
  const { random, wal } = session;
  const near = [wal.firstLsn, wal.lastLsn, wal.syncedLsn].map((lsn) => lsn + random.integer(-1, 1));
  return random.chance(0.75) ? random.pick(near) : anyValue(session);
}

async function append(session: Session): Promise<void> {
  const handed = anyEntry(session, session.tag());
  note(session, [handed], await session.take("append", () => session.wal.append(untyped(handed.input))));
}

function batchOf(session: Session): readonly Handed[] {
  const count = session.random.integer(1, 4);
  const make = session.random.chance(0.8) ? goodEntry : anyEntry;
  return Array.from({ length: count }, () => make(session, session.tag()));
}

async function appendBatch(session: Session): Promise<void> {
  const handed = batchOf(session);
  const call = (): number => session.wal.appendBatch(untyped(handed.map(({ input }) => input)));
  note(session, handed, await session.take("appendBatch", call));
}

async function commit(session: Session): Promise<void> {
  const handed = anyEntry(session, session.tag());
  const call = (): Promise<number> => session.wal.commit(untyped(handed.input));
  note(session, [handed], await session.take("commit", call, { isAsync: true }));
}

async function commitBatch(session: Session): Promise<void> {
  const handed = batchOf(session);
  const call = (): Promise<number> => session.wal.commitBatch(untyped(handed.map(({ input }) => input)));
  note(session, handed, await session.take("commitBatch", call, { isAsync: true }));
}

/** What is no batch, or has no entry in it. */
async function noBatch(session: Session): Promise<void> {
  const { wal, random } = session;
  const batch = random.chance(0.95) ? anyValue(session) : Array(2 ** 32 - 1);
  const outcome = random.chance(0.5)
    ? await session.take("appendBatch of anything", () => wal.appendBatch(untyped(batch)))
    : await session.take("commitBatch of anything", () => wal.commitBatch(untyped(batch)), { isAsync: true });
  if ("error" in outcome) return;
  for (const _entry of untyped<unknown[]>(batch)) session.model.accepted(null, 0);
}

async function waitFor(session: Session): Promise<void> {
  const { wal, random } = session;
  const lsn = anyLsn(session);
  const options = random.chance(0.6) ? [] : [
    random.chance(0.8)
      ? anyOptions(session, {
        durability: ["fsync", "write", "none"],
        signal: [AbortSignal.abort(new Mine("aborted")), new AbortController().signal],
      })
      : anyValue(session),
  ];
  const outcome = await session.take("waitFor", () => wal.waitFor(untyped(lsn), ...untyped<[]>(options)), {
    isAsync: true,
  });
  if ("value" in outcome && outcome.value !== lsn) throw new Violation(`waitFor resolves to ${String(outcome.value)}`);
}

const CHANGES: Readonly<Record<string, readonly unknown[]>> = {
  durability: ["fsync", "write", "none"],
  windowMs: [0, 1, 20],
  maxEntries: [1, 2, 50, Infinity],
  maxBytes: [1, 1000, Infinity],
  io: ["auto", "pool", "blocking"],
  segmentBytes: [0, 16_384, 65_536],
};

async function configure(session: Session): Promise<void> {
  const { wal, random } = session;
  const changes = random.chance(0.9) ? anyOptions(session, CHANGES) : anyValue(session);
  await session.take("configure", () => wal.configure(untyped(changes)), { isAsync: true });
}

async function truncateBefore(session: Session): Promise<void> {
  const { wal, model } = session;
  const lsn = anyLsn(session);
  const call = (): Promise<unknown> => wal.truncateBefore(untyped(lsn));
  if (typeof lsn === "number" && lsn <= wal.lastLsn + 1) model.cutLsn = Math.max(model.cutLsn, lsn);
  await session.take(`truncateBefore ${typeof lsn === "number" ? lsn : typeof lsn}`, call, { isAsync: true });
}

async function look(session: Session): Promise<void> {
  const { wal } = session;
  await session.take("look", () => {
    const { firstLsn, lastLsn, durableLsn, syncedLsn, state, error, recovery, desiredSize } = wal;
    const { utilisation } = wal.stats();
    return JSON.stringify([
      firstLsn,
      lastLsn,
      durableLsn,
      syncedLsn,
      state,
      error,
      recovery.end,
      desiredSize,
      utilisation,
    ]);
  });
}

async function flush(session: Session): Promise<void> {
  const { wal, random } = session;
  if (random.chance(0.5)) return void await session.take("flush", () => wal.flush(), { isAsync: true });
  session.later(session.take("ready", () => wal.ready, { isAsync: true })); // on a full disk it waits for room
}

async function close(session: Session): Promise<void> {
  const { wal, random } = session;
  if (random.chance(0.8)) return; // a closed log has little to tell
  const isDisposed = random.chance(0.3);
  await session.take("close", () => isDisposed ? wal[Symbol.asyncDispose]() : wal.close(), { isAsync: true });
}

// -- without the lock

/** A directory, and options that bear the runtime, so that nothing real is ever touched. */
function outside(session: Session, good: Readonly<Record<string, readonly unknown[]>>): [unknown, unknown] {
  const { random, runtime } = session;
  const directory = random.chance(0.85)
    ? random.pick([DIRECTORY, "/data/other", new URL("file:///data/wal")])
    : anyValue(session);
  if (random.chance(0.1)) return [directory, random.pick([null, 5, "options", 7n, Symbol("s")])];
  return [directory, { ...anyOptions(session, good), runtime }];
}

async function verify(session: Session): Promise<void> {
  const onProgress = [() => {}, () => Promise.reject(new Mine("onProgress"))];
  const [directory, options] = outside(session, { onProgress, signal: [AbortSignal.abort()] });
  await session.take("Wal.verify", () => Wal.verify(untyped(directory), untyped(options)), { isAsync: true });
}

async function repair(session: Session): Promise<void> {
  const good = { mode: RECOVERY_MODES, dryRun: [true, false], onEvent: [session.callBack], onProgress: [() => {}] };
  const [directory, options] = outside(session, good);
  await session.take("Wal.repair", () => Wal.repair(untyped(directory), untyped(options)), { isAsync: true });
}

/** What {@linkcode Wal.open} takes, with values that are right; two of them may contradict each other. */
export const OPEN_OPTIONS: Readonly<Record<string, readonly unknown[]>> = {
  ...CHANGES,
  preset: ["sync", "oltp", "mixed", "analytics", "batch", "async"],
  segmentBytes: [16_384, 16_384, 32_768, 0],
  maxEntryBytes: [4000, 100_000],
  maxBatchBytes: [5000, 200_000],
  maxBufferedBytes: [100, 5000, 200_000],
  spares: [0, 1, 5],
  idleMs: [1, 50, 1000],
  lossMs: [1, 1000],
  recovery: RECOVERY_MODES,
};

async function openElsewhere(session: Session): Promise<void> {
  const [directory, options] = outside(session, { ...OPEN_OPTIONS, onEvent: [session.callBack] });
  const call = async (): Promise<void> => await (await Wal.open(untyped(directory), untyped(options))).close();
  await session.take("Wal.open", call, { isAsync: true });
}

/** All of them, the usual ones more than once. */
export const CALLS: readonly Step[] = [
  append,
  append,
  append,
  appendBatch,
  appendBatch,
  commit,
  commit,
  commit,
  commitBatch,
  noBatch,
  waitFor,
  waitFor,
  configure,
  truncateBefore,
  look,
  flush,
  (session) => session.take("reopen", () => session.wal.reopen(), { isAsync: true }),
  close,
  verify,
  repair,
  openElsewhere,
];

/** What a callback may do in the middle of a call: what returns at once, or is not waited for. */
export function inCallBack(session: Session): void {
  const { random, wal } = session;
  const step = random.pick([
    append,
    append,
    commit,
    look,
    flush,
    waitFor,
    (at: Session) => at.take("readable in a callback", () => void wal.readable().cancel()),
    (at: Session) =>
      random.chance(0.1) ? at.take("close in a callback", () => wal.close(), { isAsync: true }) : look(at),
  ]);
  session.later(step(session));
}
