/**
 * The streams of a log, in, out and through, with chunks that may be anything.
 */

import {
  type Acknowledgement,
  decodeJson,
  encodeJson,
  type Entry,
  type EntryInput,
  splitLines,
  Wal,
  WalInputError,
} from "../../mod.ts";
import { nextHostTask } from "../../src/runtime/host_task.ts";
import type { OpenWriter, Outcome, Session } from "./fuzz_session.ts";
import type { Step } from "./fuzz_steps.ts";
import { anyEntry, anyOptions, anyValue, contentKey, goodEntry, type Handed, Mine, untyped } from "./fuzz_values.ts";
import { DIRECTORY } from "./log_fixture.ts";

const LEVELS = { durability: ["fsync", "write", "none"] };

/** What was written to a stream: it may have been accepted in part, and where, nobody is told. */
function note({ model }: Session, handed: readonly Handed[], outcome: Outcome): void {
  for (const { key } of handed) {
    if ("value" in outcome) model.accepted(key, 0);
    else model.open(key);
  }
}

async function openWriter(session: Session): Promise<void> {
  const { wal, random, writers } = session;
  const options = random.chance(0.9) ? anyOptions(session, LEVELS) : anyValue(session);
  const outcome = await session.take("writable", () => wal.writable(untyped(options)));
  if ("error" in outcome) return;
  const stream = untyped<OpenWriter["stream"]>(outcome.value);
  writers.push({ stream, writer: untyped(stream.getWriter()), hasEnded: false });
}

/** One chunk: an entry, or several that are no batch. */
function chunkOf(session: Session): { readonly chunk: unknown; readonly handed: readonly Handed[] } {
  if (session.random.chance(0.6)) {
    const handed = anyEntry(session, session.tag());
    return { chunk: handed.input, handed: [handed] };
  }
  const handed = Array.from({ length: session.random.integer(0, 4) }, () => anyEntry(session, session.tag()));
  return { chunk: handed.map(({ input }) => input), handed };
}

async function write(session: Session): Promise<void> {
  const { random, writers } = session;
  if (writers.length === 0) return await openWriter(session);
  const open = random.pick(writers);
  const { chunk, handed } = chunkOf(session);
  const isPlatform = open.hasEnded;
  const outcome = await session.take("writer.write", () => open.writer.write(chunk), { isPlatform });
  note(session, handed, outcome);
  if ("error" in outcome) open.hasEnded = true;
}

async function endWriter(session: Session): Promise<void> {
  const { random, writers, reasons } = session;
  if (writers.length === 0) return;
  const open = random.pick(writers);
  const isPlatform = open.hasEnded;
  open.hasEnded = true;
  const { stream, writer } = open;
  const how = random.pick(["close", "close", "abort", "release", "stream close"]);
  if (how === "close") await session.take("writer.close", () => writer.close(), { isPlatform });
  if (how === "release") await session.take("writer.releaseLock", () => writer.releaseLock(), { isPlatform: true });
  if (how === "stream close") await session.take("stream.close", () => stream.close(), { isPlatform: true });
  if (how !== "abort") return;
  const reason = random.chance(0.5) ? new Mine("aborted") : anyValue(session);
  reasons.push(reason);
  await session.take("writer.abort", () => writer.abort(reason), { isPlatform: true });
}

// -- out

const RANGES = {
  follow: [true, false],
  batches: [true, false],
  signal: [new AbortController().signal],
};

async function openReader(session: Session): Promise<void> {
  const { wal, random, readers } = session;
  const lsn = (): number => random.integer(wal.firstLsn - 1, wal.lastLsn + 1);
  const good = { ...RANGES, from: [lsn(), wal.firstLsn], to: [lsn(), wal.lastLsn] };
  const options = random.chance(0.9) ? anyOptions(session, good) : anyValue(session);
  const outcome = await session.take("readable", () => wal.readable(untyped(options)));
  if ("value" in outcome) readers.push(untyped<ReadableStream>(outcome.value).getReader());
}

async function read(session: Session): Promise<void> {
  const { random, readers } = session;
  if (readers.length === 0) return await openReader(session);
  const reader = random.pick(readers);
  if (random.chance(0.15)) {
    readers.splice(readers.indexOf(reader), 1);
    const reason = anyValue(session);
    return void await session.take("reader.cancel", () => reader.cancel(reason));
  }
  session.later(readOne(session, reader)); // a follower may wait until the log is closed
}

async function readOne(session: Session, reader: ReadableStreamDefaultReader): Promise<void> {
  const outcome = await session.take("reader.read", () => reader.read());
  if ("error" in outcome) return;
  const { value } = untyped<{ value?: Entry | Entry[] }>(outcome.value);
  for (const entry of Array.isArray(value) ? value : value === undefined ? [] : [value]) await lookAt(session, entry);
}

async function lookAt(session: Session, entry: Entry): Promise<void> {
  await session.take("entry.json", () => String(entry.json()).length);
  await session.take("entry.text", () => entry.text().length);
  entry.data.fill(0x41); // other readers must not see that
}

async function readOutside(session: Session): Promise<void> {
  const { random, runtime } = session;
  const good = { ...RANGES, from: [0, 1, 2], to: [0, 1, 5], pollMs: [1, 50] };
  const options = { ...anyOptions(session, good), runtime };
  const outcome = await session.take("Wal.read", () => Wal.read(DIRECTORY, untyped(options)));
  if ("error" in outcome) return;
  const reader = untyped<ReadableStream>(outcome.value).getReader();
  const cancel = (): Promise<unknown> => session.take("Wal.read, cancel", () => reader.cancel(anyValue(session)));
  const timer = runtime.setTimer(() => session.later(cancel()), 200, true); // a follower would wait for ever
  for (let left = random.integer(0, 5); left > 0; left--) {
    const read = await session.take("Wal.read, read", () => reader.read());
    if ("error" in read || untyped<{ done: boolean }>(read.value).done) break;
  }
  timer.cancel();
  await cancel();
}

// -- through

async function acknowledge(session: Session): Promise<void> {
  const { wal, random } = session;
  const options = random.chance(0.9) ? anyOptions(session, { ...LEVELS, batches: [true, false] }) : anyValue(session);
  const outcome = await session.take("acknowledge", () => wal.acknowledge(untyped(options)));
  if ("error" in outcome) return;
  const { writable, readable } = untyped<Acknowledgement<Entry | Entry[]>>(outcome.value);
  const handed = Array.from({ length: random.integer(0, 6) }, () => goodEntry(session, session.tag()));
  const writer = writable.getWriter();
  const keys = new Set(handed.map(({ key }) => key));
  session.later(session.take("acknowledge, read", async () => {
    for await (const chunk of readable) {
      for (const { lsn, kind, data } of Array.isArray(chunk) ? chunk : [chunk]) {
        const key = contentKey(kind, data);
        if (keys.has(key)) session.model.accepted(key, lsn);
      }
      if (random.chance(0.1)) break;
    }
  }));
  let hasEnded = false;
  for (const each of handed) {
    const wrote = await session.take("acknowledge, write", () => writer.write(untyped(each.input)), {
      isPlatform: hasEnded,
    });
    note(session, [each], wrote);
    hasEnded ||= "error" in wrote;
  }
  if (random.chance(0.8)) {
    await session.take("acknowledge, close", () => writer.close(), { isPlatform: hasEnded });
  } else {
    const reason = new Mine("aborted");
    session.reasons.push(reason);
    await session.take("acknowledge, abort", () => writer.abort(reason));
  }
}

// -- transforms

/** Pushes chunks of anything through a transform, and takes what comes out. */
async function through(
  session: Session,
  what: string,
  make: () => TransformStream<unknown, unknown>,
  chunks: readonly unknown[],
): Promise<void> {
  const made = await session.take(what, make);
  if ("error" in made) return;
  const { writable, readable } = untyped<TransformStream<unknown, unknown>>(made.value);
  const out = session.take(`${what}, read`, async () => {
    let count = 0;
    for await (const _chunk of untyped<AsyncIterable<unknown>>(readable)) count++;
    return count;
  });
  const writer = writable.getWriter();
  let hasEnded = false;
  for (const chunk of chunks) {
    const wrote = await session.take(`${what}, write`, () => writer.write(chunk), { isPlatform: hasEnded });
    hasEnded ||= "error" in wrote;
  }
  await session.take(`${what}, close`, () => writer.close(), { isPlatform: hasEnded });
  await out;
}

async function lines(session: Session): Promise<void> {
  const { random } = session;
  const text = new TextEncoder();
  const chunks = Array.from(
    { length: random.integer(0, 5) },
    () =>
      random.chance(0.85)
        ? text.encode(random.pick(["a\nb\r\n", "\n", "\r", "half", "", "x".repeat(500)]))
        : anyValue(session),
  );
  const options = random.chance(0.5) ? {} : anyOptions(session, { maxLineBytes: [1, 100, 10_000] });
  await through(session, "splitLines", () => untyped(splitLines(untyped(options))), chunks);
}

async function toJson(session: Session): Promise<void> {
  const { random } = session;
  const circle: unknown[] = [];
  circle.push(circle);
  const odd = [circle, { toJSON: () => undefined }, { toJSON: () => 5n }, NaN, "\ud800"];
  const chunks = Array.from({ length: 3 }, () => random.chance(0.5) ? anyValue(session) : random.pick(odd));
  const options = anyOptions(session, { kind: [0, 5, 191] });
  await through(session, "encodeJson", () => untyped(encodeJson(untyped(options))), chunks);
}

async function fromJson(session: Session): Promise<void> {
  const { wal, random } = session;
  if (random.chance(0.5)) {
    return await through(session, "decodeJson", () => untyped(decodeJson()), [anyValue(session)]);
  }
  const read = async (): Promise<number> => {
    let count = 0;
    for await (const _value of wal.readable({ batches: random.chance(0.5) }).pipeThrough(decodeJson())) count++;
    return count;
  };
  await session.take("decodeJson of what is there", read);
}

/** A source of the caller's, which may fail, into the log. */
async function pipe(session: Session): Promise<void> {
  const { wal, random, reasons } = session;
  const handed = Array.from({ length: random.integer(0, 4) }, () => goodEntry(session, session.tag()));
  const failure = new Mine("the source fails");
  reasons.push(failure);
  const left = [...handed];
  const fails = random.chance(0.2);
  const source = new ReadableStream<EntryInput>({
    pull: async (controller) => {
      if (random.chance(0.3)) await nextHostTask();
      const next = left.shift();
      if (next !== undefined) controller.enqueue(untyped(next.input));
      else if (fails) controller.error(failure);
      else controller.close();
    },
  });
  const outcome = await session.take("pipeTo", async () => await source.pipeTo(wal.writable()));
  const taken = handed.slice(0, handed.length - left.length);
  note(session, taken, outcome);
  if ("error" in outcome && outcome.error instanceof WalInputError) throw outcome.error;
}

/** All of them. */
export const STREAMS: readonly Step[] = [
  openWriter,
  write,
  write,
  write,
  endWriter,
  openReader,
  read,
  read,
  read,
  readOutside,
  acknowledge,
  lines,
  toJson,
  fromJson,
  pipe,
];
